"""Faces of accounts, and the rows of their contacts that show them (rules I1, O3, C1).

Rules of this file:

1. An account's face and all rows that show it change in one commit, so that nobody ever sees the
   one without the other.
2. It costs a head for each P2P conversation of the account, and nothing for each message: people
   change their names less often than they write.
"""

from __future__ import annotations

from recents.core.commands import SetProfile
from recents.core.face import changed_face
from recents.core.head import with_face
from recents.server.accounts import unknown_account
from recents.server.store.workspace import Wanted, Workspace


def want(actor: str, wanted: Wanted) -> None:
    """Ask for what ``carry_out`` looks at."""
    wanted.accounts.add(actor)
    wanted.talks.add(actor)


def carry_out(workspace: Workspace, actor: str, command: SetProfile) -> bool:
    """Change an account's face, here and in the heads of its P2P conversations.

    Returns:
        Whether a row of the account's own is another one since.

    Raises:
        Refused: ``unknown_account``.
    """
    if not workspace.account_exists(actor):
        raise unknown_account(actor)
    face = changed_face(workspace.face(actor), command.name, command.avatar)
    workspace.put_face(actor, face)
    changed_own = False
    for key in workspace.talks_of(actor):
        head = workspace.head(key)
        assert head is not None, "wanted conversations are loaded whole"
        changed = with_face(head, key, actor, face, workspace.version)
        workspace.put_head(key, changed)
        # What the other side alone has a row of, this one's devices never hear of.
        has_row = workspace.membership(actor, key) is not None
        changed_own |= has_row and changed is not head
    return changed_own
