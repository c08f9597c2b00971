"""Backups: where to, the first snapshot, the drill that proves it, the recovery sheet on paper."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from appliance.errors import Conflict
from appliance.settings import load
from provisioning.setup.disks import refuse_wrong_place, targets
from provisioning.setup.facts import SHEET, TO_PRINT, Facts, facts_of
from provisioning.setup.importing import retried
from provisioning.setup.settings import change_settings
from provisioning.setup.step import Standing
from provisioning.setup.talk import Talk
from provisioning.system.box import Box


class BackUp:
    """The steps of docs/backups.md, one after the other."""

    def standing(self, facts: Facts) -> Standing:
        to = facts.settings.backup.to if facts.settings else ""
        if not to:
            return Standing(False, "没有设置", "not set")
        drilled = bool(facts.drill.get("ok"))
        sheet = any((facts.home / file).exists() for file in (SHEET, TO_PRINT))
        zh = [to, facts.last_backup or "还没有快照", "演练通过" if drilled else "没有演练"]
        en = [facts.last_backup or "no snapshot", "drill passed" if drilled else "no drill"]
        if sheet:
            zh.append("恢复单未打印")
            en.append("sheet to be printed")
        return Standing(bool(facts.last_backup) and drilled and not sheet, " ".join(zh), ", ".join(en))

    def run(self, home: Path, talk: Talk) -> None:
        retried(talk, lambda: self._set(home, talk))
        sheet = Path(talk.ask("sheet")).expanduser().absolute()
        (home / TO_PRINT).parent.mkdir(mode=0o700, exist_ok=True)
        (home / TO_PRINT).write_text(f"{sheet}\n", encoding="utf-8")
        for zh, en, words in (
            ("做快照", "a snapshot", ["now"]),
            ("演练恢复", "the drill", ["drill"]),
            ("写恢复单", "the recovery sheet", ["sheet", str(sheet)]),
        ):
            talk.tell(f"… {zh}", en)
            run_backup(home, *words)
        self._printed(home, sheet, talk)

    def _set(self, home: Path, talk: Talk) -> bool:
        """Choose the target and write it; the settings are refused when it is none."""
        offered = targets()
        if not talk.alone:
            talk.rows(
                "可用的盘 disks", [(number, each.to, each.mounted, f"{each.free >> 30} GB 空闲 free")
                                  for number, each in enumerate(offered, 1)],
            )  # fmt: skip
        known = load(home).backup
        written = talk.ask("to", known.to or ("1" if offered and not talk.alone else None))
        to = offered[int(written) - 1].to if written.isdigit() and 0 < int(written) <= len(offered) else written
        warm = talk.ask("warm", known.warm)
        for place in (to, warm):
            refuse_wrong_place(home, place, Box())
        change_settings(home, {"backup.to": to, **({"backup.warm": warm} if warm else {})})
        return True

    def _printed(self, home: Path, sheet: Path, talk: Talk) -> None:
        """The sheet goes once it is on paper: with it everybody could read the backups."""
        if talk.yes("printed"):
            sheet.unlink(missing_ok=True)
            (home / TO_PRINT).unlink(missing_ok=True)
            talk.tell("✓ 恢复单文件已删除", "the file of the sheet was removed")
        else:
            talk.tell(
                f"! 请打印恢复单,与备份分开保管,然后再来这一步确认: {sheet}",
                "print it, keep it apart from the backups, then confirm it here",
            )
        facts = facts_of(home)
        talk.tell(f"✓ 快照 {facts.last_backup},演练 {facts.drill.get('rows', 0)} 行", "snapshot, rows of the drill")


def run_backup(home: Path, *words: str) -> None:
    """Run `wanmi backup …` as a command of its own.

    Raises:
        Conflict: it ended with a refusal, which it has told.
    """
    command = [sys.executable, "-m", "appliance", "backup", *words, "--home", str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or [""]
        raise Conflict(f"wanmi backup {words[0]}: {said[0]}", f"wanmi backup {words[0]}: {said[-1]}")
