"""The values a code book holds: classes, limits, sources and attribute fields. Plain data, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["part", "event"]
Edition = Literal["2026", "2013", "2007"]
KINDS: tuple[Kind, ...] = get_args(Kind)
EDITIONS: tuple[Edition, ...] = get_args(Edition)

# Limits may count in urgent or ordinary working hours, working days, or plain days.
UNITS = ("紧急工作时", "工作时", "紧急工作日", "工作日", "自然日")

# Digits of a class code (class + subclass), and where a county's own subclass numbers lie
# (Yuncheng counts down from 99; the 2026 edition reserves 080-999).
CODE_LENGTH: dict[Edition, int] = {"2026": 5, "2013": 4, "2007": 4}
LOCAL_NUMBERS: dict[Edition, tuple[int, int]] = {"2026": (80, 999), "2013": (78, 99), "2007": (78, 99)}


@dataclass(frozen=True, slots=True)
class CodeClass:
    """A subclass of parts or events in one edition, for example 2026 part 01002 污水井盖."""

    kind: Kind
    edition: Edition
    code: str
    class_code: str
    class_name: str
    name: str
    english: str
    initials: str
    provenance: str


@dataclass(frozen=True, slots=True)
class Limit:
    """How long the handling of a class may take under one condition.

    `kind` and `code` are those of the limits table: "part" and "event" hold 2013 codes, "event-cjt214" 2007 codes,
    other editions are written "part-2026", "event-2026", "part-2007". `value` is None where the source has no number.
    """

    kind: str
    code: str
    name: str
    condition_to_open: str
    condition_to_close: str
    value: float | None
    unit: str
    urgency: str
    provenance: str


@dataclass(frozen=True, slots=True)
class DefaultLimit:
    """The limit where the table knows none; a case that got it is flagged."""

    value: float = 3
    unit: str = "工作日"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a case came from (问题来源); `channel_kind` is inside, public or office."""

    code: str
    name: str
    english: str
    channel_kind: str
    provenance: str


@dataclass(frozen=True, slots=True)
class AttributeField:
    """A field the standard gives to parts or matters; `mandatory` is M, C or O."""

    table: str
    name: str
    abbreviation: str
    type: str
    length: str
    mandatory: str
    english: str
    note: str
    provenance: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """A ready sentence of a county for descriptions and notes, called up by its initials."""

    initials: str
    text: str
