"""The answers file of an unattended run: a table a step, read whole and checked before the first step."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from appliance.errors import BadFile, FieldError, Invalid
from appliance.nearest import nearest
from provisioning.setup.tables import Question, questions, steps

TYPES: Mapping[str, tuple[type, ...]] = {"yes": (bool,), "number": (int, float), "table": (dict,)}
"""What TOML value a kind of question takes; a text for all others."""


def read_answers(file: Path) -> dict[str, list[dict[str, Any]]]:
    """The answers by step; a step that may be taken more often has one table for each time.

    Raises:
        BadFile: no TOML. Invalid: a step or question that does not exist (the near ones are named), or a wrong value.
    """
    try:
        read = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadFile(f"{file} 不是有效的 TOML: {error}。", f"{file} is not valid TOML: {error}.") from None
    known = {row.step: row for row in steps()}
    found: dict[str, list[dict[str, Any]]] = {}
    for step, given in read.items():
        if step not in known:
            raise _unknown(step, step, tuple(known))
        tables = given if isinstance(given, list) and known[step].many else [given]
        for table in tables:
            if not isinstance(table, dict):
                zh, en = f"{step} 须写成表 [{step}]", f"{step} is written as a table [{step}]"
                raise Invalid(f"{zh}。", f"{en}.", fields=(FieldError(step, zh, en),))
            _check_table(step, table)
        found[step] = tables
    return found


def _check_table(step: str, table: Mapping[str, Any]) -> None:
    names = tuple(name for of, name in questions() if of == step)
    for name, value in table.items():
        if name not in names:
            raise _unknown(f"{step}.{name}", name, names)
        _check_value(questions()[step, name], value)


def _check_value(question: Question, value: Any) -> None:
    wanted = TYPES.get(question.kind, (str,))
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        where, kind = f"{question.step}.{question.name}", wanted[0].__name__
        zh, en = f"{where} 的值 {value!r} 类型不对,须为 {kind}", f"{where} has {value!r}, a {kind} is needed"
        raise Invalid(f"{zh}。", f"{en}.", fields=(FieldError(where, zh, en),))


def _unknown(where: str, written: str, known: tuple[str, ...]) -> Invalid:
    near = nearest(written, known) if known else ()
    zh, en = f"应答文件中的 {where} 不认识", f"{where} in the answers is not known"
    zh_near, en_near = (f";最接近的: {'、'.join(near)}", f"; nearest: {', '.join(near)}") if near else ("", "")
    return Invalid(f"{zh}{zh_near}。", f"{en}{en_near}.", fields=(FieldError(where, zh, en, near),))
