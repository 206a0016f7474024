"""What a replay does is possible, the same for the same seed, and in an order one can follow."""

import asyncio
from collections import defaultdict
from pathlib import Path

import pytest

from bench.planning import Planner
from bench.schedule import Schedule
from bench.steps import (
    ComeBack,
    Create,
    GoAway,
    Join,
    Leave,
    Post,
    Read,
    ReadAll,
    Step,
    touches,
)
from bench.traffic import Ids, Line, Traffic, read_lines, traffic_of
from recents.core.ids import Conversation, check_id, is_p2p, p2p
from tests.bench.made_traffic import write_traffic


@pytest.fixture
def traffic(tmp_path: Path) -> Traffic:
    return traffic_of(read_lines(write_traffic(tmp_path / "made.jsonl", 1_500, seed=3)), seed=3)


def test_names_become_valid_ids_and_never_the_same_one() -> None:
    names = ["a b", "a_b", "a:b", "", "@all", "é", "x" * 63, "x" * 64, "x" * 65, "plain"]
    ids = Ids()

    made = [check_id(ids.id_of(name)) for name in names]

    assert len(set(made)) == len(names)
    assert made == [ids.id_of(name) for name in names]
    assert made[-1] == "plain"
    assert "@all" not in made
    assert ids.renamed == len(names) - 2


def test_only_people_of_the_run_are_mentioned() -> None:
    lines = [Line(1, "c", "a b", "hello", ("a b", "stranger", "@all", "a b"))]

    assert traffic_of(lines, seed=1).messages[0].mentions == ("a_b", "@all")


def test_bodies_that_are_missing_are_made_up_and_counted(traffic: Traffic) -> None:
    assert traffic.made_up > 0
    assert traffic.shortened > 0
    assert traffic_of([Line(1, "c", "a")], seed=1).messages[0].text != ""


def test_the_plan_is_the_same_for_the_same_seed(traffic: Traffic) -> None:
    assert Planner(traffic, 1).plan() == Planner(traffic, 1).plan()
    assert Planner(traffic, 1).plan() != Planner(traffic, 2).plan()


def test_every_step_is_possible(traffic: Traffic) -> None:
    members: dict[str, set[str]] = defaultdict(set)
    owners: dict[str, str] = {}
    away: set[str] = set()
    for step in Planner(traffic, 1).plan():
        actor = step.by if isinstance(step, Join) else step.account
        assert (actor in away) == isinstance(step, ComeBack)
        match step:
            case Create():
                assert step.conversation not in owners
                owners[step.conversation] = step.account
                members[step.conversation].add(step.account)
            case Join():
                assert step.by in members[step.conversation]
                assert step.account not in members[step.conversation]
                members[step.conversation].add(step.account)
            case Leave():
                assert owners[step.conversation] != step.account
                members[step.conversation].remove(step.account)
            case Post():
                conversation = step.conversation
                assert is_p2p(conversation) or step.account in members[conversation]
            case GoAway():
                away.add(step.account)
            case ComeBack():
                away.remove(step.account)
            case _:
                pass
    assert away == set()


def test_messages_keep_their_order_in_a_conversation(traffic: Traffic) -> None:
    posts = [step for step in Planner(traffic, 1).plan() if isinstance(step, Post)]

    assert [post.text for post in posts] == [one.text for one in traffic.messages]


def order_of(steps: list[Step], slow: int) -> list[tuple[str, int]]:
    """Take steps side by side, one of them slowly; return what began and ended, in order."""
    seen = []

    async def take(number: int) -> None:
        seen.append(("began", number))
        await asyncio.sleep(0.02 if number == slow else 0)
        seen.append(("ended", number))

    schedule = Schedule()
    for step in steps:
        schedule.add(*touches(step))
    asyncio.run(schedule.run(take, window=10))
    return seen


TEAM = Conversation("team:t")


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([Post("a", TEAM, "1"), Post("b", TEAM, "2")], id="two in one team"),
        pytest.param([Post("a", p2p("b"), "1"), Post("b", p2p("a"), "2")], id="both sides"),
        pytest.param([Post("a", TEAM, "1"), GoAway("a")], id="a device is not closed too early"),
        pytest.param([GoAway("a"), ComeBack("a")], id="away, then back"),
        pytest.param([Join("a", TEAM, "b"), GoAway("b")], id="who adds has to be there"),
        pytest.param(
            [ReadAll("a", None, ()), Post("b", p2p("a"), "1")], id="no new row meanwhile"
        ),
        pytest.param([Join("a", TEAM, "b"), ReadAll("a", None, ())], id="no new team meanwhile"),
    ],
)
def test_steps_that_touch_the_same_never_overlap(steps: list[Step]) -> None:
    assert order_of(steps, slow=0) == [("began", 0), ("ended", 0), ("began", 1), ("ended", 1)]


def test_steps_in_different_conversations_run_side_by_side() -> None:
    steps: list[Step] = [Post("a", TEAM, "1"), Post("a", p2p("b"), "2"), Read("b", p2p("c"))]

    assert order_of(steps, slow=0)[-1] == ("ended", 0)


def test_a_failed_step_ends_the_run() -> None:
    taken = []

    async def take(number: int) -> None:
        taken.append(number)
        raise LookupError("refused")

    schedule = Schedule()
    schedule.add(["x"], [])
    schedule.add(["x"], [])

    with pytest.raises(LookupError, match="refused"):
        asyncio.run(schedule.run(take, window=2))
    assert taken == [0]
