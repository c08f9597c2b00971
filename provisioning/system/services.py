"""The units of the install through systemctl; where systemd is not process 1 nothing is started, and it is said."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from time import monotonic, sleep
from urllib.request import urlopen

from appliance.errors import Broken
from appliance.lan import trust
from appliance.options import say
from appliance.settings import FILE
from provisioning.system.box import Box
from provisioning.system.tables import units

ANSWER_SECONDS = 60.0
"""A node that migrated and opened a county of 1.5 million cases answers within seconds; slow disks have this long."""

UNITS = "/etc/systemd/system"

WITHOUT = (
    "1 号进程不是 systemd,各服务不会自动启动;请运行: wanmi up",
    "Process 1 is not systemd, so no unit was started; run: wanmi up",
)


def enable(box: Box) -> None:
    """Let the units start now and at every boot; those without a home yet wait for `wanmi init`.

    The screen is left to whoever types there until there is a home: its unit ends the session on tty1 in any case.

    Raises:
        Broken: systemctl refuses.
    """
    if not box.has_systemd:
        say("\n".join(WITHOUT))
        return
    _systemctl("daemon-reload")
    _systemctl("enable", "--quiet", *_names())
    has_home = (box.home / FILE).exists()
    _systemctl("restart", *[unit.name for unit in units() if has_home or not unit.seat])
    for tool in (["udevadm", "control", "--reload"], ["systemctl", "try-reload-or-restart", "ssh", "chrony"]):
        subprocess.run(tool, capture_output=True, check=False)


def stop(box: Box) -> None:
    """Stop what writes into the home, the last started first."""
    if box.has_systemd:
        _systemctl("stop", *reversed(_laid(box)))


def start(box: Box) -> None:
    """Start the node, wait until it answers, then start what belongs to it.

    Raises:
        Broken: the node does not start or does not answer.
    """
    if not box.has_systemd:
        return
    first, *others = _laid(box)
    _systemctl("daemon-reload")
    _systemctl("enable", "--quiet", first, *others)
    _systemctl("start", first)
    if (box.home / FILE).exists():
        wait_for_answer(box, health_address(box))
    for name in others:
        _systemctl("start", name)


def health_address(box: Box) -> str:
    """Where the node of a box tells that it is well, by its environment file."""
    around = box.environment()
    known = f"http://127.0.0.1:{around.get('WANMI_LISTEN_PORT', '8411')}"
    return f"{around.get('WANMI_URL', known).rstrip('/')}/health"


def wait_for_answer(box: Box, address: str, seconds: float = ANSWER_SECONDS) -> None:
    """Wait until a node answers.

    Raises:
        Broken: it does not within so many seconds.
    """
    end, trusted = monotonic() + seconds, trust(box.home, address)
    while monotonic() < end:
        try:
            with urlopen(address, timeout=2, context=None if trusted is True else trusted) as answer:
                if answer.status == 200:
                    return
        except OSError:
            sleep(0.5)
    raise Broken(
        f"节点 {seconds:.0f} 秒内没有在 {address} 应答;详见 journalctl -u wanmi。",
        f"The node did not answer at {address} within {seconds:.0f} s; see journalctl -u wanmi.",
    )


def disable(box: Box) -> None:
    """Stop the units and let none start again; tty1 is a shell's again."""
    if box.has_systemd:
        _systemctl("disable", "--quiet", "--now", *reversed(_names()))
        subprocess.run(["systemctl", "start", "--no-block", "getty@tty1"], capture_output=True, check=False)


def states(box: Box) -> dict[str, str]:
    """How each unit stands, as `systemctl is-active` says it; empty without systemd."""
    if not box.has_systemd:
        return {}
    done = subprocess.run(["systemctl", "is-active", *_names()], capture_output=True, text=True, check=False)
    return dict(zip(_names(), done.stdout.split(), strict=False))


def _names() -> Sequence[str]:
    return [unit.name for unit in units()]


def _laid(box: Box) -> list[str]:
    """The units of this release that are on the box: one that comes with an upgrade is not there before it."""
    return [name for name in _names() if (box.at(UNITS) / name).exists()]


def _systemctl(*arguments: str) -> None:
    done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Broken(
            f"systemctl {' '.join(arguments)} 失败: {done.stderr.strip()};详见 journalctl -u wanmi。",
            f"systemctl {' '.join(arguments)} failed: {done.stderr.strip()}. See journalctl -u wanmi.",
        )
