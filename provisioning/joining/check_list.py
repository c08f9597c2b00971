"""The check list of joining: one line a step, told as it comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the check list."""

    check: str
    ok: bool
    zh: str
    en: str

    def as_dict(self) -> dict[str, object]:
        """As `--json` prints it."""
        return {"check": self.check, "ok": self.ok, "note": f"{self.zh} / {self.en}"}


@dataclass(slots=True)
class CheckList:
    """The lines so far; each is told as it comes."""

    tell: Callable[[Check], None]
    checks: list[Check] = field(default_factory=list)

    def add(self, check: str, zh: str, en: str, *, ok: bool = True) -> None:
        """One more line."""
        line = Check(check, ok, zh, en)
        self.checks.append(line)
        self.tell(line)

    @property
    def ok(self) -> bool:
        """Whether all went well."""
        return all(line.ok for line in self.checks)
