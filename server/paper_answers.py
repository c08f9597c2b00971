"""The shapes of papers on the wire, and which format a client wants."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from server.exchange.encoding import weights
from server.score_answers import Figure, PackName

State = Literal["draft", "submitted", "revised"]


class FilingOut(msgspec.Struct):
    """How a month's return stands: a draft has revision 0 and nobody who signed."""

    period: str
    state: State
    revision: int
    signed_by: str | None
    signed_by_name: str | None
    signed_at: datetime | None
    sha256: str


class Filings(msgspec.Struct):
    """What was handed in, newest month first; `next` is given back as `before`."""

    items: list[FilingOut]
    next: str | None


class ReturnColumn(msgspec.Struct):
    """A column of the return."""

    code: str
    name: str
    english: str
    unit: Literal["text", "count", "rate"]


class ReturnOut(msgspec.Struct):
    """A monthly return: `rows` are the cells by the columns' names, `values` the unrounded values by their codes."""

    county: str
    name: str
    period: str
    as_of: datetime
    pack: PackName
    template: PackName
    columns: list[ReturnColumn]
    rows: list[dict[str, str | int]]
    values: list[dict[str, str | Figure]]
    state: State
    revision: int
    signed_by: str | None
    signed_by_name: str | None
    signed_at: datetime | None


class FilingState(msgspec.Struct):
    """How the return of a month stands."""

    state: State
    revision: int
    signed_by: str | None
    signed_by_name: str | None
    signed_at: datetime | None


class DuePaper(msgspec.Struct):
    """A paper of one period; `files` lie in `papers/` of the home, `filing` is of the return."""

    paper: str
    name: str
    english: str
    maker: Literal["return", "bulletin"]
    period: str
    due_at: datetime
    state: Literal["due", "made", "submitted", "overdue"]
    made_at: datetime | None
    closed: bool
    files: list[str]
    filing: FilingState | None


class DuePapers(msgspec.Struct):
    """The papers that come back, the newest first."""

    items: list[DuePaper]


def wanted(accept: str, formats: Mapping[str, Any]) -> str:
    """The media type that a client likes best, the first where it does not say or likes none."""
    liked = weights(accept)
    return max(formats, key=lambda media: liked.get(media, liked.get("*/*", 0.0)))
