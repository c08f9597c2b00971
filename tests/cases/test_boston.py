"""A real city's year: 26,588 service requests of Boston come in as old cases, to the last one."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from appliance.clock import micros
from appliance.records.store import Records
from appliance.scoring.evaluation import Evaluation
from provisioning.commands import import_
from tests.places.imports import bare_home, opened, scalar
from tests.shared import shared

SOURCES = {
    "Constituent Call": "hotline_12319", "Citizens Connect App": "wechat_app", "City Worker App": "collector",
    "Employee Generated": "collector", "Self Service": "web", "Maximo Integration": "dept_transfer", "Twitter": "web",
}  # fmt: skip
MAP = (
    "number=CASE_ENQUIRY_ID", "source=Source", "kind==event", "code=TYPE", "state=CASE_STATUS", "department=Department",
    "description=CASE_TITLE", "address=Location", "reported_at=OPEN_DT", "due_at=TARGET_DT", "closed_at=CLOSED_DT",
    "lon=LONGITUDE", "lat=LATITUDE",
)  # fmt: skip
BOSTON = ZoneInfo("America/New_York")


def run(kind: str, file: Path, home: Path, *options: str) -> Result:
    return CliRunner().invoke(
        import_, [kind, str(file), "--json", "--home", str(home), *options], catch_exceptions=False
    )


def counts(result: Result) -> dict[str, int]:
    found = json.loads(result.stdout)
    assert found["refusals"] == [], found["refusals"][:3]
    return {name: found[name] for name in ("read", "added", "updated", "refused")}


def table(path: Path, rows: dict[str, str], header: tuple[str, ...] = ()) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        if header:
            writer.writerow(header)
        writer.writerows(rows.items())
    return path


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with gzip.open(shared("data/cases-311-boston-2015.csv.gz"), "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.long
def test_a_year_of_a_real_city_is_in_with_exact_counts(rows: list[dict[str, str]], tmp_path: Path) -> None:
    home = bare_home(tmp_path / "home")
    departments = {row["Department"]: row["Department"] for row in rows}
    assert len(departments) == 12
    named = table(tmp_path / "departments.csv", departments, ("code", "name"))
    assert counts(run("departments", named, home))["added"] == 12
    types = {row["TYPE"]: "06010" if "Trash" in row["TYPE"] or "Litter" in row["TYPE"] else "09006" for row in rows}
    assert len(types) == 146
    values = {
        "code": table(tmp_path / "types.csv", types),
        "source": table(tmp_path / "sources.csv", SOURCES),
        "state": table(tmp_path / "states.csv", {"Closed": "closed", "Open": "dispatched"}),
    }
    options = ["--crs", "EPSG:4326", "--tz", "America/New_York"]
    options += [word for pair in MAP for word in ("--map", pair)]
    options += [word for name, path in values.items() for word in ("--values", f"{name}={path}")]
    file = shared("data/cases-311-boston-2015.csv.gz")
    whole = {"read": 26588, "updated": 0, "refused": 0}
    assert counts(run("cases", file, home, *options)) == {**whole, "added": 26588}
    assert counts(run("cases", file, home, *options)) == {**whole, "added": 0}
    by_department = Counter(row["Department"] for row in rows)
    with opened(home) as records:
        assert scalar(records, "SELECT count(*) FROM cases") == 26588
        assert scalar(records, "SELECT count(*) FROM cases WHERE state = 'closed'") == 21617
        assert scalar(records, "SELECT count(*) FROM cases WHERE is_open") == 4971
        assert scalar(records, "SELECT count(*) FROM cases WHERE handle_due_at IS NULL") == 5336
        assert scalar(records, "SELECT count(*) FROM cases WHERE closed_at < reported_at") == 84
        for code, count in by_department.items():
            assert scalar(records, f"SELECT count(*) FROM cases WHERE department = '{code}'") == count
        _scores_agree(records, rows)
        opened_at = datetime.strptime(rows[0]["OPEN_DT"], "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=BOSTON)
        number = rows[0]["CASE_ENQUIRY_ID"]
        assert scalar(records, f"SELECT reported_at FROM cases WHERE number = '{number}'") == micros(opened_at)
        assert scalar(records, "SELECT count(*) FROM case_action WHERE action = 'import'") == 26588
        late = "SELECT count(*) FROM cases WHERE closed_at > handle_due_at"
        said = [row["OnTime_Status"] for row in rows if row["CLOSED_DT"] and row["TARGET_DT"]]
        assert scalar(records, late) == said.count("OVERDUE") + said.count("")


def _scores_agree(records: Records, rows: list[dict[str, str]]) -> None:
    """The on-time rate is that of the file's own column, wherever it gives both times."""
    evaluation = Evaluation(records)

    judged = [row for row in rows if row["CLOSED_DT"] and row["TARGET_DT"]]
    with records.read() as connection:
        evaluated = evaluation.evaluate(connection, evaluation.period("2010-01-01..2025-12-31"))
    platform = evaluated.named["platform"][""].subject.facts
    on_time = sum(row["OnTime_Status"] == "ONTIME" for row in judged)
    assert (platform["closed"], platform["closed_on_time"]) == (len(judged), on_time)
    closed = sum(bool(row["CLOSED_DT"]) for row in rows)
    assert evaluated.left_out == closed - len(judged), "closed without a due time"
    for unit, named in evaluated.named["department"].items():
        own = [row for row in judged if row["Department"] == unit]
        counted = named.subject.facts
        assert counted.get("closed_on_time", 0) == sum(row["OnTime_Status"] == "ONTIME" for row in own), unit
    assert platform["reports"] == 26588
