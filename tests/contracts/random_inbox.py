"""An inbox with rows of every sort, grown by chance, and what its store must have written."""

from __future__ import annotations

from random import Random

from recents.core.commands import Archive, Pin
from recents.core.entry import Tally
from recents.core.face import Face
from recents.core.head import Head
from recents.core.ids import Conversation, ConversationKey, key_of, p2p, super_team, team
from recents.core.membership import Membership, head_seen
from recents.core.message import MENTION_ALL, RETRACTED, Message, Preview, preview_of
from recents.server.store.port import Seen, Store
from recents.server.store.workspace import Mention, MessageId, Unmention
from tests.contracts.batches import START_MS, Batch

CHANGES = [
    *("read", "read", "delete", "delete", "delete", "clear", "team", "dot", "back", "draft"),
    *("mute", "pin", "archive", "archive"),
    *("face", "alias", "recall", "recall", "edit", "delete", "delete", "hide", "hide"),
]
MENTIONS = [(), (), ("me",), ("@all", "owner"), ("me", "@all"), ("@all", "@all")]


class RandomInbox:
    """An account with rows of every sort, and what its store must have written."""

    def __init__(self, store: Store, seed: int) -> None:
        self.heads: dict[ConversationKey, Head] = {}
        self.memberships: dict[Conversation, Membership] = {}
        self.messages: dict[ConversationKey, list[Message]] = {}
        self.changes: dict[MessageId, int] = {}
        self.hidden: set[MessageId] = set()
        self.mentions: list[Mention] = []
        self.unmentions: list[Unmention] = []
        self._store = store
        self._random = Random(seed)

    async def grow(self, rows: int) -> None:
        peers = [p2p(f"{self._random.choice('aZ!~_%')}{n}") for n in range(rows * 3 // 4)]
        teams = [
            self._random.choice([team, super_team])(f"t{n}") for n in range(rows - len(peers))
        ]
        for names in (peers[n : n + 20] for n in range(0, len(peers), 20)):
            await self._commit(self._begun(names, sender="me"))
        for name in teams:
            await self._commit(self._batch().create(name, "owner", "me"))
            await self._commit(self._begun([name], sender="owner"))
        for name in self._random.sample([*peers, *teams], rows * 2 // 3):
            await self._change(name)
            for _ in range(self._random.randrange(4)):
                await self._change(name)
            if self._random.random() < 0.4:
                await self._commit(self._begun([name], sender=self._other(name)))

    def _batch(self) -> Batch:
        """Ties are the rule: there are but 20 different times."""
        return Batch(START_MS + self._random.randrange(20))

    def _other(self, name: Conversation) -> str:
        return name[4:] if name.startswith("p2p:") else "owner"

    def _begun(self, names: list[Conversation], sender: str) -> Batch:
        batch = self._batch()
        for name in names:
            for _ in range(self._random.randrange(4)):
                author = self._random.choice([sender, self._other(name)])
                to = name if author == "me" or not name.startswith("p2p:") else p2p("me")
                client_id = f"c{self._random.randrange(10**12)}"
                if self._random.random() < 0.2:
                    counts = self._random.random() < 0.8
                    batch.post_recalled(author, to, client_id, counts=counts)
                else:
                    batch.post(
                        author,
                        to,
                        client_id,
                        text=f"text {client_id}",
                        counts=self._random.random() < 0.8,
                        bumps=self._random.random() < 0.8,
                        previews=self._random.random() < 0.8,
                        mentions=self._random.choice(MENTIONS),
                    )
        return batch

    async def _change(self, name: Conversation) -> None:
        membership, batch = self.memberships.get(name), self._batch()
        if membership is None:
            return
        last_seq = head_seen(self.heads[key_of("me", name)], membership).last_seq
        seq = self._random.choice([last_seq, self._random.randint(0, last_seq)])
        may_leave = not name.startswith("p2p:") and membership.parting is None
        change = self._random.choice(CHANGES)
        if change == "read":
            batch.read("me", name, seq)
        elif change == "dot":
            batch.mark_unread("me", name)
        elif change == "back":
            batch.unread_from("me", name, seq)
        elif change == "draft":
            batch.draft("me", name, self._random.choice(["", "d", "a draft"]))
        elif change == "pin":
            batch.organize("me", Pin(id="c", conversation=name, rank=self._random.randrange(9)))
        elif change == "archive":
            batch.organize("me", Archive(id="c", conversation=name))
        elif change == "mute":
            batch.mute("me", name, self._random.choice([None, "none", "mentions"]))
        elif change == "alias":
            batch.alias("me", name, self._random.choice(["", "mine", "名 \0"]))
        elif change == "face" and not name.startswith("p2p:"):
            batch.avatar(name, self._random.choice(["", "t.png"]))
        elif change == "face":
            face = self._random.choice([Face(), Face("A name"), Face("名", "a.png")])
            batch.face(self._other(name), face)
        elif change == "delete":
            batch.delete("me", name, seq, clear=self._random.random() < 0.5)
        elif change == "clear":
            batch.clear("me", name, seq)
        elif change == "recall":
            batch.recall("me", name, seq, notice=self._random.random() < 0.5)
            batch.recall("me", name, max(seq - 1, 1), notice=False)
        elif change == "hide":
            batch.hide("me", name, seq).hide("me", name, max(seq - 1, 1))
        elif change == "edit":
            batch.edit("me", name, seq, f"better {seq}", self._random.choice(MENTIONS))
        elif may_leave and self._random.random() < 0.7:
            batch.leave("me", name, removed=self._random.random() < 0.5)
        elif may_leave:
            batch.dismiss(name)
        await self._commit(batch)

    async def _commit(self, batch: Batch) -> None:
        workspace = await batch.commit(self._store)
        self.heads.update(workspace.heads)
        for key, messages in workspace.messages.items():
            self.messages.setdefault(key, []).extend(messages)
        for (key, seq), amended in workspace.amended.items():
            self.messages[key][seq - 1] = amended.message
            self.changes[key, seq] = amended.change
        self.hidden |= {(key, seq) for account, key, seq in workspace.hidden if account == "me"}
        self.mentions += workspace.mentions
        self.unmentions += workspace.unmentions
        self.memberships.update(
            (Conversation(key if not key.startswith("p2p:") else _peer(key)), membership)
            for (account, key), membership in workspace.memberships.items()
            if account == "me"
        )

    def rows(self) -> list[Seen]:
        """Return what the rows must be, by brute force."""
        return [self._row(name) for name in self.memberships]

    def _row(self, name: Conversation) -> Seen:
        key, membership = key_of("me", name), self.memberships[name]
        head = self.heads[key]
        seen = head_seen(head, membership)
        recalled = [
            message
            for message in self.messages.get(key, ())
            if message.state in RETRACTED
            and (key, message.seq) not in self.hidden
            and self.changes[key, message.seq] <= seen.changes
            and message.counts
            and message.sender != "me"
            and membership.read_seq < message.seq <= seen.last_seq
        ]
        me = self._mentioning("me", key, name)
        hidden = seen.preview is not None and (key, seen.preview.seq) in self.hidden
        return Seen(
            "me",
            key,
            name,
            head,
            membership,
            Tally(
                retracted_after_read=len(recalled),
                mentions_me=len(me),
                mentions_all=len(self._mentioning(MENTION_ALL, key, name) - me),
                preview_hidden=hidden,
                older=self._older(key, seen.preview.seq) if seen.preview and hidden else None,
            ),
        )

    def _older(self, key: ConversationKey, before: int) -> Preview | None:
        for message in reversed(self.messages[key][: before - 1]):
            shown = message.previews and message.state != "gone"
            if shown and (key, message.seq) not in self.hidden:
                return preview_of(message)
        return None

    def _mentioning(self, target: str, key: ConversationKey, name: Conversation) -> set[int]:
        """Which unread messages mention somebody, by going through all mentions."""
        membership = self.memberships[name]
        seen = head_seen(self.heads[key], membership)
        return {
            one.seq
            for one in self.mentions
            if (one.key, one.target) == (key, target)
            and one.sender != "me"
            and (key, one.seq) not in self.hidden
            and membership.read_seq < one.seq <= seen.last_seq
            and one.since <= seen.changes
            and not any(
                (end.key, end.target, end.seq) == (key, target, one.seq)
                and one.since < end.until <= seen.changes
                for end in self.unmentions
            )
        }


def _peer(key: str) -> str:
    first, _, second = key[4:].partition("|")
    return p2p(second if first == "me" else first)
