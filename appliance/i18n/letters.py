"""First pinyin letters of Chinese texts, for pick lists: 市政管理所 → szgls.

GB2312 orders its 3,755 common signs by their sound, so a sign's place in that table gives its letter without a
dictionary. Rarer signs become `*`, which stands for any letter. The class codes have letters of their own in the code
tables; this is for names that a county brings along.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache

ANY = "*"
LAST_COMMON = 0xD7F9
STARTS = (
    (0xB0A1, "a"), (0xB0C5, "b"), (0xB2C1, "c"), (0xB4EE, "d"), (0xB6EA, "e"), (0xB7A2, "f"), (0xB8C1, "g"),
    (0xB9FE, "h"), (0xBBF7, "j"), (0xBFA6, "k"), (0xC0AC, "l"), (0xC2E8, "m"), (0xC4C3, "n"), (0xC5B6, "o"),
    (0xC5BE, "p"), (0xC6DA, "q"), (0xC8BB, "r"), (0xC8F6, "s"), (0xCBFA, "t"), (0xCDDA, "w"), (0xCEF4, "x"),
    (0xD1B9, "y"), (0xD4D1, "z"),
)  # fmt: skip
_CODES = tuple(code for code, _ in STARTS)


@lru_cache(maxsize=20_000)
def initials(text: str) -> str:
    """The first letters of a text; ASCII letters and digits stay, other signs are left out."""
    return "".join(_letter(sign) for sign in text)


def found_in(typed: str, letters: str) -> bool:
    """Whether typed letters occur in `letters`, where `*` stands for any."""
    wanted = typed.strip().lower()
    if not wanted:
        return True
    places = range(len(letters) - len(wanted) + 1)
    return any(all(a in (ANY, b) for a, b in zip(letters[at:], wanted, strict=False)) for at in places)


def _letter(sign: str) -> str:
    if sign.isascii():
        return sign.lower() if sign.isalnum() else ""
    if not "\u4e00" <= sign <= "\u9fff":
        return ""
    try:
        code = int.from_bytes(sign.encode("gb2312"))
    except UnicodeEncodeError:
        return ANY
    return STARTS[bisect_right(_CODES, code) - 1][1] if code <= LAST_COMMON else ANY
