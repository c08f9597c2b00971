"""A technician joins the county to its prefecture: on line, by USB stick, again, elsewhere, and leaves."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from appliance.settings import load
from tests import homes
from tests.exchange.joined import Joined, address, join, status, until, wanmi
from tests.exchange.platform import Authority, Platform
from tests.nodes import RunningNode


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with Platform(tmp_path / "platform") as running:
        yield running


@pytest.fixture
def county(shared_node: RunningNode, platform: Platform) -> Iterator[Joined]:
    """A running node that is not joined yet."""
    yield Joined(shared_node, platform, address())
    for link in status(shared_node.home)["links"]:
        wanmi(shared_node.home, "leave", link["url"], "--yes")


def pulls(county: Joined, name: str = "prefecture") -> int:
    """The status that a client above gets."""
    with county.client(name) as client:
        return client.get("/exchange/v1/").status_code


def answers(county: Joined) -> bool:
    """Whether anybody listens at the county's exchange address."""
    try:
        return pulls(county) > 0
    except httpx.TransportError:
        return False


def test_the_technician_joins_renews_moves_and_leaves(county: Joined) -> None:
    home, platform = county.node.home, county.platform
    (home / "wanmi.toml").write_text("# 张工 2026-11 装机\n" + (home / "wanmi.toml").read_text())
    told = county.join()
    assert told["ok"] is True, told
    assert [line["check"] for line in told["checks"]] == ["key", "enrol", "register", "probe"]
    assert platform.counties == {"411081": county.address}
    assert pulls(county) == 200
    seen = status(home)
    assert (seen["joined"], seen["url"]) == (True, platform.url)
    assert [client["name"] for client in seen["clients"]] == ["prefecture"]
    assert load(home).exchange.address == county.address
    assert "# 张工 2026-11 装机" in (home / "wanmi.toml").read_text()
    key = next((home / "keys" / "links").glob("*/key.pem"))
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()

    platform.scopes["province"] = ["cases.read"]
    assert pulls(county, "province") == 403, "not listed yet"
    again = join(home, platform.url)
    assert again["ok"] is True, again
    assert key.read_bytes() == before, "the key is kept"
    assert platform.asked[-3][3] is None, "renewed by the certificate, without a token"
    until(lambda: pulls(county, "province") == 200, "the province may come in")

    del platform.scopes["province"]
    moved = Joined(county.node, platform, address())
    assert join(home, platform.url, "--listen", moved.listen, "--address", moved.address)["ok"] is True
    assert platform.counties == {"411081": moved.address}
    until(lambda: pulls(moved, "province") == 403, "revoked by a join that does not list it")
    assert pulls(moved) == 200
    with pytest.raises(httpx.TransportError):
        pulls(county)

    assert json.loads(wanmi(home, "leave", "--json"))["told"] is True
    assert platform.counties == {}

    until(lambda: not answers(moved), "the port is closed")
    assert status(home)["joined"] is False
    assert not key.exists()


@pytest.mark.parametrize(
    ("mood", "check", "sentence"),
    [
        (("POST enrol", (403, {"detail": "令牌已过期"})), "enrol", "令牌已过期"),
        (("POST enrol", (201, {"certificate": "x", "ca": "y", "scopes": {}})), "enrol", "PEM"),
        (("PUT 411081", (500, {"detail": "盘满"})), "register", "盘满"),
        (("POST probe", (200, {"ok": False, "why": "连接超时"})), "probe", "连接超时"),
    ],
)
def test_the_list_says_which_step_failed_and_why(
    county: Joined, mood: tuple[str, tuple[int, dict[str, object]]], check: str, sentence: str
) -> None:
    county.platform.moods[mood[0]] = mood[1]
    told = county.join()
    assert told["ok"] is False
    assert [line["check"] for line in told["checks"] if not line["ok"]] == [check]
    assert sentence in told["checks"][-1]["note"]
    assert status(county.node.home)["joined"] is False
    assert bool(list((county.node.home / "keys").glob("links/*/key.pem"))) is (check in ("register", "probe"))
    county.platform.moods.clear()
    if check == "enrol":
        assert county.join()["ok"] is True
        return
    county.platform.tokens.clear()  # it was for one use; the certificate that came with it is kept aside
    again = join(county.node.home, county.platform.url, "--listen", county.listen, "--address", county.address)
    assert again["ok"] is True, again


def test_who_cannot_be_pulled_from_is_as_before_unless_told_to_keep(county: Joined) -> None:
    county.platform.moods["POST probe"] = (200, {"ok": False, "why": "连接超时"})
    told = county.join()
    assert "taken back" in told["checks"][-1]["note"]
    until(lambda: not answers(county), "the port is closed again")
    assert load(county.node.home).exchange.links == []
    assert json.loads(wanmi(county.node.home, "leave", county.platform.url, "--json"))["told"] is True
    assert county.platform.counties == {}, "the platform forgets the address when it is told"

    kept = county.join("--keep")
    assert [line["check"] for line in kept["checks"] if not line["ok"]] == ["probe"]
    assert pulls(county) == 200, "the port stays open for whoever mends the network"


def test_the_first_visit_joins_as_the_command_does_and_says_why_not(county: Joined, tmp_path: Path) -> None:
    answers = tmp_path / "answers.toml"
    answers.write_text(
        f'[prefecture]\nurl = "{county.platform.url}"\ntoken = "good"\nca = "{county.platform.ca}"\n'
        f'listen = "{county.listen}"\naddress = "{county.address}"\n'
    )
    visit = ["setup", "--answers", str(answers)]
    county.platform.moods["POST probe"] = (200, {"ok": False, "why": "连接超时"})
    wanmi(county.node.home, *visit, code=1)
    assert not joined(county), "it was taken back, and the list says so"
    county.platform.moods.clear()
    wanmi(county.node.home, *visit)
    assert joined(county)
    assert pulls(county) == 200


def joined(county: Joined) -> bool:
    """Whether the first visit counts the prefecture as done."""
    steps = json.loads(wanmi(county.node.home, "setup", "--json"))["steps"]
    return next(step["done"] for step in steps if step["step"] == "prefecture")


def test_a_platform_that_gives_no_verdict_leaves_the_link_in_force(county: Joined) -> None:
    county.platform.moods["POST probe"] = (503, {"detail": "重启中"})
    told = county.join()
    assert [line["check"] for line in told["checks"] if not line["ok"]] == ["probe"]
    assert pulls(county) == 200, "nothing is known of the way to us, so nothing is taken back"


def test_a_new_address_that_cannot_be_reached_gives_way_to_the_old_one(county: Joined) -> None:
    assert county.join()["ok"] is True
    moved = Joined(county.node, county.platform, address())
    county.platform.moods["POST probe"] = (200, {"ok": False, "why": "连接超时"})
    told = join(county.node.home, county.platform.url, "--listen", moved.listen, "--address", moved.address)
    assert told["ok"] is False
    assert f"the platform has {county.address} again" in told["checks"][-1]["note"]
    assert county.platform.counties == {"411081": county.address}
    assert load(county.node.home).exchange.links[0].address == county.address
    until(lambda: pulls(county) == 200, "pulled at the old address")

    county.platform.moods = {"PUT 411081": (500, {"detail": "盘满"})}
    assert join(county.node.home, county.platform.url, "--address", moved.address)["ok"] is False
    assert load(county.node.home).exchange.links[0].address == county.address, "what is not registered does not count"

    county.platform.moods = {"POST probe": (200, {"ok": False, "why": "连接超时"})}
    before = status(county.node.home)["certificate_end"]
    county.platform.valid = {"ends": datetime.now(UTC) + timedelta(days=200)}
    assert join(county.node.home, county.platform.url)["ok"] is False
    assert status(county.node.home)["certificate_end"] > before, "a mere renewal stays, whatever the probe says"


def test_a_refused_renewal_leaves_the_link_as_it_was(county: Joined) -> None:
    assert county.join()["ok"] is True
    county.platform.moods["POST enrol"] = (401, {"detail": "证书已吊销"})
    told = join(county.node.home, county.platform.url)
    assert told["ok"] is False
    assert "证书已吊销" in told["checks"][-1]["note"]
    assert pulls(county) == 200


@pytest.mark.parametrize("wrong", ["key", "authority", "late", "early"])
def test_a_certificate_that_is_not_ours_or_not_valid_now_is_refused(
    home: Path, platform: Platform, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, enrol = datetime.now(UTC), platform.enrol

    def odd(body: dict[str, str]) -> dict[str, object]:
        told = enrol(body)
        if wrong == "key":
            told["certificate"] = platform.paper("411081").certificate.read_text()
        if wrong == "authority":
            told["ca"] = Authority().pem
        return told

    monkeypatch.setattr(platform, "enrol", odd)
    if wrong == "late":
        platform.valid = {"begins": now - timedelta(days=9), "ends": now - timedelta(days=1)}
    if wrong == "early":
        platform.valid = {"begins": now + timedelta(days=1), "ends": now + timedelta(days=9)}
    where = address()
    told = join(
        home, platform.url, "--ca", str(platform.ca), "--token", "good", "--listen", where[8:], "--address", where
    )
    assert [line["check"] for line in told["checks"] if not line["ok"]] == ["enrol"]
    sentence = {"key": "not for this node's key", "authority": "not signed by the CA"}.get(wrong, "machine's clock")
    assert sentence in told["checks"][-1]["note"]
    assert "PUT" not in [method for method, *_ in platform.asked]


def test_http_and_an_unknown_authority_are_refused(home: Path, platform: Platform) -> None:
    assert "https" in _refusal(home, platform.url.replace("https", "http"), "--token", "good")
    told = join(home, platform.url, "--token", "good")
    assert "CERTIFICATE_VERIFY_FAILED" in told["checks"][-1]["note"]
    assert "--token" in join(home, platform.url, "--ca", str(platform.ca))["checks"][-1]["note"]
    assert platform.asked == []


def _refusal(home: Path, *arguments: str) -> str:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "appliance", "join", *arguments, "--home", str(home)], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    return done.stderr


def test_joining_by_usb_stick(county: Joined, tmp_path: Path) -> None:
    home, stick = county.node.home, tmp_path / "stick"
    stick.mkdir()
    wanmi(home, "join", "--request", str(stick / "411081.json"), "--listen", county.listen, "--address", county.address)
    body = json.loads((stick / "411081.json").read_text())
    assert (body["contract"], body["county"], body["address"]) == ("1", "411081", county.address)
    assert (stick / "411081.json.csr").read_text() == body["csr"]
    assert status(home)["joined"] is False
    answer = county.platform.enrol(body)
    (stick / "answer.json").write_text(json.dumps(answer))
    told = join(home, "--accept", str(stick / "answer.json"))
    assert told["ok"] is True
    until(lambda: pulls(county) == 200, "the platform comes in")
    for name, content in (("c.pem", answer["certificate"]), ("a.pem", answer["ca"]), ("s.json", '{"city":[]}')):
        (stick / name).write_text(content)
    told = join(home, "--accept", str(stick / "c.pem"), "--ca", str(stick / "a.pem"), "--scopes", str(stick / "s.json"))
    assert told["ok"] is True
    until(lambda: pulls(county) == 403, "the plain files name another client")
    assert pulls(county, "city") == 200


def test_several_platforms_above_each_with_a_port_of_its_own(county: Joined, tmp_path: Path) -> None:
    assert county.join()["ok"] is True
    with Platform(tmp_path / "province", scopes={"province": ["places.read"]}) as above:
        same_port = Joined(county.node, above, county.address)
        assert (same_port.join(), above.counties) == ({}, {}), "refused before the token is used up"
        second = Joined(county.node, above, address())
        assert second.join()["ok"] is True
        assert pulls(county) == pulls(second, "province") == 200
        with pytest.raises(httpx.TransportError):
            county.platform.client(second.address).get("/exchange/v1/")
        assert [link["url"] for link in status(county.node.home)["links"]] == [county.platform.url, above.url]
        wanmi(county.node.home, "leave", above.url, "--yes")
        assert pulls(county) == 200
        assert [link["url"] for link in status(county.node.home)["links"]] == [county.platform.url]


def test_a_county_joins_before_its_node_runs_and_leaves_when_nobody_answers(tmp_path: Path) -> None:
    home = homes.copy_home(tmp_path / "home")
    with Platform(tmp_path / "platform") as platform:
        where = address()
        told = join(home, platform.url, "--ca", str(platform.ca), "--token", "good", "--listen", where[8:], "--address",
                    where)  # fmt: skip
        assert [line["check"] for line in told["checks"] if not line["ok"]] == ["probe"]
        assert "start wanmi up" in told["checks"][-1]["note"]
        assert status(home)["joined"] is True
    told = json.loads(wanmi(home, "leave", "--json"))
    assert told["told"] is False
    assert status(home)["joined"] is False


def test_a_certificate_that_ends_soon_is_renewed(county: Joined) -> None:
    county.platform.valid = {"ends": datetime.now(UTC) + timedelta(days=20)}
    assert county.join()["ok"] is True
    first = status(county.node.home)["certificate_end"]
    county.platform.valid = {}
    assert json.loads(wanmi(county.node.home, "link", "renew", "--days", "10", "--json"))["items"] == []
    done = json.loads(wanmi(county.node.home, "link", "renew", "--json"))["items"]
    assert [item["ok"] for item in done] == [True]
    assert status(county.node.home)["certificate_end"] > first
