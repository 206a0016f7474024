"""Contract: members, teams, accounts and tokens (T1, T2, I1)."""

from __future__ import annotations

from random import Random

import pytest

from recents.core.face import Face
from recents.core.ids import ConversationKey, p2p, super_team, team
from recents.server.store.port import Account, Store, StoreFailed, TeamMember, Token
from tests.contracts.batches import START_MS, Batch, posted

pytestmark = pytest.mark.asyncio

TEAM = team("t1")
KEY = ConversationKey(TEAM)


async def names(store: Store, after: str = "", limit: int = 100) -> list[str]:
    return [member.account for member in await store.members(KEY, after, limit)]


async def test_T1_members_are_listed_in_byte_order_page_by_page(store: Store) -> None:
    members = [f"{letter}{n}" for letter in "aZ_!~" for n in range(11)]
    Random(1).shuffle(members)
    await Batch().create(TEAM, *members).commit(store)
    walked: list[str] = []
    while page := await names(store, walked[-1] if walked else "", 7):
        walked += page
    assert walked == sorted(members)
    assert await store.count_members(KEY) == len(members)


async def test_T1_a_member_is_listed_with_the_time_of_its_joining(store: Store) -> None:
    await Batch(START_MS).create(TEAM, "owner").commit(store)
    await Batch(START_MS + 5).join("bob", TEAM).commit(store)
    expected = [TeamMember("bob", START_MS + 5), TeamMember("owner", START_MS)]
    assert await store.members(KEY, "", 10) == expected
    await Batch(START_MS + 6).leave("bob", TEAM).commit(store)
    await Batch(START_MS + 7).join("bob", TEAM).commit(store)
    assert (await store.members(KEY, "", 10))[0] == TeamMember("bob", START_MS + 7)


async def test_T2_who_left_or_was_removed_is_no_member(store: Store) -> None:
    await Batch().create(TEAM, "a", "b", "c", "d").commit(store)
    await Batch().leave("b", TEAM).leave("c", TEAM, removed=True).commit(store)
    assert await names(store) == ["a", "d"]
    assert await store.count_members(KEY) == 2
    await Batch().join("c", TEAM).commit(store)
    assert await names(store) == ["a", "c", "d"]
    await posted(store, "c", TEAM, "m1")
    await Batch().read("d", TEAM, 1).delete("a", TEAM, 1).commit(store)
    assert await names(store) == ["a", "c", "d"]


async def test_T2_a_dismissed_team_still_tells_who_was_in_it(store: Store) -> None:
    await Batch().create(TEAM, "a", "b").dismiss(TEAM).commit(store)
    assert await names(store) == ["a", "b"]
    assert await store.count_members(KEY) == 2


async def test_an_unknown_team_has_no_members(store: Store) -> None:
    assert await store.members(ConversationKey("team:none"), "", 10) == []
    assert await store.count_members(ConversationKey("team:none")) == 0


async def test_T1_the_teams_of_an_account_are_those_it_is_in(store: Store) -> None:
    big, left, ended = super_team("big"), team("left"), team("ended")
    for name in (TEAM, big, left, ended):
        await Batch().create(name, "owner", "me", name=f"Name of {name}").commit(store)
    await Batch().create(team("foreign"), "owner").commit(store)
    await posted(store, "me", p2p("owner"), "m1")
    await posted(store, "owner", TEAM, "m1")
    await Batch().leave("me", left).dismiss(ended).delete("me", big, 0).commit(store)
    found = await store.teams_of("me")
    assert [(key, head.name) for key, head in found] == [
        (ConversationKey(big), f"Name of {big}"),
        (KEY, f"Name of {TEAM}"),
    ]
    assert found[1][1] == await store.head(KEY)
    assert await store.teams_of("nobody") == []


async def test_an_account_is_created_once(store: Store) -> None:
    assert await store.account("alice") is None
    alice = Account("alice", "Alice \0 \u202e", 1)
    assert await store.create_account(alice)
    assert not await store.create_account(Account("alice", "Another", 2))
    assert await store.account("alice") == alice
    assert await store.create_account(Account("Alice", "", 3))


async def test_an_account_has_another_face_from_the_commit_on(store: Store) -> None:
    await store.create_account(Account("alice", "Alice", 1, "a.png"))
    await store.create_account(Account("bob", "Bob", 2))
    workspace = await Batch().face("alice", Face("Alice B.", "b.png")).commit(store)
    assert workspace.version == store.version == 1
    assert store.rows_written == 0
    alice = Account("alice", "Alice B.", 1, "b.png", 1)
    assert await store.account("alice") == alice
    assert await store.accounts("", 9) == [alice, Account("bob", "Bob", 2)]


async def test_a_face_that_cannot_be_stored_changes_nothing(store: Store) -> None:
    await store.create_account(Account("alice", "Alice", 1))
    with pytest.raises(StoreFailed):
        await Batch().face("alice", Face("half of \ud83d")).commit(store)
    assert await store.account("alice") == Account("alice", "Alice", 1)
    assert store.version == 0


async def test_accounts_are_listed_in_byte_order_page_by_page(store: Store) -> None:
    for name in ("b", "a", "Z", "~", "!", "ab"):
        await store.create_account(Account(name, "", 1))
    first = await store.accounts("", 4)
    rest = await store.accounts(first[-1].account, 4)
    assert [account.account for account in first + rest] == ["!", "Z", "a", "ab", "b", "~"]


async def test_accounts_and_tokens_take_no_version(store: Store) -> None:
    await store.create_account(Account("alice", "Alice", 1))
    await store.add_token(_token("t1"))
    assert store.version == store.rows_written == 0


def _token(token_id: str, account: str = "alice", created_ms: int = 1) -> Token:
    digest = f"{account}/{token_id}".encode().ljust(32, b"\0")
    return Token(token_id, account, digest, f"label \0 {token_id}", created_ms)


async def test_a_token_is_found_by_its_digest_alone(store: Store) -> None:
    token = _token("t1")
    assert await store.token(token.digest) is None
    await store.add_token(token)
    assert await store.token(token.digest) == token
    assert await store.token(token.digest[:-1]) is None
    assert await store.token(b"") is None


async def test_tokens_are_listed_oldest_first(store: Store) -> None:
    tokens = [_token("c", created_ms=3), _token("b", created_ms=5), _token("a", created_ms=5)]
    for token in (tokens[1], tokens[2], tokens[0], _token("x", "bob")):
        await store.add_token(token)
    found = await store.tokens_of("alice")
    assert [token.token_id for token in found] == ["c", "a", "b"]
    assert await store.tokens_of("nobody") == []


async def test_one_token_is_revoked_for_good(store: Store) -> None:
    for token_id in ("t1", "t2"):
        await store.add_token(_token(token_id))
    assert await store.revoke_tokens("bob", 7, "t1") == []
    assert await store.revoke_tokens("alice", 7, "none") == []
    assert await store.revoke_tokens("alice", 7, "t1") == ["t1"]
    assert await store.revoke_tokens("alice", 9, "t1") == []
    revoked = await store.token(_token("t1").digest)
    assert revoked is not None
    assert revoked.revoked_ms == 7
    assert [token.revoked_ms for token in await store.tokens_of("alice")] == [7, None]


async def test_all_tokens_of_an_account_are_revoked_in_one_go(store: Store) -> None:
    for token_id, created_ms in (("t1", 5), ("t2", 3), ("t3", 4)):
        await store.add_token(_token(token_id, created_ms=created_ms))
    await store.add_token(_token("t1", "bob"))
    await store.revoke_tokens("alice", 7, "t3")
    assert await store.revoke_tokens("alice", 8) == ["t2", "t1"]
    assert await store.revoke_tokens("alice", 9) == []
    assert [token.revoked_ms for token in await store.tokens_of("alice")] == [8, 7, 8]
    assert [token.revoked_ms for token in await store.tokens_of("bob")] == [None]


async def test_contacts_are_those_of_a_talk_or_of_a_team_that_one_is_in(store: Store) -> None:
    for name in ("me", "bob", "zoe", "mate", "former", "past", "drafted", "stranger"):
        await store.create_account(Account(name, name.upper(), 1, f"{name}.png"))
    await posted(store, "me", p2p("zoe"), "m1")
    await posted(store, "bob", p2p("me"), "m1")
    await posted(store, "bob", p2p("stranger"), "m1")
    await posted(store, "me", p2p("no-account"), "m1")
    await Batch().begin("drafted", p2p("me")).commit(store)
    await Batch().create(team("t1"), "mate", "me", "former").commit(store)
    await Batch().leave("former", team("t1")).commit(store)
    await Batch().create(super_team("t2"), "past", "me").commit(store)
    await Batch().leave("me", super_team("t2")).commit(store)
    await Batch().create(team("t3"), "mate", "stranger").commit(store)
    wanted = {
        *("me", "bob", "zoe", "mate", "former", "past", "drafted"),
        *("stranger", "no-account", "nobody", "ME"),
    }
    found = await store.contacts("me", wanted)
    assert [one.account for one in found] == ["bob", "former", "mate", "me", "zoe"]
    assert found[0] == Account("bob", "BOB", 1, "bob.png")
    assert await store.contacts("me", ["bob"]) == [found[0]]
    assert await store.contacts("me", []) == []
    assert await store.contacts("nobody", wanted) == []
