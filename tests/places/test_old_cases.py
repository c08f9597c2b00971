"""A county that moves to Wanmi brings its departments, its staff, its old cases and their history along."""

from __future__ import annotations

from pathlib import Path

from provisioning.import_files.kinds import KINDS
from tests.homes import SOUTH, STEP, WEST
from tests.places.imports import bare_home, counts, imported, opened, scalar

FILES = {
    "departments": "code,name,parent,phone\nD01,市政管理所,,0374-1\nD0101,养护一队,D01,\n",
    "staff": "account,name,roles,department,password\nl9,采集员九,collector,,wanmi-demo-9\n",
    "duties": "class,area,department,basis\n01002,*,D01,确权文件\n",
    "cases": (
        "number,source,kind,code,description,lon,lat,state,department,reported_at,closed_at\n"
        f"A1,hotline_12345,part,01002,井盖缺失,{WEST + STEP / 2},{SOUTH + STEP / 2},closed,D01,"
        "2025-03-01 08:00:00,2025-03-02 09:30:00\n"
    ),
    "history": "number,action,actor,at\nA1,report,老系统,2025-03-01 08:00:00\nA1,dispatch,老系统,2025-03-01 09:00:00\n",
}


def test_everything_of_the_old_system_goes_in_once(tmp_path: Path) -> None:
    with opened(bare_home(tmp_path / "home")) as records:
        for kind, content in FILES.items():
            assert kind in KINDS
            path = tmp_path / f"{kind}.csv"
            path.write_text(content, encoding="utf-8")
            rows = content.count("\n") - 1
            first = imported(records, kind, path)
            assert counts(first) == (rows, rows, 0, 0), (kind, first.refusals)
            assert counts(imported(records, kind, path)) == (rows, 0, 0, 0), kind
        assert scalar(records, "SELECT state || department FROM cases") == "closedD01"
        assert scalar(records, "SELECT count(*) FROM case_action WHERE number = 'A1'") >= 3
        assert scalar(records, "SELECT count(*) FROM admin_act WHERE act = 'import'") == len(FILES)


def test_a_history_of_unknown_cases_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text(FILES["history"], encoding="utf-8")
    with opened(bare_home(tmp_path / "home")) as records:
        refused = imported(records, "history", path)
        assert [refusal["field"] for refusal in refused.refusals] == ["number", "number"]
