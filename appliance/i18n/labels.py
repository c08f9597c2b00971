"""What the screens say, in Chinese and in English: `labels.csv` beside this file, one row a label.

Pure: loads no database and no screen. Names of states and actions stand in the workflow's tables, not here.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

LANGUAGES = ("zh", "en")
FILE = Path(__file__).parent / "labels.csv"


class LabelError(ValueError):
    """The label table has a row without a text, or a key twice; the message names the row."""


class Labels:
    """The labels in one language; `labels("desk.new_rows", count=3)`.

    Args:
        language: "zh" or "en"; anything else is read as "zh".
    """

    __slots__ = ("_texts", "language")

    def __init__(self, language: str = "zh") -> None:
        self.language = language if language in LANGUAGES else "zh"
        column = LANGUAGES.index(self.language)
        self._texts = {key: texts[column] for key, texts in table().items()}

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key with its values filled in; the key itself where the table has none."""
        text = self._texts.get(key, key)
        return text.format(**values) if values else text

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def pick(self, chinese: str, english: str) -> str:
        """The one of two texts that is in this language; the other where it is empty."""
        first, second = (chinese, english) if self.language == "zh" else (english, chinese)
        return first or second

    def other(self) -> Labels:
        """The labels of the other language."""
        return Labels("en" if self.language == "zh" else "zh")


@cache
def table() -> dict[str, tuple[str, str]]:
    """All labels by key.

    Raises:
        LabelError: an empty text or a key given twice.
    """
    found: dict[str, tuple[str, str]] = {}
    with FILE.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            key, texts = row["key"], (row["zh"], row["en"])
            if not key or not all(texts) or key in found:
                raise LabelError(f"labels.csv row {number}: key {key!r} is empty, given twice, or has an empty text")
            found[key] = texts
    return found
