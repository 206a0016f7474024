"""One tree of errors, split by whose fault it is."""

from __future__ import annotations

import pytest

from recents.core.errors import (
    CallerMistake,
    Code,
    PeerMistake,
    RecentsError,
    Refused,
    Unavailable,
)


@pytest.mark.parametrize(
    "error",
    [
        CallerMistake("no"),
        PeerMistake("no"),
        Refused(Code.BAD_VALUE, "no"),
        Unavailable("no"),
    ],
)
def test_everything_raised_on_purpose_is_caught_as_one(error: Exception) -> None:
    assert isinstance(error, RecentsError)


def test_a_wrong_argument_is_a_value_error_too() -> None:
    assert issubclass(CallerMistake, ValueError)
    assert not issubclass(Refused, ValueError)


def test_a_refusal_has_a_code_and_plain_details() -> None:
    refused = Refused(Code.BEYOND_END, "too far", {"newest_seq": 7})
    assert refused.code is Code.BEYOND_END
    assert refused.details == {"newest_seq": 7}
    assert refused.args == ("too far",)
    assert str(refused) == "too far [beyond_end]"


def test_details_can_be_left_out_and_belong_to_one_refusal() -> None:
    one, other = Refused(Code.CLOSING, "a"), Refused(Code.CLOSING, "b")
    one.details["x"] = 1
    assert other.details == {}


def test_unavailable_says_when_to_try_again_or_that_it_makes_no_sense() -> None:
    assert Unavailable("not now").retry_after_s == 1.0
    assert Unavailable("not now", 30.0).retry_after_s == 30.0
    assert Unavailable("closed", None).retry_after_s is None


def test_codes_are_never_renamed() -> None:
    """Programs switch on them; a new one is added here, none is changed."""
    assert {code.value for code in Code} == {
        "bad_frame",
        "too_large",
        "hello_first",
        "already_greeted",
        "protocol_version",
        "bad_value",
        "unauthorized",
        "revoked",
        "replaced",
        "unknown_account",
        "account_exists",
        "not_a_member",
        "not_the_owner",
        "owner_cannot_leave",
        "team_exists",
        "team_full",
        "team_dismissed",
        "beyond_end",
        "not_found",
        "overloaded",
        "store_failed",
        "node_mistake",
        "closing",
        "forbidden",
        "key_reused",
        "shown_once",
    }


def test_a_code_is_its_own_name_in_lower_case() -> None:
    assert [code.value for code in Code] == [code.name.lower() for code in Code]
