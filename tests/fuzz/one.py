"""Fuzz one target in this process: `python -m tests.fuzz.one TARGET CORPUS FOUND SECONDS`.

`__main__.py` calls it. Any other name than a target's is all of them in turn.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

LONGEST_INPUT = 4096


def main() -> None:
    """Instrument the target's modules, lay the seeds out, and run until the time is over or something breaks."""
    name, corpus, found, seconds = sys.argv[1:5]
    with atheris.instrument_imports(include=["devices.codecs"]):
        from tests.fuzz.targets import ANY, TARGETS
    target = TARGETS.get(name, ANY)
    for number, seed in enumerate(target.seeds):
        (Path(corpus) / f"seed-{number}").write_bytes(seed)

    def once(data: bytes) -> None:
        target.run(data)

    atheris.Setup(
        [sys.argv[0], corpus, f"-max_total_time={seconds}", f"-max_len={LONGEST_INPUT}", f"-artifact_prefix={found}/",
         "-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1"],
        once,
    )  # fmt: skip
    atheris.Fuzz()


if __name__ == "__main__":
    main()
