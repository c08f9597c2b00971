"""The accounts of the install, by `data/sysusers.conf`: made by systemd-sysusers, or by useradd where there is none."""

from __future__ import annotations

import shlex
import shutil
import subprocess

from appliance.errors import Broken
from provisioning.system.box import Box
from provisioning.system.tables import DATA

SOURCE = DATA / "sysusers.conf"


def ids(box: Box, name: str) -> tuple[int, int] | None:
    """User and group number of an account in a box, None where it has no such account."""
    file = box.at("/etc/passwd")
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        fields = line.split(":")
        if fields[0] == name:
            return int(fields[2]), int(fields[3])
    return None


def wanted() -> list[list[str]]:
    """The accounts: name, number, comment, home, shell, as sysusers.d(5) orders them."""
    lines = SOURCE.read_text(encoding="utf-8").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("u ")]


def make_accounts(box: Box) -> list[str]:
    """Make those that are missing; returns their names.

    Raises:
        Broken: the tool refuses.
    """
    missing = [account for account in wanted() if ids(box, account[0]) is None]
    if not missing:
        return []
    if shutil.which("systemd-sysusers"):
        _run(["systemd-sysusers", f"--root={box.root}", str(SOURCE)])
    else:
        for name, _number, comment, home, shell in missing:
            root = [] if box.is_real else ["--root", str(box.root)]
            _run(
                ["useradd", *root, "--system", "--user-group", "--no-create-home", "--comment", comment,
                 "--home-dir", home, "--shell", shell, name]
            )  # fmt: skip
    return [account[0] for account in missing]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or [str(done.returncode)]
        raise Broken(
            f"{command[0]} 失败: {said[0]};请以 root 运行并检查 /etc/passwd。",
            f"{command[0]} failed: {said[0]}. Run it as root and look at /etc/passwd.",
        )
