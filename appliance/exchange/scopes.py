"""Who may read and write what (ENROL.md "Who may read what"): scopes are lists of words for each client.

A word may be narrowed to a street or a community: `cases.read@411081001`. Such a reader sees the records of that area
only; a record that leaves the area is told as deleted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from appliance.errors import FieldError, Forbidden, Invalid
from appliance.exchange.kinds.all import KINDS
from appliance.exchange.kinds.base import Sight

READ = ("cases.read", "places.read", "evidence.read", "reports.read", "reporter.read")
SCOPES = (*READ, "cases.write", "supervise")
REPORTER = "reporter.read"
WORD = re.compile(r"([a-z]+\.?[a-z]+)(?:@(\d{9}(?:\d{3})?))?")


@dataclass(frozen=True, slots=True)
class Grants:
    """What one client may: scope → the areas to which it is narrowed, empty where it is for the whole county."""

    areas: Mapping[str, tuple[str, ...]]

    def require(self, scope: str) -> None:
        """Refuse what the client may not.

        Raises:
            Forbidden: the scope is named.
        """
        if scope not in self.areas:
            raise Forbidden(
                f"证书没有权限 {scope};本县授予的权限: {'、'.join(self.areas) or '无'}。",
                f"This certificate has no scope {scope}; granted are {', '.join(self.areas) or 'none'}.",
                needed=[scope],
            )

    def types(self) -> tuple[str, ...]:
        """The types of the feed that the client may read."""
        return tuple(name for name, kind in KINDS.items() if kind.scope in self.areas)

    def require_types(self, wanted: Iterable[str] | None) -> tuple[str, ...]:
        """The types that are asked for; all that may be read where none are named.

        Raises:
            Invalid: no such type. Forbidden: one of them may not be read.
        """
        from appliance.exchange.kinds.all import kinds_of

        if wanted is None:
            return self.types()
        kinds = kinds_of(wanted)
        for kind in kinds:
            self.require(kind.scope)
        return tuple(kind.name for kind in kinds)

    def sight(self, scope: str, now: int | None, yellow_at: float) -> Sight:
        """How records of a scope are shown to the client."""
        reporters = self.areas.get(REPORTER)
        return Sight(now, yellow_at, reporters is not None, self.areas.get(scope, ()), reporters or ())


def grants_of(words: Iterable[str], allowed: Iterable[str] = ()) -> Grants:
    """What a list of words grants.

    Args:
        allowed: what the technician allowed in person; `reporter.read` counts only then.

    Raises:
        Invalid: a word that is none.
    """
    areas: dict[str, list[str]] = {}
    for word in words:
        scope, area = _parts(word)
        if scope == REPORTER and REPORTER not in allowed:
            continue
        if area is None:
            areas[scope] = [""]
        else:
            areas.setdefault(scope, []).append(area)
    return Grants({scope: () if "" in listed else tuple(listed) for scope, listed in areas.items()})


def check_scopes(scopes: Any) -> dict[str, list[str]]:
    """The scopes of an enrolment's answer, if they are lists of words for each client.

    Raises:
        Invalid: the wrong one is named.
    """
    if not isinstance(scopes, dict) or not all(isinstance(words, list) for words in scopes.values()):
        raise Invalid("scopes 不是“客户端: [权限]”。", "scopes is no object of client: [scope].")
    for client, words in scopes.items():
        if not client or not all(isinstance(word, str) for word in words):
            raise Invalid(f"{client!r} 的权限不是文字列表。", f"The scopes of {client!r} are no list of words.")
        for word in words:
            _parts(word)
    return scopes


def _parts(word: str) -> tuple[str, str | None]:
    found = WORD.fullmatch(word)
    if found is None or found[1] not in SCOPES:
        raise Invalid(
            f"没有权限 {word[:60]!r};可用: {'、'.join(SCOPES)},可加 @街道代码。",
            f"There is no scope {word[:60]!r}; known: {', '.join(SCOPES)}, each may end in @ and an area's code.",
            fields=(FieldError("scopes", "未知权限", "unknown scope", SCOPES),),
        )
    return found[1], found[2]
