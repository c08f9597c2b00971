"""How a step asks and tells: at a terminal, or from a file of answers. The steps are the same for both."""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from appliance.errors import FieldError, Invalid, WanmiError
from provisioning.setup.step import Back
from provisioning.setup.tables import Question, questions

YES, NO = ("y", "yes", "是", "好"), ("n", "no", "否", "不")
BACK = "<"
WIDTH, NARROW = 80, 30
"""Columns of a terminal that does not say, and how wide a column of a table stays in any case."""


class Talk(ABC):
    """One step's conversation.

    Args:
        step: whose questions are asked.
    """

    alone = False
    """Whether nobody sits there: what a step would choose in a conversation is then taken or refused by answers."""

    def __init__(self, home: Path, step: str) -> None:
        self.home, self.step = home, step

    @abstractmethod
    def ask(self, name: str, default: str | None = None) -> str:
        """The answer to a text, choice or number question; "" where none is needed."""

    @abstractmethod
    def path(self, name: str) -> Path | None:
        """A file (or folder, for a `path`) that exists; None where none was named and none is needed."""

    @abstractmethod
    def yes(self, name: str) -> bool:
        """The answer to a yes question."""

    @abstractmethod
    def pairs(self, name: str) -> dict[str, str]:
        """Pairs; a terminal asks for none: the step asks for them where they are needed."""

    @abstractmethod
    def confirm(self, zh: str, en: str) -> bool:
        """Whether to go on; an answers file was written because one wants to."""

    @abstractmethod
    def choose(self, zh: str, en: str, offered: Mapping[str, str], default: str) -> str:
        """One of the keys offered, with what each means."""

    @abstractmethod
    def free(self, zh: str, en: str, default: str = "") -> str:
        """A text that only a conversation can give."""

    def secret(self, name: str) -> str:
        """A password; "" for one that is to be made."""
        return self.ask(name)

    def tell(self, zh: str, en: str = "") -> None:
        """Say something: Chinese with English behind it, below where a line has no room for both."""
        from rich.cells import cell_len

        line = f"{zh} / {en}" if en else zh
        click.echo(line if not en or cell_len(line) <= _width() else f"{zh}\n    {en}")

    def rows(self, title: str, rows: Iterable[Sequence[Any]]) -> None:
        """Show rows under a title, in columns as wide as the terminal allows."""
        from rich.cells import cell_len
        from rich.console import Console
        from rich.table import Table

        cells = [[str(cell) for cell in row] for row in rows]
        shown = Table(title=title or None, title_justify="left", show_header=False, box=None, pad_edge=False)
        for column in zip(*cells, strict=True):
            widest = max(cell_len(cell) for cell in column)
            shown.add_column(no_wrap=True, overflow="ellipsis", min_width=min(widest, NARROW))
        for row in cells:
            shown.add_row(*row)
        Console(file=sys.stdout, width=_width(), markup=False, highlight=False).print(shown)

    def question(self, name: str) -> Question:
        """A question of the step."""
        return questions()[self.step, name]

    def default_of(self, question: Question, given: str | None) -> str:
        """What counts where nothing is answered."""
        return (question.default if given is None else given).replace("{home}", str(self.home))


class Terminal(Talk):
    """A technician at a terminal. `<` turns back to the list of steps, Ctrl-C leaves."""

    def ask(self, name: str, default: str | None = None) -> str:
        question = self.question(name)
        while True:
            written = self.free(question.zh, question.en, self.default_of(question, default))
            refusal = wrong_answer(question, written)
            if refusal is None:
                return written
            self.tell(refusal.zh, refusal.en)

    def path(self, name: str) -> Path | None:
        question = self.question(name)
        with path_completion():
            while True:
                written = self.free(question.zh, question.en, self.default_of(question, None)).strip("'\"")
                try:
                    return existing(question, written, Path())
                except Invalid as refusal:
                    self.tell(f"✗ {refusal.zh}", refusal.en)

    def yes(self, name: str) -> bool:
        question = self.question(name)
        return self._yes(question.zh, question.en, question.default == "yes")

    def pairs(self, name: str) -> dict[str, str]:
        return {}

    def confirm(self, zh: str, en: str) -> bool:
        return self._yes(zh, en, True)

    def choose(self, zh: str, en: str, offered: Mapping[str, str], default: str) -> str:
        for key, meaning in offered.items():
            self.tell(f"  {key:>2}  {meaning}")
        while (written := self.free(zh, en, default)) not in offered:
            self.tell(f"请输入 {'、'.join(offered)}", f"type one of {', '.join(offered)}")
        return written

    def free(self, zh: str, en: str, default: str = "") -> str:
        written = str(click.prompt(f"{zh} {en}", default=default, show_default=bool(default))).strip()
        if written == BACK:
            raise Back
        return written

    def secret(self, name: str) -> str:
        question = self.question(name)
        while True:
            written = str(click.prompt(f"{question.zh} {question.en}", default="", show_default=False, hide_input=True))
            if written == BACK:
                raise Back
            if not written or written == click.prompt(
                "再输一次 Again", default="", show_default=False, hide_input=True
            ):
                return written
            self.tell("两次不一样,请重新输入", "they differ, type it again")

    def _yes(self, zh: str, en: str, default: bool) -> bool:
        while True:
            written = self.free(zh, f"{en} (y/n)", "y" if default else "n").lower()
            if written in YES or written in NO:
                return written in YES
            self.tell("请输入 y 或 n", "type y or n")


class Answers(Talk):
    """A table of an answers file, checked when the file was loaded. `folder` is where its file names begin."""

    alone = True

    def __init__(self, home: Path, step: str, given: Mapping[str, Any], folder: Path) -> None:
        super().__init__(home, step)
        self._given, self._folder = given, folder

    def ask(self, name: str, default: str | None = None) -> str:
        question = self.question(name)
        written = str(self._given.get(name, self.default_of(question, default)))
        refusal = wrong_answer(question, written)
        if refusal is not None:
            raise refusal
        return written

    def path(self, name: str) -> Path | None:
        question = self.question(name)
        return existing(question, str(self._given.get(name, self.default_of(question, None))), self._folder)

    def yes(self, name: str) -> bool:
        return bool(self._given.get(name, self.question(name).default == "yes"))

    def pairs(self, name: str) -> dict[str, str]:
        return {str(key): str(value) for key, value in self._given.get(name, {}).items()}

    def confirm(self, zh: str, en: str) -> bool:
        return True

    def choose(self, zh: str, en: str, offered: Mapping[str, str], default: str) -> str:
        return default

    def free(self, zh: str, en: str, default: str = "") -> str:
        return default


def wrong_answer(question: Question, written: str) -> WanmiError | None:
    """Why a text is no answer to a question; None where it is one."""
    where = f"[{question.step}] {question.name}"
    if not written:
        return _wrong(question, f"{where} 不能空着", f"{where} must not be empty") if question.required else None
    if question.choices and written not in question.choices:
        one_of = "|".join(question.choices)
        return _wrong(question, f"{where} 须为 {one_of},得到 {written}", f"{where} is one of {one_of}, got {written}")
    if question.kind == "number":
        try:
            float(written)
        except ValueError:
            return _wrong(question, f"{where} 须为数字,得到 {written}", f"{where} is a number, got {written}")
    return None


def existing(question: Question, written: str, folder: Path) -> Path | None:
    """The file that was named.

    Raises:
        Invalid: there is none, and one is needed.
    """
    refusal = wrong_answer(question, written)
    if refusal is not None:
        raise refusal
    if not written:
        return None
    path = folder / Path(written).expanduser()
    unreadable = _wrong(
        question, f"{path} 不可读;请让账号 wanmi 能读它", f"{path} cannot be read; let the account wanmi read it"
    )
    try:
        there = path.exists() and not (question.kind == "file" and path.is_dir() and path.suffix != ".gdb")
    except PermissionError:  # a folder above it is somebody else's, /root for instance
        raise unreadable from None
    if not there:
        raise _wrong(question, f"没有文件 {path}", f"there is no file {path}")
    if not os.access(path, os.R_OK):
        raise unreadable
    return path


def _wrong(question: Question, zh: str, en: str) -> Invalid:
    name = f"{question.step}.{question.name}"
    return Invalid(f"{zh}。", f"{en}.", fields=(FieldError(name, zh, en, question.choices),))


def _width() -> int:
    """The columns of the terminal, 80 where there is none."""
    try:
        return min(os.get_terminal_size(1).columns, 120)
    except OSError:
        return WIDTH


@contextmanager
def path_completion() -> Iterator[None]:
    """Tab completes file names while a path is asked for."""
    import readline

    completer, delimiters = readline.get_completer(), readline.get_completer_delims()
    readline.set_completer_delims("")
    readline.parse_and_bind("tab: complete")
    readline.set_completer(_completed)
    try:
        yield
    finally:
        readline.set_completer(completer)
        readline.set_completer_delims(delimiters)


def _completed(begun: str, number: int) -> str | None:
    path = Path(begun).expanduser()
    folder, start = (path, "") if begun.endswith("/") else (path.parent, path.name)
    try:
        found = sorted(item for item in folder.iterdir() if item.name.startswith(start))
    except OSError:
        return None
    return (f"{found[number]}/" if found[number].is_dir() else str(found[number])) if number < len(found) else None
