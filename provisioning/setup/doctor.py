"""The doctor's findings, the worst first, with what to do about each."""

from __future__ import annotations

from pathlib import Path

from appliance.doctor import ORDER, Finding, examine
from provisioning.setup.facts import Facts
from provisioning.setup.step import Standing
from provisioning.setup.talk import Talk

OPEN = frozenset(("error", "failed", "warning"))
MARKS = {"error": "✗", "failed": "✗", "warning": "!", "skipped": "-", "passed": "✓"}


class Doctor:
    """What `wanmi doctor` does; nothing of it is kept, so that it is looked at anew on every visit."""

    def __init__(self) -> None:
        self._open: list[Finding] | None = None

    def standing(self, facts: Facts) -> Standing:
        if self._open is None:
            return Standing(False, "还没有看", "not looked at in this visit")
        return Standing(True, f"{len(self._open)} 项待处理", f"{len(self._open)} open findings")

    def run(self, home: Path, talk: Talk) -> None:
        findings = examined(home)
        self._open = [finding for finding in findings if finding.result in OPEN]
        for finding in findings:
            if finding.result in OPEN:
                talk.tell(f"{MARKS[finding.result]} {finding.check}: {finding.zh}", finding.en)
        passed = sum(finding.result == "passed" for finding in findings)
        talk.tell(f"✓ {passed} 项良好,{len(self._open)} 项待处理", "well, and open")


def examined(home: Path) -> list[Finding]:
    """The findings of every check, the worst first."""
    return sorted(examine(home), key=lambda finding: ORDER.index(finding.result))
