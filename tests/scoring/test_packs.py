"""A county changes formulas in a pack of its own; a wrong pack is refused with line and reason."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from appliance.errors import BadFile, BadHome
from appliance.scoring.pack import NATIONAL, Subject, load_pack, national, read_pack
from appliance.scoring.packs_in_force import packs_in_force
from appliance.settings import Scoring
from tests.shared import shared

CONTENT = NATIONAL.read_text(encoding="utf-8")


def changed(old: str, new: str) -> str:
    assert old in CONTENT
    return CONTENT.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("effective_reports,reports,", "effective_reports,complaints,", "complaints"),
        ("40 effective_report_rate", "50 effective_report_rate", "110"),
        ("0:100 51:90 101:75", "0:100 101:90 51:75", "overlap"),
        ("0:100 51:90", "0:100 0:90", "overlap"),
        ("0:100 51:90", "10:100 51:90", "begin at 0"),
        ("40 effective_report_rate + 20", "40 collector_score + 20", "cycle"),
        ("40 effective_report_rate + 20", "40 reports + 20", "bands first"),
        ("40 effective_report_rate + 20", "40 nothing_such + 20", "nothing_such"),
        ("40 effective_report_rate + 20", "40 * effective_report_rate + 20", "WEIGHT CODE"),
        ("filed - filed_void", "filed * filed_void", "no sum"),
        ("collector,miss_rate", "nobody,miss_rate", "nobody"),
        ("collector,miss_rate", "collector,reports", "already"),
        ("grade,B", "grade,F", "grades"),
        ("scope,code", "scope,kode", "code"),
        (",75,,blue", ",nan,,blue", "0 to 100"),
        (",75,,blue", ",750,,blue", "0 to 100"),
        (",75,,blue,", "", "0 to 100"),
        ("0:100 51:90", "0:500 51:90", "at most 100"),
    ],
)
def test_a_wrong_pack_is_refused_with_line_and_reason(old: str, new: str, reason: str) -> None:
    content = changed(old, new)
    if "grade,F" in content:
        content = content.replace(",75,,blue", ",90,,blue")
    with pytest.raises(BadFile) as refused:
        read_pack("ours", content)
    assert reason in refused.value.en
    assert "line " in refused.value.en or "grades" in refused.value.en


def test_a_pack_has_grades_and_each_scope_one_composite() -> None:
    without = "\n".join(line for line in CONTENT.splitlines() if not line.startswith("grade,"))
    with pytest.raises(BadFile, match="no grades"):
        read_pack("ours", without)
    second = "department,other_score,另一综合值,Other,,,,,50 close_rate + 50 handle_rate,,x\n"
    with pytest.raises(BadFile, match=r"dept_score、other_score; it has one only"):
        read_pack("ours", CONTENT + second)
    part = CONTENT.replace("30 close_rate + 30 handle_on_time_rate", "30 other_score + 30 handle_on_time_rate") + second
    assert read_pack("ours", part).score_code("department") == "dept_score", "a composite may be a part of another"
    with pytest.raises(BadFile, match="denominator"):
        read_pack("ours", CONTENT + "department,x,x,x,,should_close,,,50 close_rate + 50 handle_rate,,x\n")


def test_another_denominator_gives_another_rate_and_another_digest(tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()
    own = changed(
        "rework_rate,返工率,Rework rate,reworked,should_close", "rework_rate,返工率,Rework rate,reworked,handle_done"
    )
    (tmp_path / "packs" / "xuchang.csv").write_text(own, encoding="utf-8")
    ours, above = packs_in_force(tmp_path, Scoring(pack="xuchang"))[0], national()
    facts = Subject({"reworked": 1, "should_close": 4, "handle_done": 2})
    assert above.values("department", facts)["rework_rate"] == 0.25
    assert ours.values("department", facts)["rework_rate"] == 0.5
    assert (ours.id, ours.sha256 == above.sha256) == ("xuchang", False)
    with pytest.raises(BadHome, match="upper_pack"):
        packs_in_force(tmp_path, Scoring(upper_pack="city"))


def test_a_pack_that_was_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    file = tmp_path / "excel.csv"
    file.write_bytes(b"\xef\xbb\xbf" + CONTENT.replace("\n", "\r\n").encode())
    assert load_pack(file).indicators.keys() == national().indicators.keys()


def test_every_national_indicator_is_in_the_pack() -> None:
    known = {(scope, code) for scope, own in national().indicators.items() for code in own}
    with shared("standards/indicators.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    missing = [
        row["code"]
        for row in rows
        if row["scope"] not in ("grade", "local") and (row["scope"], row["code"]) not in known
    ]
    assert missing == []
    assert {"close_rate_less_suspended", "close_on_time_rate_less_suspended"} <= set(national().indicators["platform"])
