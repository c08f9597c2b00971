"""A county makes its own pack; a mistake in it is named by file, row and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.codes.book import CodeBook
from appliance.errors import Invalid

HEAD = 'name = "禹州市"\nedition = "2026"\ndefault_limit = { value = 2, unit = "自然日" }\nphoto_required = ["01002"]\n'
CLASSES = "kind,code,class_code,name,english,initials\npart,05980,05,钧瓷雕塑,Jun porcelain sculpture,jcds\n"
LIMITS = (
    "kind,code,name,condition_to_open,condition_to_close,limit_value,limit_unit,urgency,provenance\n"
    "part-2026,05980,钧瓷雕塑,破损,修复,5,工作日,normal,county\n"
    "part-2026,05980,钧瓷雕塑,倒伏,扶正,2,紧急工作时,urgent,county\n"
    "part,0102,污水井盖,缺失,恢复,1,紧急工作时,urgent,county\n"
)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    (tmp_path / "pack.toml").write_text(HEAD, encoding="utf-8")
    (tmp_path / "classes.csv").write_text(CLASSES, encoding="utf-8")
    (tmp_path / "limits.csv").write_text(LIMITS, encoding="utf-8-sig")
    (tmp_path / "phrases.csv").write_text("initials,text\nycl,已处理\n", encoding="utf-8")
    return tmp_path


def load(pack: Path) -> CodeBook:
    return CodeBook.national().with_county_pack(pack)


def test_the_countys_own_class_is_found_and_has_its_limits(pack: Path) -> None:
    book = load(pack)
    assert book.find("2026", "part", "05980").class_name == book.find("2026", "part", "05002").class_name
    assert book.search("jcds")[0].code == "05980"
    assert [limit.value for limit in book.limits("2026", "part", "05980")] == [5, 2]
    assert (book.default_limit.value, book.default_limit.unit) == (2, "自然日")
    assert book.photo_required == {"01002"}
    assert book.phrases[0].text == "已处理"


def test_the_countys_limits_replace_those_of_the_codes_they_name_only(pack: Path) -> None:
    book = load(pack)
    assert [limit.provenance for limit in book.limits("2026", "part", "01002")] == ["county"]
    assert book.limits("2026", "part", "01001") == CodeBook.national().limits("2026", "part", "01001")


def test_the_example_table_can_be_left_out(pack: Path) -> None:
    (pack / "pack.toml").write_text(HEAD + "example_limits = false\n", encoding="utf-8")
    assert load(pack).limits("2026", "part", "01001") == ()


WRONG = {
    "national code": ("classes.csv", CLASSES + "part,01002,01,我的井盖,,\n", "classes.csv 第 3 行 code", "国标"),
    "outside the towns' numbers": ("classes.csv", CLASSES + "part,01079,01,甲,,\n", "classes.csv 第 3 行 code", "080"),
    "not five digits": ("classes.csv", CLASSES + "part,0180,01,甲,,\n", "classes.csv 第 3 行 code", "5 位"),
    "twice": ("classes.csv", CLASSES + "part,05980,05,甲,,\n", "classes.csv 第 3 行 code", "重复"),
    "class does not fit": ("classes.csv", CLASSES + "part,05981,04,甲,,\n", "classes.csv 第 3 行 class_code", "05"),
    "class unknown": ("classes.csv", CLASSES + "part,77980,77,甲,,\n", "classes.csv 第 3 行 class_name", "77"),
    "kind": ("classes.csv", CLASSES + "thing,05981,05,甲,,\n", "classes.csv 第 3 行 kind", "thing"),
    "no name": ("classes.csv", CLASSES + "part,05981,05,,,\n", "classes.csv 第 3 行 name", "空"),
    "column": ("classes.csv", "kind,name\n", "classes.csv 第 1 行 code", "缺少"),
    "limit of no class": ("limits.csv", LIMITS + "part-2026,05999,甲,a,b,1,工作日,normal,\n", "第 5 行 code", "05999"),
    "limit unit": ("limits.csv", LIMITS + "part,0103,甲,a,b,1,天,normal,\n", "limits.csv 第 5 行 limit_unit", "天"),
    "limit value": ("limits.csv", LIMITS + "part,0103,甲,a,b,-1,工作日,normal,\n", "第 5 行 limit_value", "-1"),
    "limit kind": ("limits.csv", LIMITS + "parts,0103,甲,a,b,1,工作日,normal,\n", "第 5 行 kind", "parts"),
    "condition twice": ("limits.csv", LIMITS + "part,0102,甲,缺失,b,1,工作日,normal,\n", "第 5 行", "重复"),
    "cells": ("limits.csv", LIMITS + "part,0102,甲,a,b,1,工作日,normal,,,,\n", "limits.csv 第 5 行", "表头"),
    "phrase": ("phrases.csv", "initials,text\n已,已处理\n", "phrases.csv 第 2 行 initials", "英文"),
    "edition": ("pack.toml", 'edition = "2020"\n', "pack.toml edition", "2013"),
    "key": ("pack.toml", "photos = []\n", "pack.toml photos", "设置项"),
    "toml": ("pack.toml", "name = \n", "pack.toml toml", "TOML"),
    "default value": ("pack.toml", "default_limit = { value = 0 }\n", "pack.toml default_limit.value", "大于 0"),
    "default unit": ("pack.toml", 'default_limit = { unit = "天" }\n', "pack.toml default_limit.unit", "工作日"),
    "default shape": ("pack.toml", "default_limit = 3\n", "pack.toml default_limit", "value"),
    "photo": ("pack.toml", 'photo_required = ["0102"]\n', "pack.toml photo_required", "0102"),
    "photo shape": ("pack.toml", 'photo_required = "0102"\n', "pack.toml photo_required", "列表"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_named_by_file_row_and_field(case: str, pack: Path) -> None:
    name, text, where, hint = WRONG[case]
    (pack / name).write_text(text, encoding="utf-8")
    with pytest.raises(Invalid) as refused:
        load(pack)
    assert where in refused.value.zh
    assert hint in refused.value.zh
    assert refused.value.fields[0].field


def test_gbk_and_missing_files_are_refused(pack: Path) -> None:
    (pack / "classes.csv").write_bytes(CLASSES.encode("gbk"))
    with pytest.raises(Invalid, match="UTF-8"):
        load(pack)
    (pack / "pack.toml").unlink()
    with pytest.raises(Invalid, match=r"pack\.toml"):
        load(pack)
