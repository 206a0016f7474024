"""What `import recents` gives."""

import inspect
import subprocess
import sys

import recents


def test_everything_importable_is_listed() -> None:
    names = [
        name
        for name, value in vars(recents).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    ]
    assert sorted(names) == sorted(recents.__all__)


def test_everything_public_is_documented() -> None:
    for name in recents.__all__:
        value = getattr(recents, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), name


def test_the_sdk_does_not_bring_the_node_with_it() -> None:
    program = (
        "import sys, recents; "
        "print(sorted({'typer', 'rich', 'uvloop', 'recents.server'} & sys.modules.keys()))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
