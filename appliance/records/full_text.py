"""Questions to the full-text indexes: FTS5 tables on SQLite, GIN indexes over the same words on PostgreSQL.

An expression is written as FTS5 wants it, with every word in quotation marks: `"污水" AND ("123"* OR "zztail123")`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_WORD = 200
"""PostgreSQL keeps so many characters of a word."""

_TOKEN = re.compile(r'"([^"]*)"(\*?)|AND|OR')
_SIGNS = {"AND": "&", "OR": "|"}


@dataclass(frozen=True, slots=True)
class FullText:
    """One full-text index.

    Attributes:
        index: the FTS5 table.
        table, column: where the text stands.
        triples: whether it holds the triples of a number instead of words.
    """

    index: str
    table: str
    column: str
    triples: bool = False

    def source(self, dialect: str) -> str:
        """What stands in FROM, as `s`."""
        return f"{self.index if dialect == 'sqlite' else self.table} s"

    def key(self, dialect: str) -> str:
        """The key of the row that was found."""
        return "s.rowid" if dialect == "sqlite" else "s.id"

    def matches(self, dialect: str) -> str:
        """SQL for "this row matches :expression"."""
        if dialect == "sqlite":
            return f"{self.index} MATCH :expression"
        if self.triples:
            return f"triples_of(s.{self.column}) @> triples_of(:expression) AND instr(s.{self.column}, :expression) > 0"
        return f"words_of(s.{self.column}) @@ CAST(:expression AS tsquery)"

    def expression(self, dialect: str, written: str) -> str:
        """The value of :expression."""
        if dialect == "sqlite":
            return written
        return written.strip('"') if self.triples else _TOKEN.sub(_as_tsquery, written)


CASES = FullText("case_search", "case_record", "search")
PLACES = FullText("place_search", "place", "search")
REPORTERS = FullText("reporter_search", "reporter", "phone", triples=True)


def _as_tsquery(token: re.Match[str]) -> str:
    word, prefix = token[1], token[2]
    if word is None:
        return _SIGNS[token[0]]
    return f"'{word[:LONGEST_WORD]}'{':*' if prefix else ''}"
