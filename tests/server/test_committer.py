"""Group commit: rules D7, M1, M4; a refused command holds up nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from recents.core.commands import AnyCommand, Post
from recents.core.errors import Code, Refused
from recents.core.ids import ConversationKey
from recents.server import committer, posting
from recents.server.carrying_out import Done
from recents.server.committer import Committer, Outcome, Work
from recents.server.settings import Settings
from recents.server.store.port import Account
from recents.server.store.workspace import Wanted, Workspace
from recents.wire.frames import Posted
from tests.server.devices import a_post
from tests.server.failing_store import FailingStore

pytestmark = pytest.mark.asyncio

KEY = ConversationKey("p2p:alice|bob")


class Desk:
    """A committer, and what it said in the order in which it said it."""

    def __init__(self, **settings: int) -> None:
        self.store = FailingStore()
        self.said: list[str] = []
        self.outcomes: list[Outcome] = []
        self.committer = Committer(
            self.store,
            Settings(**settings),  # type: ignore[arg-type]  # numbers only
            lambda: 1_000,
            self._committed,
        )
        self._moved = asyncio.Event()
        self.running: asyncio.Task[None] | None = None

    def _committed(self, workspace: Workspace) -> None:
        self.said.append(f"commit {workspace.version}")

    def submit(self, command: AnyCommand, source: object = None) -> None:
        self.committer.submit(Work("alice", command, self._answer, source))

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


def _posted(outcomes: list[Outcome]) -> list[Posted]:
    done = [outcome for outcome in outcomes if isinstance(outcome, Done)]
    return [outcome.posted for outcome in done if outcome.posted is not None]


def _seqs(outcomes: list[Outcome]) -> list[int]:
    return [posted.seq for posted in _posted(outcomes)]


async def test_what_waits_together_is_committed_together(desk: Callable[..., Desk]) -> None:
    at = await _with_bob(desk())
    posts = [a_post("p2p:bob") for _ in range(5)]
    for post in posts:
        at.submit(post)
    at.start()
    await at.answered(5)
    assert at.said == ["commit 1", *[f"answer {post.id}" for post in posts]]
    assert _seqs(at.outcomes) == [1, 2, 3, 4, 5]


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
    assert _seqs(at.outcomes[3:]) == [1, 2]
    assert at.store.rows_written == 2 + 1 + 2, "messages, head, memberships of the second batch"


async def test_c4_a_failed_commit_takes_down_what_the_same_devices_asked_after_it(
    desk: Callable[..., Desk],
) -> None:
    at = await _with_bob(desk(batch_commands=2))
    at.store.failures["transact"] = 1
    first, second = object(), object()
    posts = [a_post("p2p:bob", text) for text in ("a1", "a2", "b1", "a3", "b2", "nobody's")]
    for post, source in zip(posts, [first, first, second, first, second, None], strict=True):
        at.submit(post, source)
    at.start()
    await at.answered(6)
    order = [posts[place].id for place in (0, 1, 3, 2, 4, 5)]
    answers = [said for said in at.said if said.startswith("answer")]
    assert answers == [f"answer {request_id}" for request_id in order]
    codes = [getattr(outcome, "code", "posted") for outcome in at.outcomes]
    assert codes == [Code.STORE_FAILED] * 3 + ["posted"] * 3
    texts = [message.text for message in at.store._histories[KEY].messages]
    assert texts == ["b1", "b2", "nobody's"]


async def test_a_command_that_trips_a_mistake_of_ours_is_refused_for_good_and_alone(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked again for ever, it would hold up everything that its device asked after it."""
    at = await _with_bob(desk())
    honest = posting.carry_out

    def tripping(workspace: Workspace, actor: str, post: Post, at_ms: int) -> Posted:
        posted = honest(workspace, actor, post, at_ms)
        assert post.text != "trip", "a bug"
        return posted

    source = object()
    with monkeypatch.context() as patch:
        patch.setattr(posting, "carry_out", tripping)
        for text in ("one", "trip", "two"):
            at.submit(a_post("p2p:bob", text), source)
        at.start()
        await at.answered(3)
    assert [getattr(outcome, "code", "posted") for outcome in at.outcomes] == [
        "posted",
        Code.NODE_MISTAKE,
        "posted",
    ]
    assert [message.text for message in at.store._histories[KEY].messages] == ["one", "two"]


async def test_a_mistake_in_looking_ahead_does_not_end_all_committing(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = await _with_bob(desk())

    def broken(*_: object, **__: object) -> None:
        raise AssertionError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(committer, "want", broken)
        at.submit(a_post("p2p:bob"))
        at.start()
        await at.answered(1)
    at.submit(a_post("p2p:bob"))
    await at.answered(2)
    assert _seqs(at.outcomes) == [1]


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
    assert _seqs(at.outcomes[1:]) == [1]


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
    assert {posted.time_ms for posted in _posted(at.outcomes)} == {1_000}
