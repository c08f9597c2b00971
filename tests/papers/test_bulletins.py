"""The bulletin: its numbers are those of the scores, units stand in their groups, and it prints."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy import text

from appliance.cli import wanmi
from appliance.papers.charts import Bar, Line, bars, lines
from appliance.papers.making import bulletin_page
from appliance.scoring.evaluation import Evaluation
from tests.cases.desk import Desk
from tests.papers.paper_text import fonts_of, words_of


def october(desk: Desk) -> None:
    """A county with two groups of units, one case closed, one overdue, and one of September."""
    desk.office.records.write(
        lambda unit: (
            unit.connection.execute(text("UPDATE department SET duty_group = '市直组' WHERE code <> 'D02'")) and None
        )
    )
    desk.to_closed()
    desk.to_dispatched(address="药城路18号 13812345678")
    public = desk.report("s1", reporter_name="张建国", reporter_phone="13812345678", description="张建国家门口")
    desk.act("s1", public, "accept", reason="视频已看到")
    desk.act("z1", public, "file")
    desk.act("p1", public, "dispatch", department="D02", condition=1)


def bare(page: str) -> str:
    return "".join(re.sub(r"<[^>]+>", " ", page).split())


def test_it_says_what_the_scores_say_and_nothing_about_who_reported(desk: Desk) -> None:
    october(desk)
    desk.clock.advance(days=40)
    page = bulletin_page(desk.office, "2026-10")
    told = bare(page)
    assert "月报2026年10月" in told
    assert "立案数3↑3" in told, "none in September"
    assert "结案率33.33%—" in told, "a rate of nothing has no change"
    assert told.index("市直组") < told.index("1市政管理所") < told.index("未分组")
    assert "到期应结未结2件" in told
    assert "药城路18号***" in told
    for word in ("张建国", "13812345678", "家门口"):
        assert word not in page
    assert "<script" not in page
    evaluation = Evaluation(desk.office.records)
    evaluation.close("2026-10", "k1")
    closed = bare(bulletin_page(desk.office, "2026-10"))
    assert closed.replace("已结账", "未结账,数据可能变化".replace(",", "，")) == told


def test_the_cases_left_over_stand_in_it_as_they_were_then(desk: Desk) -> None:
    """Sent to another unit with a new limit in November, and still October's debt of the first one."""
    number = desk.to_dispatched()
    desk.clock.advance(days=30)
    page = bulletin_page(desk.office, "2026-10")
    then = next(line for line in page.splitlines() if f"<td>{number}</td>" in line)
    assert "市政管理所" in then
    desk.decide("p1", number, desk.ask("d1", number, "return", "不归我管"), True)
    desk.act("p1", number, "dispatch", department="D02", condition=1)
    assert (
        next(line for line in bulletin_page(desk.office, "2026-10").splitlines() if f"<td>{number}</td>" in line)
        == then
    )


def test_a_running_day_a_week_and_a_county_without_cases_have_one_too(desk: Desk) -> None:
    assert "本期没有单位承办案件" in bulletin_page(desk.office, "2026-10")
    desk.to_dispatched()
    day = bulletin_page(desk.office, "2026-10-09")
    assert "日报 2026年10月9日" in day
    assert "周报 2026年第41周" in bulletin_page(desk.office, "2026-W41")


def test_it_prints_on_a4_with_numbered_pages_and_the_font_inside(desk: Desk, tmp_path: Path) -> None:
    october(desk)
    file = tmp_path / "b.pdf"
    done = CliRunner().invoke(
        wanmi, ["report", "bulletin", "2026-10", str(file), "--home", str(desk.office.records.home)]
    )
    assert done.exit_code == 0, done.output
    pages = words_of(file)
    assert "禹州市数字化城市管理专刊" in pages[0]
    assert [f"第{number}页共{len(pages)}页" in page for number, page in enumerate(pages, 1)] == [True] * len(pages)
    assert 2 <= len(pages) <= 6
    assert "WenQuanYi" in fonts_of(file)


def test_charts_escape_what_they_say_and_draw_gaps() -> None:
    drawn = bars([Bar("<b>&", 3, "3"), Bar("none", None, "—")])
    assert "&lt;b&gt;&amp;" in drawn
    assert 'width="420.0"' in drawn
    course = lines(["a", "b", "c", "d"], [Line("x", [1, 2, None, 3])])
    assert course.count("<polyline") == 1
    assert course.count("<circle") == 1, "a point alone between gaps"
    assert lines([], []) == lines([], [])
