"""What the camera wrote into a photo is compared with what the telephone says; what is odd is listed, not refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from appliance.analysis.analysing import analyse
from appliance.cases import evidence
from appliance.cases.photo_origin import Origin, origin_of
from appliance.clock import local
from appliance.scoring.periods import period_of
from tests.cases.desk import ZONE, Desk, at, place
from tests.cases.test_proof import photo, saved, to_checking


def by_camera(written: str, lon: float | None = None, lat: float | None = None, offset: str = "") -> bytes:
    """A photo with the camera's time and position in it."""
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x9003: written} | ({0x9011: offset} if offset else {}))
    if lon is not None and lat is not None:
        exif.get_ifd(0x8825).update({1: "N", 2: (lat, 0.0, 0.0), 3: "E", 4: (lon, 0.0, 0.0)})
    return saved(photo(len(written) + int(lon or 0)), exif=exif)


def answered(desk: Desk, folder: Path, content: bytes) -> tuple[str, dict[str, object]]:
    """l1 checks with this photo; the number and the history row."""
    number = to_checking(desk)
    file = folder / "photo.jpg"
    file.write_bytes(content)
    found, actor, new = evidence.content_of(file), desk.who("l1"), evidence.NewFile("check")
    desk.office.records.write(lambda unit: evidence.add_to_case(unit, desk.office, actor, number, found, new) and None)
    evidence.keep(desk.office.records.home, file, found.sha256)
    desk.act("l1", number, "check_pass", **place(), at=desk.clock.now())
    return number, desk.history(number)[-1]


def camera_time(desk: Desk, minutes: float) -> str:
    """What a camera writes so many minutes after now."""
    return f"{local(desk.clock.now() + int(minutes * 60_000_000), ZONE):%Y:%m:%d %H:%M:%S}"


def test_a_photo_that_fits_is_not_odd(desk: Desk, tmp_path: Path) -> None:
    _, row = answered(desk, tmp_path, by_camera(camera_time(desk, 15), place()["lon"], place()["lat"]))
    assert row["proven"] is True
    assert "photo_odd" not in row


@pytest.mark.parametrize(
    ("minutes", "away", "odd"), [(-60 * 24, 0.0, ["time"]), (15, 0.1, ["position"]), (120, 0.1, ["position", "time"])]
)
def test_a_photo_of_another_time_or_place_is_noted_and_listed(
    desk: Desk, tmp_path: Path, minutes: float, away: float, odd: list[str]
) -> None:
    content = by_camera(camera_time(desk, minutes), place()["lon"] + away, place()["lat"])
    number, row = answered(desk, tmp_path, content)
    assert row["photo_odd"] == odd
    assert row["proven"] is True, "a camera may be wrong: it is listed, not refused"
    desk.clock.advance(minutes=1)
    items = analyse(desk.office.records, period_of("2026-10", ZONE, desk.clock.now()))
    assert [(each["subject"], each["numbers"]) for each in items if each["kind"] == "photo_odd"] == [("l1", [number])]


def test_what_a_camera_writes_is_read_with_its_offset_or_in_the_countys_time(tmp_path: Path) -> None:
    file = tmp_path / "photo"
    for offset, moment in (("", at("2026-10-09 09:30")), ("+00:00", at("2026-10-09 17:30"))):
        file.write_bytes(by_camera("2026:10:09 09:30:00", 113.5, 34.25, offset))
        assert origin_of(file, ZONE) == Origin(moment, (113.5, 34.25))


@pytest.mark.parametrize("written", ["0001:01:01 00:00:00", "    :  :     :  :  ", "soon"])
def test_what_cannot_be_is_taken_for_nothing(tmp_path: Path, written: str) -> None:
    file = tmp_path / "photo"
    file.write_bytes(by_camera(written))
    assert origin_of(file, ZONE) == Origin()
    file.write_bytes(b"\xff\xd8\xff torn")
    assert origin_of(file, ZONE) == Origin()
    assert origin_of(tmp_path / "none", ZONE) == Origin()
