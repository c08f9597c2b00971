"""The hand-over sheet: one page A4 that says what was set up, in which state, and whom to turn to."""

from __future__ import annotations

import socket
from contextlib import suppress
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from appliance.backup_settings import without_password
from appliance.errors import Invalid
from appliance.exchange.links import LinkFolder
from appliance.papers.pages import page_of
from appliance.papers.printing import pdf_of
from appliance.people.roles import ROLE_NAMES
from provisioning.setup.doctor import OPEN, examined
from provisioning.setup.facts import HANDOVER, Facts, facts_of
from provisioning.setup.step import Standing
from provisioning.setup.talk import Talk

PAGE = "handover"
FINDINGS = 8
"""Open findings on the page; the rest is counted."""
COUNTED = (
    ("areas", "区划", "areas"), ("grids", "单元网格", "unit grids"), ("duty_grids", "责任网格", "duty grids"),
    ("parts", "部件", "parts"), ("places", "地名", "places"), ("cameras", "摄像头", "cameras"),
    ("departments", "部门", "units"), ("duties", "确权", "duties"), ("cases", "案件", "cases"),
)  # fmt: skip


class HandOver:
    """The last step."""

    def standing(self, facts: Facts) -> Standing:
        file = facts.home / HANDOVER
        if not file.exists():
            return Standing(False, "还没有写", "not written yet")
        return Standing(True, str(file), f"of {date.fromtimestamp(file.stat().st_mtime)}")

    def run(self, home: Path, talk: Talk) -> None:
        file = Path(talk.ask("file")).expanduser()
        write_handover(home, file)
        talk.tell(f"✓ 已写 {file};打印后双方签字", "written; print it, both sides sign")


def write_handover(home: Path, file: Path) -> None:
    """Write the sheet as a page or PDF, by the ending of the file.

    Raises:
        Invalid: another ending. BadHome: no home. Broken: the PDF cannot be made. OSError: the file cannot be written.
    """
    if file.suffix.lower() not in (".html", ".pdf"):
        zh, en = f"{file} 须以 .html 或 .pdf 结尾", f"{file} must end in .html or .pdf"
        raise Invalid(f"{zh}。", f"{en}.")
    page = page_of(home, PAGE, sheet_facts(home))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(pdf_of(page) if file.suffix.lower() == ".pdf" else page.encode())


def sheet_facts(home: Path) -> dict[str, Any]:
    """What stands on the sheet; no password, no key.

    Raises:
        BadHome: there is no home.
    """
    from appliance.settings import load

    settings, facts = load(home), facts_of(home)
    findings = [finding for finding in examined(home) if finding.result in OPEN]
    return {
        "county": settings.county, "name": settings.name, "edition": settings.edition, "home": str(home),
        "host": socket.gethostname(), "version": _version(), "today": date.today().isoformat(),
        "counts": [{"zh": zh, "en": en, "count": facts.counts[key]} for key, zh, en in COUNTED],
        "years": "、".join(str(year) for year in sorted(facts.years)[-3:]),
        "roles": [
            {"zh": zh, "en": en, "count": facts.roles.get(role, 0)} for role, (zh, en) in ROLE_NAMES.items()
        ],
        "accounts": facts.counts["accounts"], "address": lan_address(),
        "devices": [
            {"name": device.name, "driver": device.driver, "port": device.port} for device in settings.devices
        ],
        "links": [
            {"url": link.url, "mode": link.mode, "joined": LinkFolder(home, link.url).enrolment() is not None}
            for link in settings.exchange.links
        ],
        "backup": without_password(settings.backup.to), "warm": settings.backup.warm, "last_backup": facts.last_backup,
        "drill": facts.drill, "findings": [
            {"check": finding.check, "zh": finding.zh, "en": finding.en} for finding in findings[:FINDINGS]
        ],
        "more": max(0, len(findings) - FINDINGS),
    }  # fmt: skip


def lan_address() -> str:
    """This box's address towards others, "" where it has none but its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # sends nothing
        return str(probe.getsockname()[0])
    return ""


def _version() -> str:
    """The release that runs: the folder of the system install, else the package's version."""
    for folder in Path(__file__).resolve().parents:
        if folder.parent.name == "releases":
            return folder.name
    return version("wanmi")
