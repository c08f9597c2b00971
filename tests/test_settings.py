"""A wrong value in `wanmi.toml` or in the environment is named, and no node starts on it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import BadHome
from appliance.settings import load, save

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("time_zone", {"time_zone": "Mars/X"}),
    ("time_zone", {"time_zone": "../../etc"}),
    ("desk.office_hours", {"desk": {"office_hours": [["8", "x"]]}}),
    ("desk.office_hours", {"desk": {"office_hours": []}}),
    ("desk.office_hours", {"desk": {"office_hours": [["08:00", "25:00"]]}}),
    ("desk.office_hours", {"desk": {"office_hours": [["12:00", "08:00"]]}}),
    ("desk.office_hours", {"desk": {"office_hours": [["08:00", "12:00"], ["11:00", "18:00"]]}}),
    ("desk.office_hours", {"desk": {"office_hours": [["14:00", "18:00"], ["08:00", "12:00"]]}}),
    ("desk.case_number", {"desk": {"case_number": "{county}{date:%Y%m%d}"}}),
    ("desk.case_number", {"desk": {"case_number": "{serial:05q}"}}),
    ("desk.case_number", {"desk": {"case_number": "{serial"}}),
    ("desk.case_number", {"desk": {"case_number": "{street}{serial}"}}),
    ("desk.case_number", {"desk": {"case_number": "{county}/{serial}"}}),
    ("county", {"county": "4110"}),
]


@pytest.mark.parametrize(("key", "values"), WRONG, ids=str)
def test_a_wrong_value_is_named(tmp_path: Path, key: str, values: dict[str, Any]) -> None:
    save(tmp_path, {"county": "411081", **values})
    with pytest.raises(BadHome) as refused:
        load(tmp_path)
    assert key in refused.value.zh
    assert key in str(refused.value)


def test_a_wrong_variable_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, {"county": "411081"})
    monkeypatch.setenv("WANMI_DESK__OFFICE_HOURS", "from eight")
    with pytest.raises(BadHome):
        load(tmp_path)


def test_good_values_of_every_form_are_taken(tmp_path: Path) -> None:
    desk = {"office_hours": [["00:00", "12:00"], ["12:00", "24:00"]], "case_number": "禹[{date:%Y}]{serial}号"}
    save(tmp_path, {"county": "411081", "time_zone": "Asia/Urumqi", "desk": desk})
    loaded = load(tmp_path)
    assert loaded.zone.key == "Asia/Urumqi"
    assert loaded.desk.office_hours[1] == ("12:00", "24:00")


def test_serve_says_it_in_a_sentence(tmp_path: Path) -> None:
    save(tmp_path, {"county": "411081", "desk": {"office_hours": [["8", "x"]]}})
    command = [sys.executable, "-m", "appliance", "serve", "--home", str(tmp_path), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=dict(os.environ), check=False)
    assert done.returncode != 0
    assert "desk.office_hours" in done.stderr
    assert "Traceback" not in done.stderr
