"""Search words of a name: Chinese in pairs of characters, Latin words and numbers whole, and pinyin.

Two-character words are the shortest that Chinese people look for, so every pair is a word of its own; a lone character
finds what begins with it. Initials and full pinyin are kept from every syllable on, so that "cl" and "chenglu" find
药城路. The words go into an FTS5 index with a plain tokenizer.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

RUN = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0002fa1f]+|[0-9a-z]+")
LONGEST_PINYIN = 24


def normal(text: str) -> str:
    """Full-width letters and digits made half-width, lower case, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).replace("\0", " ").lower().split())


def runs(text: str) -> list[str]:
    """The runs of Chinese characters, and the Latin words and numbers, in order."""
    return RUN.findall(normal(text))


def is_chinese(run: str) -> bool:
    return not run[0].isascii()


def pairs(run: str) -> list[str]:
    """The pairs of a Chinese run, and its last character for words of one."""
    return [run[start : start + 2] for start in range(len(run))]


@lru_cache(maxsize=65_536)
def pinyin(run: str) -> tuple[tuple[str, ...], str]:
    """The syllables of a Chinese run and their initials."""
    from pypinyin import lazy_pinyin  # 0.1 s, needed only where names are stored

    syllables = tuple(syllable for syllable in lazy_pinyin(run, errors="ignore") if syllable.isascii())
    return syllables, "".join(syllable[0] for syllable in syllables)


def initials(text: str) -> str:
    """Pinyin initials of a name, with its digits and Latin letters: 药城路18号 → ycl18h."""
    return "".join(pinyin(run)[1] if is_chinese(run) else run for run in runs(text))


def search_words(*texts: str | None) -> str:
    """The words under which a name is found, joined by blanks."""
    words: dict[str, None] = {}
    for text in texts:
        if not text:
            continue
        words[initials(text)[:LONGEST_PINYIN]] = None
        for run in runs(text):
            if not is_chinese(run):
                words[run] = None
                continue
            words.update(dict.fromkeys(pairs(run)))
            syllables, letters = pinyin(run)
            for start in range(len(syllables)):
                words[letters[start:]] = None
                words["".join(syllables[start:])[:LONGEST_PINYIN]] = None
    return " ".join(word for word in words if word)


def query(text: str) -> str:
    """An FTS5 query that finds rows holding all words of what was typed; "" when there is nothing to look for."""
    wanted: list[str] = []
    for run in runs(text):
        if not is_chinese(run):
            wanted.append(f'"{run[:LONGEST_PINYIN]}"*')
        elif len(run) == 1:
            wanted.append(f'"{run}"*')
        else:
            wanted += [f'"{pair}"' for pair in pairs(run)[:-1]]
    return " AND ".join(dict.fromkeys(wanted))
