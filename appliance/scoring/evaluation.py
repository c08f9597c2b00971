"""Evaluation of a county: any period counted now, or as it stands in the tables once it is closed; closing; appeals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, text

from appliance.clock import MINUTE, rfc3339
from appliance.errors import Conflict, FieldError, Invalid, NotFound
from appliance.records.store import Records
from appliance.records.writer import Unit
from appliance.scoring import store
from appliance.scoring.basis import Basis, basis_of
from appliance.scoring.countable import SCOPES, countables
from appliance.scoring.counting import Counted, count_period
from appliance.scoring.evaluated import Evaluated
from appliance.scoring.imported import add_imported
from appliance.scoring.pack import Pack, read_pack
from appliance.scoring.packs_in_force import packs_in_force
from appliance.scoring.patrolled import add_patrols
from appliance.scoring.periods import Period, period_of
from appliance.settings import Settings

_NUMBERS = text("SELECT id, number FROM cases WHERE id IN :ids").bindparams(bindparam("ids", expanding=True))
_KEY = text("SELECT id FROM cases WHERE number = :number")
_APPROVED = text("SELECT scope, subject, number FROM score_appeal WHERE period = :name AND approved")
_PACK = text("SELECT id, content FROM score_pack WHERE sha256 = :sha256")
_MADE = text(
    "SELECT pack_sha256, max(revision) AS revision FROM score WHERE period = :name "
    "GROUP BY pack_sha256 ORDER BY min(id)"
)
"""In the order in which they were written, the county's own first."""
AT_ONCE = 5_000
GRACE = 5 * MINUTE
"""What was stamped before the end of a period is on the disk by then."""


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

    def packs_of(self, connection: Connection, period: Period) -> tuple[Pack, ...]:
        """The packs by which a period is scored (`Evaluated.packs`)."""
        rows = connection.execute(_MADE, {"name": period.name}).all()
        made = [kept_pack(connection, row.pack_sha256) for row in rows]
        known = {pack.id for pack in made}
        return (*made, *(pack for pack in self.packs() if pack.id not in known))

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
            return self._as_kept(connection, row, replace(period, as_of=row.as_of))
        basis, counted = self.count(connection, period)
        named = {scope: store.named_subjects(counted, basis, scope) for scope in SCOPES}
        return Evaluated(period, None, counted.left_out, named, tuple(self.packs()))

    def _as_kept(self, connection: Connection, row: Any, period: Period) -> Evaluated:
        """A period from the tables; a closed one with its packs and scores."""
        named = {scope: store.subjects_of(connection, period.name, scope) for scope in SCOPES}
        if row.closed_at is None:
            return Evaluated(period, None, row.left_out, named, tuple(self.packs()))
        packs = self.packs_of(connection, period)
        kept = {
            (pack.sha256, scope): found
            for pack in packs
            for scope in SCOPES
            if (found := store.kept_scores(connection, period.name, pack.sha256, scope))
        }
        appealed = self._appealed(connection, period.name)
        return Evaluated(period, row.closed_at, row.left_out, named, packs, appealed, kept)

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
        if self.records.clock.now() < period.end + GRACE:
            raise Conflict(
                f"{name} 还没有结束 ({rfc3339(period.end)},再过 {GRACE // MINUTE} 分钟),不能结账。",
                f"{name} ends at {rfc3339(period.end)} and cannot be closed before {GRACE // MINUTE} minutes after.",
            )
        if row is not None and row.closed_at is not None:
            raise store.already_closed(name)
        return period

    def revise(self, unit: Unit, name: str) -> None:
        """Write the scores of a closed period anew, after an appeal was decided; the counts stay."""
        connection = unit.connection
        row = store.read_period(connection, name)
        if row is None or row.closed_at is None:
            return
        evaluated = replace(self.evaluate(connection, self.period(name)), kept={})
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
