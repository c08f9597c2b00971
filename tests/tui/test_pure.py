"""The parts of the console that know no screen: letters, cells, canvas, viewport, keys, views, search, times."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from appliance.cases.workflow import ROLES, workflow
from appliance.codes.book import CodeBook
from appliance.i18n.labels import Labels, table
from appliance.i18n.letters import found_in, initials
from server.examples import CASE
from tui.cells import fit, wrap
from tui.desk.case_text import CaseText
from tui.desk.search import parse_search
from tui.desk.views import views_for
from tui.fields import MOMENT, PICK, PLACE, Choice, Field, FieldProblem, Form, body_of
from tui.keys import assign_keys
from tui.map.canvas import Canvas
from tui.map.viewport import Viewport, fitting
from tui.reference import Reference
from tui.show import moment, parse_moment, remaining, short_number

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def test_departments_are_found_by_their_letters() -> None:
    assert initials("市政管理所") == "szgls"
    assert initials("禹州市第2环卫队") == "yzsd2hwd"
    assert found_in("gls", initials("市政管理所"))
    assert not found_in("hw", initials("市政管理所"))
    assert initials("颍川街道")[1:] == "cjd"
    assert found_in("ycjd", initials("颍川街道")), "a rare sign stands for any letter"


@given(st.text(max_size=40), st.integers(min_value=1, max_value=60))
def test_a_text_fits_its_column_exactly(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) == width


@given(st.text(alphabet="井盖破了ab 1\n", max_size=80), st.integers(min_value=2, max_value=30))
def test_wrapped_lines_keep_every_sign(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(
    st.floats(113, 114), st.floats(34, 35), st.floats(0.3, 100), st.floats(0, 199, width=32), st.floats(0, 99, width=32)
)
def test_dots_and_positions_are_inverse(lon: float, lat: float, metres: float, x: float, y: float) -> None:
    view = Viewport(lon, lat, metres, 200, 100)
    back = view.dots(*view.position(x, y))
    assert back == pytest.approx((x, y), abs=1e-4)


def test_a_whole_box_fits_into_the_canvas() -> None:
    view = fitting((113.4, 34.1, 113.42, 34.11), 200, 100)
    west, south, east, north = view.box
    assert west <= 113.4
    assert south <= 34.1
    assert east >= 113.42
    assert north >= 34.11


@given(*[st.floats(-1e4, 1e4) for _ in range(4)])
def test_lines_far_outside_the_canvas_do_no_harm(x1: float, y1: float, x2: float, y2: float) -> None:
    canvas = Canvas(10, 5)
    canvas.line(x1, y1, x2, y2)
    assert all(cell_len(row.plain) == 10 for row in canvas.rows())


def test_a_line_crosses_the_canvas_from_corner_to_corner() -> None:
    canvas = Canvas(2, 1)
    canvas.line(0, 0, 3, 3)
    assert canvas.text().plain == "\u2811\u2884"
    plain = Canvas(2, 1, braille=False)
    plain.line(0, 0, 3, 3)
    assert plain.text().plain == ".."


@pytest.mark.parametrize("state", sorted(workflow().states))
@pytest.mark.parametrize("role", ROLES)
def test_every_action_gets_a_key_of_its_own(state: str, role: str) -> None:
    reserved = {"/", "?", ".", "[", "]", " ", "N", "R", "A", "B"}
    offered = [
        {"action": a.name, "chinese": a.chinese, "english": a.english, "key": a.key, "needs": a.needs, "may": a.may}
        for a in workflow().allowed(state, {role})
        if a.called_by == "act"
    ]
    keys = assign_keys(offered, reserved)
    assert [key.action for key in keys] == [item["action"] for item in offered]
    assert len({key.key for key in keys}) == len(keys)
    assert reserved.isdisjoint(key.key for key in keys)


def test_views_follow_the_roles() -> None:
    assert [view.key for view in views_for(["assessor"])] == ["open", "overdue", "supervised", "closed"]
    both = views_for(["acceptor", "shift_leader"])[0]
    assert both.key == "mine"
    assert {"reported", "accepted", "checked"} <= both.states
    for role in ROLES:
        assert all(view.states <= set(workflow().states) for view in views_for([role]))


def test_the_search_line_understands_letters_prefixes_and_telephones() -> None:
    book = CodeBook.national()
    found = parse_search("wsjg 药城路 d:D01", book, "2026", sees_phones=True)
    assert found["department"] == "D01"
    assert found["text"] == "药城路"
    assert "01002" in found["code"]
    assert parse_search("13812341234", book, "2026", sees_phones=True) == {"phone": "13812341234"}
    assert parse_search("13812341234", book, "2026", sees_phones=False) == {"text": "13812341234"}
    assert parse_search("  ", book, "2026", sees_phones=True) == {}


def test_times_are_typed_short_and_shown_short() -> None:
    labels = Labels("en")
    assert remaining("2026-11-22T09:20:00Z", labels, NOW) == "5h20m"
    assert remaining("2026-11-20T02:00:00Z", labels, NOW) == "-2d2h"
    assert remaining(None, labels, NOW) == "--"
    assert moment(parse_moment("+3", NOW)) == datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
    assert moment(parse_moment("+4h", NOW)) == datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    assert moment(parse_moment("12-31 16:30", NOW)) == datetime(2026, 12, 31, 8, 30, tzinfo=UTC)
    assert short_number("4110812026112200007") == "1122-00007"


def test_a_form_says_which_field_is_missing_or_unreadable() -> None:
    fields = (
        Field("department", PICK, True, (Choice("D01", "市政管理所 D01"),)),
        Field("until", MOMENT),
        Field("place", PLACE),
    )
    form = Form("派遣", "", "/x", fields)
    with pytest.raises(FieldProblem, match="department"):
        body_of(form, {"department": ""})
    with pytest.raises(FieldProblem, match="until"):
        body_of(form, {"department": "D01", "until": "morgen"})
    with pytest.raises(FieldProblem, match="place"):
        body_of(form, {"department": "D01", "place": "here"})
    assert body_of(form, {"department": "D01", "place": "113.4, 34.1"}) == {
        "department": "D01", "lon": 113.4, "lat": 34.1,
    }  # fmt: skip
    assert fields[0].found("szg") == [fields[0].choices[0]]


def test_every_label_the_console_names_stands_in_the_table() -> None:
    used = set()
    for path in (ROOT / "tui").rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        used |= set(re.findall(r'labels\("([a-z_]+\.[a-z_]+)"', source))
        used |= set(re.findall(r'(?<!id=)"((?:key|screen|help|layer|form)\.[a-z_]+)"', source))
    missing = sorted(used - table().keys())
    assert not missing
    assert {f"role.{role}" for role in ROLES} <= table().keys()
    fields = {name for action in workflow().actions.values() for name in (*action.needs, *action.may)}
    assert {f"field.{name}" for name in fields - {"lon", "lat", "code"}} <= table().keys()


def test_the_console_loads_no_records_and_no_server() -> None:
    code = (
        "import sys, tui.app, tui.commands; "
        "print([n for n in ('sqlalchemy', 'sqlmodel', 'litestar', 'uvicorn', 'server', 'shapely') if n in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout.strip() == "[]"


def test_the_command_itself_loads_no_textual() -> None:
    code = "import sys, tui.commands; print('textual' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout.strip() == "False"


def test_a_case_from_above_shows_its_number_there_and_who_decides() -> None:
    upper = {"number": "市2026-0001", "due_at": "2026-12-31T04:00:00Z", "reply_required": True}
    asked = {"kind": "extension", "waiting_for": "prefecture", "approved": None, "reason": "要开挖"}
    record = CASE | {"upper": upper, "requests": [asked]}
    labels = Labels("zh")
    text = CaseText(labels, Reference(None))  # type: ignore[arg-type]  # it looks nothing up here
    shown = text.record(record, 60).plain
    assert "上级编号 市2026-0001" in shown
    assert "申请由上级审批" in shown
    assert "上级平台" in text.beside(record, None, 60).plain
    assert "上级" not in text.record(CASE, 60).plain
