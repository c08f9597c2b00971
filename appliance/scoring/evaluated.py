"""A period as it was counted, and everybody's scores of it by each of its packs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from appliance.clock import rfc3339
from appliance.errors import NotFound
from appliance.scoring.countable import SCOPES
from appliance.scoring.pack import Pack, Subject
from appliance.scoring.periods import Period
from appliance.scoring.scores import Named, Scored, score_scope


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A period as it was counted.

    Attributes:
        closed_at: when it was frozen, None while it is open.
        left_out: cases that were imported without their history, counted only where their facts are known.
        named: by scope, everybody and what was counted for them, appeals not yet taken off.
        packs: those by which it is scored, the county's own first: of a closed period as they were when it was closed,
            and after them those in force now that were not.
        appealed: by scope and subject, what approved appeals take off each fact.
        kept: by digest of the pack and scope, the scores that were written when it was closed, or after an appeal.
    """

    period: Period
    closed_at: int | None
    left_out: int
    named: Mapping[str, Mapping[str, Named]]
    packs: tuple[Pack, ...]
    appealed: Mapping[tuple[str, str], Mapping[str, int]] = field(default_factory=dict)
    kept: Mapping[tuple[str, str], list[Scored]] = field(default_factory=dict)

    def pack(self, id_: str | None = None) -> Pack:
        """A pack by its id; the county's own where none is named.

        Raises:
            NotFound: the period is not scored by it.
        """
        return pack_among(self.packs, self.period, id_)

    def document(self, pack: Pack, scope: str | None = None) -> dict[str, Any]:
        """The scores of one scope, or of all, for a machine (indicator_definitions 10)."""
        told: dict[str, Any] = {
            "period": self.period.name, "as_of": rfc3339(self.period.as_of), "closed_at": rfc3339(self.closed_at),
            "pack": {"id": pack.id, "sha256": pack.sha256}, "left_out": self.left_out,
        }  # fmt: skip
        if scope is not None and scope != "platform":
            return told | {"scope": scope, "rows": [each.as_dict() for each in self.scored(pack, scope)]}
        platform = dict(self.scored(pack, "platform")[0].figures)
        if scope is not None:
            return told | {"scope": scope, "rows": [], "platform": platform}
        scopes = {name: [each.as_dict() for each in self.scored(pack, name)] for name in SCOPES if name != "platform"}
        return told | {"platform": platform, "scopes": scopes}

    def scored(self, pack: Pack, scope: str) -> list[Scored]:
        """Everybody of a scope by a pack, best first."""
        kept = self.kept.get((pack.sha256, scope))
        if kept is not None:
            return list(kept)
        return score_scope(pack, scope, self._after_appeals(scope))

    def _after_appeals(self, scope: str) -> dict[str, Named]:
        return {key: self._lessened(scope, key, named) for key, named in self.named[scope].items()}

    def _lessened(self, scope: str, key: str, named: Named) -> Named:
        less = self.appealed.get((scope, key))
        if not less:
            return named
        facts = {fact: count - less.get(fact, 0) for fact, count in named.subject.facts.items()}
        return replace(named, subject=Subject(facts, named.subject.grids))


def pack_among(packs: Sequence[Pack], period: Period, id_: str | None) -> Pack:
    """A pack by its id; the first where none is named.

    Raises:
        NotFound: the period is not scored by it.
    """
    found = packs[0] if not id_ else next((pack for pack in packs if pack.id == id_), None)
    if found is None:
        known = ", ".join(pack.id for pack in packs)
        raise NotFound(
            f"{period.name} 没有按指标包 {id_} 评分;可用: {known}。",
            f"{period.name} is not scored by the pack {id_}; known are: {known}.",
        )
    return found
