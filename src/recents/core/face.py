"""Faces: the name and the picture of an account, as its contacts see them (rules I1, O3, C1).

Rules of this file:

1. What stands for a picture is the application's affair, a URL as a rule; here it is a bounded
   text that nobody looks into.
2. A part that is not given stays as it was, so that two devices may each change another one.
3. The same face again is the very face that was given, so the caller can tell (C1).
"""

from __future__ import annotations

import msgspec

from recents.core.errors import Code, Refused
from recents.core.ids import check_encodable

MAX_AVATAR_BYTES = 1_024
"""Room for a signed URL; every row carries it."""


class Face(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """How an account looks to others.

    Attributes:
        name: what to call it; "" where it has not said (I1).
        avatar: stands for its picture; "" where it has none.
    """

    name: str = ""
    avatar: str = ""


NO_FACE = Face()
"""The face of an account that has said nothing."""

Faces = tuple[Face, Face]
"""Those of the two accounts of a P2P conversation, in byte order of the accounts (I2)."""

NO_FACES: Faces = (NO_FACE, NO_FACE)


def check_avatar(avatar: str) -> str:
    """Return ``avatar`` if it may stand for a picture.

    Raises:
        Refused: ``bad_value`` when it is longer than 1,024 bytes, or is not Unicode text.
    """
    check_encodable(avatar, "avatar")
    size = len(avatar.encode())
    if size > MAX_AVATAR_BYTES:
        raise Refused(
            Code.BAD_VALUE,
            f"the avatar has {size} bytes; use at most {MAX_AVATAR_BYTES}, such as a URL",
        )
    return avatar


def changed_face(face: Face, name: str | None, avatar: str | None) -> Face:
    """Return a face with another name, another avatar, or both; None leaves a part as it is."""
    other = Face(face.name if name is None else name, face.avatar if avatar is None else avatar)
    return face if other == face else other
