"""What a type of the feed can do: show its records to a reader above, and take them in on the replica's side.

The same code reads a county's records in SpatiaLite and their replica in PostGIS; so "the replica equals the county" is
the comparison of two streams of lines.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
from sqlalchemy import Connection, TextClause, bindparam, text

KEYS_AT_ONCE = 500
Record = dict[str, Any]
Line = tuple[str, bytes]
"""A record's id and its JSON."""

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Sight:
    """How records are shown to one reader.

    Attributes:
        now: the moment for which a running case's light is told, in microseconds; None leaves the light out.
        yellow_at: the share of a limit after which a light is yellow.
        reporters: whether names and phones of reporters are told in full.
        areas: codes of streets or communities (9 or 12 digits) beyond which nothing is shown; empty for the county.
        reporter_areas: the same for reporters; beyond them they are masked.
    """

    now: int | None = None
    yellow_at: float = 0.8
    reporters: bool = False
    areas: tuple[str, ...] = ()
    reporter_areas: tuple[str, ...] = ()

    def holds(self, *places: str | None) -> bool:
        """Whether something in these grids or areas (those that are known) may be shown."""
        return not self.areas or any(place.startswith(self.areas) for place in places if place)


@dataclass(frozen=True, slots=True)
class Page:
    """Records in the order of their keys, and the key to go on after (None on the last page)."""

    lines: list[Line]
    next: str | None


class Kind(ABC):
    """A type of record in the feed.

    Attributes:
        name: as in the feed. scope: what a client needs to read it (ENROL.md).
        schema: the version of the record's shape; it grows when a member changes its meaning or goes away.
    """

    name: ClassVar[str]
    scope: ClassVar[str]
    schema: ClassVar[int] = 1

    @abstractmethod
    def records(self, connection: Connection, ids: Sequence[str], sight: Sight) -> dict[str, bytes]:
        """The present records of these ids by id; those that are gone or out of sight are left out."""

    @abstractmethod
    def page(self, connection: Connection, after: str | None, limit: int, sight: Sight) -> Page:
        """About `limit` records after a key, in the order of the keys.

        Raises:
            Invalid: `after` is no key of this type.
        """

    @abstractmethod
    def put(self, connection: Connection, records: Sequence[Record]) -> None:
        """Write records as they came; each is written over the one with its id."""

    @abstractmethod
    def delete(self, connection: Connection, ids: Sequence[str]) -> None:
        """Forget records; one that is not there is passed over."""


def by_keys(statement: str) -> TextClause:
    """A statement with a list of keys, written `IN :keys`."""
    return text(statement).bindparams(bindparam("keys", expanding=True))


def chunks(keys: Sequence[Any]) -> list[list[Any]]:
    """The keys in lists of a size that a statement takes."""
    return [list(keys[start : start + KEYS_AT_ONCE]) for start in range(0, len(keys), KEYS_AT_ONCE)]


def json_value(stored: Any) -> Any:
    """A JSON column read by plain SQL: SQLite gives text, PostgreSQL the value."""
    return decode(stored) if isinstance(stored, str) else stored
