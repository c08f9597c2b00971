"""The ledgers 台账 as data: which there are, what they list, of what they are a share, the forms of the registers."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from appliance.errors import BadFile, FieldError, NotFound
from appliance.scoring.countable import countables

LEDGERS = Path(__file__).with_name("ledgers.csv")
FORMS = Path(__file__).with_name("forms.csv")
ACTION, BEHALF, REGISTER, CALLBACK = "action", "behalf", "register", "callback"
TYPES = ("text", "moment", "money", "department", "cases")
ENTRY, CLOSE = "entry", "close"


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a register's form; filled when something is entered, or when the entry is closed."""

    field: str
    chinese: str
    english: str
    type: str
    needed: bool
    at: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """One ledger.

    Attributes:
        kind: `action` lists history rows, `behalf` what was entered for others, `register` what people enter by a form,
            `callback` cases of the public whose reporter was not called back in time.
        channel: only cases of this channel, where it is told.
        share_of: the platform's fact of which its cases are a share; empty where none makes sense.
    """

    ledger: str
    chinese: str
    english: str
    kind: str
    actions: tuple[str, ...]
    channel: str
    share_of: str
    source: str
    fields: tuple[FormField, ...]

    def form(self, at: str) -> tuple[FormField, ...]:
        """The fields that are filled at a point of an entry's life."""
        return tuple(field for field in self.fields if field.at == at)


@cache
def ledgers() -> Mapping[str, Ledger]:
    """Every ledger by its name.

    Raises:
        BadFile: a row of the tables is wrong.
    """
    forms: dict[str, list[FormField]] = {}
    for number, row in _rows(FORMS):
        if row["type"] not in TYPES or row["at"] not in (ENTRY, CLOSE):
            raise _wrong(FORMS, number, row["type"])
        field = FormField(row["field"], row["chinese"], row["english"], row["type"], row["needed"] == "yes", row["at"])
        forms.setdefault(row["ledger"], []).append(field)
    found = {}
    for number, row in _rows(LEDGERS):
        if row["kind"] not in (ACTION, BEHALF, REGISTER, CALLBACK):
            raise _wrong(LEDGERS, number, row["kind"])
        if row["share_of"] and row["share_of"] not in countables()["platform"]:
            raise _wrong(LEDGERS, number, row["share_of"])
        name = row["ledger"]
        found[name] = Ledger(
            name, row["chinese"], row["english"], row["kind"], tuple(filter(None, row["actions"].split("|"))),
            row["where"], row["share_of"], row["source"], tuple(forms.pop(name, ())),
        )  # fmt: skip
    if forms:
        raise _wrong(FORMS, 0, ", ".join(forms))
    return found


def ledger_named(name: str) -> Ledger:
    """A ledger.

    Raises:
        NotFound: there is none of this name.
    """
    known = ledgers()
    if name not in known:
        names = ", ".join(known)
        raise NotFound(
            f"没有台账 {name[:40]};可用: {names}。", f"There is no ledger {name[:40]}; known: {names}.",
            fields=(FieldError("ledger", "未知", "unknown", tuple(known)),),
        )  # fmt: skip
    return known[name]


def _rows(file: Path) -> list[tuple[int, dict[str, str]]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(enumerate(csv.DictReader(opened), start=2))


def _wrong(file: Path, number: int, what: str) -> BadFile:
    return BadFile(f"{file.name} 第 {number} 行不对: {what!r}。", f"{file.name} line {number} is wrong: {what!r}.")
