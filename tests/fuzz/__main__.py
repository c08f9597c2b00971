"""`python -m tests.fuzz [target …] [--seconds N]`: coverage-guided fuzzing of what parses bytes from devices.

Each target runs so many seconds in a process of its own; exit code 1 when one found something that must not be. The
input that did it stays in the folder that is named. atheris exists for x86-64 only; elsewhere this says so and ends.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

SECONDS = 60.0


def main() -> int:
    """Run what was asked for, one target after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="target", help="all of them when none is named")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each target (default: %(default)s)")
    asked = parser.parse_args()
    if find_spec("atheris") is None:
        print("atheris is not installed; it exists for x86-64 machines only (the property tests run everywhere)")
        return 2
    from tests.fuzz.targets import TARGETS

    if unknown := [name for name in asked.targets if name not in TARGETS]:
        parser.error(f"no target {', '.join(unknown)}; known: {', '.join(TARGETS)}")
    good = [run(name, asked.seconds) for name in asked.targets or TARGETS]
    return 0 if all(good) else 1


def run(target: str, seconds: float) -> bool:
    """Fuzz one target; True when nothing was found."""
    found = Path(mkdtemp(prefix=f"wanmi-fuzz-{target}-"))
    with TemporaryDirectory(prefix="wanmi-fuzz-seeds-") as corpus:
        ended = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.one", target, corpus, str(found), str(round(seconds))],
            capture_output=True,
            text=True,
            timeout=seconds + 120,
        )
    last = [line for line in ended.stderr.splitlines() if line.startswith(("Done", "#"))][-1:]
    print(f"{target:16} {'held' if ended.returncode == 0 else 'DID NOT HOLD'}  {''.join(last)}", flush=True)
    if ended.returncode == 0:
        found.rmdir()
        return True
    print(f"{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}\nthe input is in {found}")
    return False


if __name__ == "__main__":
    sys.exit(main())
