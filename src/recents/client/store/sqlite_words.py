"""The index of the words of kept messages, and searching in it.

Rules of this file:

1. Which messages are out of step with their words is known to the file itself, in the transaction
   that changed them. Their words follow when there is time, and before a search in any case: to
   index a message costs more than to keep it.
2. What the index says is looked up in the messages, which alone decide what there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import apsw
import msgspec

from recents.client.store.port import FoundMessage
from recents.client.store.queries import named_queries
from recents.core.folding import tokens_of
from recents.core.ids import Conversation
from recents.core.phrases import Phrase

AT_ONCE = 50
"""Messages indexed in one transaction, in about 2 ms: a step behind it does not wait for long."""

_waiting = msgspec.json.Decoder(list[tuple[int, Conversation, int, str | None]])
_found = msgspec.json.Decoder(list[FoundMessage])


class Words:
    """Reads and changes the index on an open connection; its caller has a transaction open."""

    def __init__(self, connection: apsw.Connection) -> None:
        """Use a connection to a file with the newest schema."""
        self._connection = connection
        self._sql = named_queries("words")

    def waiting(self) -> int:
        """Return about how many messages are out of step with their words."""
        return cast("int", self._connection.execute(self._sql["waiting"]).get)

    def catch_up(self) -> None:
        """Bring the words of those messages in step that have waited longest."""
        some = _waiting.decode(self._text("unsearched", limit=AT_ONCE))
        words = {(name, seq): " ".join(tokens_of(text or "")) for _, name, seq, text in some}
        self._put("put_searched", conversations=list({name for name, _ in words}))
        self._put("remove_words", places=[place for place, text in words.items() if not text])
        self._put("put_words", words=[(*place, text) for place, text in words.items() if text])
        self._connection.execute(self._sql["searchable"], {"number": some[-1][0]})

    def forget(self) -> None:
        """Forget all words: there are no messages any more."""
        for query in ("forget_waiting", "forget_words"):
            self._connection.execute(self._sql[query])

    def found(
        self, phrases: Sequence[Phrase], conversation: Conversation | None, limit: int
    ) -> list[FoundMessage]:
        """Return the newest messages whose text has every phrase, newest first."""
        words = " AND ".join(f'"{" ".join(phrase)}" *' for phrase in phrases)
        if conversation is None:
            return _found.decode(self._text("search", words=words, limit=limit))
        return _found.decode(
            self._text("search_one", words=words, conversation=conversation, limit=limit)
        )

    def _put(self, query: str, **values: Sequence[object]) -> None:
        for name, some in values.items():
            if some:
                text = msgspec.json.encode(some).decode()
                self._connection.execute(self._sql[query], {name: text})

    def _text(self, query: str, **values: str | int) -> str:
        value = self._connection.execute(self._sql[query], values).get
        if not isinstance(value, str):
            raise apsw.CorruptError("text was expected")
        return value
