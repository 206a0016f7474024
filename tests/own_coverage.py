"""Is each module of the pure layers covered by its own test file alone, branches included?

``python -m tests.own_coverage`` measures ``core`` and ``wire``; ``python -m tests.own_coverage
core/head`` one module, and shows what is missing.

A line that only another module's test reaches is reached by chance: nothing there says what it
is for, and when that test changes nobody notices.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import sys
from importlib.metadata import entry_points
from pathlib import Path

import coverage
import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ("core", "wire")
PROCESSES = 2


def modules() -> list[str]:
    """Return the modules that have something to cover, as ``core/head``."""
    sources = ROOT / "src" / "recents"
    return sorted(
        f"{layer}/{path.stem}"
        for layer in LAYERS
        for path in (sources / layer).glob("*.py")
        if path.name != "__init__.py"
    )


def measure(module: str) -> str:
    """Run the module's own test file; return what is wrong, or nothing."""
    layer, name = module.split("/")
    tests = ROOT / "tests" / layer / f"test_{name}.py"
    if not tests.exists():
        return f"there is no {tests.relative_to(ROOT)}\n"
    measured = coverage.Coverage(
        config_file=str(ROOT / "pyproject.toml"),
        source_pkgs=[f"recents.{layer}.{name}"],
        data_file=None,
    )
    measured.set_option("run:parallel", value=False)
    measured.set_option("report:skip_covered", value=False)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        measured.start()
        try:
            # Plain, since pytest will not rewrite what was imported before it began.
            failed = pytest.main(["-q", "--assert=plain", "-p", "no:cacheprovider", str(tests)])
        finally:
            measured.stop()
        share = measured.report()
    return said.getvalue() if failed or share < 100 else ""


def main(wanted: list[str]) -> int:
    """Measure each module in a process of its own, say what is wrong, return the exit code."""
    names = wanted or modules()
    # Imported once for all measurements, which are forked from here. `recents` itself must not
    # be: what runs while a module is imported is measured too.
    for plugin in entry_points(group="pytest11"):
        plugin.load()
    with multiprocessing.get_context("fork").Pool(PROCESSES, maxtasksperchild=1) as pool:
        complaints = pool.map(measure, names, chunksize=1)
    for name, complaint in zip(names, complaints, strict=True):
        if complaint:
            print(f"== {name}\n{complaint}")
    print(f"{complaints.count('')} of {len(names)} modules are covered by their own tests")
    return 1 if any(complaints) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
