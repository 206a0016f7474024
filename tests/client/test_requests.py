"""What was asked and not answered yet."""

import asyncio
from dataclasses import replace

import msgspec
import pytest

from recents.client.requests import Requests
from recents.client.settings import Settings
from recents.core.errors import CallerMistake, Code, Refused, Unavailable
from recents.core.ids import Conversation
from recents.wire import codec
from recents.wire.frames import MyTeams, TeamMembers

pytestmark = pytest.mark.asyncio

NULL = msgspec.Raw(b"null")
TEAM = Conversation("team:t1")


def _open(**settings: int) -> Requests:
    requests = Requests(replace(Settings(), **settings), asyncio.Event())
    requests.open()
    return requests


async def _asked(requests: Requests, *ids: str) -> list[asyncio.Task[msgspec.Raw]]:
    tasks = [asyncio.create_task(requests.ask(MyTeams(id=one))) for one in ids]
    await asyncio.sleep(0)
    return tasks


def _ids(frames: list[bytes]) -> list[str | None]:
    return [codec.readable_id(frame) for frame in frames]


async def test_requests_go_out_in_order_and_answers_find_their_callers() -> None:
    requests = _open()
    first, second = await _asked(requests, "1", "2")
    assert _ids(requests.take()) == ["1", "2"]
    requests.settle("2", msgspec.Raw(b"2"))
    requests.settle("1", Refused(Code.BEYOND_END, "no"))
    assert bytes(await second) == b"2"
    with pytest.raises(Refused, match="no"):
        await first


async def test_C4_what_was_not_answered_is_sent_again_in_order() -> None:
    requests = _open()
    tasks = await _asked(requests, "1", "2", "3")
    requests.take()
    requests.settle("1", NULL)
    tasks += await _asked(requests, "4")
    requests.rewind()
    assert _ids(requests.take()) == ["2", "3", "4"]
    for one in "234":
        requests.settle(one, NULL)
    await asyncio.gather(*tasks)


async def test_no_more_are_in_flight_than_a_node_reads() -> None:
    requests = _open(requests_in_flight=2)
    tasks = await _asked(requests, "1", "2", "3")
    assert _ids(requests.take()) == ["1", "2"]
    assert requests.take() == []
    requests.wake.clear()
    requests.settle("1", NULL)
    assert requests.wake.is_set()
    assert _ids(requests.take()) == ["3"]
    requests.settle("2", NULL)
    requests.settle("3", NULL)
    await asyncio.gather(*tasks)


async def test_a_message_never_grows_beyond_what_a_node_takes() -> None:
    requests = _open()
    asked = [TeamMembers(id=str(n), conversation=TEAM, after="x" * 16_000) for n in range(200)]
    tasks = [asyncio.create_task(requests.ask(one)) for one in asked]
    await asyncio.sleep(0)
    sizes = []
    while frames := requests.take():
        sizes.append(len(codec.join(frames)))
    assert max(sizes) <= codec.MAX_DEVICE_MESSAGE_BYTES
    assert len(sizes) > 1
    for one in asked:
        requests.settle(one.id, NULL)
    await asyncio.gather(*tasks)


async def test_one_request_too_many_fails_at_once() -> None:
    requests = _open(unanswered_requests=2)
    tasks = await _asked(requests, "1", "2")
    with pytest.raises(Unavailable, match="2 requests wait"):
        await requests.ask(MyTeams(id="3"))
    requests.close(lambda: Unavailable("closed"))
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.looptime
async def test_no_answer_in_time_may_still_have_been_carried_out() -> None:
    requests = _open()
    (task,) = await _asked(requests, "1")
    requests.take()
    with pytest.raises(Unavailable, match=r"within 30 s; what was asked may still be"):
        await task


@pytest.mark.looptime
async def test_what_was_never_sent_was_not_carried_out() -> None:
    with pytest.raises(Unavailable, match="nothing was sent"):
        await _open().ask(MyTeams(id="1"))


async def test_a_caller_who_gave_up_is_not_asked_for_again() -> None:
    requests = _open()
    waiting, sent = (await _asked(requests, "1"))[0], None
    requests.take()
    (sent,) = await _asked(requests, "2")
    for task in (waiting, sent):
        task.cancel()
    await asyncio.gather(waiting, sent, return_exceptions=True)
    requests.settle("1", NULL)
    requests.settle("unknown", NULL)
    requests.take()
    requests.rewind()
    assert requests.take() == []


async def test_closing_leaves_a_caller_who_gave_up_alone() -> None:
    requests = _open()
    (task,) = await _asked(requests, "1")
    requests.take()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    requests.close(lambda: Unavailable("closed"))
    assert task.cancelled()


async def test_closing_fails_all_now_and_later() -> None:
    requests = _open()
    tasks = await _asked(requests, "1", "2")
    requests.take()
    tasks += await _asked(requests, "3")
    requests.close(lambda: Unavailable("the client is closed"))
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(end) for end in ends] == ["the client is closed"] * 3
    with pytest.raises(Unavailable, match="closed"):
        await requests.ask(MyTeams(id="4"))


async def test_before_opening_nothing_is_accepted() -> None:
    with pytest.raises(Unavailable, match="not open"):
        await Requests(Settings(), asyncio.Event()).ask(MyTeams(id="1"))


async def test_text_that_is_not_unicode_is_the_callers_mistake() -> None:
    with pytest.raises(CallerMistake, match="JSON"):
        await _open().ask(TeamMembers(id="1", conversation=TEAM, after="\ud800"))


async def test_only_what_was_sent_is_known() -> None:
    requests = _open()
    (task,) = await _asked(requests, "1")
    assert not requests.knows("1")
    requests.take()
    assert requests.knows("1")
    requests.settle("1", NULL)
    assert not requests.knows("1")
    await task
