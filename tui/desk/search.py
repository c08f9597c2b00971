"""What an operator types into the search line, as filters of GET /api/v1/cases. Pure.

Words are searched as text. `d:D01` names a department, `c:01002` a class, `s:filed` a state, `p:4321` a piece of a
telephone number; 11 digits that begin with 1 are a telephone number too. Two to six letters that are the pinyin
initials of classes search for these classes (`jg` finds 井盖).
"""

from __future__ import annotations

from typing import Any

from appliance.codes.book import CodeBook

PREFIXES = {"d": "department", "c": "code", "s": "state", "p": "phone"}
CLASSES_AT_MOST = 12


def parse_search(typed: str, book: CodeBook, edition: str, *, sees_phones: bool) -> dict[str, Any]:
    """The query parameters of a search line; empty for an empty line."""
    found: dict[str, Any] = {}
    words: list[str] = []
    for token in typed.split():
        prefix, colon, value = token.partition(":")
        if colon and prefix in PREFIXES and value:
            found[PREFIXES[prefix]] = value
        elif sees_phones and len(token) == 11 and token.isdigit() and token.startswith("1"):
            found["phone"] = token
        elif codes := _class_codes(token, book, edition):
            found["code"] = codes
        else:
            words.append(token)
    if words:
        found["text"] = " ".join(words)
    return found


def _class_codes(token: str, book: CodeBook, edition: str) -> list[str]:
    if not (token.isascii() and token.isalpha() and 2 <= len(token) <= 6):
        return []
    matches = [item for item in book.search(token, edition, limit=40) if token.lower() in item.initials]
    return sorted({item.code for item in matches[:CLASSES_AT_MOST]})
