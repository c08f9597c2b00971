"""The video seat by keys: a round of three cameras with one case, and a picture opened in a window of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.records.store import Records
from provisioning.import_files.pipeline import Options, run_import
from tests import homes
from tests.nodes import RunningNode
from tests.patrols.test_looks import CAMERAS
from tests.tui.conftest import Seat, seat_at
from tests.tui.test_shift import SIZES, console, on_form, pictures
from tui.video.round import newest_picture, shown_address, viewer_command
from tui.video.screen import VideoScreen
from tui.widgets.field_row import FieldRow


@pytest.fixture
def node(tmp_path: Path) -> Iterator[RunningNode]:
    """A node with three cameras that nobody looked through yet."""
    home = homes.copy_home(tmp_path / "home")
    file = home / "cameras.csv"
    file.write_text(CAMERAS, encoding="utf-8")
    records = Records.open(home)
    run_import(records, "cameras", file, Options(crs="EPSG:4490"))
    records.close()
    running = RunningNode(home).start()
    yield running
    running.stop()


async def go_to_video(seat: Seat) -> None:
    await seat.keys("f12")
    await seat.until(lambda: isinstance(seat.app.screen, VideoScreen) and seat.app.screen.found, "the video seat")
    await seat.settled()


def test_a_round_of_three_cameras_with_one_case(
    node: RunningNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing; a case with the newest screenshot; a problem without a case; the round is done."""
    folder = tmp_path / "shots"
    folder.mkdir()
    (folder / "now.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 64)
    monkeypatch.setenv("WANMI_SCREENSHOTS", str(folder))

    async def story() -> None:
        async with seat_at(node, "s1") as seat:
            await go_to_video(seat)
            assert "应看 3" in seat.screen_text()
            assert "C1 药城路东口" in seat.screen_text()
            await seat.keys("n")
            await seat.until(lambda: "药城路东口: 已记录" in seat.banner, "the look is logged")
            assert "C2 滨河路" in seat.screen_text(), "and the next camera is under the cursor"
            await seat.keys("c")
            await on_form(seat)
            shot = seat.app.screen.query_one("#field-evidence", FieldRow)
            assert shot.value == str(folder / "now.png"), "the newest screenshot stands in the form"
            await seat.keys("bllj", "enter", "路边有垃圾", "enter", "ctrl+s")
            await seat.until(lambda: "已登记" in seat.banner, "the case is registered")
            await seat.settled()
            await seat.keys("p")
            await on_form(seat)
            await seat.keys("画面模糊", "enter")
            await seat.until(lambda: "本轮已看完" in seat.screen_text(), "the round is done")
            await seat.settled()
            await seat.keys("f")
            await seat.until(lambda: "C1 药城路东口" in seat.screen_text(), "all cameras, the next one first")

    asyncio.run(story())
    client = node.client("z1")
    (case,) = client.get("/api/v1/cases").json()["items"]
    assert (case["source"], case["camera"], case["lon"], case["lat"]) == ("video", "C2", 113.4105, 34.1015)
    assert [(item["stage"], item["type"]) for item in case["evidence"]] == [("report", "png")]
    looks = {code: client.get(f"/api/v1/cameras/{code}/looks").json()["items"] for code in ("C1", "C2", "C3")}
    assert {code: [(look["found"], look["case"]) for look in rows] for code, rows in looks.items()} == {
        "C1": [("nothing", None)], "C2": [("problem", case["number"])], "C3": [("problem", None)],
    }  # fmt: skip
    assert looks["C3"][0]["note"] == "画面模糊"


def test_a_picture_opens_by_the_seats_own_command_without_a_shell(
    node: RunningNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    os.mkfifo(told)
    script = f"import sys; open({str(told)!r}, 'w').write(sys.argv[1])"

    async def story() -> None:
        async with seat_at(node, "s1") as seat:
            await go_to_video(seat)
            monkeypatch.delenv("WANMI_VIEWER", raising=False)
            await seat.keys("v")
            await seat.until(lambda: "请在席位上设置 WANMI_VIEWER" in seat.banner, "what to set")
            monkeypatch.setenv("WANMI_VIEWER", "no-such-viewer --fs")
            await seat.keys("v")
            await seat.until(lambda: "打不开画面" in seat.banner, "no such command")
            monkeypatch.setenv("WANMI_VIEWER", f'{sys.executable} -c "{script}" {{url}}')
            await seat.keys("v")
            assert await asyncio.to_thread(told.read_text) == "rtsp://10.0.0.1/1"
            await seat.until(lambda: "已在另一窗口打开" in seat.banner, "opened")
            viewer = seat.app.screen._viewers[0]
            assert await asyncio.to_thread(viewer.wait, 20) == 0

    asyncio.run(story())


def test_a_look_the_node_refuses_brings_the_round_back(node: RunningNode) -> None:
    """The camera was taken off the county's list meanwhile."""

    async def story() -> None:
        async with seat_at(node, "s1") as seat:
            await go_to_video(seat)
            records = Records.open(node.home)
            records.write(lambda unit: unit.connection.exec_driver_sql("DELETE FROM camera WHERE code = 'C1'"))
            records.close()
            await seat.keys("n")
            await seat.until(lambda: "没有摄像头 C1" in seat.banner, "the node's sentence")
            await seat.settled()
            assert seat.app.screen.found["cameras"] == 2, "the round was read again"

    asyncio.run(story())


def test_the_viewer_gets_words_and_no_shell() -> None:
    url = "rtsp://viewer:se$cret@10.0.0.1/1?a=b;c"
    assert viewer_command("mpv --fs", url) == ["mpv", "--fs", url]
    assert viewer_command("'my viewer' --url={url} -q", url) == ["my viewer", f"--url={url}", "-q"]
    for wrong in ("--script=/tmp/x", "rtsp://a b", "rtsp:"):
        with pytest.raises(ValueError, match=wrong):
            viewer_command("mpv", wrong)
    with pytest.raises(ValueError, match="quotation"):
        viewer_command("'", url)
    assert shown_address(url) == "rtsp://viewer:***@10.0.0.1/1?a=b;c"


def test_only_a_fresh_picture_counts_as_the_screenshot(tmp_path: Path) -> None:
    for name, made in (("old.png", 100.0), ("new.jpg", 5_000.0), ("notes.txt", 6_000.0)):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (made, made))
    assert newest_picture(str(tmp_path), 5_060.0) == str(tmp_path / "new.jpg")
    assert (
        newest_picture(str(tmp_path), 50_000.0)
        == newest_picture("", 0.0)
        == newest_picture("/nowhere/at/all", 0.0)
        == ""
    )


@pictures
@pytest.mark.parametrize("size", SIZES)
def test_the_picture_of_the_video_seat(snap_compare: Any, size: tuple[int, int]) -> None:
    """A camera with a name and an address that are too long; the password in the address is not shown."""

    async def story(pilot: Any) -> None:
        seat = Seat(pilot.app, pilot)
        await seat.sign_in("p1")
        await go_to_video(seat)

    assert snap_compare(console(), terminal_size=size, run_before=story)
