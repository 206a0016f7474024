"""The page on offline work: its programs run as printed, its tables are whole."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import recents
from recents.client import client
from recents.client.settings import Settings
from recents.core.commands import AnyCommand
from recents.core.entry import InboxEntry
from recents.server.settings import Settings as NodeSettings
from recents.wire.codec import MAX_DEVICE_FRAME_BYTES
from tests.cli.terminal import AtNode, serving

PAGE = (Path(__file__).parents[2] / "docs" / "offline.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[AtNode]:
    folder = tmp_path / "node"
    folder.mkdir()
    with serving(folder) as node:
        yield node


@pytest.fixture
def token(at: AtNode) -> str:
    at.login("bob")
    return at.login("alice").environment["RECENTS_TOKEN"]


def programs() -> dict[str, Any]:
    """All of the page's programs, as if they were one file."""
    names: dict[str, Any] = {}
    for block in BLOCKS:
        exec(compile(block, "offline.md", "exec"), names)
    return names


def test_a_morning_with_and_without_a_network(
    at: AtNode, token: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    morning = programs()["morning"]
    asyncio.run(morning(at.address, token, tmp_path / "data"))
    assert "sent 0\nthe list is as the node has it" in capsys.readouterr().out
    at.running.process.kill()
    at.running.process.wait()
    asyncio.run(morning(at.address, token, tmp_path / "data"))
    shown = capsys.readouterr().out
    assert shown.startswith("['bob']"), "the list is there"
    assert "sending 1" in shown


def test_a_message_that_fails(
    at: AtNode, token: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        async with recents.connect(
            at.address, account="alice", token=token, data_dir=tmp_path / "data"
        ) as me:
            await programs()["mend"](me)
            programs()["look"](me)
            assert await me.inbox.get("team:theirs") is None

    asyncio.run(work())
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "team:theirs m1 sending"
    assert "Post not_a_member" in shown
    assert [line for line in shown if line.startswith("not sent:")]
    assert shown.count("failed") == 1


def test_a_script(
    at: AtNode, token: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    programs()["report"](at.address, token, tmp_path / "data")
    assert capsys.readouterr().out == "0 unread; all sent: True\n"


def first_cells(heading: str) -> list[str]:
    """The first column of a section's tables, without its heads."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `?([^|`]+)`? \|", section, re.MULTILINE)


def test_every_field_of_a_row_has_its_line() -> None:
    lines = first_cells("How changes merge")
    for field in InboxEntry.__struct_fields__:
        assert lines.count(field) == 1, field


def test_every_command_has_its_line() -> None:
    lines = first_cells("Commands")
    tags = [
        command.__struct_config__.tag
        for command in AnyCommand.__args__
        if issubclass(command, msgspec.Struct)
    ]
    assert len(tags) == 29
    for tag in tags:
        assert lines.count(str(tag)) == 1, tag


def test_every_call_that_it_names_is_there() -> None:
    for face, name in re.findall(
        r"`(?:me\.)?(inbox|messages|teams|devices|profiles)\.(\w+)", PAGE
    ):
        assert hasattr(getattr(client, face.title()), name), (face, name)


def test_the_limits_are_those_of_the_settings() -> None:
    limits = PAGE.partition("\n## Limits\n")[2].partition("\n## ")[0]
    assert f"{Settings().outbox_commands:,}; one more" in limits
    assert f"{NodeSettings().remembered_days} days" in limits
    assert f"up to {Settings().closing_s:g} s" in limits
    assert f"{MAX_DEVICE_FRAME_BYTES // 1024} KiB" in limits


def test_links_lead_somewhere() -> None:
    headings = {
        re.sub(r"[^a-z -]", "", line.lower()).replace(" ", "-")
        for line in re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        page, _, anchor = target.partition("#")
        assert not page or (Path(__file__).parents[2] / "docs" / page).exists(), target
        assert not anchor or page or anchor in headings, target
