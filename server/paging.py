"""Keyset pages of the smaller lists: an integer key as cursor, `next` None on the last page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.params import Parameter

from server.node import CURSOR_AT_MOST, json_bytes

PAGE = 50
PAGE_AT_MOST = 500
After = Annotated[int | None, Parameter(ge=0, le=CURSOR_AT_MOST, description="`next` of the page before")]
Limit = Annotated[int, Parameter(ge=1, le=PAGE_AT_MOST)]
Key = Annotated[int, Parameter(ge=0, le=CURSOR_AT_MOST)]


def before_of(after: int | None) -> int:
    """The key below which a page begins; a list newest first begins below all keys."""
    return CURSOR_AT_MOST if after is None else after


def page(rows: list[dict[str, Any]], limit: int, key: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The first `limit` of one row more than that, and the cursor of the next page."""
    more = len(rows) > limit
    items = rows[:limit]
    return {"items": items, "next": str(key(items[-1])) if more else None}


def sent(body: Any, status: int = 200) -> Response[bytes]:
    """A value as JSON."""
    return json_bytes(msgspec.json.encode(body), status)
