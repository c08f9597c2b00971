"""Evaluation of a county: any period counted now, or as it stands in the tables once it is closed; closing; appeals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, text

from appliance.clock import DAY, local, rfc3339
from appliance.errors import Conflict, FieldError, Invalid, NotFound
from appliance.records.store import Records
from appliance.records.writer import Unit
from appliance.scoring import store
from appliance.scoring.basis import Basis, basis_of
from appliance.scoring.countable import SCOPES, countables
from appliance.scoring.counting import Counted, count_period
from appliance.scoring.imported import add_imported
from appliance.scoring.pack import Pack, Subject, read_pack
from appliance.scoring.packs_in_force import packs_in_force
from appliance.scoring.patrolled import add_patrols
from appliance.scoring.periods import KINDS, Period, name_of, period_of
from appliance.scoring.scores import Named, Scored, score_scope
from appliance.settings import Settings

_NUMBERS = text("SELECT id, number FROM cases WHERE id IN :ids").bindparams(bindparam("ids", expanding=True))
_KEY = text("SELECT id FROM cases WHERE number = :number")
_APPROVED = text("SELECT scope, subject, number FROM score_appeal WHERE period = :name AND approved")
_PACK = text("SELECT id, content FROM score_pack WHERE sha256 = :sha256")
_MADE = text("SELECT pack_sha256, max(revision) AS revision FROM score WHERE period = :name GROUP BY pack_sha256")
AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A period as it was counted.

    Attributes:
        closed_at: when it was frozen, None while it is open.
        left_out: cases that were imported without their history, counted only where their facts are known.
        named: by scope, everybody and what was counted for them, appeals not yet taken off.
        appealed: by scope and subject, what approved appeals take off each fact.
    """

    period: Period
    closed_at: int | None
    left_out: int
    named: Mapping[str, Mapping[str, Named]]
    appealed: Mapping[tuple[str, str], Mapping[str, int]]

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
        return score_scope(pack, scope, self._after_appeals(scope))

    def _after_appeals(self, scope: str) -> dict[str, Named]:
        return {key: self._lessened(scope, key, named) for key, named in self.named[scope].items()}

    def _lessened(self, scope: str, key: str, named: Named) -> Named:
        less = self.appealed.get((scope, key))
        if not less:
            return named
        facts = {fact: count - less.get(fact, 0) for fact, count in named.subject.facts.items()}
        return replace(named, subject=Subject(facts, named.subject.grids))


class Evaluation:
    """The scores of one home.

    Args:
        records: the county's.
    """

    def __init__(self, records: Records) -> None:
        self.records = records
        self.settings: Settings = records.settings
        self.home: Path = records.home

    def packs(self) -> list[Pack]:
        """The packs in force, the county's first."""
        return packs_in_force(self.home, self.settings.scoring)

    def period(self, written: str) -> Period:
        """A period by its name.

        Raises:
            Invalid: no period, or one to come.
        """
        return period_of(written, self.settings.zone, self.records.clock.now())

    def evaluate(self, connection: Connection, period: Period, *, fresh_after: int | None = None) -> Evaluated:
        """A period as it stands in the tables when it is closed, else counted now.

        Args:
            fresh_after: an open period that was counted at this moment or later is taken as it was counted.
        """
        row = store.read_period(connection, period.name)
        if row is not None and (
            row.closed_at is not None or (fresh_after is not None and row.counted_at >= fresh_after)
        ):
            named: dict[str, dict[str, Named]] = {
                scope: store.subjects_of(connection, period.name, scope) for scope in SCOPES
            }
            seen = replace(period, as_of=row.as_of)
            return Evaluated(seen, row.closed_at, row.left_out, named, self._appealed(connection, period.name))
        basis, counted = self.count(connection, period)
        named = {scope: store.named_subjects(counted, basis, scope) for scope in SCOPES}
        return Evaluated(period, None, counted.left_out, named, {})

    def refresh(self, name: str) -> Period:
        """Count an open period and keep what was counted, for screens that read it many times.

        Raises:
            Conflict: it is closed.
        """
        period = self.period(name)
        with self.records.read() as connection:
            basis, counted = self.count(connection, period)
        self.records.write(lambda unit: store.keep_count(unit, period, basis, counted))
        return period

    def count(self, connection: Connection, period: Period) -> tuple[Basis, Counted]:
        """Count a period from the history rows."""
        basis = basis_of(connection, period, self.settings.zone)
        counted = count_period(connection, period, basis)
        add_imported(connection, counted, period)
        add_patrols(connection, counted, period, self.settings)
        return basis, counted

    def cases_behind(
        self,
        connection: Connection,
        period: Period,
        scope: str,
        subject: str,
        facts: Sequence[str],
        *,
        fresh_after: int | None = None,
    ) -> dict[str, list[str]]:
        """The numbers of the cases behind facts of a subject, in the order of their keys; each once.

        Raises:
            NotFound: nothing was counted for it. Invalid: no such scope or fact.
        """
        check_scope(scope)
        wrong = [fact for fact in facts if fact not in countables()[scope]]
        if wrong:
            known = ", ".join(countables()[scope])
            raise Invalid(
                f"{scope} 没有 {'、'.join(wrong)};可用 {known}。",
                f"{scope} has no fact {', '.join(wrong)}; known are {known}.",
            )
        row = store.read_period(connection, period.name)
        if row is not None and (
            row.closed_at is not None or (fresh_after is not None and row.counted_at >= fresh_after)
        ):
            behind: Mapping[str, list[int]] = store.cases_in(connection, period.name, scope, subject)
        else:
            _, counted = self.count(connection, period)
            behind = {fact: cases for (of, who, fact), cases in counted.cases.items() if (of, who) == (scope, subject)}
        return {fact: numbers_of(connection, sorted(set(behind.get(fact, ())))) for fact in facts}

    def close(self, name: str, by: str) -> Period:
        """Close a period that is over: count it, freeze who and what there was, and write the scores.

        Raises:
            Conflict: it is not over yet, or closed already.
        """
        with self.records.read() as connection:
            period = self.closable(connection, name)
        packs = self.packs()
        with self.records.read() as connection:
            basis, counted = self.count(connection, period)
        named = {scope: store.named_subjects(counted, basis, scope) for scope in SCOPES}

        def write(unit: Unit) -> None:
            store.keep_count(unit, period, basis, counted, closed_by=by)
            for pack, scored in store.score_packs(packs, named):
                store.keep_scores(unit, period.name, pack, scored)
            store.note_closing(unit, period.name, by, packs, counted.left_out)

        self.records.write(write)
        return period

    def closable(self, connection: Connection, name: str) -> Period:
        """A period that can be closed.

        Raises:
            Conflict: it is not over yet, or closed already.
        """
        period, row = self.period(name), store.read_period(connection, name)
        if not period.is_over:
            raise Conflict(
                f"{name} 还没有结束 ({rfc3339(period.end)}),不能结账。",
                f"{name} ends at {rfc3339(period.end)} and cannot be closed before.",
            )
        if row is not None and row.closed_at is not None:
            raise store.already_closed(name)
        return period

    def due_to_close(self, connection: Connection) -> list[str]:
        """The last period of each kind, where it is over long enough and still open."""
        now, zone = self.records.clock.now(), self.settings.zone
        names = []
        for kind in KINDS[:-1]:
            wait = self.settings.scoring.close_days if kind in ("month", "quarter", "year") else 1
            day = local(now - (wait - 1) * DAY, zone).date()
            begun = period_of(name_of(kind, day), zone, now)
            last = local(begun.start, zone).date() - timedelta(days=1)
            name = name_of(kind, last)
            row = store.read_period(connection, name)
            if row is None or row.closed_at is None:
                names.append(name)
        return names

    def revise(self, unit: Unit, name: str) -> None:
        """Write the scores of a closed period anew, after an appeal was decided; the counts stay."""
        connection = unit.connection
        row = store.read_period(connection, name)
        if row is None or row.closed_at is None:
            return
        evaluated = self.evaluate(connection, self.period(name))
        made = connection.execute(_MADE, {"name": name}).all()
        store.drop_scores(unit, name)
        for each in made:
            pack = kept_pack(connection, each.pack_sha256)
            scored = [one for scope in SCOPES for one in evaluated.scored(pack, scope)]
            store.keep_scores(unit, name, pack, scored, each.revision + 1)

    def _appealed(self, connection: Connection, name: str) -> dict[tuple[str, str], dict[str, int]]:
        """What approved appeals take off: the case counts nowhere for this subject."""
        less: dict[tuple[str, str], dict[str, int]] = {}
        for row in connection.execute(_APPROVED, {"name": name}).all():
            key: int = connection.execute(_KEY, {"number": row.number}).scalar_one()
            own = less.setdefault((row.scope, row.subject), {})
            for fact, cases in store.cases_in(connection, name, row.scope, row.subject).items():
                own[fact] = own.get(fact, 0) + cases.count(key)
        return less


def kept_pack(connection: Connection, sha256: str) -> Pack:
    """A pack as it was when scores were made by it.

    Raises:
        NotFound: no score was made by it.
    """
    row = connection.execute(_PACK, {"sha256": sha256}).first()
    if row is None:
        raise NotFound(f"没有保存指标包 {sha256[:12]}。", f"No pack {sha256[:12]} is kept.")
    return read_pack(row.id, row.content)


def numbers_of(connection: Connection, ids: Sequence[int]) -> list[str]:
    """The numbers of cases by their keys, in the order of the keys."""
    found: dict[int, str] = {}
    for at in range(0, len(ids), AT_ONCE):
        rows = connection.execute(_NUMBERS, {"ids": list(ids[at : at + AT_ONCE])})
        found.update((row.id, row.number) for row in rows)
    return [found[id_] for id_ in ids if id_ in found]


def check_scope(scope: str) -> None:
    """Refuse an unknown scope.

    Raises:
        Invalid: there is no such scope.
    """
    if scope not in SCOPES:
        known = ", ".join(SCOPES)
        raise Invalid(
            f"没有“{scope[:40]}”这种评价对象;可用 {known}。", f"There is no scope '{scope[:40]}'; known are {known}.",
            fields=(FieldError("scope", "未知", "unknown", SCOPES),),
        )  # fmt: skip
