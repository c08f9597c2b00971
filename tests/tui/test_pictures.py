"""Evidence in the terminal: what is drawn, what is told instead, comparing, saving, and asking the terminal."""

from __future__ import annotations

import asyncio
import hashlib
import os
import pty
import sys
import threading
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from textual.widgets import Input

from tests.nodes import RunningNode
from tests.tui import fake_node
from tests.tui.conftest import Seat, report, seat_at
from tui.app import Console
from tui.client import FileTooLarge, NodeAway, NodeClient
from tui.pictures import graphics
from tui.pictures.decode import LARGEST, PictureProblem, decode
from tui.pictures.files import counterpart, facts, files_of, metres_between, save
from tui.pictures.halves import half_blocks
from tui.pictures.pane import own_graphics
from tui.pictures.screen import KEPT, EvidenceScreen

RED, BLUE = (248, 0, 0), (0, 0, 248)
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n"


def picture(
    size: tuple[int, int] = (64, 48), kind: str = "JPEG", left: Any = RED, right: Any = BLUE, **more: Any
) -> bytes:
    """A picture, its left half in one colour and its right half in another."""
    made = Image.new("RGB", size, right)
    made.paste(left, (0, 0, size[0] // 2, size[1]))
    out = BytesIO()
    made.save(out, kind, **more)
    return out.getvalue()


def rotated() -> bytes:
    """A picture whose camera was held on its side: what is left in the file is on top."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture((400, 300), exif=exif)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_pictures_of_all_kinds_are_read(kind: str) -> None:
    found = decode(picture((4000, 3000), kind))
    assert found.mode == "RGB"
    assert found.width <= LARGEST[0]
    assert found.height <= LARGEST[1]
    red, green, blue = found.getpixel((10, 10))
    assert red > 200
    assert max(green, blue) < 60


def test_the_camera_may_be_held_on_its_side() -> None:
    found = decode(rotated())
    assert found.height > found.width
    assert found.getpixel((found.width // 2, 5))[0] > 200, "red is on top"
    assert found.getpixel((found.width // 2, found.height - 5))[2] > 200


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xd8\xff\xe0 no picture", picture()[:200], PDF, picture(kind="GIF"), picture(kind="PNG")[:60]],
    ids=["empty", "head only", "cut", "pdf", "gif", "cut png"],
)
def test_what_is_no_picture_is_told(content: bytes) -> None:
    with pytest.raises(PictureProblem):
        decode(content)


def test_a_picture_that_claims_too_many_pixels_is_refused_before_it_is_read() -> None:
    bomb = Image.new("1", (9000, 9000))
    out = BytesIO()
    bomb.save(out, "PNG")
    with pytest.raises(PictureProblem, match="9000"):
        decode(out.getvalue())


def test_half_blocks_fit_the_box_and_keep_the_shape() -> None:
    rows = half_blocks(decode(picture((400, 300))), 80, 20)
    assert len(rows) <= 20
    drawn = [row for row in rows if row.plain.strip()]
    wide = max(len(row.plain.strip()) for row in drawn)
    assert wide == pytest.approx(len(drawn) * 2 * 4 / 3, abs=2), "four by three stays four by three"
    assert max(row.cell_len for row in rows) <= 80
    plain = half_blocks(decode(picture((400, 300))), 80, 20, blocks=False)
    assert not any("\u2580" in row.plain for row in plain), "a font without block signs gets coloured blanks"
    assert half_blocks(decode(picture()), 1, 0) == []


def test_facts_and_what_is_compared() -> None:
    record = {"number": "4110812026112200007", "lon": 113.4, "lat": 34.1}
    stages = (("report", "jpeg"), ("before", "jpeg"), ("after", "pdf"), ("after", "png"))
    nowhere = {"sha256": "a" * 64, "taken_at": None, "lon": None, "lat": None}
    files = [{"stage": stage, "type": kind, **nowhere} for stage, kind in stages]
    assert counterpart(files, 1) == 3, "a paper is not compared"
    assert counterpart(files, 3) == 1
    assert counterpart(files, 0) is None
    placed = {**files[0], "lon": 113.4, "lat": 34.101, "taken_at": "2026-11-22T01:12:00Z"}
    assert metres_between(placed, record) == pytest.approx(111.3, abs=0.5)
    from appliance.i18n.labels import Labels

    text = facts(placed, record, Labels("zh"))
    assert "距案件 111 米" in text
    assert "11-22 09:12" in text
    assert "aaaaaaaa" in text
    assert "没有位置" in facts(files[0], record, Labels("zh"))


def saving(transport: httpx.MockTransport, target: Path, most: int, sha256: str = "") -> None:
    async def run() -> None:
        client = NodeClient("http://node", transport=transport)
        try:
            await save(client, "/file", most, target, sha256)
        finally:
            await client.close()

    asyncio.run(run())


def test_a_large_file_is_saved_while_it_comes_and_half_a_file_is_none(tmp_path: Path) -> None:
    megabyte, breaks = b"x" * 1024 * 1024, [False]

    def sent(_: httpx.Request) -> httpx.Response:
        async def body() -> AsyncIterator[bytes]:
            for _ in range(64):
                yield megabyte
            if breaks[0]:
                raise httpx.ReadError("broken off")

        return httpx.Response(200, content=body())

    transport, target = httpx.MockTransport(sent), tmp_path / "film.mp4"
    tracemalloc.start()
    saving(transport, target, 64 * len(megabyte))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert target.stat().st_size == 64 * len(megabyte)
    assert peak < 16 * len(megabyte), "it is never in memory whole"
    saving(transport, target, 1, hashlib.sha256(megabyte * 64).hexdigest())
    with pytest.raises(FileExistsError):
        saving(transport, target, 1, "other")
    target.unlink()
    with pytest.raises(FileTooLarge):
        saving(transport, target, 8 * len(megabyte))
    breaks[0] = True
    with pytest.raises(NodeAway):
        saving(transport, target, 64 * len(megabyte))
    assert list(tmp_path.iterdir()) == []


# At a real node.


def upload(node: RunningNode, number: str, stage: str, content: bytes, **more: Any) -> None:
    """Add a file to a case."""
    answer = node.client("z1").post(
        f"/api/v1/cases/{number}/evidence", files={"file": ("x", content)}, data={"stage": stage, **more}
    )
    assert answer.status_code == 201, answer.text


@pytest.fixture
def case(shared_node: RunningNode) -> dict[str, Any]:
    """A case with pictures before and after, a paper, and a damaged picture."""
    number = str(report(shared_node)["number"])
    upload(shared_node, number, "before", picture(), lon="113.4005", lat="34.1006", taken_at="2026-11-22T01:12:00Z")
    upload(shared_node, number, "after", picture(left=BLUE, right=RED))
    upload(shared_node, number, "check", PDF)
    upload(shared_node, number, "approval", picture()[:300])
    record: dict[str, Any] = shared_node.client("z1").get(f"/api/v1/cases/{number}").json()
    return record


def play(
    node: RunningNode, record: dict[str, Any], story: Callable[[Seat], Awaitable[None]], size: Any = (120, 36)
) -> None:
    """Play a story in the viewer of a case."""

    async def run() -> None:
        async with seat_at(node, "z1", size) as seat:
            seat.app.push_screen(EvidenceScreen(seat.app.context, record))
            await seat.until(lambda: isinstance(seat.app.screen, EvidenceScreen), "the viewer")
            await story(seat)

    asyncio.run(run())


def blocks(seat: Seat) -> int:
    return seat.screen_text().count("\u2580")


def test_a_shift_leader_compares_before_and_after(shared_node: RunningNode, case: dict[str, Any]) -> None:
    async def story(seat: Seat) -> None:
        await seat.until(lambda: blocks(seat) > 500, "both pictures are drawn")
        text = seat.screen_text()
        assert "处置前" in text
        assert "处置后" in text
        assert "距案件" in text
        assert "1/4" in text
        await seat.keys("b")
        await seat.settled()
        assert "处置后" not in seat.screen_text(), "one alone"
        await seat.keys("b", "right")
        await seat.until(lambda: "2/4" in seat.screen_text() and blocks(seat) > 500, "after, with before beside it")
        await seat.keys("right")
        await seat.until(lambda: "按 s 保存" in seat.screen_text(), "a paper is saved")
        await seat.keys("right")
        await seat.until(lambda: "图片损坏" in seat.screen_text(), "a damaged picture is told")
        await seat.keys("escape")
        await seat.until(lambda: type(seat.app.screen).__name__ == "DeskScreen", "back")

    play(shared_node, case, story)


def test_on_a_narrow_screen_one_picture_at_a_time(shared_node: RunningNode, case: dict[str, Any]) -> None:
    async def story(seat: Seat) -> None:
        await seat.until(lambda: blocks(seat) > 200, "a picture")
        assert "处置后" not in seat.screen_text()
        await seat.keys("b")
        await seat.until(lambda: "处置后" in seat.screen_text(), "the other one instead")

    play(shared_node, case, story, (80, 24))


def test_a_file_is_saved_and_no_other_is_overwritten(
    shared_node: RunningNode, case: dict[str, Any], tmp_path: Path
) -> None:
    async def story(seat: Seat) -> None:
        await seat.keys("right", "right", "s")
        await seat.until(lambda: isinstance(seat.app.focused, Input), "the folder is asked for")
        seat.app.focused.value = str(tmp_path / "none")
        await seat.keys("enter")
        await seat.until(lambda: "没有保存" in seat.screen_text(), "no such folder")
        for _ in range(2):
            await seat.keys("s")
            await seat.until(lambda: isinstance(seat.app.focused, Input), "the folder is asked for")
            seat.app.focused.value = str(tmp_path)
            await seat.keys("enter")
            await seat.until(lambda: "已保存" in seat.screen_text(), "saved")

    play(shared_node, case, story)
    (saved,) = tmp_path.iterdir()
    assert saved.read_bytes() == PDF
    assert saved.name.endswith(".pdf")
    saved.write_bytes(b"other")
    play(shared_node, case, lambda seat: refused(seat, tmp_path))
    assert saved.read_bytes() == b"other"


async def refused(seat: Seat, folder: Path) -> None:
    await seat.keys("right", "right", "s")
    await seat.until(lambda: isinstance(seat.app.focused, Input), "the folder is asked for")
    seat.app.focused.value = str(folder)
    await seat.keys("enter")
    await seat.until(lambda: "没有保存" in seat.screen_text(), "there is another file")


def test_memory_holds_a_few_small_pictures(shared_node: RunningNode) -> None:
    number = str(report(shared_node)["number"])
    for at in range(KEPT + 3):
        upload(shared_node, number, "report", picture((1600, 1200), left=(at * 20, 0, 0)))
    record = shared_node.client("z1").get(f"/api/v1/cases/{number}").json()

    async def story(seat: Seat) -> None:
        screen = seat.app.screen
        for at in range(KEPT + 3):
            await seat.until(lambda at=at: screen.files[at]["sha256"] in screen._kept, f"picture {at}")
            await seat.keys("right")
        assert len(screen._kept) == KEPT
        assert all(kept.width <= LARGEST[0] for kept in screen._kept.values())

    play(shared_node, record, story)


def test_a_case_without_files_says_so(shared_node: RunningNode) -> None:
    record = report(shared_node)

    async def story(seat: Seat) -> None:
        await seat.until(lambda: "没有附件" in seat.screen_text(), "nothing there")
        await seat.keys("right", "b", "s")
        assert "没有附件" in seat.screen_text()

    play(shared_node, record, story)


# The terminal.


def asked(answer: bytes) -> tuple[bytes, float]:
    """Ask a terminal that answers so."""
    ours, theirs = pty.openpty()

    def terminal() -> None:
        question = b""
        while not question.endswith(b"\x1b[c"):
            question += os.read(ours, 100)
        if answer:
            os.write(ours, answer)

    thread = threading.Thread(target=terminal)
    thread.start()
    try:
        return graphics.ask(theirs, theirs, 0.3)
    finally:
        thread.join()
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(
    ("answer", "protocol"),
    [
        (b"\x1b[?62;4;22c", "sixel"),
        (b"\x1b_Gi=31;OK\x1b\\\x1b[?62c", "kitty"),
        (b"\x1b[?1;2c", ""),
        (b"\x1b[?64c", ""),
        (b"", ""),
    ],
)
def test_a_terminal_tells_what_it_can_draw_or_nothing(answer: bytes, protocol: str) -> None:
    """A terminal that never answers costs a third of a second here, and half a second at the most."""
    found, seconds = asked(answer)
    assert graphics.meaning(found) == protocol
    assert seconds < 1.0


def test_most_terminals_are_not_even_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANMI_GRAPHICS", raising=False)
    monkeypatch.delenv("TERM_PROGRAM", raising=False)
    for term, worth in (("xterm-256color", False), ("linux", False), ("xterm-kitty", True), ("foot", True)):
        monkeypatch.setenv("TERM", term)
        assert graphics._worth_asking() is worth
    monkeypatch.setenv("WANMI_GRAPHICS", "none")
    assert not graphics._worth_asking()
    assert graphics.detect() == ""


@pytest.mark.parametrize("protocol", ["sixel", "kitty"])
def test_the_terminals_own_graphics_take_the_place_of_blocks(
    shared_node: RunningNode, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    monkeypatch.setattr(graphics, "_found", protocol)

    async def story(seat: Seat) -> None:
        await seat.until(lambda: seat.app.screen.query(".own"), "the library's widget")
        await seat.settled()
        assert blocks(seat) == 0
        await seat.keys("right", "right", "right")
        await seat.until(lambda: "图片损坏" in seat.screen_text(), "a damaged one")
        await seat.until(lambda: not seat.app.screen.query(".own"), "no picture is left")

    play(shared_node, case, story)
    assert own_graphics(decode(picture())) is not None


# Pictures of the viewer.

LONG_RECORD = fake_node.case(
    9, "handled", name="交通信号灯及其附属的倒计时显示设施",
    evidence=[
        {"sha256": f"{at}" * 64, "type": kind, "stage": stage, "taken_at": "2026-11-22T01:12:00Z", "lon": 113.401,
         "lat": 34.101, "share": True}
        for at, (stage, kind) in enumerate((("before", "jpeg"), ("after", "jpeg"), ("check", "amr")))
    ],
)  # fmt: skip


def canned(request: httpx.Request) -> httpx.Response:
    """The canned node, with two pictures."""
    if request.url.path.startswith("/api/v1/evidence/0"):
        return httpx.Response(200, content=picture((40, 30), "PNG"))
    if request.url.path.startswith("/api/v1/evidence/1"):
        return httpx.Response(200, content=picture((40, 30), "PNG", left=(0, 160, 0), right=(248, 248, 0)))
    return fake_node.answer(request)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="pictures are made on Python 3.11")
@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
def test_the_viewer(snap_compare: Any, size: tuple[int, int]) -> None:
    async def story(pilot: Any) -> None:
        seat = Seat(pilot.app, pilot)
        await seat.sign_in("p1")
        seat.app.push_screen(EvidenceScreen(seat.app.context, LONG_RECORD))
        await seat.until(lambda: blocks(seat) > 200, "pictures")
        await seat.settled()

    console = Console("http://node", transport=httpx.MockTransport(canned))
    assert snap_compare(console, terminal_size=size, run_before=story)


def test_files_stand_in_the_order_of_the_walk() -> None:
    shuffled = {"evidence": list(reversed(LONG_RECORD["evidence"]))}
    assert [item["stage"] for item in files_of(shuffled)] == ["before", "after", "check"]
