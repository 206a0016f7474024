"""Short ways to write down what happened, step by step, for the histories of ``counting.json``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

Step = dict[str, object]
"""``do``: a method of the oracle; the other fields are its arguments; ``then``: who looks."""

TEAM = "team:t1"
BIG = "super_team:big"


class History(NamedTuple):
    """One vector before its expectations are known."""

    name: str
    rules: str
    steps: list[Step]


def _step(do: str, **fields: object) -> Step:
    return {"do": do, **{name: value for name, value in fields.items() if value is not None}}


def post(
    sender: str,
    conversation: str,
    text: str = "hi",
    at_ms: int | None = None,
    client_id: str | None = None,
    **more: object,
) -> Step:
    """Post; a history gives its messages names and times of which nobody needs to think."""
    return _step(
        "post",
        sender=sender,
        conversation=conversation,
        client_id=client_id or "",
        at_ms=at_ms or 0,
        text=text,
        **more,
    )


def posts(sender: str, conversation: str, *texts: str) -> list[Step]:
    return [post(sender, conversation, text) for text in texts]


def recall(account: str, conversation: str, seq: int, *, notice: bool = True) -> Step:
    return _step("recall", account=account, conversation=conversation, seq=seq, notice=notice)


def edit(
    account: str, conversation: str, seq: int, text: str, mentions: list[str] | None = None
) -> Step:
    return _step(
        "edit",
        account=account,
        conversation=conversation,
        seq=seq,
        text=text,
        mentions=mentions,
    )


def delete_message(account: str, conversation: str, seq: int) -> Step:
    return _step("delete_message", account=account, conversation=conversation, seq=seq)


def read(
    account: str,
    conversation: str,
    upto_seq: int | None = None,
    *,
    marks_known: int | None = None,
) -> Step:
    return _step(
        "read",
        account=account,
        conversation=conversation,
        upto_seq=upto_seq,
        marks_known=marks_known,
    )


def read_all(
    account: str,
    kinds: Sequence[str] | None = None,
    upto: dict[str, int] | None = None,
    *,
    marks_known: dict[str, int] | None = None,
    archives_known: Sequence[str] | None = None,
) -> Step:
    return _step(
        "read_all",
        account=account,
        kinds=kinds,
        upto=upto,
        marks_known=marks_known,
        archives_known=archives_known,
    )


def mark(account: str, conversation: str) -> Step:
    return _step("mark_unread", account=account, conversation=conversation)


def mark_from(account: str, conversation: str, seq: int) -> Step:
    return _step("mark_unread_from", account=account, conversation=conversation, seq=seq)


def draft(account: str, conversation: str, text: str, at_ms: int) -> Step:
    return _step("set_draft", account=account, conversation=conversation, text=text, at_ms=at_ms)


def mute(
    account: str,
    conversation: str,
    level: str | None = None,
    until_ms: int | None = None,
    at_ms: int | None = None,
) -> Step:
    return _step(
        "mute",
        account=account,
        conversation=conversation,
        level=level,
        until_ms=until_ms,
        at_ms=at_ms,
    )


def end_mute(account: str, conversation: str, at_ms: int) -> Step:
    return _step("end_mute", account=account, conversation=conversation, at_ms=at_ms)


def pin(account: str, conversation: str, rank: int, at_ms: int, ext: str | None = None) -> Step:
    return _step(
        "pin", account=account, conversation=conversation, rank=rank, ext=ext, at_ms=at_ms
    )


def unpin(account: str, conversation: str) -> Step:
    return _step("unpin", account=account, conversation=conversation)


def archive(account: str, conversation: str, upto_seq: int | None = None) -> Step:
    return _step("archive", account=account, conversation=conversation, upto_seq=upto_seq)


def add_label(account: str, conversation: str, label: str) -> Step:
    return _step("add_label", account=account, conversation=conversation, label=label)


def remove_label(account: str, conversation: str, label: str) -> Step:
    return _step("remove_label", account=account, conversation=conversation, label=label)


def extend(account: str, conversation: str, text: str) -> Step:
    return _step("set_extension", account=account, conversation=conversation, text=text)


def unarchive(account: str, conversation: str) -> Step:
    return _step("unarchive", account=account, conversation=conversation)


def delete(
    account: str, conversation: str, upto_seq: int | None = None, *, clear_history: bool = False
) -> Step:
    return _step(
        "delete",
        account=account,
        conversation=conversation,
        upto_seq=upto_seq,
        clear_history=clear_history,
    )


def delete_all(
    account: str,
    kinds: Sequence[str] | None = None,
    upto: dict[str, int] | None = None,
    *,
    clear_history: bool = False,
) -> Step:
    return _step(
        "delete_all", account=account, kinds=kinds, upto=upto, clear_history=clear_history
    )


def clear(account: str, conversation: str, upto_seq: int | None = None) -> Step:
    return _step("clear_history", account=account, conversation=conversation, upto_seq=upto_seq)


def create(team: str, owner: str, *members: str, name: str = "One", at_ms: int = 900) -> Step:
    return _step(
        "create_team", team=team, owner=owner, members=list(members), name=name, at_ms=at_ms
    )


def add(team: str, *accounts: str, at_ms: int = 5_000) -> Step:
    return _step("add_members", team=team, accounts=list(accounts), at_ms=at_ms)


def remove(team: str, account: str) -> Step:
    return _step("remove_member", team=team, account=account)


def leave(team: str, account: str) -> Step:
    return _step("leave", team=team, account=account)


def rename(team: str, name: str) -> Step:
    return _step("rename", team=team, name=name)


def dismiss(team: str) -> Step:
    return _step("dismiss", team=team)


def profile(account: str, name: str | None = None, avatar: str | None = None) -> Step:
    return _step("set_profile", account=account, name=name, avatar=avatar)


def alias(account: str, conversation: str, alias: str) -> Step:
    return _step("set_alias", account=account, conversation=conversation, alias=alias)


def team_avatar(team: str, avatar: str) -> Step:
    return _step("set_team_avatar", team=team, avatar=avatar)


def look(*accounts: str) -> Step:
    """After the step before, these accounts look at their lists."""
    return {"then": list(accounts)}


def history(name: str, rules: str, *steps: Step | list[Step]) -> History:
    """Put a history together; its messages are m1 at 1,001 ms and so on, unless it says more."""
    flat: list[Step] = []
    posted = 0
    for step in steps:
        for one in step if isinstance(step, list) else [step]:
            if "do" not in one:
                flat[-1] |= one
                continue
            if one["do"] == "post":
                posted += 1
                one["client_id"] = one["client_id"] or f"m{posted}"
                one["at_ms"] = one["at_ms"] or 1_000 + posted
            flat.append(one)
    return History(name, rules, flat)
