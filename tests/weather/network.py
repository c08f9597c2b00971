"""A small town of machines on this one: network namespaces on a bridge, whose lines can be cut and lose packets.

The names begin with the test's process id, so that two runs do not meet; everything is taken down at the end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Any

PREFIX = f"wm{os.getpid()}"
SUBNET = "10.77.0"
NEEDED = ("ip", "nft")


@cache
def lacking() -> str | None:
    """Why there can be no namespaces here, None when there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} missing (apt-get install iproute2 nftables)"
    name = f"{PREFIX}-try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode == 0:  # to look inside needs more: in a changed root, for instance, there is no way in
        made = subprocess.run(["ip", "-n", name, "link"], capture_output=True, text=True, check=False)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return None if made.returncode == 0 else f"no network namespaces here: {made.stderr.strip()}"


def run(*words: str) -> str:
    """A command that must go well."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


@dataclass
class Machine:
    """A machine on the bridge."""

    name: str
    number: int

    @property
    def space(self) -> str:
        return f"{PREFIX}-{self.name}"

    @property
    def address(self) -> str:
        return f"{SUBNET}.{self.number}"

    @property
    def line(self) -> str:
        """The bridge's end of the machine's cable."""
        return f"{PREFIX[2:][-6:]}v{self.number}"

    def inside(self, *words: str) -> list[str]:
        """The words of a command that runs on the machine."""
        return ["ip", "netns", "exec", self.space, *words]

    def run(self, *words: str, code: int = 0, **more: Any) -> str:
        """A command on the machine that ends with this code; what it wrote."""
        done = subprocess.run(self.inside(*words), capture_output=True, text=True, check=False, **more)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout


@dataclass
class Town:
    """The bridge and the machines on it; use it as a context."""

    machines: list[Machine] = field(default_factory=list)

    def __enter__(self) -> Town:
        self.hub = f"{PREFIX}-hub"
        run("ip", "netns", "add", self.hub)
        run("ip", "-n", self.hub, "link", "add", "br0", "type", "bridge")
        run("ip", "-n", self.hub, "link", "set", "br0", "up")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for space in (*(machine.space for machine in self.machines), self.hub):
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)

    def machine(self, name: str) -> Machine:
        """One more machine."""
        made = Machine(name, len(self.machines) + 1)
        self.machines.append(made)
        run("ip", "netns", "add", made.space)
        run(
            "ip",
            "link",
            "add",
            made.line,
            "netns",
            self.hub,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            made.space,
        )
        run("ip", "-n", self.hub, "link", "set", made.line, "master", "br0", "up")
        run("ip", "-n", made.space, "addr", "add", f"{made.address}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            run("ip", "-n", made.space, "link", "set", device, "up")
        return made

    def cut(self, machine: Machine) -> None:
        """Pull the machine's cable."""
        run("ip", "-n", self.hub, "link", "set", machine.line, "down")

    def lose(self, machine: Machine, percent: int) -> None:
        """Let so many of the packets that come to the machine get lost."""
        rules = (
            f"add table inet loss; add chain inet loss incoming {{ type filter hook input priority 0; }}; "
            f'add rule inet loss incoming iifname "eth0" numgen random mod 100 < {percent} drop'
        )
        machine.run("nft", rules)

    def mend(self, machine: Machine) -> None:
        """The line is whole again."""
        run("ip", "-n", self.hub, "link", "set", machine.line, "up")
        machine.run("nft", "flush ruleset")
