"""The acceptor types what the caller says: a name, a road and number, pinyin, a part's code, or a position."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as some

from appliance.places.geocode import Candidate, geocode
from appliance.places.words import initials, query, search_words
from appliance.records.store import Records
from tests import homes
from tests.homes import SOUTH, STEP, WEST
from tests.places.imports import imported

NAMES = [
    ("药城路", "街巷", "", "", f"LINESTRING({WEST} {SOUTH + 0.0005}, {WEST + 0.02} {SOUTH + 0.0005})"),
    ("禹王大道", "街巷", "", "", f"LINESTRING({WEST} {SOUTH + 0.005}, {WEST + 0.02} {SOUTH + 0.005})"),
    ("药城路2号", "门牌", "", "", f"POINT({WEST + 0.002} {SOUTH + 0.0004})"),
    ("药城路18号", "门牌", "", "", f"POINT({WEST + 0.010} {SOUTH + 0.0004})"),
    ("7号", "门牌", "禹王大道", "", f"POINT({WEST + 0.003} {SOUTH + 0.0052})"),
    ("人民医院", "兴趣点", "", "药城路20号", f"POINT({WEST + 0.0115} {SOUTH + 0.001})"),
    ("人民医院家属院", "区片", "", "", f"POINT({WEST + 0.0119} {SOUTH + 0.002})"),
    ("钧台小学", "兴趣点", "", "", f"POINT({WEST + 0.004} {SOUTH + 0.003})"),
]


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Records]:
    home = homes.copy_home(tmp_path_factory.mktemp("geocode") / "home")
    path = home / "places.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("name", "type", "parent", "address", "wkt"), *NAMES])
    parts = home / "parts.csv"
    parts.write_text(f"code,lon,lat\n41108101002000001,{WEST + STEP / 2},{SOUTH + STEP / 2}\n", encoding="utf-8")
    records = Records.open(home)
    assert imported(records, "places", path).added == len(NAMES)
    assert imported(records, "parts", parts).added == 1
    yield records
    records.close()


def first(county: Records, typed: str) -> Candidate:
    with county.read() as connection:
        return geocode(connection, typed)[0]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("人民医院", "人民医院"),
        ("rmyy", "人民医院"),
        ("renminyiyuan", "人民医院"),
        ("医院家属", "人民医院家属院"),
        ("钧台", "钧台小学"),
        ("jtxx", "钧台小学"),
        ("小学", "钧台小学"),
        ("药城路", "药城路"),
        ("药城路18号", "药城路18号"),
        ("药城路 18", "药城路18号"),
        ("ycl18h", "药城路18号"),
        ("药城路20号", "人民医院"),
        ("人民一院", "人民医院"),
        ("夏都街道", "夏都街道"),
    ],
)
def test_what_is_typed_finds_what_is_meant(typed: str, name: str, county: Records) -> None:
    assert first(county, typed).name == name


def test_a_number_without_a_plate_lies_between_its_neighbours(county: Records) -> None:
    found = first(county, "药城路10号")
    assert found.type == "门牌"
    assert found.lon == pytest.approx(WEST + 0.006)
    assert found.grid == "411081001001006"
    assert first(county, "禹王大道7号").lon == pytest.approx(WEST + 0.003)


def test_codes_and_positions_are_understood(county: Records) -> None:
    assert first(county, "41108101002000001").type == "部件"
    assert first(county, "411081010020").name == "污水井盖"
    assert first(county, "411081001001007").type == "单元网格"
    east, north = WEST + 0.5 * STEP, SOUTH + 0.5 * STEP
    for typed in (f"{east},{north}", f"({east}，{north})", f"{north} {east}"):
        assert first(county, typed).grid == "411081001001001"


@pytest.mark.parametrize(
    "typed", ["", "   ", "？！", "不存在的地方啊", "99999999", "1,2,3", '"', "AND OR NOT", "999,999"]
)
def test_nothing_is_found_where_nothing_is_meant(typed: str, county: Records) -> None:
    with county.read() as connection:
        assert geocode(connection, typed) == ()


@given(typed=some.text(max_size=30))
def test_no_text_breaks_the_search(county: Records, typed: str) -> None:
    with county.read() as connection:
        assert len(geocode(connection, typed)) <= 10


CHINESE = some.text(alphabet="药城路人民医院钧台小学禹王大道颍川街", min_size=2, max_size=8)


@given(name=CHINESE, start=some.integers(0, 6), length=some.integers(2, 8))
def test_every_piece_of_two_characters_or_more_finds_the_name(name: str, start: int, length: int) -> None:
    piece = name[start : start + length]
    if len(piece) < 2:
        return
    words = set(search_words(name).split())
    assert all(word.strip('"') in words for word in query(piece).split(" AND "))


def test_initials_keep_digits_and_latin_letters() -> None:
    assert initials("药城路18号") == "ycl18h"
    assert initials("KTV（二楼）") == "ktvel"
