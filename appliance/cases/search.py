"""Search tokens: Chinese text as pairs of characters, so that two-character words are found by an index.

Besides the words a case carries marks of its state, class and department, so that a search with filters is one
question to the index instead of a walk through every case that holds a common word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_RUN = re.compile(r"[0-9a-z]+|[^\W0-9a-z_]+")
_PLAIN = re.compile(r"[^0-9a-z]")


def _runs(text: str) -> list[str]:
    return _RUN.findall(text.lower())


def _is_ascii_word(run: str) -> bool:
    return run.isascii()


def tokens(text: str) -> list[str]:
    """Tokens of a text: words of letters and digits whole, other runs as pairs and their last character."""
    found: list[str] = []
    for run in _runs(text):
        if _is_ascii_word(run):
            found.append(run)
        else:
            found.extend(run[index : index + 2] for index in range(len(run) - 1))
            found.append(run[-1])
    return found


def mark(kind: str, value: str) -> str:
    """A token that stands for a property: `mark("state", "filed")`. It cannot collide with another value."""
    escaped = _PLAIN.sub(lambda match: f"x{ord(match.group()):x}x", value.lower())
    return f"zz{kind}{escaped}"


def case_tokens(case: Mapping[str, Any]) -> str:
    """What is indexed for a case: number, class, description, address, and the marks."""
    number = case["number"]
    words = tokens(f"{case['name']} {case['description']} {case['address']}")
    marks = [
        number.lower(),
        mark("tail", number[-5:]),
        mark("tail", number[-4:]),
        mark("state", case["state"]),
        mark("code", case["code"]),
        mark("kind", case["kind"]),
    ]
    if case["is_open"]:
        marks.append(mark("open", "1"))
    if case["department"]:
        marks.append(mark("dept", case["department"]))
    if case["part"]:
        marks.append(case["part"].lower())
    return " ".join(dict.fromkeys([*words, *marks]))


def match_expression(text: str, marks: Iterable[str] = ()) -> str | None:
    """The FTS5 expression for what an operator typed, None when nothing in it can be searched.

    Every word must be there. A word of letters or digits also matches longer words that begin with it; digits also
    match the end of a case number.
    """
    parts: list[str] = []
    for run in _runs(text):
        if _is_ascii_word(run):
            choices = [f'"{run}"*']
            if run.isdigit() and len(run) in (4, 5):
                choices.append(f'"{mark("tail", run)}"')
            parts.append("(" + " OR ".join(choices) + ")")
        elif len(run) == 1:
            parts.append(f'"{run}"*')
        else:
            parts.extend(f'"{run[index : index + 2]}"' for index in range(len(run) - 1))
    if not parts:
        return None
    parts.extend(f'"{item}"' for item in marks)
    return " AND ".join(parts)


def contains(text: str, haystack: str) -> bool:
    """Whether every word of a query really stands in a text; the index alone cannot tell 污水井 from 污水…水井."""
    low = haystack.lower()
    return all(run in low for run in _runs(text))
