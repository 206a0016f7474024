"""Group commit: rules D7, M1, M4; a refused command holds up nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from recents.core.commands import AnyCommand
from recents.core.errors import Code, Refused
from recents.server.committer import Committer, Outcome, Work
from recents.server.settings import Settings
from recents.server.store.port import Account
from recents.server.store.workspace import Wanted, Workspace
from recents.wire.frames import Posted
from tests.server.devices import a_post
from tests.server.failing_store import FailingStore

pytestmark = pytest.mark.asyncio


class Desk:
    """A committer, and what it said in the order in which it said it."""

    def __init__(self, **settings: int) -> None:
        self.store = FailingStore()
        self.said: list[str] = []
        self.outcomes: list[Outcome] = []
        self.committer = Committer(
            self.store,
            Settings(**settings),
            lambda: 1_000,
            self._committed,
        )
        self._moved = asyncio.Event()
        self.running: asyncio.Task[None] | None = None

    def _committed(self, workspace: Workspace) -> None:
        self.said.append(f"commit {workspace.version}")

    def submit(self, command: AnyCommand) -> None:
        self.committer.submit(Work("alice", command, self._answer))

    def _answer(self, work: Work, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.said.append(f"answer {work.command.id}")
        self._moved.set()

    def start(self) -> None:
        self.running = asyncio.create_task(self.committer.run())

    async def answered(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.outcomes) < count:
                await self._moved.wait()
                self._moved.clear()

    async def stop(self) -> None:
        self.committer.stop()
        if self.running is not None:
            await self.running


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def start(**settings: int) -> Desk:
        desks.append(Desk(**settings))
        return desks[-1]

    yield start
    for one in desks:
        await one.stop()


async def _with_bob(desk: Desk) -> Desk:
    await desk.store.create_account(Account("bob", "", 0))
    return desk


async def test_what_waits_together_is_committed_together(desk: Callable[..., Desk]) -> None:
    at = await _with_bob(desk())
    posts = [a_post("p2p:bob") for _ in range(5)]
    for post in posts:
        at.submit(post)
    at.start()
    await at.answered(5)
    assert at.said == ["commit 1", *[f"answer {post.id}" for post in posts]]
    assert [getattr(outcome, "seq", None) for outcome in at.outcomes] == [1, 2, 3, 4, 5]


async def test_a_batch_has_a_largest_size(desk: Callable[..., Desk]) -> None:
    at = await _with_bob(desk(batch_commands=2))
    for _ in range(5):
        at.submit(a_post("p2p:bob"))
    at.start()
    await at.answered(5)
    assert [said for said in at.said if said.startswith("commit")] == [
        "commit 1",
        "commit 2",
        "commit 3",
    ]


async def test_a_refused_command_holds_up_nothing(desk: Callable[..., Desk]) -> None:
    at = await _with_bob(desk())
    for conversation in ("p2p:bob", "p2p:nobody", "team:none", "p2p:bob"):
        at.submit(a_post(conversation))
    at.start()
    await at.answered(4)
    codes = [getattr(outcome, "code", "posted") for outcome in at.outcomes]
    assert codes == ["posted", Code.UNKNOWN_ACCOUNT, Code.NOT_A_MEMBER, "posted"]
    assert at.store.version == 1


async def test_where_nothing_changes_nothing_is_committed(desk: Callable[..., Desk]) -> None:
    at = desk()
    at.submit(a_post("p2p:nobody"))
    at.start()
    await at.answered(1)
    assert not [said for said in at.said if said.startswith("commit")]
    assert at.store.version == 0


async def test_d7_a_failed_commit_fails_its_whole_batch_and_no_other(
    desk: Callable[..., Desk],
) -> None:
    at = await _with_bob(desk(batch_commands=3))
    at.store.failures["transact"] = 1
    for _ in range(5):
        at.submit(a_post("p2p:bob"))
    at.start()
    await at.answered(5)
    codes = [getattr(outcome, "code", "posted") for outcome in at.outcomes]
    assert codes == [Code.STORE_FAILED] * 3 + ["posted"] * 2
    assert [getattr(outcome, "seq", None) for outcome in at.outcomes[3:]] == [1, 2]
    assert at.store.rows_written == 2 + 1 + 2, "messages, head, memberships of the second batch"


async def test_a_mistake_of_ours_does_not_end_all_committing(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    at = await _with_bob(desk())

    async def broken(wanted: Wanted, decide: Callable[[Workspace], None]) -> Workspace:
        raise AssertionError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(at.store, "transact", broken)
        at.submit(a_post("p2p:bob"))
        at.start()
        await at.answered(1)
    assert isinstance(at.outcomes[0], Refused)
    assert at.outcomes[0].code is Code.STORE_FAILED
    assert "a bug" in caplog.text
    at.submit(a_post("p2p:bob"))
    await at.answered(2)
    assert isinstance(at.outcomes[1], Posted)


async def test_too_many_waiting_commands_are_refused(desk: Callable[..., Desk]) -> None:
    at = await _with_bob(desk(queued_commands=2))
    at.submit(a_post("p2p:bob"))
    at.submit(a_post("p2p:bob"))
    with pytest.raises(Refused) as refused:
        at.submit(a_post("p2p:bob"))
    assert refused.value.code is Code.OVERLOADED
    at.start()
    await at.answered(2)
    at.submit(a_post("p2p:bob"))
    await at.answered(3)


async def test_stopped_it_refuses_what_waits_and_what_comes(desk: Callable[..., Desk]) -> None:
    at = await _with_bob(desk())
    at.submit(a_post("p2p:bob"))
    at.committer.stop()
    with pytest.raises(Refused) as refused:
        at.submit(a_post("p2p:bob"))
    assert refused.value.code is Code.CLOSING
    at.start()
    await at.answered(1)
    assert isinstance(at.outcomes[0], Refused)
    assert at.outcomes[0].code is Code.CLOSING
    assert at.store.version == 0


async def test_m4_one_batch_has_one_time(desk: Callable[..., Desk]) -> None:
    at = await _with_bob(desk())
    at.submit(a_post("p2p:bob"))
    at.submit(a_post("p2p:bob"))
    at.start()
    await at.answered(2)
    assert {getattr(outcome, "time_ms", None) for outcome in at.outcomes} == {1_000}
