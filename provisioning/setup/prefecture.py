"""The platform of the prefecture: `wanmi join`, now or another day."""

from __future__ import annotations

from pathlib import Path

from appliance.errors import Conflict
from appliance.exchange.links import LinkFolder
from provisioning.joining.joining import Wanted, run_join
from provisioning.setup.facts import Facts
from provisioning.setup.importing import retried
from provisioning.setup.step import Standing
from provisioning.setup.talk import Talk


class Prefecture:
    """Joining on line; by USB stick it is `wanmi join --request`."""

    def standing(self, facts: Facts) -> Standing:
        links = facts.settings.exchange.links if facts.settings else []
        joined = [link.url for link in links if LinkFolder(facts.home, link.url).enrolment() is not None]
        if joined:
            return Standing(True, " ".join(joined), "joined")
        return Standing(False, "没有加入" if not links else "加入未完成", "not joined" if not links else "not complete")

    def run(self, home: Path, talk: Talk) -> None:
        if not talk.alone:
            talk.tell(
                "没有网络时: 退出后用 wanmi join --request 文件 (docs/joining.md)",
                "without a network leave and use wanmi join --request FILE",
            )
        retried(talk, lambda: self._join(home, talk))

    def _join(self, home: Path, talk: Talk) -> bool:
        url, token, ca = talk.ask("url"), talk.ask("token"), talk.path("ca")
        mode, listen, address = talk.ask("mode"), talk.ask("listen"), talk.ask("address")
        wanted = Wanted(
            url=url, token=token or None, ca=ca, mode=mode or None, listen=listen or None, address=address or None
        )
        told = run_join(home, wanted)
        if not told.ok:
            failed = next(line for line in told.checks if not line.ok)
            raise Conflict(f"没有加入 {url}: {failed.zh}", f"{url} was not joined: {failed.en}")
        return True
