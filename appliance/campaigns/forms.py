"""Forms of campaigns as data: fields with types and points, checked when made; answers are checked by them."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from appliance.errors import FieldError, Invalid

KINDS = Path(__file__).with_name("kinds.csv")
FIELDS_AT_MOST, TEXT_AT_MOST, CHOICES_AT_MOST, PHOTOS_AT_MOST = 60, 2000, 40, 12
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

Type = Literal["text", "number", "yes_no", "choice", "photo"]


class FormField(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A field of a campaign's form.

    Attributes:
        points: what a good answer earns: `yes` of a yes_no, the first of the choices (the others earn their share
            downwards), a photo that is there, a number or text that is filled.
    """

    field: str
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    type: Type
    needed: bool = False
    choices: list[str] = []
    points: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 0.0


class Kind(msgspec.Struct, frozen=True):
    """A kind of campaign; a scored one has points."""

    kind: str
    chinese: str
    english: str
    scored: bool


@cache
def kinds() -> Mapping[str, Kind]:
    """The kinds of campaigns."""
    with KINDS.open(encoding="utf-8", newline="") as file:
        return {
            row["kind"]: Kind(row["kind"], row["chinese"], row["english"], row["scored"] == "yes")
            for row in csv.DictReader(file)
        }


def check_form(kind: str, form: Sequence[FormField]) -> None:
    """Refuse a form that nobody could fill.

    Raises:
        Invalid: unknown kind, no field, a name twice or none, choices missing, a scored form without points.
    """
    wrong: list[FieldError] = []
    if kind not in kinds():
        wrong.append(FieldError("kind", f"没有 {kind}", f"there is no {kind}", tuple(kinds())))
    if not 1 <= len(form) <= FIELDS_AT_MOST:
        wrong.append(FieldError("form", f"须有 1 到 {FIELDS_AT_MOST} 个字段", f"needs 1 to {FIELDS_AT_MOST} fields"))
    seen: set[str] = set()
    for at, each in enumerate(form):
        where = f"form.{at}"
        if not _NAME.fullmatch(each.field) or each.field in seen:
            wrong.append(FieldError(f"{where}.field", "小写字母开头,且不重复", "begins with a small letter, once each"))
        if (each.type == "choice") is not (2 <= len(each.choices) <= CHOICES_AT_MOST):
            wrong.append(FieldError(f"{where}.choices", "选择题须有 2 到 40 个选项", "a choice has 2 to 40 choices"))
        seen.add(each.field)
    if kind in kinds() and kinds()[kind].scored and not any(each.points for each in form):
        wrong.append(FieldError("form", "这类专项须有分值", "this kind needs points"))
    if wrong:
        raise _refused("专项的表单不对", "The campaign's form is wrong", wrong)


def check_answer(
    form: Sequence[FormField], filled: Mapping[str, Any], photos: Mapping[str, str]
) -> tuple[dict[str, Any], float | None]:
    """The answer as it is kept, and its points out of 100; None where the form has none.

    Args:
        photos: the SHA-256 of an uploaded file by the name of its photo field.

    Raises:
        Invalid: names every field that is missing, unknown or wrong.
    """
    known = {each.field: each for each in form}
    unknown = [name for name in (*filled, *photos) if name not in known]
    wrong = [FieldError(name, "没有这个字段", "no such field", tuple(known)) for name in unknown]
    kept: dict[str, Any] = {}
    earned = whole = 0.0
    for name, each in known.items():
        given = photos.get(name) if each.type == "photo" else filled.get(name)
        whole += each.points
        if given is None or given == "":
            if each.needed:
                wrong.append(FieldError(name, f"缺少{each.name}", f"{each.name} is missing"))
            continue
        try:
            kept[name], share = _value(each, given)
        except ValueError as error:
            wrong.append(FieldError(name, f"{each.name}不对", str(error), tuple(each.choices)))
            continue
        earned += each.points * share
    if wrong:
        raise _refused("填写不对", "The answer is wrong", wrong)
    return kept, earned / whole * 100 if whole else None


def _value(field: FormField, given: Any) -> tuple[Any, float]:
    """A value as it is kept, and which share of the points it earns."""
    match field.type:
        case "yes_no":
            if not isinstance(given, bool):
                raise ValueError("true or false")
            return given, float(given)
        case "number":
            if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) < 1e12:
                raise ValueError("a number")
            return given, 1.0
        case "choice":
            if given not in field.choices:
                raise ValueError("one of the choices")
            return given, 1 - field.choices.index(given) / (len(field.choices) - 1)
    if not isinstance(given, str) or len(given) > TEXT_AT_MOST:
        raise ValueError(f"a text of at most {TEXT_AT_MOST} characters")
    return given, 1.0


def _refused(zh: str, en: str, wrong: Sequence[FieldError]) -> Invalid:
    return Invalid(
        f"{zh}: {'、'.join(f'{each.field} {each.zh}' for each in wrong)}。",
        f"{en}: {'; '.join(f'{each.field}: {each.en}' for each in wrong)}.", fields=tuple(wrong),
    )  # fmt: skip
