"""Papers that were made before a deletion and name the person: they are listed, and a person decides on each."""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from appliance.papers.pages import FOLDER
from appliance.privacy.finding import Found
from appliance.privacy.sought import Sought

WRITTEN = frozenset((".html", ".csv", ".json", ".txt", ".md"))
SHEETS = frozenset((".xlsx",))
NAME_AT_LEAST = 2
"""Signs of a name that is looked for; a single one stands in every text."""
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Papers:
    """Paths below the home: papers in which the person stands, and those that cannot be read (PDF, pictures)."""

    holding: tuple[str, ...]
    unread: tuple[str, ...]


def papers_of(home: Path, person: Sought, found: Found) -> Papers:
    """Look through the papers of a home for the person's telephone, e-mail, and the names under which they were found.

    A PDF is not read; it is listed as holding where the same paper as a file that can be read holds the person.
    """
    names = _names(person, found)
    files = [file for file in sorted((home / FOLDER).rglob("*")) if file.is_file()]
    held = {file: _holds(text, person, names) for file in files if (text := _text_of(file)) is not None}
    beside = {file.with_suffix("") for file, holds in held.items() if holds}
    known = {file.with_suffix("") for file in held}
    holding = [file for file in files if held.get(file) or (file not in held and file.with_suffix("") in beside)]
    unread = [file for file in files if file not in held and file.with_suffix("") not in known]
    return Papers(*(tuple(str(file.relative_to(home)) for file in each) for each in (holding, unread)))


def _names(person: Sought, found: Found) -> frozenset[str]:
    named = [person.name, *(row["name"] for row in found.reporters), *(row["name"] for row in found.accounts)]
    return frozenset(name for name in named if name and len(name) >= NAME_AT_LEAST)


def _holds(text: str, person: Sought, names: frozenset[str]) -> bool:
    return person.in_text(text) or any(name in text for name in names)


def _text_of(file: Path) -> str | None:
    """The words of a file, None where they cannot be read."""
    try:
        if file.suffix in WRITTEN:
            return _plain(file.read_text(encoding="utf-8", errors="replace"))
        if file.suffix in SHEETS:
            with zipfile.ZipFile(file) as book:
                parts = [book.read(name) for name in book.namelist() if name.endswith(".xml")]
            return _plain("\n".join(part.decode(errors="replace") for part in parts))
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):  # torn, or under a password
        return None
    return None


def _plain(text: str) -> str:
    return html.unescape(_TAG.sub(" ", text))
