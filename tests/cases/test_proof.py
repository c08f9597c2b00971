"""A check counts only with place, time and a photo that was not used before; staged work is found out."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from appliance.cases import evidence
from appliance.cases.photo_looks import ALIKE_BITS, alike, keep_look, look_of, near_quarters, quarters_of
from appliance.people.accounts import add_account
from appliance.people.collectors import draw_collector, last_for
from appliance.records.writer import Unit
from appliance.scoring.evaluation import Evaluation
from tests.cases.desk import Desk, place


def photo(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """A picture of nothing in particular, the same for the same seed."""
    chance = Random(seed)
    small = Image.new("L", (12, 10))
    small.putdata([chance.randrange(256) for _ in range(120)])
    return small.resize(size, Image.Resampling.BICUBIC).convert("RGB")


def saved(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def upload(desk: Desk, content: bytes, number: str, stage: str = "check", account: str = "l1") -> str:
    """What a collector's telephone sends before the answer."""
    folder = desk.office.records.home
    file = folder / "upload-test"
    file.write_bytes(content)
    found = evidence.content_of(file)
    actor = desk.who(account)
    new = evidence.NewFile(stage)
    desk.office.records.write(lambda unit: evidence.add_to_case(unit, desk.office, actor, number, found, new) and None)
    file.unlink()
    return found.sha256


def to_checking(desk: Desk) -> str:
    """A case whose check lies with l1."""
    number = desk.to_dispatched()
    desk.act("d1", number, "take")
    desk.act("d1", number, "finish", result="修好了")
    desk.act("s1", number, "ask_check", collector="l1")
    desk.clock.advance(minutes=20)
    return number


def answer(desk: Desk, number: str, *, where: dict[str, float] | None = None, timed: bool = True) -> dict[str, object]:
    """l1 answers on site; the history row of the answer."""
    body: dict[str, object] = dict(place() if where is None else where)
    if timed:
        body["at"] = desk.clock.now()
    desk.act("l1", number, "check_pass", **body)
    return desk.history(number)[-1]


def test_an_answer_with_place_time_and_a_new_photo_proves_itself_and_counts(desk: Desk) -> None:
    number = to_checking(desk)
    upload(desk, saved(photo(1)), number)
    row = answer(desk, number)
    assert row["proven"] is True
    assert "lacks" not in row
    desk.clock.advance(minutes=1)
    evaluation = Evaluation(desk.office.records)
    with desk.office.records.read() as connection:
        evaluated = evaluation.evaluate(connection, evaluation.period("2026-10"))
    facts = evaluated.named["collector"]["l1"].subject.facts
    assert (facts["check_should"], facts["check_on_time"], facts.get("unproven", 0)) == (1, 1, 0)


@pytest.mark.parametrize(
    ("spoil", "missing"),
    [("far", "position"), ("nowhere", "position"), ("untimed", "time"), ("no photo", "photo"),
     ("of another case", "new_photo"), ("scaled", "new_photo"), ("brighter", "new_photo")],
)  # fmt: skip
def test_what_is_missing_is_named_and_the_answer_does_not_count(desk: Desk, spoil: str, missing: str) -> None:
    picture = photo(7)
    earlier = to_checking(desk)
    upload(desk, saved(picture), earlier)
    answer(desk, earlier)
    number = to_checking(desk)
    again = {
        "of another case": saved(picture), "scaled": saved(picture.resize((500, 375)), quality=60),
        "brighter": saved(ImageEnhance.Brightness(picture).enhance(1.2), "PNG"),
    }  # fmt: skip
    if spoil != "no photo":
        upload(desk, again.get(spoil, saved(photo(8))), number)
    where = {"far": place(5.5, 5.5), "nowhere": {}}.get(spoil)
    row = answer(desk, number, where=where, timed=spoil != "untimed")
    assert (row["proven"], row["lacks"]) == (False, [missing])
    assert bool(row.get("repeats")) is (missing == "new_photo")
    desk.clock.advance(minutes=1)
    evaluation = Evaluation(desk.office.records)
    with desk.office.records.read() as connection:
        evaluated = evaluation.evaluate(connection, evaluation.period("2026-10"))
    facts = evaluated.named["collector"]["l1"].subject.facts
    assert (facts["check_should"], facts["check_on_time"], facts["unproven"]) == (2, 1, 1)
    assert evaluated.named["platform"][""].subject.facts["check_done"] == 2, "the loop went on"


def test_looks_tell_pictures_apart_and_find_the_same_one_again(tmp_path: Path) -> None:
    def look(picture: Image.Image, kind: str = "JPEG", **options: object) -> int:
        file = tmp_path / "photo"
        file.write_bytes(saved(picture, kind, **options))
        found = look_of(file, kind.lower())
        assert found is not None
        return found

    for seed in range(30):
        picture = photo(seed)
        plain = look(picture)
        for other in (picture.resize((160, 120)), ImageEnhance.Contrast(picture).enhance(0.8), picture.convert("L")):
            assert (plain ^ look(other, quality=50)).bit_count() <= ALIKE_BITS
        assert (plain ^ look(photo(seed + 1000))).bit_count() > 2 * ALIKE_BITS


@given(look=st.integers(0, 2**64 - 1), bits=st.sets(st.integers(0, 63), max_size=ALIKE_BITS))
def test_two_looks_of_one_picture_always_share_a_look_up(look: int, bits: set[int]) -> None:
    other = look
    for bit in bits:
        other ^= 1 << bit
    assert set(near_quarters(look)) & set(quarters_of(other))


def test_a_picture_that_differs_in_every_quarter_is_found(desk: Desk) -> None:
    plain = 0x123456789ABCDEF0
    one_each = plain ^ (1 | 1 << 16 | 1 << 32 | 1 << 48)
    in_six, in_seven = one_each ^ (2 | 2 << 16), one_each ^ (2 | 2 << 16 | 2 << 32)
    looks = {"a": plain, "b": one_each, "c": in_six, "d": in_seven}
    for name, look in looks.items():
        desk.office.records.write(lambda unit, name=name, look=look: keep_look(unit.connection, name * 64, look))
    with desk.office.records.read() as connection:
        assert alike(connection, "a" * 64) == ["b" * 64, "c" * 64]


def test_what_is_no_picture_or_shows_nothing_has_no_look(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"\xff\xd8\xff torn")
    assert look_of(file, "jpeg") is None
    file.write_bytes(saved(Image.new("RGB", (64, 64), "white")))
    assert look_of(file, "jpeg") is None
    assert look_of(file, "pdf") is None


def test_who_looked_at_a_units_last_case_is_not_drawn_for_its_next(desk: Desk) -> None:

    def hire(unit: Unit) -> None:
        add_account(unit, account="l3", name="采集员三", roles=frozenset(("collector",)), by="admin")

    desk.office.records.write(hire)
    first = to_checking(desk)
    desk.act("l1", first, "check_pass", **place(), at=desk.clock.now())
    with desk.office.records.read() as connection:
        assert last_for(connection, "D01", 0) == "l1"
        drawn = {draw_collector(connection, duty_grid=None, street=None, any_of_street=True, exclude=["l1"])
                 for _ in range(40)}  # fmt: skip
        assert drawn == {"l2", "l3"}
        assert (
            draw_collector(connection, duty_grid=None, street="411081001", any_of_street=True, exclude=["l1"]) != "l1"
        )


def test_what_a_killed_node_left_of_uploads_is_swept_and_what_comes_in_is_not(desk: Desk) -> None:
    folder = desk.office.records.home / "evidence"
    torn, fresh = folder / "upload-torn", folder / "upload-fresh"
    for file in (torn, fresh):
        file.write_bytes(b"x")
    os.utime(torn, (1, 1))
    assert evidence.sweep_uploads(desk.office.records.home) == 1
    assert (torn.exists(), fresh.exists()) == (False, True)
