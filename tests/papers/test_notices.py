"""The notice and the letter of a case, filled in, with the county's own words, and nothing about who reported."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from appliance.cases import evidence
from appliance.cli import wanmi
from appliance.errors import BadFile, NotAllowed, NotFound
from appliance.papers.case_papers import letter_facts, notice_facts
from appliance.papers.pages import page_of
from appliance.papers.printing import pdf_of
from tests.cases.desk import Desk
from tests.cases.test_importing import bring, line
from tests.papers.paper_text import fonts_of, words_of

PHONE = "13812345678"


def photograph(desk: Desk, number: str, folder: Path, *, share: bool) -> str:
    """A picture of before; returns its digest."""
    file = folder / "photo.jpg"
    Image.effect_noise((1200, 900), 80).convert("RGB").save(file)
    content = evidence.content_of(file)
    new = evidence.NewFile("before", desk.clock.now(), None, None, share)

    def work(unit: object) -> None:
        evidence.add_to_case(unit, desk.office, desk.who("l1"), number, content, new)  # type: ignore[arg-type]
        evidence.keep(desk.office.records.home, file, content.sha256)

    desk.office.records.write(work)
    return content.sha256


def notice(desk: Desk, number: str, account: str = "z1") -> str:
    with desk.office.records.read() as connection:
        facts = notice_facts(connection, desk.office, desk.who(account), number)
    return page_of(desk.office.records.home, "notice", facts)


def test_the_unit_reads_what_where_and_until_when(desk: Desk, tmp_path: Path) -> None:
    number = desk.to_dispatched(address=f"药城路18号 {PHONE}", description=f"井盖<b>下沉</b> {PHONE}")
    photograph(desk, number, tmp_path, share=True)
    photograph(desk, number, tmp_path, share=False)
    page = notice(desk, number)
    for words in ("市政管理所", "污水井盖", "药城路18号", "井盖&lt;b&gt;下沉", "2026年10月9日 11:00", number):
        assert words in page, words
    assert page.count("<figure>") == 1, "the other picture is not shared"
    assert PHONE not in page
    with pytest.raises(NotAllowed, match="not dispatched"):
        notice(desk, desk.report())


def test_who_reported_and_what_the_public_said_stand_nowhere(desk: Desk) -> None:
    number = desk.report("s1", reporter_name="张建国", reporter_phone=PHONE, description="张建国说他家门口井盖坏了")
    desk.act("s1", number, "accept", reason="视频已看到")
    desk.act("z1", number, "file")
    desk.act("p1", number, "dispatch", department="D01", condition=1)
    desk.act("b1", number, "supervise", note=f"尽快整改,电话 {PHONE}", until=desk.clock.now() + 86_400_000_000)
    supervision = desk.case(number)["supervisions"][0]["id"]
    with desk.office.records.read() as connection:
        facts = letter_facts(connection, desk.office, desk.who("z1"), number, supervision)
        with pytest.raises(NotFound, match=f"it has {supervision}"):
            letter_facts(connection, desk.office, desk.who("z1"), number, 99)
    letter = page_of(desk.office.records.home, "letter", facts)
    for page in (letter, notice(desk, number)):
        assert "张建国" not in page
        assert PHONE not in page
        assert desk.case(number)["query_code"] not in page, "it is the reporter's"
        assert f"案件号 {number}" in page
    assert "分管领导" in letter
    assert "尽快整改" in letter
    assert "2026年10月10日 09:00" in letter


def test_a_case_that_came_without_its_history_has_its_papers(desk: Desk, tmp_path: Path) -> None:
    """The old system told the unit, and not when and by whom it was dispatched."""
    bring(desk, tmp_path, line("A1", "dispatched"))
    page = notice(desk, "A1")
    assert "已于 — 派遣" in page
    assert "市政管理所" in page
    desk.act("b1", "A1", "supervise", note="尽快整改", until=desk.clock.now() + 86_400_000_000)
    supervision = desk.case("A1")["supervisions"][0]["id"]
    with desk.office.records.read() as connection:
        facts = letter_facts(connection, desk.office, desk.who("z1"), "A1", supervision)
    assert "尽快整改" in page_of(desk.office.records.home, "letter", facts)


def test_a_county_writes_its_own_notice_and_a_wrong_one_is_refused_with_its_line(desk: Desk) -> None:
    number = desk.to_dispatched()
    own = desk.office.records.home / "papers" / "notice.html.j2"
    own.parent.mkdir(exist_ok=True)
    own.write_text("<h1>限期整改</h1>{{ unit }} {{ due_at }}", encoding="utf-8")
    assert notice(desk, number) == "<h1>限期整改</h1>市政管理所 2026年10月9日 11:00"
    for words, why in (
        ("\n{{ reporter }}", "line 2.*reporter"), ("{% if %}", "line 1"), ("\n\n{{ ''.__class__.__mro__ }}", "line 3"),
    ):  # fmt: skip
        own.write_text(words, encoding="utf-8")
        with pytest.raises(BadFile, match=why):
            notice(desk, number)


def test_the_technician_writes_a_pdf_with_the_font_inside(desk: Desk, tmp_path: Path) -> None:
    number, home = desk.to_dispatched(address="药城路18号"), desk.office.records.home
    run = CliRunner()
    done = run.invoke(wanmi, ["report", "notice", number, str(tmp_path / "n.pdf"), "--home", str(home)])
    assert done.exit_code == 0, done.output
    pages = words_of(tmp_path / "n.pdf")
    assert len(pages) == 1
    assert "整改通知书" in pages[0]
    assert "药城路18号" in pages[0]
    assert "第1页共1页" in pages[0]
    assert "WenQuanYi" in fonts_of(tmp_path / "n.pdf")
    assert run.invoke(wanmi, ["report", "notice", number, str(tmp_path / "n.doc"), "--home", str(home)]).exit_code == 2


def test_nothing_is_fetched_for_a_page(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/spy.png"
        secret = tmp_path / "secret.css"
        secret.write_text("h1::before { content: 'SECRET' }", encoding="utf-8")
        page = f'<link rel="stylesheet" href="{secret.as_uri()}"><h1>整改</h1><img src="{url}">'
        (tmp_path / "p.pdf").write_bytes(pdf_of(page))
        with pytest.raises(BlockingIOError):
            server.accept()
    assert words_of(tmp_path / "p.pdf") == ["整改"]
