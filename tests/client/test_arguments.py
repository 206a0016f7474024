"""What an application passes in."""

import pytest

from recents.client import arguments
from recents.core.commands import LeaveTeam
from recents.core.errors import CallerMistake
from recents.core.filters import MAIN_LIST, Filter
from recents.core.ids import Conversation, Kind


def test_names_of_conversations() -> None:
    made = arguments.p2p("bob"), arguments.team("t1"), arguments.super_team("big")
    assert made == ("p2p:bob", "team:t1", "super_team:big")


@pytest.mark.parametrize("make", [arguments.p2p, arguments.team, arguments.super_team])
def test_I1_an_id_with_a_colon_is_the_callers_mistake(make: type[Conversation]) -> None:
    with pytest.raises(CallerMistake, match="printable ASCII"):
        make("a:b")


def test_a_command_that_breaks_a_rule_is_the_callers_mistake() -> None:
    with pytest.raises(CallerMistake, match="is not a team"):
        arguments.checked(LeaveTeam(id="1", conversation=Conversation("p2p:bob")))


def test_one_text_where_several_are_taken_is_the_callers_mistake() -> None:
    with pytest.raises(CallerMistake, match=r"write \['bob'\]"):
        arguments.several("bob", "members")


def test_kinds_may_be_words() -> None:
    assert arguments.some_kinds(["team", Kind.P2P]) == (Kind.TEAM, Kind.P2P)
    assert arguments.some_kinds(None) is None
    with pytest.raises(CallerMistake, match="use p2p, team, super_team"):
        arguments.some_kinds(["channel"])
    with pytest.raises(CallerMistake, match="no kind"):
        arguments.some_kinds([[]])  # type: ignore[list-item]


def test_a_limit_is_positive() -> None:
    assert arguments.positive(1) == 1
    with pytest.raises(CallerMistake, match="limit is 0"):
        arguments.positive(0)


def test_a_conversation_is_a_conversation() -> None:
    assert arguments.checked_conversation("p2p:bob") == "p2p:bob"
    with pytest.raises(CallerMistake, match="does not name a conversation"):
        arguments.checked_conversation("bob")


def test_a_value_of_the_wrong_type_is_the_callers_mistake() -> None:
    with pytest.raises(CallerMistake, match="wrong type"):
        arguments.checked_conversation(None)  # type: ignore[arg-type]  # that is the point


def test_a_filter_is_what_was_said() -> None:
    assert arguments.filter_of({}) == MAIN_LIST
    said = arguments.filter_of({"kinds": ["team"], "unread_only": True, "muted": False})
    assert said == Filter(kinds=(Kind.TEAM,), unread_only=True, muted=False)


def test_everything_that_can_be_said_is_in_the_filter() -> None:
    assert tuple(arguments.Filtering.__annotations__) == Filter.__struct_fields__


def test_a_filter_that_there_is_not_is_the_callers_mistake() -> None:
    with pytest.raises(CallerMistake, match=r"no filter 'unread': use kinds, unread_only"):
        arguments.filter_of({"unread": True})  # type: ignore[typeddict-unknown-key]  # the mistake
    with pytest.raises(CallerMistake, match="wrong value"):
        arguments.filter_of({"muted": "yes"})  # type: ignore[typeddict-item]  # the mistake
    with pytest.raises(CallerMistake, match="use p2p, team"):
        arguments.filter_of({"kinds": ["channel"]})
