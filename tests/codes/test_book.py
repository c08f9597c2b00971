"""The acceptor looks classes up as he types; the engine asks for limits; the technician loads old codes."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as some

from appliance.codes.book import CodeBook
from appliance.errors import Invalid, UnknownCode

BOOK = CodeBook.national()


def test_three_editions_stand_side_by_side() -> None:
    counts = Counter((edition, kind) for edition, kind, _ in BOOK.classes)
    assert counts == {
        ("2026", "part"): 153, ("2026", "event"): 250,
        ("2013", "part"): 124, ("2013", "event"): 79,
        ("2007", "part"): 83, ("2007", "event"): 54,
    }  # fmt: skip
    assert len(BOOK.sources) == 18 + 1, "the national ones, and spot checks"
    assert len(BOOK.limit_rows) == 524
    assert len(BOOK.attribute_fields) == 38
    assert all(item.provenance for item in BOOK.classes.values())


@pytest.mark.parametrize("typed", ["jg", "井盖", "manhole", "WSJG", "01002", "污水井"])
def test_the_acceptor_finds_the_sewage_cover_however_he_types_it(typed: str) -> None:
    names = [item.name for item in BOOK.search(typed, edition="2026", kind="part", limit=30)]
    assert "污水井盖" in names


def test_a_whole_match_comes_first() -> None:
    assert BOOK.search("wsjg")[0].name == "污水井盖"
    assert BOOK.search("01002", kind="part")[0].code == "01002"
    assert BOOK.search("  ") == ()
    assert len(BOOK.search("0", limit=7)) == 7


def test_an_unknown_code_names_the_nearest_by_number_and_by_name() -> None:
    with pytest.raises(UnknownCode) as by_number:
        BOOK.find("2026", "part", "0102")
    assert "01002 污水井盖" in by_number.value.fields[0].nearest
    with pytest.raises(UnknownCode) as by_name:
        BOOK.find("2026", "part", "污水盖")
    assert by_name.value.fields[0].nearest[0] == "01002 污水井盖"
    with pytest.raises(UnknownCode, match="no edition 1999"):
        BOOK.find("1999", "part", "0102")


def test_a_code_moves_between_editions() -> None:
    assert BOOK.mapped("0102", "part", "2013", "2026") == "01002"
    assert BOOK.mapped("01002", "part", "2026", "2013") == "0102"
    assert BOOK.mapped("0102", "part", "2007", "2026") == "01002"
    assert BOOK.mapped("0131", "event", "2013", "2026") is None, "dropped in 2026"
    assert BOOK.mapped("0508", "event", "2013", "2026") == "10002"
    assert BOOK.mapped("9999", "event", "2013", "2013") is None


def test_the_map_holds_all_rows_that_have_both_numbers() -> None:
    there = [key for key in BOOK._class_map if key[1:3] == ("2013", "2026")]
    for kind, _, _, code in there:
        new = BOOK.mapped(code, kind, "2013", "2026")
        assert new is not None
        assert ("2026", kind, new) in BOOK.classes
        assert ("2013", kind, code) in BOOK.classes


def test_limits_reach_every_edition_through_the_map() -> None:
    rows = BOOK.limits("2013", "part", "0101")
    assert rows[0].condition_to_open == "缺失、移位、开裂，存在安全隐患的"
    assert (rows[0].value, rows[0].unit, rows[0].urgency) == (2, "紧急工作时", "urgent")
    assert BOOK.limits("2026", "part", "01001") == rows
    assert BOOK.limits("2026", "event", "01001") == rows, "a matter 供水井盖异常 is the fault of a 供水井盖"
    assert BOOK.limits("2007", "event", "0104")[0].unit == "工作时"
    assert BOOK.limits("2026", "part", "99999") == ()


def test_the_dispatcher_has_to_say_which_of_several_conditions() -> None:
    rows = BOOK.limits("2026", "part", "01001")
    assert BOOK.choose_limit(rows, 2) is rows[1]
    assert BOOK.choose_limit(rows, "2") is rows[1]
    assert BOOK.choose_limit(rows, rows[2].condition_to_open) is rows[2]
    assert BOOK.choose_limit(rows[:1], None) is rows[0]
    assert BOOK.choose_limit((), None) is None
    for wrong in (None, "", 0, 99, "随便"):
        with pytest.raises(Invalid) as refused:
            BOOK.choose_limit(rows, wrong)
        assert len(refused.value.fields[0].nearest) == len(rows)
        assert "缺失、移位、开裂" in refused.value.zh


def test_sources_are_known_by_code() -> None:
    assert BOOK.source("hotline_12345").name == "12345转办"
    with pytest.raises(UnknownCode, match="hotline_12345"):
        BOOK.source("hotline")


@given(some.text(max_size=12))
def test_no_typed_text_breaks_the_search(typed: str) -> None:
    assert len(BOOK.search(typed)) <= 20


def test_the_book_loads_nothing_heavy() -> None:
    heavy = ("sqlalchemy", "pypinyin", "rapidfuzz", "pydantic", "numpy")
    code = (
        "import sys; from appliance.codes.book import CodeBook; CodeBook.national().search('jg'); "
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
