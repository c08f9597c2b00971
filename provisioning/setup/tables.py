"""The steps of the first visit and the questions of each, as the tables beside this file have them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from provisioning.setup.step import Step

STEPS, QUESTIONS = (Path(__file__).with_name(name) for name in ("steps.csv", "questions.csv"))


@dataclass(frozen=True, slots=True)
class StepRow:
    """A row of `steps.csv`; `code` is module:class in this folder, `many` whether answers may come as a list."""

    step: str
    zh: str
    en: str
    code: str
    many: bool

    def made(self) -> Step:
        """The step itself."""
        module, _, name = self.code.partition(":")
        made: Step = getattr(import_module(f"provisioning.setup.{module}"), name)()
        return made


@dataclass(frozen=True, slots=True)
class Question:
    """A row of `questions.csv`.

    Attributes:
        kind: text, file, path (file or folder), number, yes, secret, table (of texts), or choice:a|b|c.
        default: what counts where nothing is answered; `{home}` stands for the home.
    """

    step: str
    name: str
    kind: str
    required: bool
    default: str
    zh: str
    en: str

    @property
    def choices(self) -> tuple[str, ...]:
        """What can be chosen; empty for every other kind."""
        sort, _, rest = self.kind.partition(":")
        return tuple(rest.split("|")) if sort == "choice" else ()


@cache
def steps() -> tuple[StepRow, ...]:
    """The steps in the order of a visit."""
    rows = csv.DictReader(STEPS.read_text(encoding="utf-8").splitlines())
    return tuple(StepRow(row["step"], row["zh"], row["en"], row["code"], row["many"] == "yes") for row in rows)


@cache
def questions() -> dict[tuple[str, str], Question]:
    """The questions by step and name."""
    rows = csv.DictReader(QUESTIONS.read_text(encoding="utf-8").splitlines())
    read = [
        Question(row["step"], row["name"], row["kind"], row["required"] == "yes", row["default"], row["zh"], row["en"])
        for row in rows
    ]
    return {(question.step, question.name): question for question in read}
