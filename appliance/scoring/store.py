"""What was counted and scored, kept in tables: written by the scheduler, frozen when a period is closed."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.errors import Conflict, NotFound
from appliance.records.acts import append_act
from appliance.records.writer import Unit
from appliance.scoring.basis import Basis
from appliance.scoring.countable import SCOPES
from appliance.scoring.counting import Counted
from appliance.scoring.pack import Pack, Subject
from appliance.scoring.periods import Period
from appliance.scoring.scores import Named, Scored, score_scope

_PERIOD = text("SELECT * FROM score_period WHERE name = :name")
_DROP_PERIOD = text("DELETE FROM score_period WHERE name = :name")
_DROP_COUNTS = text("DELETE FROM score_count WHERE period = :name")
_KEEP_PERIOD = text(
    "INSERT INTO score_period (name, kind, starts_at, ends_at, as_of, counted_at, left_out, basis, closed_at, "
    "closed_by) VALUES (:name, :kind, :start, :end, :as_of, :now, :left_out, :basis, :closed_at, :closed_by)"
)
_KEEP_COUNT = text(
    "INSERT INTO score_count (period, scope, subject, name, duty_group, facts, grids, cases) "
    "VALUES (:period, :scope, :subject, :name, :group, :facts, :grids, :cases)"
)
_COUNTS = text(
    "SELECT subject, name, duty_group, facts, grids FROM score_count WHERE period = :name AND scope = :scope"
)
_CASES = text("SELECT cases FROM score_count WHERE period = :name AND scope = :scope AND subject = :subject")
_KEEP_PACK = text(
    "INSERT INTO score_pack (sha256, id, content, kept_at) VALUES (:sha256, :id, :content, :now) "
    "ON CONFLICT (sha256) DO NOTHING"
)
_DROP_SCORES = text("DELETE FROM score WHERE period = :name")
_KEEP_SCORE = text(
    "INSERT INTO score (key, period, pack, pack_sha256, scope, subject, name, duty_group, figures, score, grade, "
    "place, place_in_group, revision) VALUES (:key, :period, :pack, :sha256, :scope, :subject, :name, :group, "
    ":figures, :score, :grade, :place, :place_in_group, :revision)"
)
_SCORES = text(
    "SELECT * FROM score WHERE period = :name AND pack_sha256 = :sha256 AND scope = :scope "
    "ORDER BY place IS NULL, place, subject"
)
_HISTORY = text(
    "SELECT s.period, s.score, s.grade, s.place, s.figures FROM score s JOIN score_period p ON p.name = s.period "
    "WHERE s.scope = :scope AND s.subject = :subject AND p.kind = :kind AND (s.pack = :pack OR :pack = '' AND "
    "s.pack_sha256 = (SELECT f.pack_sha256 FROM score f WHERE f.period = s.period ORDER BY f.id LIMIT 1)) "
    "ORDER BY p.starts_at DESC LIMIT :limit"
)


def read_period(connection: Connection, name: str) -> Any | None:
    """The row of a counted period, None where it was never counted."""
    return connection.execute(_PERIOD, {"name": name}).one_or_none()


def already_closed(name: str) -> Conflict:
    """The refusal to count or close a closed period again."""
    return Conflict(f"{name} 已经结账,不能重算。", f"{name} is closed and is not counted again.")


def basis_in(row: Any) -> Basis:
    """Who and what there was in a counted period."""
    stored = msgspec.json.decode(row.basis) if isinstance(row.basis, str) else row.basis
    return msgspec.convert(stored, Basis, strict=False)


def named_subjects(counted: Counted, basis: Basis, scope: str) -> dict[str, Named]:
    """Everybody of a scope with name, group and what was counted."""
    units = basis.units if scope in ("department", "sub_unit") else {}
    return {
        key: Named(basis.name_of(scope, key), units[key].group if key in units else None, subject)
        for key, subject in counted.subjects(scope, basis).items()
    }


def keep_count(unit: Unit, period: Period, basis: Basis, counted: Counted, *, closed_by: str | None = None) -> None:
    """Write what was counted in place of what was counted before.

    Raises:
        Conflict: the period is closed.
    """
    connection, now = unit.connection, unit.now
    known = read_period(connection, period.name)
    if known is not None and known.closed_at is not None:
        raise already_closed(period.name)
    forget_count(unit, period.name)
    connection.execute(
        _KEEP_PERIOD,
        {
            "name": period.name, "kind": period.kind, "start": period.start, "end": period.end, "now": now,
            "as_of": period.as_of, "left_out": counted.left_out, "basis": _json(basis), "closed_by": closed_by,
            "closed_at": None if closed_by is None else now,
        },
    )  # fmt: skip
    rows = [row for scope in SCOPES for row in rows_to_keep(period.name, scope, counted, basis)]
    if rows:
        connection.execute(_KEEP_COUNT, rows)


def forget_count(unit: Unit, name: str) -> None:
    """Forget what was counted of an open period; it can be counted again."""
    for statement in (_DROP_COUNTS, _DROP_PERIOD):
        unit.connection.execute(statement, {"name": name})


def rows_to_keep(name: str, scope: str, counted: Counted, basis: Basis) -> Iterable[dict[str, Any]]:
    """What is written of a scope: a row for each subject, the same bytes whenever and wherever it is counted."""
    behind: dict[str, dict[str, list[int]]] = {}
    for (of, subject, fact), cases in counted.cases.items():
        if of == scope:
            behind.setdefault(subject, {})[fact] = cases
    for key, named in named_subjects(counted, basis, scope).items():
        yield {
            "period": name, "scope": scope, "subject": key, "name": named.name, "group": named.group,
            "facts": _json(dict(named.subject.facts)), "grids": _json(named.subject.grids),
            "cases": zlib.compress(_json(behind.get(key, {})).encode()),
        }  # fmt: skip


def subjects_of(connection: Connection, name: str, scope: str) -> dict[str, Named]:
    """Everybody of a scope in a counted period."""
    return {
        row.subject: Named(row.name, row.duty_group, Subject(_value(row.facts), _grids(_value(row.grids))))
        for row in connection.execute(_COUNTS, {"name": name, "scope": scope})
    }


def cases_in(connection: Connection, name: str, scope: str, subject: str) -> dict[str, list[int]]:
    """The keys of the cases behind each fact of a subject.

    Raises:
        NotFound: nothing was counted for it.
    """
    packed = connection.execute(_CASES, {"name": name, "scope": scope, "subject": subject}).scalar_one_or_none()
    if packed is None:
        raise NotFound(
            f"{name} 没有 {scope} {subject} 的统计。", f"Nothing was counted for {scope} {subject} in {name}."
        )
    found: dict[str, list[int]] = msgspec.json.decode(zlib.decompress(packed))
    return found


def keep_scores(unit: Unit, name: str, pack: Pack, scored: Sequence[Scored], revision: int = 0) -> None:
    """Write the scores of a closed period by one pack; each is told in the feed."""
    connection = unit.connection
    connection.execute(_KEEP_PACK, {"sha256": pack.sha256, "id": pack.id, "content": pack.content, "now": unit.now})
    rows = [
        {
            "key": score_id(name, pack.sha256, each.scope, each.subject), "period": name, "pack": pack.id,
            "sha256": pack.sha256, "scope": each.scope, "subject": each.subject,
            "name": each.name, "group": each.group, "figures": _in_order(dict(each.figures)), "score": each.score,
            "grade": each.grade, "place": each.place, "place_in_group": each.place_in_group, "revision": revision,
        }
        for each in scored
    ]  # fmt: skip
    if rows:
        connection.execute(_KEEP_SCORE, rows)
    for each in scored:
        unit.changed("score", score_id(name, pack.sha256, each.scope, each.subject))


def score_id(period: str, sha256: str, scope: str, subject: str) -> str:
    """The id of a score in the feed."""
    return f"{period}/{sha256[:12]}/{scope}/{subject}"


def drop_scores(unit: Unit, name: str) -> None:
    """Forget the scores of a period, before they are written anew after an appeal."""
    unit.connection.execute(_DROP_SCORES, {"name": name})


def kept_scores(connection: Connection, name: str, sha256: str, scope: str) -> list[Scored]:
    """The scores of a closed period by one pack, best first."""
    return [
        Scored(
            row.scope, row.subject, row.name, row.duty_group, _value(row.figures), row.score, row.grade, row.place,
            row.place_in_group,
        )
        for row in connection.execute(_SCORES, {"name": name, "sha256": sha256, "scope": scope})
    ]  # fmt: skip


def score_history(
    connection: Connection, scope: str, subject: str, pack: str, kind: str, limit: int
) -> list[dict[str, Any]]:
    """The scores of a subject in closed periods of a kind, newest first.

    Args:
        pack: an id; empty for the county's own of each period.
    """
    values = {"scope": scope, "subject": subject, "pack": pack, "kind": kind, "limit": limit}
    return [
        {
            "period": row.period, "score": row.score, "grade": row.grade, "place": row.place,
            "values": _value(row.figures),
        }
        for row in connection.execute(_HISTORY, values)
    ]  # fmt: skip


def note_closing(unit: Unit, name: str, by: str, packs: Sequence[Pack], left_out: int) -> None:
    """The audit row of a closed period."""
    append_act(
        unit, by, "score.close", name,
        {"packs": {pack.id: pack.sha256 for pack in packs}, "left_out": left_out},
    )  # fmt: skip


def score_packs(packs: Sequence[Pack], named: Mapping[str, dict[str, Named]]) -> list[tuple[Pack, list[Scored]]]:
    """Everybody's scores by each pack."""
    return [
        (pack, [each for scope, subjects in named.items() for each in score_scope(pack, scope, subjects)])
        for pack in packs
    ]


def _grids(stored: Mapping[str, Mapping[str, int]]) -> dict[int, dict[int, int]]:
    return {int(class_): {int(cases): number for cases, number in own.items()} for class_, own in stored.items()}


def _json(value: Any) -> str:
    """Sorted by key, so that the same is written as the same."""
    return msgspec.json.encode(msgspec.to_builtins(value, str_keys=True), order="deterministic").decode()


def _in_order(value: Any) -> str:
    """In the order of the pack."""
    return msgspec.json.encode(value).decode()


def _value(stored: Any) -> Any:
    return msgspec.json.decode(stored) if isinstance(stored, str) else stored
