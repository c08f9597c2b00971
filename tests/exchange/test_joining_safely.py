"""Nothing of what the technician wrote or another command did is lost by a join, wherever it is cut off."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.exchange.links import LinkFolder
from appliance.settings import load
from provisioning.joining import steps
from tests.exchange.joined import Joined, address, join, status, until, wanmi
from tests.exchange.platform import Platform
from tests.nodes import RunningNode

OTHER = "https://province.example:8443"
NOBODY_PULLS = (200, {"ok": False, "why": "连接超时"})


class Slow(Platform):
    """A platform that takes its time for the probe."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked_for_probe, self.go_on = threading.Event(), threading.Event()

    def probe(self, county: str) -> dict[str, Any]:
        self.asked_for_probe.set()
        self.go_on.wait(30)
        return {"ok": False, "why": "连接超时"}


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Slow]:
    with Slow(tmp_path / "platform") as running:
        yield running
        running.go_on.set()


@pytest.fixture
def county(shared_node: RunningNode, platform: Slow) -> Iterator[Joined]:
    """A running node that is not joined yet."""
    before = (shared_node.home / "wanmi.toml").read_text()
    yield Joined(shared_node, platform, address())
    for link in status(shared_node.home)["links"]:
        wanmi(shared_node.home, "leave", link["url"], "--yes")
    (shared_node.home / "wanmi.toml").write_text(before)


def _joining(county: Joined) -> subprocess.Popen[str]:
    """The technician's command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "appliance", "join", county.platform.url, "--ca", str(county.platform.ca), "--token",
         "good", "--listen", county.listen, "--address", county.address, "--home", str(county.node.home)],
        stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,  # else ignored in the background
    )  # fmt: skip


HEAD = 'tls = "1.2"\n'
LINK = f'url = "{OTHER}/"\nlisten = "0.0.0.0:18500"\naddress = "https://10.0.0.2:18500"\n'
INLINE = f"{{ {', '.join(LINK.strip().splitlines())} }}"


@pytest.mark.parametrize(
    ("written", "is_refused"),
    [
        (f"[exchange]\n{HEAD}[[exchange.links]]\n{LINK}", False),
        (f"[[exchange.links]]\n{LINK}\n[exchange]\n{HEAD}", None),
        (f"[[exchange.links]]\n# 省厅\n{LINK}", False),
        (f"[exchange]\nlinks = [{INLINE}]\n{HEAD}", True),
        (f"exchange = {{ links = [{INLINE}], {HEAD.strip()} }}\n", True),
        (f"exchange.{HEAD}exchange.links = [{INLINE}]\n", True),
        (f"[exchange]\n{HEAD}[codes]\n[[exchange.links]]\n{LINK}", None),
    ],
)
def test_settings_written_by_hand_are_changed_in_place_or_left_alone(
    home: Path, platform: Slow, written: str, is_refused: bool | None
) -> None:
    file = home / "wanmi.toml"
    top, bracket, rest = file.read_text().partition("[")
    if written.startswith("exchange"):
        file.write_text(f"{top}{written}{bracket}{rest}")
    else:
        file.write_text(f"{top}{bracket}{rest}\n{written}")
    before, where = file.read_text(), address()
    try:
        known = load(home).exchange
    except Exception:  # TOML itself knows no such order
        assert is_refused is None
        return
    platform.moods["POST probe"] = (503, {})
    told = join(
        home, platform.url, "--ca", str(platform.ca), "--token", "good", "--listen", where[8:], "--address", where
    )
    if not told:
        assert is_refused is not False
        assert (file.read_text(), platform.asked) == (before, [])
        return
    assert not is_refused
    now = load(home).exchange
    assert [link.url for link in now.links] == [OTHER, platform.url]
    assert (now.links[0], now.tls) == (known.links[0], known.tls)
    assert ("# 省厅" in file.read_text()) is ("# 省厅" in before)
    wanmi(home, "leave", OTHER, "--yes")
    assert [link.url for link in load(home).exchange.links] == [platform.url], "found, though written with a slash"


def test_two_commands_at_once_take_turns(county: Joined, tmp_path: Path) -> None:
    with Platform(tmp_path / "province", scopes={"province": ["cases.read"]}) as above:
        first = _joining(county)
        assert county.platform.asked_for_probe.wait(20)
        second = _joining(Joined(county.node, above, address()))
        assert second.stderr is not None
        assert "waiting for it" in second.stderr.readline()
        assert above.asked == [], "not before the first is done"
        county.platform.go_on.set()
        assert (first.wait(30), second.wait(30)) == (1, 0), "the first was taken back, the second holds"
        assert [link.url for link in load(county.node.home).exchange.links] == [above.url]


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGINT])
def test_a_join_that_is_cut_off_while_the_platform_probes(county: Joined, ended_by: int) -> None:
    command = _joining(county)
    assert county.platform.asked_for_probe.wait(20)
    command.send_signal(ended_by)
    command.communicate(timeout=20)
    county.platform.go_on.set()
    home = county.node.home
    assert status(home)["joined"] is (ended_by == signal.SIGKILL), "stopped at the keyboard: taken back at once"
    again = join(home, county.platform.url, "--listen", county.listen, "--address", county.address)
    assert "taken back" in again["checks"][-1]["note"], "a way that never worked is no way to renew"
    assert (status(home)["joined"], load(home).exchange.links) == (False, [])


def test_a_way_that_never_worked_gives_way_to_the_last_that_did(county: Joined) -> None:
    home, moods = county.node.home, county.platform.moods
    moods["POST probe"] = (200, {"ok": True})
    assert county.join()["ok"] is True
    good = status(home)["certificate_end"]
    for verdict in ((503, {"detail": "重启中"}), NOBODY_PULLS):
        moods["POST probe"] = verdict
        moved = address()
        assert join(home, county.platform.url, "--listen", moved[8:], "--address", moved)["ok"] is False
    exchange = load(home).exchange
    assert [link.address for link in exchange.links] == [county.address]
    assert (exchange.listen, exchange.address) == (county.listen, county.address), "the head of the table too"
    assert (status(home)["joined"], status(home)["certificate_end"]) == (True, good)


def test_a_first_join_that_is_taken_back_leaves_no_port_and_address_behind(county: Joined) -> None:
    before = (county.node.home / "wanmi.toml").read_text()
    county.platform.moods["POST probe"] = NOBODY_PULLS
    assert county.join()["ok"] is False
    exchange = load(county.node.home).exchange
    assert (exchange.address, exchange.listen) == ("", "0.0.0.0:8412")
    assert (county.node.home / "wanmi.toml").read_text().replace("[exchange]\n", "").strip() == before.strip()


def test_a_disk_that_fills_up_half_way(county: Joined, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(county.node.home / "wanmi.db"))

    note = steps._note
    monkeypatch.setattr(
        steps, "_note", lambda home, act, *more: full() if act == "link.join" else note(home, act, *more)
    )
    told = county.join()
    assert [line["check"] for line in told["checks"] if not line["ok"]] == ["register"]
    assert "No space left" in told["checks"][-1]["note"]
    assert (status(county.node.home)["joined"], load(county.node.home).exchange.links) == (False, [])


def test_one_platform_that_cannot_be_renewed_keeps_no_other_from_it(county: Joined, tmp_path: Path) -> None:
    home, soon = county.node.home, {"ends": datetime.now(UTC) + timedelta(days=20)}
    county.platform.valid, county.platform.moods["POST probe"] = soon, (200, {"ok": True})
    with Platform(tmp_path / "province", scopes={"province": ["cases.read"]}) as above:
        above.valid = soon
        assert county.join()["ok"] is True
        assert Joined(county.node, above, address()).join()["ok"] is True
        broken = LinkFolder(home, county.platform.url).enrolment()
        assert broken is not None
        above.valid = {}
        for file, content in ((broken.certificate, "half a certif"), (broken.folder / "scopes.json", "{")):
            file.write_text(content)
            items = {item["url"]: item for item in _renewed(home)}
            assert items[county.platform.url]["ok"] is False
            assert items[county.platform.url]["why"]
            told = {link["url"]: link for link in status(home)["links"]}
            assert told[county.platform.url]["trouble"], "said where the technician looks"
            assert told[above.url]["joined"] is True
        assert list(items) == [county.platform.url], "the other one was renewed in the first round"
        until(lambda: _ends(home, above.url) > datetime.now(UTC) + timedelta(days=60), "the province's is new")


def _renewed(home: Path) -> list[dict[str, Any]]:
    import json

    items: list[dict[str, Any]] = json.loads(wanmi(home, "link", "renew", "--json", code=None))["items"]
    return items


def _ends(home: Path, url: str) -> datetime:
    enrolment = LinkFolder(home, url).enrolment()
    assert enrolment is not None
    return enrolment.certificate_end()
