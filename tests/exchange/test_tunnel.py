"""A technician prepares a WireGuard tunnel; nothing starts by itself, and the network office is named."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance import cli
from appliance.errors import WanmiError
from appliance.exchange.settings import Link
from appliance.exchange.tunnels import tunnel_file, tunnel_name
from provisioning.joining.written import put_link
from tests import homes
from tests.exchange.joined import status, until, wanmi

URL = "https://city.example:8443"
PEER = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
GIVEN = {"endpoint": "203.0.113.5:51820", "peer-key": PEER, "own-address": "10.77.0.2/32", "allowed": "10.77.0.1/32"}

needs_wg = pytest.mark.skipif(shutil.which("wg") is None, reason="wg is missing (apt-get install wireguard-tools)")


def linked(home: Path, url: str = URL) -> Path:
    """A home that has a link; whether it is enrolled does not matter here."""
    put_link(home, Link(url=url, listen="0.0.0.0:8412", address="https://10.0.0.2:8412"))
    return home


@pytest.fixture
def county(tmp_path: Path) -> Path:
    return linked(homes.copy_home(tmp_path / "county"))


def words(**changed: str) -> list[str]:
    """The options of `make`."""
    given = GIVEN | {name.replace("_", "-"): value for name, value in changed.items()}
    return [word for name, value in given.items() for word in (f"--{name}", value)]


def refusal(home: Path, *arguments: str) -> str:
    """The sentence of a command that is refused."""
    done = CliRunner().invoke(cli.wanmi, ["link", "tunnel", *arguments, "--home", str(home)], standalone_mode=False)
    assert isinstance(done.exception, WanmiError), (done.exception, done.output)
    return f"{done.exception.zh} {done.exception.en}"


@needs_wg
def test_a_tunnel_is_prepared_and_nothing_is_started(county: Path) -> None:
    done = CliRunner().invoke(
        cli.wanmi, ["link", "tunnel", "make", *words(), "--home", str(county)], standalone_mode=False
    )
    key, file = done.stdout.strip(), tunnel_file(county, URL)
    assert "需经网络主管部门批准" in done.stderr
    assert "approval of the network office" in done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    written = file.read_text(encoding="utf-8")
    private = next(line.split(" = ")[1] for line in written.splitlines() if line.startswith("PrivateKey"))
    real = subprocess.run(["wg", "pubkey"], input=private, capture_output=True, text=True, check=True)
    assert real.stdout.strip() == key, "the key that is printed belongs to the one in the file"
    assert private not in done.output
    for line in ("Address = 10.77.0.2/32", f"PublicKey = {PEER}", "Endpoint = 203.0.113.5:51820",
                 "AllowedIPs = 10.77.0.1/32", "PersistentKeepalive = 25"):  # fmt: skip
        assert line in written
    stripped = subprocess.run(["wg-quick", "strip", str(file)], capture_output=True, text=True, check=True)
    assert "PersistentKeepalive" in stripped.stdout, "wg-quick understands it"
    told = json.loads(wanmi(county, "link", "tunnel", "status", "--json"))
    assert (told["name"], told["state"], told["public_key"]) == (tunnel_name(URL), "down", key)
    assert status(county)["links"][0]["tunnel"] == "down"
    again = json.loads(wanmi(county, "link", "tunnel", "make", *words(endpoint="198.51.100.7:51820"), "--json"))
    assert again["public_key"] == key, "the key stays, the platform knows it"
    assert "Endpoint = 198.51.100.7:51820" in file.read_text(encoding="utf-8")
    assert json.loads(wanmi(county, "link", "tunnel", "make", *words(), "--new-key", "--json"))["public_key"] != key
    wanmi(county, "leave", "--yes")
    assert not file.exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"endpoint": "203.0.113.5"}, "--endpoint"),
        ({"peer_key": "short"}, "--peer-key"),
        ({"own_address": "10.77.0"}, "--own-address"),
        ({"allowed": "10.77.0.1/32\nPostUp = reboot"}, "--allowed"),
        ({"allowed": "0.0.0.0/0"}, "all traffic"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_written(county: Path, changed: dict[str, str], said: str) -> None:
    assert said in refusal(county, "make", *words(**changed))
    assert not tunnel_file(county, URL).exists()


def test_without_the_tools_the_line_to_type_is_told(county: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "apt-get install wireguard-tools" in refusal(county, "make", *words())


def test_a_tunnel_that_was_not_made_cannot_be_started(county: Path) -> None:
    assert "link tunnel make" in refusal(county, "up", "--yes")
    assert "link tunnel make" in refusal(county, "status")


@needs_wg
def test_only_root_starts_a_tunnel(county: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanmi(county, "link", "tunnel", "make", *words())
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "sudo wanmi link tunnel up" in refusal(county, "up", "--yes")
    assert json.loads(wanmi(county, "link", "tunnel", "status", "--json"))["state"] == "down"


@cache
def lacking() -> str | None:
    """Why there can be no real tunnel here, None when there can."""
    if os.geteuid() != 0:
        return "namespaces and tunnels need root"
    missing = [name for name in ("ip", "wg", "wg-quick") if shutil.which(name) is None]
    if missing:
        return f"missing: {', '.join(missing)} (apt-get install iproute2 wireguard-tools)"
    name = f"wm{os.getpid()}try"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        return "no network namespaces here"
    try:
        add = ["ip", "-n", name, "link", "add", "wg0", "type", "wireguard"]
        kernel = subprocess.run(add, capture_output=True, check=False).returncode == 0
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)
    if kernel or shutil.which("wireguard-go"):
        return None
    return "the kernel has no WireGuard and there is no wireguard-go (apt-get install wireguard-go)"


KNOCK = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], 9), 1)
except ConnectionRefusedError:
    sys.exit(0)
"""


@dataclass
class Side:
    """One end: a machine of its own, with a home whose technician types the commands."""

    space: str
    home: Path
    url: str
    outside: str
    inside: str

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["ip", "netns", "exec", self.space, *command], capture_output=True, text=True, check=False, timeout=60
        )

    def tunnel(self, *arguments: str) -> str:
        """`wanmi link tunnel …` on this machine."""
        done = self.run(sys.executable, "-m", "appliance", "link", "tunnel", *arguments, "--home", str(self.home))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def reaches(self, address: str) -> bool:
        """Whether the other machine answers; that nobody listens there is an answer too."""
        return self.run(sys.executable, "-c", KNOCK, address).returncode == 0

    def key(self) -> str:
        """Its public key; the peer's is not known yet."""
        return str(json.loads(self.make(PEER, "203.0.113.5", "10.79.0.9"))["public_key"])

    def make(self, key: str, host: str, inside: str) -> str:
        given = {
            "endpoint": f"{host}:51820", "peer-key": key, "own-address": f"{self.inside}/32", "allowed": f"{inside}/32",
            "listen-port": "51820",
        }  # fmt: skip
        options = [word for name, value in given.items() for word in (f"--{name}", value)]
        return wanmi(self.home, "link", "tunnel", "make", *options, "--json")


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[tuple[Side, Side]]:
    """Two machines with a cable between them."""
    if (reason := lacking()) is not None:
        pytest.skip(reason)
    first, second = f"wm{os.getpid()}a", f"wm{os.getpid()}b"
    pair = tuple(
        Side(space, linked(homes.copy_home(tmp_path / space), f"https://{space}.example"), f"https://{space}.example",
             f"10.78.0.{number}", f"10.79.0.{number}")
        for number, space in enumerate((first, second), 1)
    )  # fmt: skip
    try:
        for space in (first, second):
            subprocess.run(["ip", "netns", "add", space], check=True)
            subprocess.run(["ip", "-n", space, "link", "set", "lo", "up"], check=True)
        cable = ["ip", "link", "add", "eth0", "netns", first, "type", "veth", "peer", "name", "eth0", "netns", second]
        subprocess.run(cable, check=True)
        for side in pair:
            subprocess.run(["ip", "-n", side.space, "addr", "add", f"{side.outside}/24", "dev", "eth0"], check=True)
            subprocess.run(["ip", "-n", side.space, "link", "set", "eth0", "up"], check=True)
        yield pair[0], pair[1]
    finally:
        for side in pair:
            side.run("wg-quick", "down", str(tunnel_file(side.home, side.url)))
            subprocess.run(["ip", "netns", "del", side.space], check=False)


def test_two_machines_reach_each_other_through_the_tunnel_and_only_while_it_is_up(sides: tuple[Side, Side]) -> None:
    county, city = sides
    keys = {side.space: side.key() for side in sides}
    county.make(keys[city.space], city.outside, city.inside)
    city.make(keys[county.space], county.outside, county.inside)
    assert not county.reaches(city.inside), "nothing was started"
    city.tunnel("up", "--yes")
    county.tunnel("up", "--yes")
    until(lambda: county.reaches(city.inside), "the other side answers")
    told = json.loads(county.tunnel("status", "--json"))
    assert (told["state"], told["endpoint"]) == ("up", f"{city.outside}:51820")
    assert told["handshake"] is not None
    assert told["sent"] > 0
    county.tunnel("down")
    assert not county.reaches(city.inside)
    assert json.loads(county.tunnel("status", "--json"))["state"] == "down"


@needs_wg
@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts a tunnel")
def test_root_runs_no_command_that_the_account_of_the_node_wrote(county: Path, tmp_path: Path) -> None:
    wanmi(county, "link", "tunnel", "make", *words(), "--json")
    file, done = tunnel_file(county, URL), tmp_path / "done-as-root"
    text = file.read_text(encoding="utf-8").replace("[Peer]", f" preUP = touch {done}\n[Peer]")
    file.write_text(text, encoding="utf-8")
    said = refusal(county, "up")
    assert "preUP is not done as root" in said
    assert not done.exists()
