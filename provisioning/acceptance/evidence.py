"""What a province asks for when it accepts a system (验收), as tables: coverage, indicators, ledgers, staff."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from datetime import timedelta
from time import perf_counter
from typing import Any

from sqlalchemy import Connection, text

from appliance.clock import local, rfc3339
from appliance.ledgers.reading import overview, page
from appliance.ledgers.values import ledgers
from appliance.places.areas import county_boundary
from appliance.places.shapes import area_m2
from appliance.scoring.evaluated import Evaluated
from appliance.scoring.evaluation import Evaluation
from appliance.scoring.figures import shown
from appliance.scoring.periods import name_of
from appliance.scoring.runs import PLATFORM
from provisioning.acceptance.quality import results

Table = Iterable[list[Any]]
MONTHS, TIMES = 6, 20
QUERIES = (
    ("未结案件列表 / open cases", "SELECT number, state, due_at FROM cases WHERE is_open ORDER BY id DESC LIMIT 100"),
    ("一件案件的历史 / one history",
     "SELECT * FROM case_action WHERE case_id = (SELECT max(id) FROM cases) ORDER BY seq"),
    ("部门在办 / a unit's cases",
     "SELECT number FROM cases WHERE department = (SELECT min(code) FROM department) AND is_open"),
    ("网格查询 / one grid", "SELECT * FROM unit_grid WHERE code = (SELECT max(code) FROM unit_grid)"),
    ("变更流 / the feed", "SELECT seq FROM change ORDER BY seq DESC LIMIT 1000"),
)  # fmt: skip
_COUNTS = (
    ("单元网格 / unit grids", "SELECT count(*) FROM unit_grid WHERE valid_to IS NULL"),
    ("责任网格 / duty grids", "SELECT count(*) FROM duty_grid WHERE valid_to IS NULL"),
    ("街道 / streets", "SELECT count(*) FROM area WHERE level = 'street'"),
    ("社区 / communities", "SELECT count(*) FROM area WHERE level = 'community'"),
    ("部件 / parts", "SELECT count(*) FROM part"),
    ("地理编码 / place names", "SELECT count(*) FROM place"),
    ("采集员 / collectors", "SELECT count(*) FROM account WHERE active AND roles LIKE '%collector%'"),
    ("部门 / units", "SELECT count(*) FROM department WHERE ended_at IS NULL"),
    ("有案件流转的部门 / units with cases",
     "SELECT count(DISTINCT department) FROM cases WHERE department IS NOT NULL"),
    ("案件 / cases", "SELECT count(*) FROM cases"),
    ("有案件的街道 / streets with cases", "SELECT count(DISTINCT street) FROM cases WHERE street IS NOT NULL"),
)  # fmt: skip
_PARTS = text("SELECT type, name, count(*) AS parts FROM part GROUP BY type, name ORDER BY type, name")
_STAFF = text("SELECT account, name, roles, department, active, created_at FROM account ORDER BY account")
_BACKUPS = text(
    "SELECT at, actor, act, subject FROM admin_act WHERE act LIKE 'backup.%' OR act LIKE 'restore%' ORDER BY id"
)


def coverage(connection: Connection, county: str) -> Table:
    """Area and unit coverage: counts, and the share of the county that unit grids cover."""
    yield ["项目 / item", "数量 / count"]
    for name, statement in _COUNTS:
        yield [name, connection.execute(text(statement)).scalar_one()]
    boundary = county_boundary(connection, county)
    if boundary is not None:
        area = connection.execute(
            text("SELECT coalesce(sum(area_m2), 0) FROM unit_grid WHERE valid_to IS NULL")
        ).scalar_one()
        yield ["区域覆盖率 / share of the county in unit grids", round(area / area_m2(boundary), 4)]


def parts_by_class(connection: Connection) -> Table:
    """Counts by class of the part census."""
    yield ["类别 / class", "名称 / name", "数量 / parts"]
    yield from ([row.type, row.name, row.parts] for row in connection.execute(_PARTS))


def quality(connection: Connection) -> Table:
    """Checks of the data with counts."""
    yield ["检查 / check", "", "不合格 / wrong", "总数 / of", "合格率 / good"]
    for check, wrong, whole in results(connection):
        yield [check.chinese, check.english, wrong, whole, "—" if not whole else f"{(whole - wrong) / whole:.2%}"]


def months(evaluation: Evaluation, connection: Connection) -> list[Evaluated]:
    """The last six months that are over, oldest first."""
    now, zone = evaluation.records.clock.now(), evaluation.settings.zone
    day, found = local(now, zone).date().replace(day=1), []
    for _ in range(MONTHS):
        day = (day - timedelta(days=1)).replace(day=1)
        found.append(evaluation.evaluate(connection, evaluation.period(name_of("month", day))))
    return found[::-1]


def indicators(evaluation: Evaluation, evaluated: list[Evaluated]) -> Table:
    """The county's running indicators month by month."""
    pack = evaluated[-1].pack()
    yield ["指标 / indicator", "代码 / code", *(each.period.name for each in evaluated)]
    own = pack.indicators["platform"]
    figures = [each.scored(each.pack(), "platform")[0].figures for each in evaluated]
    for code, indicator in own.items():
        yield [indicator.chinese, code, *(shown(indicator, month.get(code)) for month in figures)]


def scores(evaluation: Evaluation, evaluated: list[Evaluated]) -> Table:
    """Everybody's scores month by month: evaluation in use."""
    yield ["月份 / month", "对象 / scope", "代码 / id", "名称 / name", "综合分 / score", "等级 / grade", "名次 / place"]
    for each in evaluated:
        for scope in ("department", "region", "collector", "acceptor", "shift_leader", "dispatcher"):
            for row in each.scored(each.pack(), scope):
                if row.score is not None:
                    yield [each.period.name, scope, row.subject, row.name, round(row.score, 2), row.grade, row.place]


def ledger_shares(evaluation: Evaluation, connection: Connection, evaluated: list[Evaluated]) -> Table:
    """Each ledger's cases and share, month by month."""
    yield ["月份 / month", "台账 / ledger", "", "件数 / cases", "占比 / share", "控制线 / limit", "状态 / standing"]
    for each in evaluated:
        facts = each.named["platform"][PLATFORM].subject.facts
        for row in overview(connection, each.period, facts, evaluation.settings):
            share = "" if row["share"] is None else f"{row['share']:.2%}"
            yield [each.period.name, row["name"], row["ledger"], row["cases"], share, row["limit"], row["standing"]]


def ledger_rows(evaluation: Evaluation, connection: Connection, name: str, evaluated: list[Evaluated]) -> Table:
    """The rows of one ledger over the six months; notes are left out, since they may name people."""
    ledger = ledgers()[name]
    yield ["月份 / month", "案件 / case", "名称 / name", "部门 / unit", "时间 / at", "经办 / by", "动作 / action"]
    for each in evaluated:
        after = 0
        while rows := page(connection, ledger, each.period, evaluation.settings, after=after, limit=1000):
            for row in rows:
                yield [each.period.name, row["number"], row["case"], row["department"], row["at"], row["actor"],
                       row.get("action")]  # fmt: skip
            after = rows[-1]["id"]


def performance(connection: Connection) -> Table:
    """Times of typical queries on this machine now, in milliseconds."""
    yield ["查询 / query", "次数 / times", "中位 ms / median", "最慢 ms / slowest"]
    for name, statement in QUERIES:
        taken = sorted(_milliseconds(connection, statement) for _ in range(TIMES))
        yield [name, TIMES, round(statistics.median(taken), 2), round(taken[-1], 2)]


def staff(connection: Connection) -> Table:
    """Users and their roles; no password, no telephone."""
    yield ["账号 / account", "姓名 / name", "角色 / roles", "部门 / unit", "在岗 / active", "建立 / since"]
    for row in connection.execute(_STAFF):
        yield [row.account, row.name, row.roles, row.department, bool(row.active), rfc3339(row.created_at)]


def backups(connection: Connection) -> Table:
    """What the audit knows of backups and restores."""
    yield ["时间 / at", "操作人 / by", "操作 / act", "对象 / subject"]
    yield from ([rfc3339(row.at), row.actor, row.act, row.subject] for row in connection.execute(_BACKUPS))


def _milliseconds(connection: Connection, statement: str) -> float:
    began = perf_counter()
    connection.execute(text(statement)).all()
    return (perf_counter() - began) * 1000


def all_ledgers() -> Iterator[str]:
    """The names of the ledgers."""
    yield from ledgers()
