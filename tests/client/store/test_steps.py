"""Contract: what a step does to the copy, and that it is whole or not at all (C3, D3, D7)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from recents.client.store.port import DeviceStore, Saved, Step, StepFailed
from recents.core.errors import Code
from recents.core.membership import Draft
from recents.core.message import Preview
from recents.core.pending import Refusal
from recents.core.replica import Gone
from recents.core.totals import Totals
from tests.client.store.conftest import KEPT_MESSAGES, Device
from tests.client.store.steps import (
    BOB,
    CAROL,
    DAVE,
    all_rows,
    message,
    names,
    row,
    seqs,
    waiting,
    writing,
)

pytestmark = pytest.mark.asyncio

# Opening


async def test_a_new_device_has_an_id_and_nothing_else(device: Device) -> None:
    saved = await device.restart(kill=False)
    assert saved == Saved(device_id=saved.device_id)
    assert saved.device_id
    assert await all_rows(device.store) == []
    assert await device.store.messages(BOB, 10, 10) == []


@pytest.mark.parametrize("kill", [False, True])
async def test_C3_a_step_is_there_after_a_restart_whole(device: Device, kill: bool) -> None:
    before = await device.restart(kill=False)
    step = Step(
        rows=(row(BOB, 5), row(CAROL, 7)),
        token="e.5",
        totals=Totals(unread=3, conversations=2),
        messages={BOB: (message(1), message(2))},
        outbox=(waiting(1),),
        clock_ahead_ms=-40,
    )
    await device.store.commit(step)
    saved = await device.restart(kill=kill)
    assert saved == Saved(
        device_id=before.device_id,
        token="e.5",
        totals=Totals(unread=3, conversations=2),
        outbox=(waiting(1),),
        clock_ahead_ms=-40,
    )
    assert await all_rows(device.store) == [row(CAROL, 7), row(BOB, 5)]
    assert await device.store.messages(BOB, 10, 10) == [message(1), message(2)]


@pytest.mark.parametrize("durable", [False, True])
async def test_D7_durable_or_not_a_kill_loses_nothing(device: Device, durable: bool) -> None:
    for number in range(1, 6):
        await device.store.commit(
            Step(outbox=(waiting(number),), token=f"e.{number}", durable=durable)
        )
        saved = await device.restart(kill=True)
        assert saved.token == f"e.{number}"
        assert len(saved.outbox) == number


async def test_opening_again_without_closing_is_a_restart(store: DeviceStore) -> None:
    await store.commit(Step(rows=(row(BOB),), token="e.1"))
    assert (await store.open()).token == "e.1"
    assert await names(store) == [BOB]


async def test_closing_twice_is_harmless_and_a_closed_store_says_so(store: DeviceStore) -> None:
    await store.close()
    await store.close()
    for call in (store.commit(Step()), store.rows_after(None, 1), store.messages(BOB, 1, 1)):
        with pytest.raises(StepFailed, match="is not open"):
            await call


async def test_a_caller_that_stops_waiting_tears_no_step_apart(device: Device) -> None:
    for number in range(20):
        name = (BOB, CAROL)[number % 2]
        step = Step(rows=(row(name, version=number),), token=f"e.{number}")
        caller = asyncio.ensure_future(device.store.commit(step))
        await asyncio.sleep(0)
        caller.cancel()
    await device.store.commit(Step(rows=(row(DAVE),)))
    saved = await device.restart(kill=True)
    assert saved.token == "e.19"
    assert {entry.version for entry in await all_rows(device.store)} == {1, 18, 19}


# Rows


async def test_a_row_replaces_the_one_it_has_at_its_new_place(store: DeviceStore) -> None:
    await store.commit(Step(rows=(row(BOB, 5), row(CAROL, 6))))
    await store.commit(Step(rows=(row(BOB, 7, version=2),)))
    assert await all_rows(store) == [row(BOB, 7, version=2), row(CAROL, 6)]
    await store.commit(Step(rows=(row(BOB, 4, version=3),)))
    assert await names(store) == [CAROL, BOB]


async def test_every_field_of_a_row_is_kept(store: DeviceStore) -> None:
    full = replace(
        row(BOB, cleared_seq=2),
        read_seq=4,
        unread=5,
        preview=Preview(
            seq=9, client_id="m", sender="bob", time_ms=8, text="żółć\n\0🎉", recalled_by="bob"
        ),
        status="read",
        membership="left",
        name='quote " and \\',
        marked_unread=True,
        read_epoch=7,
        draft=Draft("not yet", 2_000),
        mute="mentions",
    )
    await store.commit(Step(rows=(full,)))
    assert await all_rows(store) == [full]


async def test_C3_replaces_all_takes_the_other_rows_away(store: DeviceStore) -> None:
    await store.commit(Step(rows=(row(BOB, 5), row(CAROL, 6))))
    await store.commit(Step(rows=(row(CAROL, 7), row(DAVE, 8)), replaces_all=True))
    assert await names(store) == [DAVE, CAROL]
    await store.commit(Step(replaces_all=True))
    assert await names(store) == []


async def test_D2_a_row_that_is_gone_may_come_back(store: DeviceStore) -> None:
    await store.commit(Step(rows=(row(BOB), row(CAROL))))
    await store.commit(Step(gone=(Gone(BOB, 2), Gone(DAVE, 2))))
    assert await names(store) == [CAROL]
    await store.commit(Step(rows=(row(BOB, version=3),)))
    assert await names(store) == [BOB, CAROL]


async def test_a_row_stands_against_its_removal_in_the_same_step(store: DeviceStore) -> None:
    await store.commit(Step(rows=(row(BOB, version=3),), gone=(Gone(BOB, 2),)))
    assert await names(store) == [BOB]


# Token, totals, clock


async def test_none_leaves_token_totals_and_clock_as_they_were(device: Device) -> None:
    told = Step(token="e.1", totals=Totals(unread=1), clock_ahead_ms=5)
    await device.store.commit(told)
    await device.store.commit(Step(rows=(row(BOB),)))
    saved = await device.restart(kill=False)
    assert (saved.token, saved.totals, saved.clock_ahead_ms) == ("e.1", Totals(unread=1), 5)
    await device.store.commit(Step(token="", totals=Totals(), clock_ahead_ms=0))
    saved = await device.restart(kill=False)
    assert (saved.token, saved.totals, saved.clock_ahead_ms) == ("", Totals(), 0)


# Messages


async def test_D3_D5_messages_up_to_cleared_seq_are_forgotten(store: DeviceStore) -> None:
    four = tuple(message(seq) for seq in (1, 2, 3, 4))
    await store.commit(Step(messages={BOB: four, CAROL: four, DAVE: four}))
    cleared = Step(rows=(row(BOB, cleared_seq=2),), gone=(Gone(CAROL, 5, cleared_seq=4),))
    await store.commit(cleared)
    assert await seqs(store, BOB) == [3, 4]
    assert await seqs(store, CAROL) == []
    assert await seqs(store, DAVE) == [1, 2, 3, 4]


async def test_D3_also_those_that_come_in_the_same_step(store: DeviceStore) -> None:
    step = Step(rows=(row(BOB, cleared_seq=2),), messages={BOB: (message(2), message(3))})
    await store.commit(step)
    assert await seqs(store, BOB) == [3]


async def test_a_message_replaces_the_one_that_is_there(store: DeviceStore) -> None:
    await store.commit(Step(messages={BOB: (message(1), message(2))}))
    await store.commit(Step(messages={BOB: (message(2, "edited"),)}))
    assert await store.messages(BOB, 9, 9) == [message(1), message(2, "edited")]


async def test_forgets_messages_comes_before_those_of_the_step(store: DeviceStore) -> None:
    await store.commit(Step(messages={BOB: (message(1), message(2)), CAROL: (message(1),)}))
    await store.commit(Step(forgets_messages=True, messages={BOB: (message(3),)}))
    assert await seqs(store, BOB) == [3]
    assert await seqs(store, CAROL) == []


async def test_the_newest_messages_of_each_conversation_are_kept(store: DeviceStore) -> None:
    many = tuple(message(seq) for seq in range(1, KEPT_MESSAGES + 4))
    await store.commit(Step(messages={BOB: many, CAROL: many[:2]}))
    assert await seqs(store, BOB) == [4, 5, 6, 7, 8]
    assert await seqs(store, CAROL) == [1, 2]
    await store.commit(Step(messages={BOB: (message(20), message(1))}))
    assert await seqs(store, BOB) == [5, 6, 7, 8, 20]


async def test_what_the_caller_does_with_a_value_changes_nothing_kept(device: Device) -> None:
    attachment = {"pages": [1, 2]}
    posted = writing(1, attachment=attachment)
    kept = replace(message(1), attachment=attachment)
    await device.store.commit(Step(messages={BOB: (kept,)}, outbox=(posted,)))
    attachment["pages"].append(3)
    for _ in range(2):
        found: Any = (await device.store.messages(BOB, 2, 1))[0].attachment
        assert found == {"pages": [1, 2]}
        found["pages"].clear()
        (pending,) = (await device.restart(kill=False)).outbox
        command: Any = pending.command
        assert command.attachment == {"pages": [1, 2]}
        command.attachment["pages"].clear()


# The outbox


async def test_C4_commands_come_back_in_the_order_of_their_numbers(device: Device) -> None:
    await device.store.commit(Step(outbox=(waiting(10), waiting(2))))
    await device.store.commit(Step(outbox=(writing(1), waiting(9))))
    saved = await device.restart(kill=True)
    assert saved.outbox == (writing(1), waiting(2), waiting(9), waiting(10))


async def test_C4_a_command_takes_the_place_of_the_one_with_its_number(device: Device) -> None:
    failed = replace(
        writing(2), refusal=Refusal(Code.TOO_LARGE, "too large", {"newest_seq": 7, "of": "x"})
    )
    for_all = replace(waiting(3), seqs={BOB: 4, CAROL: 5}, epoch=8, left=2, seen_seq=6)
    await device.store.commit(Step(outbox=(waiting(1), writing(2), waiting(3))))
    await device.store.commit(Step(outbox=(waiting(1, version=40), failed, for_all)))
    saved = await device.restart(kill=False)
    assert saved.outbox == (waiting(1, version=40), failed, for_all)


async def test_C4_settled_commands_leave_others_stay(device: Device) -> None:
    await device.store.commit(Step(outbox=tuple(waiting(number) for number in range(1, 6))))
    await device.store.commit(Step(settled=(1, 3, 77), outbox=(waiting(6),)))
    saved = await device.restart(kill=False)
    assert [pending.number for pending in saved.outbox] == [2, 4, 5, 6]


# Beginning anew


async def test_C6_a_copy_begun_anew_is_empty_and_of_the_same_device(device: Device) -> None:
    before = await device.restart(kill=False)
    await device.store.commit(
        Step(
            rows=(row(BOB),),
            token="e.1",
            totals=Totals(unread=1),
            messages={BOB: (message(1),)},
            outbox=(waiting(1),),
        )
    )
    aside = await device.store.begin_anew()
    assert aside.reason
    assert await names(device.store) == []
    assert await seqs(device.store, BOB) == []
    await device.store.commit(Step(rows=(row(CAROL),), outbox=(waiting(1),), token="e.2"))
    saved = await device.restart(kill=True)
    assert saved == Saved(device_id=before.device_id, token="e.2", outbox=(waiting(1),))
    assert await names(device.store) == [CAROL]


# Messages that became others


async def test_C3_a_changed_message_takes_the_place_of_a_kept_one_only(device: Device) -> None:
    await device.store.commit(Step(messages={BOB: (message(1), message(2))}))
    changed = (message(2, "better"), message(3, "never seen"))
    await device.store.commit(Step(amended={BOB: changed, CAROL: (message(1),)}))
    await device.restart(kill=True)
    assert await device.store.messages(BOB, 10, 10) == [message(1), message(2, "better")]
    assert await device.store.messages(CAROL, 10, 10) == []


async def test_C3_in_one_step_what_was_changed_is_newer_than_what_came(device: Device) -> None:
    await device.store.commit(
        Step(messages={BOB: (message(1, "old"),)}, amended={BOB: (message(1, "new"),)})
    )
    assert await device.store.messages(BOB, 10, 10) == [message(1, "new")]
