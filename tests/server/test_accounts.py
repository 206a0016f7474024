"""Accounts and tokens: rule I1, and that nobody gets in without a good token."""

from __future__ import annotations

import hashlib

import pytest

from recents.core.errors import Code, Refused
from recents.server.accounts import Accounts, digest_of
from recents.server.store.memory import MemoryStore
from recents.server.store.port import Token
from tests.server.devices import Company

pytestmark = pytest.mark.asyncio


class SlowTokenStore(MemoryStore):
    """Looks tokens up in a moment that lasts: what it returns may be outdated."""

    async def token(self, digest: bytes) -> Token | None:
        found = await super().token(digest)
        await self.meanwhile()
        return found

    async def meanwhile(self) -> None:
        return


@pytest.fixture
def accounts(company: Company) -> Accounts:
    return company.node.accounts


async def _code(refused: object) -> Code:
    with pytest.raises(Refused) as raised:
        await refused  # type: ignore[misc]
    return raised.value.code


@pytest.mark.parametrize("account", ["a", "x" * 63, "Alice", "é".encode().hex(), "a@b.c", "~!"])
async def test_i1_ids_are_short_printable_words(accounts: Accounts, account: str) -> None:
    assert (await accounts.create(account)).account == account


@pytest.mark.parametrize(
    "account",
    ["", "x" * 64, "a b", "a:b", "a|b", "a/b", "a#b", "é", "a\n", "\x00", "a\x7f", "@all"],
)
async def test_i1_anything_else_is_refused(accounts: Accounts, account: str) -> None:
    assert await _code(accounts.create(account)) is Code.BAD_VALUE
    assert await _code(accounts.get(account)) is Code.UNKNOWN_ACCOUNT


async def test_i1_ids_are_case_sensitive_and_unique(accounts: Accounts) -> None:
    await accounts.create("alice")
    await accounts.create("Alice")
    assert await _code(accounts.create("alice", "Another")) is Code.ACCOUNT_EXISTS
    assert (await accounts.get("alice")).name == ""


async def test_i1_names_have_at_most_128_characters(accounts: Accounts) -> None:
    await accounts.create("alice", "👋" * 128)
    assert (await accounts.get("alice")).name == "👋" * 128
    assert await _code(accounts.create("bob", "x" * 129)) is Code.BAD_VALUE


async def test_an_avatar_has_at_most_1024_bytes(accounts: Accounts) -> None:
    await accounts.create("alice", avatar="👋" * 256)
    assert (await accounts.get("alice")).avatar == "👋" * 256
    assert await _code(accounts.create("bob", avatar="👋" * 257)) is Code.BAD_VALUE


async def test_a_secret_is_stored_as_its_hash_only(company: Company, accounts: Accounts) -> None:
    await accounts.create("alice")
    token, secret = await accounts.give_token("alice", "phone")
    assert token.digest == hashlib.sha256(secret.encode()).digest()
    assert len(secret) >= 43, "256 bits"
    (stored,) = await company.node.store.tokens_of("alice")
    assert secret not in repr(stored)


async def test_an_account_has_several_tokens(accounts: Accounts) -> None:
    await accounts.create("alice")
    secrets = [(await accounts.give_token("alice"))[1] for _ in range(3)]
    assert len(set(secrets)) == 3
    for secret in secrets:
        assert (await accounts.log_in("alice", secret)).account == "alice"


async def test_tokens_need_an_account_and_a_short_label(accounts: Accounts) -> None:
    assert await _code(accounts.give_token("nobody")) is Code.UNKNOWN_ACCOUNT
    await accounts.create("alice")
    assert await _code(accounts.give_token("alice", "x" * 129)) is Code.BAD_VALUE


async def test_a_refusal_does_not_tell_what_was_wrong(accounts: Accounts) -> None:
    for account in ("alice", "bob"):
        await accounts.create(account)
    _, secret = await accounts.give_token("alice")
    refusals = []
    for account, given in [
        ("alice", "wrong"),
        ("alice", ""),
        ("bob", secret),
        ("nobody", secret),
        ("nobody", "wrong"),
        ("", ""),
        ("\ud800", "\ud800"),
    ]:
        with pytest.raises(Refused) as refused:
            await accounts.log_in(account, given)
        refusals.append(str(refused.value))
    assert set(refusals) == {"the token does not open this account [unauthorized]"}


async def test_a_revoked_token_opens_nothing(accounts: Accounts) -> None:
    await accounts.create("alice")
    first, first_secret = await accounts.give_token("alice")
    second, second_secret = await accounts.give_token("alice")
    assert await accounts.revoke("alice", first.token_id) == [first.token_id]
    assert await _code(accounts.log_in("alice", first_secret)) is Code.REVOKED
    assert (await accounts.log_in("alice", second_secret)).token_id == second.token_id
    assert await accounts.revoke("alice", first.token_id) == []
    assert await accounts.revoke("alice") == [second.token_id]
    assert await _code(accounts.log_in("alice", second_secret)) is Code.REVOKED


async def test_revoking_names_what_is_not_there(accounts: Accounts) -> None:
    await accounts.create("alice")
    await accounts.create("bob")
    token, secret = await accounts.give_token("alice")
    assert await _code(accounts.revoke("nobody")) is Code.UNKNOWN_ACCOUNT
    assert await _code(accounts.revoke("alice", "nope")) is Code.NOT_FOUND
    assert await _code(accounts.revoke("bob", token.token_id)) is Code.NOT_FOUND
    await accounts.log_in("alice", secret)


async def test_a_token_that_is_revoked_while_it_is_looked_up_opens_nothing() -> None:
    store = SlowTokenStore()
    accounts = Accounts(store, lambda: 1, lambda: "secret", lambda: "t1")
    await accounts.create("alice")
    await accounts.give_token("alice")

    async def revoke() -> None:
        await accounts.revoke("alice")

    store.meanwhile = revoke  # type: ignore[method-assign]
    assert await _code(accounts.log_in("alice", "secret")) is Code.REVOKED


async def test_digests_take_any_text() -> None:
    assert len({digest_of(text) for text in ("", "a", "\ud800", "\x00")}) == 4
