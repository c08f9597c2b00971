"""The county's own words and the channels: wrong ones are refused with a sentence when the settings are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from appliance.errors import BadHome
from appliance.messages.rules import FIELDS, RuleError, check_words, rules
from appliance.settings import load
from tests.messages.outgoing import Outgoing, configure


def test_the_countys_own_words_win(home: Path) -> None:
    out = Outgoing(home, texts={"dispatch": "{department}:\n{number} {name}，{place}，{due}"})
    try:
        out.tell()
        number = out.desk.to_dispatched(address="药城路18号")
        out.desk.act("b1", number, "supervise", note="督")
        out.tell()
        first, second = (message["text"] for message in out.ledger())
        assert first == f"市政管理所: {number} 污水井盖，药城路18号，10-09 11:00"
        assert second.startswith("【禹州市数字城管】"), "the others stay as they are"
    finally:
        out.close()


def test_an_english_county_has_english_words(home: Path) -> None:
    file = home / "wanmi.toml"
    file.write_text(f'language = "en"\n{file.read_text(encoding="utf-8")}', encoding="utf-8")
    out = Outgoing(home)
    try:
        out.tell()
        number = out.desk.to_dispatched()
        out.tell()
        assert f"Case {number} for you" in out.ledger()[0]["text"]
    finally:
        out.close()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"texts": {"dispatch": "{reporter}"}}, r"\{reporter\} is no field; known: county, department, due"),
        ({"texts": {"dispatch": "{}"}}, r"\{\} is no field"),
        ({"texts": {"dispatch": "{number.__class__}"}}, "is no field"),
        ({"texts": {"dispatch": "{number"}}, "the words of dispatch are wrong"),
        ({"texts": {"dispatch": "{number:d}"}}, "stands alone between its braces"),
        ({"texts": {"dispatch": "{name:>999999999}"}}, "stands alone between its braces"),
        ({"texts": {"dispatch": "{name!x}"}}, "stands alone between its braces"),
        ({"texts": {"closing": "x"}}, "there is no event closing; known: dispatch, overdue, supervise"),
        ({"channels": ["pigeon"]}, "messages.channels"),
        ({"channels": ["webhook"]}, "needs its address"),
        ({"webhook": "ftp://x"}, "is an http"),
        ({"tries": 0}, "messages.tries"),
        ({"phone": "1"}, "messages.phone"),
    ],
)
def test_wrong_settings_are_refused_with_a_sentence(home: Path, values: dict[str, Any], sentence: str) -> None:
    configure(home, **values)
    with pytest.raises(BadHome, match=sentence) as refused:
        load(home)
    assert refused.value.zh != refused.value.en


def test_the_table_tells_of_every_field_and_nothing_else() -> None:
    used = " ".join(words for rule in rules() for words in (rule.zh, rule.en))
    assert {name for name in FIELDS if f"{{{name}}}" in used} == FIELDS
    assert {"dispatch", "overdue", "supervise", "emergency", "emergency_over"} == {rule.event for rule in rules()}
    check_words("{{ 100% }}")
    with pytest.raises(RuleError):
        check_words("{phone}")
