"""What is read from a request, by the types of its route.

Rules of this file:

1. What is not as the OpenAPI page says is refused, with a code and a sentence; nothing is guessed.
2. Who asks is checked before a body is read.
"""

from __future__ import annotations

import re
from functools import cache
from types import UnionType
from typing import TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from aiohttp import web

from recents.core.errors import Code, Refused
from recents.server.doors.rest.shapes import BOUNDS

T = TypeVar("T", bound=msgspec.Struct)

JSON = "application/json"

_WHOLE = re.compile(r"[0-9]{1,16}", re.ASCII)
_SWITCHES = {"true": True, "false": False}


class WrongMediaType(Exception):
    """The body is said to be something else than JSON."""


async def body_of(request: web.Request, kind: type[T] | None) -> T | None:
    """Return the body of a request.

    Raises:
        Refused: ``bad_frame``: there should be none.
        WrongMediaType: it is said to be something else than JSON.
        msgspec.MsgspecError: it is not what the call takes.
    """
    if kind is None:
        if await request.read():
            raise Refused(Code.BAD_FRAME, "this call takes no body; what it needs is in the path")
        return None
    raw = await request.read()
    if raw and request.headers.get("Content-Type") and request.content_type != JSON:
        raise WrongMediaType
    return msgspec.json.decode(raw or b"{}", type=kind)


def query_of(request: web.Request, kind: type[T] | None) -> T | None:
    """Return the query of a request.

    Raises:
        Refused: ``bad_value``, naming the parameter.
    """
    known = _fields(kind) if kind else {}
    given: dict[str, object] = {}
    for name in request.query:
        if name not in known:
            takes = ", ".join(known) or "none"
            raise Refused(
                Code.BAD_VALUE, f"there is no parameter {name[:80]!r}; this call takes {takes}"
            )
        values = request.query.getall(name)
        if known[name] is tuple:
            given[name] = values
        elif len(values) > 1:
            raise Refused(Code.BAD_VALUE, f"the parameter {name} came {len(values)} times")
        else:
            given[name] = _value(name, values[0], known[name])
    if kind is None:
        return None
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise Refused(
            Code.BAD_VALUE, f"the parameters are not what this call takes: {error}"[:400]
        ) from error


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, type]:
    """Return the plain type of each field: int, bool, str, or tuple for what may come often."""
    return {name: _plain(hint) for name, hint in get_type_hints(kind).items()}


def _plain(hint: object) -> type:
    if get_origin(hint) in {Union, UnionType}:
        hint = next(part for part in get_args(hint) if part is not type(None))
    plain = get_origin(hint) or hint
    return plain if plain in {int, bool, tuple} else str


def _value(name: str, text: str, plain: type) -> object:
    if plain is int:
        number = int(text) if _WHOLE.fullmatch(text) else -1
        bounds = BOUNDS.get(name, {})
        least, most = bounds.get("minimum", 0), bounds.get("maximum", 2**53 - 1)
        assert isinstance(least, int)
        assert isinstance(most, int)
        if not least <= number <= most:
            raise Refused(
                Code.BAD_VALUE, f"{name} is {text[:20]!r}; give a number from {least} to {most}"
            )
        return number
    if plain is bool:
        if text not in _SWITCHES:
            raise Refused(Code.BAD_VALUE, f"{name} is {text[:20]!r}; give true or false")
        return _SWITCHES[text]
    return text
