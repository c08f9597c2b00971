"""The first two steps: the home of the county with its administrator, and the edition of its codes."""

from __future__ import annotations

import csv
import os
from functools import cache
from pathlib import Path

from appliance.codes.book import CodeBook
from appliance.errors import Conflict, FieldError, Invalid
from appliance.settings import FILE, SignIn, load
from provisioning.home import make_home
from provisioning.setup.facts import Facts, facts_of
from provisioning.setup.importing import retried
from provisioning.setup.passwords import new_password
from provisioning.setup.settings import change_settings
from provisioning.setup.step import Standing
from provisioning.setup.talk import Talk

PROVINCES = Path(__file__).with_name("provinces.csv")


class County:
    """What `wanmi init` does."""

    def standing(self, facts: Facts) -> Standing:
        if facts.settings is None:
            return Standing(False, f"{facts.home} 还没有建", f"{facts.home} is not made yet")
        named = f"{facts.settings.county} {facts.settings.name}".strip()
        return Standing(True, named, str(facts.home))

    def run(self, home: Path, talk: Talk) -> None:
        if (home / FILE).exists():
            self._compare(home, talk)
            return
        retried(talk, lambda: self._make(home, talk))

    def _make(self, home: Path, talk: Talk) -> bool:
        code = talk.ask("code")
        talk.tell(f"  {province_of(code)}", "province by GB/T 2260")
        name, edition, admin = talk.ask("name"), talk.ask("edition"), talk.ask("admin")
        given = os.environ.get("WANMI_PASSWORD") or talk.secret("password")
        password = given or new_password(SignIn().password_length)
        make_home(home, county=code, name=name, edition=edition, admin=admin, password=password)
        talk.tell(f"✓ {home} 已建好,账号 {admin}", "made")
        if not given:
            talk.tell(f"  {admin} 的密码只显示这一次,请抄下: {password}", "its password, shown once; write it down")
        return True

    def _compare(self, home: Path, talk: Talk) -> None:
        """A home that is there stays; answers for another county are refused."""
        settings = load(home)
        if talk.alone and talk.ask("code") != settings.county:
            raise Conflict(
                f"{home} 是 {settings.county} 的家目录,应答文件写的是 {talk.ask('code')};请用 --home 指定别处。",
                f"{home} is the home of {settings.county} and the answers say {talk.ask('code')}; name another --home.",
            )
        talk.tell(
            f"{home} 已经建好: {settings.county} {settings.name};要重来,请换一个 --home",
            "is made already; to begin anew name another --home",
        )


class Edition:
    """Which of the national code sets counts for new cases and parts."""

    def standing(self, facts: Facts) -> Standing:
        if facts.settings is None:
            return Standing(False, "", "")
        edition = facts.settings.edition
        classes = sum(1 for known, _, _ in CodeBook.national().classes if known == edition)
        own = (f",本县扩展 {facts.settings.pack}", f", pack {facts.settings.pack}") if facts.settings.pack else ("", "")
        return Standing(True, f"{edition} 版 {classes} 类{own[0]}", f"{edition}, {classes} classes{own[1]}")

    def run(self, home: Path, talk: Talk) -> None:
        facts = facts_of(home)
        assert facts.settings is not None
        edition = talk.ask("edition", facts.settings.edition)
        if edition == facts.settings.edition:
            talk.tell(f"仍为 {edition} 版", "as it was")
            return
        used = facts.counts["parts"] + facts.counts["cases"]
        if used:
            raise Conflict(
                f"已有 {used} 个部件和案件按 {facts.settings.edition} 版编码;请先 wanmi import undo 撤销。",
                f"{used} parts and cases have codes of {facts.settings.edition}; undo them first: wanmi import undo.",
            )
        change_settings(home, {"edition": edition})
        talk.tell(f"✓ 已改为 {edition} 版", "changed")


def province_of(code: str) -> str:
    """The province that a county's code begins with (GB/T 2260).

    Raises:
        Invalid: not six digits, or of no province.
    """
    found = _provinces().get(code[:2])
    if found is None or not (len(code) == 6 and code.isascii() and code.isdigit()):
        zh, en = (
            f"{code} 不是县级行政区划代码(六位,前两位为省)",
            f"{code} is no county code (six digits, province first)",
        )
        raise Invalid(f"{zh}。", f"{en}.", fields=(FieldError("county.code", zh, en),))
    return found


@cache
def _provinces() -> dict[str, str]:
    rows = csv.DictReader(PROVINCES.read_text(encoding="utf-8").splitlines())
    return {row["code"]: row["name"] for row in rows}
