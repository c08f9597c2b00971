"""`python -m tests.supply DIR`: what a box runs, as `DIR/sbom.json` (CycloneDX), and which of it has known weaknesses.

The bill lists `requirements.lock` and the Debian packages of `install.sh` as they stand on this machine; it needs no
network but for the tools, which go into `DIR/venv` from `requirements-supply.lock`. pip-audit asks for the list of
weaknesses; where that cannot be had it is said so and the exit code is 3. It is 1 where something has one.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LOCK, TOOLS = ROOT / "requirements.lock", ROOT / "requirements-supply.lock"
PACKAGES = re.compile(r'^PACKAGES="([^"]+)"', re.MULTILINE)
GOOD, WEAK, NOT_HAD = 0, 1, 3
SERVICES = ("pypi", "osv")


def main() -> int:
    """Write the bill, then audit it."""
    parser = argparse.ArgumentParser(prog="python -m tests.supply", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    tools = tools_in(folder / "venv")
    bill = bill_of(tools)
    (folder / "sbom.json").write_text(json.dumps(bill, ensure_ascii=False, indent=1), encoding="utf-8")
    print(f"{folder / 'sbom.json'}: {len(bill['components'])} components")
    return audit(tools, folder / "audit.json")


def tools_in(venv: Path) -> Path:
    """The folder of the tools' commands, installed by their digests."""
    commands = venv / "bin"
    if not (commands / "cyclonedx-py").exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        done = subprocess.run(
            [commands / "python", "-m", "pip", "install", "--quiet", "--require-hashes", "-r", TOOLS],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"the tools could not be installed:\n{done.stderr}")
    return commands


def bill_of(tools: Path) -> dict[str, Any]:
    """The bill of the lock with the Debian packages added."""
    done = subprocess.run(
        [tools / "cyclonedx-py", "requirements", str(LOCK), "--output-format", "JSON", "--output-reproducible"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    bill: dict[str, Any] = json.loads(done.stdout)
    return bill | {"components": [*bill["components"], *debian_components()]}


def debian_packages() -> list[str]:
    """The packages that `install.sh` installs on a box."""
    found = PACKAGES.search((ROOT / "install.sh").read_text(encoding="utf-8"))
    assert found is not None, "install.sh names its packages in PACKAGES"
    return found[1].split()


def debian_components() -> list[dict[str, Any]]:
    """Those of them that are on this machine, with their versions."""
    shown = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package}\t${Version}\t${Architecture}\t${Status}\n", *debian_packages()],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    rows = [line.split("\t") for line in shown.stdout.splitlines()]
    return [
        {
            "type": "library", "name": name, "version": version, "bom-ref": f"deb:{name}",
            "purl": f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}?arch={machine}",
        }
        for name, version, machine, status in rows
        if status.endswith(" installed")
    ]  # fmt: skip


def audit(tools: Path, report: Path) -> int:
    """Look the lock up in the first list of known weaknesses that can be had; what was found stands in `report`."""
    for service in SERVICES:
        audited = looked_up(tools, service, report)
        skipped = [each["name"] for each in audited if "skip_reason" in each]
        if len(audited) > len(skipped):
            return told(service, audited, skipped)
    print(f"no list of known weaknesses could be had ({', '.join(SERVICES)}); nothing was audited")
    return NOT_HAD


def looked_up(tools: Path, service: str, report: Path) -> list[dict[str, Any]]:
    """What a list says of each package of the lock; nothing where it cannot be had."""
    report.unlink(missing_ok=True)
    subprocess.run(
        [
            tools / "pip-audit", "--requirement", str(LOCK), "--require-hashes", "--disable-pip", "--progress-spinner",
            "off", "--timeout", "15", "--vulnerability-service", service, "--format", "json", "--output", str(report),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if not report.exists():
        return []
    found: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["dependencies"]
    return found


def told(service: str, audited: list[dict[str, Any]], skipped: list[str]) -> int:
    """Say what was found; the exit code."""
    weak = [each for each in audited if each.get("vulns")]
    print(f"{service}: {len(audited) - len(skipped)} audited, {len(weak)} with known weaknesses")
    if skipped:
        print(f"not in the list, not audited: {', '.join(skipped)}")
    for each in weak:
        print(f"  {each['name']} {each['version']}: {', '.join(found['id'] for found in each['vulns'])}")
    return WEAK if weak else GOOD


if __name__ == "__main__":
    sys.exit(main())
