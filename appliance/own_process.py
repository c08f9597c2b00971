"""Heavy work in a process of its own, so that the node's time stays its operators': `python -m MODULE …`.

What the work refuses is told by the process as JSON with exit code 3 and raised again as the same refusal; whatever
else goes wrong is `Broken` with the process's last words.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence

import msgspec

from appliance import errors
from appliance.errors import Broken, WanmiError

REFUSED = 3
WORDS = 400


class _Refusal(msgspec.Struct):
    kind: str
    zh: str
    en: str


def run(command: Sequence[str], zh: str, en: str) -> bytes:
    """The standard output of a command.

    Args:
        zh, en: what failed, for the sentence.

    Raises:
        WanmiError: what the work refused. Broken: it failed otherwise.
    """
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return answer(done.returncode, done.stdout, done.stderr, zh, en)


def answer(code: int | None, told: bytes, said: bytes, zh: str, en: str) -> bytes:
    """What an ended process answered.

    Raises:
        WanmiError, Broken: as `run`.
    """
    if code == REFUSED:
        raise _refusal(told)
    if code:
        last = said.decode(errors="replace").strip()[-WORDS:]
        raise Broken(f"{zh}: {last}", f"{en}: {last}")
    return told


def serve(work: Callable[[], bytes]) -> None:
    """Do the work of this process: its result to standard output, a refusal as JSON with its own exit code."""
    try:
        sys.stdout.buffer.write(work())
    except WanmiError as error:
        sys.stdout.buffer.write(msgspec.json.encode(_Refusal(type(error).__name__, error.zh, error.en)))
        sys.stdout.buffer.flush()
        sys.exit(REFUSED)


def _refusal(told: bytes) -> WanmiError:
    refusal = msgspec.json.decode(told, type=_Refusal)
    kind = getattr(errors, refusal.kind, Broken)
    error: WanmiError = kind(refusal.zh, refusal.en)
    return error
