"""Ready sentences for reasons, results and notes, so that an operator without a Chinese input method can write.

`phrases.csv` beside this file: the field they fit, the action (empty: any), Chinese, English.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from appliance.i18n.letters import initials

FILE = Path(__file__).parent / "phrases.csv"


@cache
def phrases_for(field: str, action: str = "", language: str = "zh") -> tuple[tuple[str, str], ...]:
    """Letters and text of the sentences for a field, those of the action first."""
    fitting = [row for row in _rows() if row["field"] == field and row["action"] in ("", action)]
    fitting.sort(key=lambda row: row["action"] != action)
    texts = [row["zh" if language == "zh" else "en"] for row in fitting]
    return tuple((initials(text), text) for text in texts)


@cache
def _rows() -> tuple[dict[str, str], ...]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))
