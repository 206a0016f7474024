"""A command on its way: rules C4, D2, P4."""

from __future__ import annotations

import msgspec
import pytest

from recents.core.commands import ClearHistory, Delete, Read
from recents.core.errors import Code, Refused
from recents.core.pending import Pending, Refusal, answered, extended, failed, placed, retried
from tests.core.making import BOB, a_post

POST = Pending(number=3, command=a_post(), at_ms=1_000, seen_seq=7)
READ = Pending(number=4, command=Read(id="r2", conversation=BOB), at_ms=1_000, left=2)
REFUSAL = Refusal(Code.NOT_A_MEMBER, "you are not a member of it", {"newest_seq": 7})


def changed(pending: Pending, **fields: object) -> Pending:
    result: Pending = msgspec.structs.replace(pending, **fields)
    return result


def test_c4_a_command_waits_for_its_answer() -> None:
    assert POST.waiting
    assert not POST.failed
    done = answered(READ, 9)
    assert done == changed(READ, version=9)
    assert not done.waiting
    assert not done.failed


def test_c4_what_was_not_known_of_a_command_is_left_out_and_means_the_same_later() -> None:
    kept = {"number": 3, "command": msgspec.to_builtins(POST.command), "at_ms": 1_000}
    assert msgspec.convert(kept, Pending) == Pending(
        number=3,
        command=POST.command,
        at_ms=1_000,
        seen_seq=0,
        left=None,
        seqs={},
        epoch=None,
        version=None,
        seq=None,
        refusal=None,
    )


def test_c4_an_answer_without_a_row_is_an_answer() -> None:
    assert not answered(READ, 0).waiting


def test_p4_the_answer_to_a_message_says_where_it_stands() -> None:
    assert answered(POST, 9, 8) == changed(POST, version=9, seq=8)


def test_p4_a_message_that_a_row_shows_still_waits_for_its_answer() -> None:
    assert placed(POST, 8) == changed(POST, seq=8)
    assert placed(POST, 8).waiting


@pytest.mark.parametrize("deletion", [Delete, ClearHistory])
def test_d2_a_deletion_covers_what_was_sent_before_it(
    deletion: type[Delete] | type[ClearHistory],
) -> None:
    pending = changed(READ, command=deletion(id="r2", conversation=BOB, upto_seq=7))
    longer = deletion(id="r2", conversation=BOB, upto_seq=8)
    assert extended(pending, 8) == changed(pending, command=longer, seen_seq=8)


def test_d2_nothing_else_covers_more_later() -> None:
    with pytest.raises(AssertionError, match="only deletions"):
        extended(READ, 8)


def test_p4_a_refused_message_has_failed_and_is_tried_again_behind_all_others() -> None:
    refused = failed(POST, REFUSAL)
    assert refused == changed(POST, refusal=REFUSAL)
    assert refused.failed
    assert not refused.waiting
    again = retried(refused, 8, 2_000)
    assert again == changed(POST, number=8, at_ms=2_000)
    assert again.waiting


def test_p4_a_message_that_was_stored_after_all_has_not_failed() -> None:
    done = answered(failed(POST, REFUSAL), 9)
    assert (done.failed, done.version) == (False, 9)


def test_p4_only_messages_fail() -> None:
    with pytest.raises(AssertionError, match="only messages fail"):
        failed(READ, REFUSAL)


def test_a_refusal_is_an_error_kept_as_plain_values() -> None:
    error = REFUSAL.error()
    assert isinstance(error, Refused)
    assert (error.code, error.args[0]) == (Code.NOT_A_MEMBER, "you are not a member of it")
    assert error.details == {"newest_seq": 7}
    error.details["newest_seq"] = 8
    assert REFUSAL.details == {"newest_seq": 7}, "errors may be changed, values may not"


@pytest.mark.parametrize("pending", [POST, READ, answered(READ, 0), failed(POST, REFUSAL)])
def test_c4_it_survives_being_written_down(pending: Pending) -> None:
    assert msgspec.json.decode(msgspec.json.encode(pending), type=Pending) == pending
