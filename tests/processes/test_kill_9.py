"""Real processes: a node and three devices, killed again and again under load (C3, C4, D7)."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec
import pytest

import recents
from recents.client.local_list import InboxPage
from recents.core.commands import CreateTeam, Post
from recents.core.entry import InboxEntry
from recents.core.ids import Conversation, key_of
from recents.core.totals import Totals
from recents.server.node import Node
from recents.server.store.sqlite import SqliteStore
from recents.wire.frames import ListRows, Rows
from tests.laws.comparing import as_expected, compare
from tests.processes.deeds import ACCOUNTS, TEAMS
from tests.processes.device_program import Orders, whole_list
from tests.processes.driving import PATIENCE_S, Program, all_of, free_port, kill_at_random
from tests.processes.findings import (
    Histories,
    check_histories,
    check_journaled,
    check_messages,
    refused_messages,
)
from tests.processes.journal import Journal
from tests.processes.record import Decided, RecordingStore, committed_in
from tests.processes.retelling import Retelling

DEVICES = {"alice-1": "alice", "alice-2": "alice", "bob-1": "bob"}
PEOPLE = ("alice", "bob")

QUIET_TEAMS = 250
"""Nothing happens in them: more rows than a first page, or than a device reads at first, has."""


@pytest.mark.timeout(150)
def test_C4_ten_seconds_of_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    asyncio.run(kill_and_judge(tmp_path, for_s=10.0, mean_s=2.0))


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_C4_two_minutes_of_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    asyncio.run(kill_and_judge(tmp_path, for_s=120.0, mean_s=3.0))


async def kill_and_judge(folder: Path, *, for_s: float, mean_s: float) -> None:
    """Let it happen, heal everything, and compare."""
    seed = os.environ.get("RECENTS_TEST_SEED") or secrets.token_hex(4)
    print(f"RECENTS_TEST_SEED={seed}")
    office = Office(folder, seed, free_port())
    await office.prepare()
    async with all_of(office.node, *office.devices.values()):
        async with asyncio.TaskGroup() as killers:
            for program in (office.node, *office.devices.values()):
                chance = random.Random(f"{seed} {program.name}")
                outage_s = 3.0 if program is office.node else 0.0
                killing = kill_at_random(
                    program, chance, for_s=for_s, mean_s=mean_s, outage_s=outage_s
                )
                killers.create_task(killing)
        await asyncio.gather(*(office.stop(name) for name in office.devices))
        fresh = {account: await office.list_afresh(account) for account in PEOPLE}
        live = {name: await office.list_as(name, fresh) for name in office.devices}
        for program in office.devices.values():
            await program.end()
        await office.node.end()
    on_disk = {name: await office.list_offline(name) for name in DEVICES}
    judge(office, await office.look(), fresh, live, on_disk)


@dataclass
class Truth:
    """What the node has at the end, and what it did."""

    rows: dict[str, Rows]
    histories: Histories
    batches: list[Decided]


@dataclass
class Office:
    """All programs and their files."""

    folder: Path
    seed: str
    port: int
    tokens: dict[str, str] = field(default_factory=dict)
    devices: dict[str, Program] = field(default_factory=dict)

    def __post_init__(self) -> None:
        key = secrets.token_urlsafe(16)
        self.node = Program(
            "node",
            lambda run: (
                "tests.processes.node_program",
                str(self.folder),
                str(self.port),
                str(run),
                key,
            ),
            self.folder / "node.err",
        )

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def journal(self, device: str) -> Path:
        return self.folder / f"{device}.jsonl"

    async def prepare(self) -> None:
        """Make accounts and teams, and the programs of the devices."""
        store = RecordingStore(self.folder / "node.db", self.folder / "record.jsonl", "0")
        node = Node(store)
        with store.recording():
            await node.start()
            for account in ACCOUNTS:
                await node.accounts.create(account)
                _, self.tokens[account] = await node.accounts.give_token(account)
            quiet = (f"team:quiet-{number:03}" for number in range(QUIET_TEAMS))
            for number, team in enumerate((*TEAMS, *quiet)):
                await node.command(
                    PEOPLE[number % 2],
                    CreateTeam(id=f"t{number}", conversation=Conversation(team), members=ACCOUNTS),
                )
            await node.stop()
        for device in DEVICES:
            self.devices[device] = Program(
                device, partial(self._device, device), self.folder / f"{device}.err"
            )

    def _device(self, device: str, run: int) -> tuple[str, ...]:
        account = DEVICES[device]
        orders = Orders(
            address=self.address,
            account=account,
            token=self.tokens[account],
            device=device,
            folder=str(self.folder / device),
            journal=str(self.journal(device)),
            seed=self.seed,
            run=run,
        )
        return "tests.processes.device_program", msgspec.json.encode(orders).decode()

    async def stop(self, device: str) -> None:
        """Let a device get everything through."""
        assert await self.devices[device].ask("stop") == "stopped"

    async def list_afresh(self, account: str) -> InboxPage:
        """What a device shows that logs in for the first time."""
        async with self._client(account, None) as me:
            assert await me.synced(PATIENCE_S)
            return await whole_list(me)

    async def list_as(self, device: str, fresh: dict[str, InboxPage]) -> InboxPage:
        """What a device shows, when it has heard of everything."""
        want = [as_expected(row) for row in fresh[DEVICES[device]].entries]
        page = None
        for _ in range(200):
            said = await self.devices[device].ask("list")
            page = msgspec.json.decode(said, type=InboxPage)
            if [as_expected(row) for row in page.entries] == want:
                break
            await asyncio.sleep(0.05)
        assert page is not None
        return page

    async def list_offline(self, device: str) -> InboxPage:
        """What a device shows without a network."""
        async with self._client(DEVICES[device], self.folder / device) as me:
            assert me.unsent == 0
            return await whole_list(me)

    def _client(self, account: str, data_dir: Path | None) -> recents.Client:
        token = self.tokens[account]
        return recents.connect(self.address, account=account, token=token, data_dir=data_dir)

    async def look(self) -> Truth:
        """Look into the node's file."""
        store = SqliteStore(self.folder / "node.db")
        node = Node(store)
        await node.start()
        rows = {}
        for account in PEOPLE:
            found = await node.questions.answer(
                account, ListRows(id="q", limit=1_000, archived=None)
            )
            assert isinstance(found, Rows)
            assert found.next_cursor is None
            rows[account] = found
        batches = committed_in(self.folder / "record.jsonl", store.version)
        keys = {
            key_of(heard.actor, heard.command.conversation)
            for batch in batches
            for heard in batch.heard
            if isinstance(heard.command, Post) and heard.seq
        }
        histories = {
            key: await store.messages(key, after_seq=0, before_seq=2**53, limit=10**9, gone=True)
            for key in keys
        }
        await node.stop()
        return Truth(rows, histories, batches)


def judge(
    office: Office,
    truth: Truth,
    fresh: dict[str, InboxPage],
    live: dict[str, InboxPage],
    on_disk: dict[str, InboxPage],
) -> None:
    """Hold everything against the oracle and the journals, and say what there was."""
    retelling = Retelling(PEOPLE)
    retelling.tell(truth.batches)

    def like_the_oracle(
        who: str, account: str, rows: Sequence[InboxEntry], totals: Totals
    ) -> None:
        compare(who, rows, totals, retelling.oracle, account)

    check_histories(truth.histories)
    for account in PEOPLE:
        served = truth.rows[account]
        like_the_oracle("the node", account, served.rows, served.totals)
        page = fresh[account]
        like_the_oracle("a fresh device", account, page.entries, page.totals)
    sent = journaled = 0
    for device, account in DEVICES.items():
        for how, page in (("", live[device]), (" offline", on_disk[device])):
            like_the_oracle(device + how, account, page.entries, page.totals)
        journal = Journal(office.journal(device))
        refused = refused_messages(account, truth.batches)
        sent += check_messages(account, journal, truth.histories, refused)
        journaled += check_journaled(account, journal, truth.batches, refused)
    assert sent, "nothing was done that could have been lost"
    for program in (office.node, *office.devices.values()):
        said = program.said()
        assert "Traceback" not in said, said
    _tell(office, truth, sent, journaled)


def _tell(office: Office, truth: Truth, sent: int, journaled: int) -> None:
    programs = (office.node, *office.devices.values())
    kills = ", ".join(f"{program.name} {program.kills}" for program in programs)
    synced = sum(Journal(office.journal(device)).times("synced") for device in DEVICES)
    again = sum(heard.again for batch in truth.batches for heard in batch.heard)
    rows = sum(len(served.rows) for served in truth.rows.values())
    messages = sum(len(history) for history in truth.histories.values())
    print(
        f"killed: {kills}; catch-ups: {synced}; commits: {len(truth.batches):,}; "
        f"journaled commands: {journaled:,}, of which acknowledged messages: {sent:,}; "
        f"asked again: {again}; messages: {messages:,}; rows: {rows}"
    )
