"""Accounts and the tokens that open them (rule I1; tokens: 256 random bits, stored hashed)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from recents.core.errors import Code, Refused
from recents.core.face import check_avatar
from recents.core.ids import check_display_name, check_id
from recents.core.message import MENTION_ALL
from recents.server.store.port import Account, Store, Token

TOKEN_BYTES = 32
"""256 bits: nobody guesses it, so a plain SHA-256 without salt is enough to store."""

MAX_LABEL_CHARACTERS = 128


def digest_of(secret: str) -> bytes:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class Accounts:
    """Makes accounts, gives out tokens and checks them."""

    def __init__(
        self,
        store: Store,
        clock_ms: Callable[[], int],
        new_secret: Callable[[], str],
        new_id: Callable[[], str],
    ) -> None:
        """Prepare; ``new_secret`` makes at least 256 random bits as URL-safe text."""
        self._store = store
        self._clock_ms = clock_ms
        self._new_secret = new_secret
        self._new_id = new_id
        self._revoked: set[str] = set()

    async def create(self, account: str, name: str = "", avatar: str = "") -> Account:
        """Make an account.

        Raises:
            Refused: ``bad_value`` or ``account_exists``.
        """
        check_id(account)
        if account == MENTION_ALL:
            raise Refused(Code.BAD_VALUE, f"{MENTION_ALL} stands for everybody; choose another id")
        made = Account(account, check_display_name(name), self._clock_ms(), check_avatar(avatar))
        if not await self._store.create_account(made):
            raise Refused(Code.ACCOUNT_EXISTS, f"there is an account {account!r} already")
        return made

    async def get(self, account: str) -> Account:
        """Return an account.

        Raises:
            Refused: ``unknown_account``.
        """
        found = await self._store.account(account)
        if found is None:
            raise unknown_account(account)
        return found

    async def give_token(
        self, account: str, label: str = "", token_id: str | None = None
    ) -> tuple[Token, str]:
        """Make a token; return it with its secret, which is not stored anywhere.

        Args:
            account: which account it opens.
            label: for people.
            token_id: names it; a token with this id is made once.

        Raises:
            Refused: ``unknown_account``, ``bad_value`` or ``shown_once``.
        """
        await self.get(account)
        known = await self._store.tokens_of(account) if token_id else []
        if any(token.token_id == token_id for token in known):
            raise shown_once("token_id", token_id or "")
        if len(label) > MAX_LABEL_CHARACTERS:
            raise Refused(
                Code.BAD_VALUE, f"the label is longer than {MAX_LABEL_CHARACTERS} characters"
            )
        secret = self._new_secret()
        token = Token(
            token_id or self._new_id(), account, digest_of(secret), label, self._clock_ms()
        )
        await self._store.add_token(token)
        return token, secret

    async def log_in(self, account: str, secret: str) -> Token:
        """Return the good token with this secret.

        Raises:
            Refused: ``unauthorized`` without saying whether the account exists, or ``revoked``.
        """
        digest = digest_of(secret)
        token = await self._store.token(digest)
        known = token.digest if token else bytes(len(digest))
        # Both comparisons take the same time whatever is wrong.
        good = hmac.compare_digest(known, digest)
        named = hmac.compare_digest(
            (token.account if token else "").encode(), account.encode("utf-8", "surrogatepass")
        )
        if token is None or not (good and named):
            raise Refused(Code.UNAUTHORIZED, "the token does not open this account")
        self.check_still_good(token)
        return token

    async def holder(self, secret: str) -> Token:
        """Return the good token with this secret, whosever it is.

        Raises:
            Refused: ``unauthorized`` or ``revoked``.
        """
        digest = digest_of(secret)
        token = await self._store.token(digest)
        if token is None or not hmac.compare_digest(token.digest, digest):
            raise Refused(Code.UNAUTHORIZED, "no account is opened by this token")
        self.check_still_good(token)
        return token

    async def revoke(self, account: str, token_id: str | None = None) -> list[str]:
        """Revoke one token, or all of an account; return the ids that were good until now.

        Raises:
            Refused: ``unknown_account``, or ``not_found`` when it has no such token.
        """
        await self.get(account)
        if token_id is not None:
            known = await self._store.tokens_of(account)
            if all(token.token_id != token_id for token in known):
                raise Refused(Code.NOT_FOUND, f"account {account!r} has no token {token_id!r}")
        revoked = await self._store.revoke_tokens(account, self._clock_ms(), token_id)
        self._revoked.update(revoked)
        return revoked

    def check_still_good(self, token: Token) -> None:
        """Accept a token that opened an account a moment ago.

        Raises:
            Refused: ``revoked``.
        """
        # Revoked while it was read from the store, the token that was read looks good.
        if token.revoked_ms is not None or token.token_id in self._revoked:
            raise Refused(Code.REVOKED, "the token was revoked; ask for a new one")


def shown_once(name: str, value: str) -> Refused:
    """Return the refusal to show a secret again."""
    return Refused(
        Code.SHOWN_ONCE,
        f"this was done before, and the secret was shown then: revoke {value}, make another",
        {name: value},
    )


def unknown_account(account: str) -> Refused:
    """Return the refusal of an account that does not exist."""
    return Refused(
        Code.UNKNOWN_ACCOUNT, f"there is no account {account[:80]!r}", {"account": account[:80]}
    )
