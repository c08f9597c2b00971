"""Parts a second through `wanmi import`, into a county of 20,000 grids."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from random import Random
from time import perf_counter

from appliance.codes.book import CodeBook
from tests.bench.county import COLUMNS_OF_GRIDS, ROWS_OF_GRIDS, SOUTH, STEP, WEST

PARTS = 50_000
AIM = 5_000


def measure(home: Path, folder: Path) -> bool:
    """Import a CSV of parts; True when it is fast enough."""
    random = Random(3)
    names = [item for item in CodeBook.national().classes.values() if item.edition == "2026" and item.kind == "part"]
    path = folder / "parts.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["code", "type", "name", "state", "lon", "lat"])
        for number in range(PARTS):
            item = names[number % len(names)]
            lon = WEST + random.random() * COLUMNS_OF_GRIDS * STEP
            lat = SOUTH + random.random() * ROWS_OF_GRIDS * STEP
            serial = 900_000 + number // len(names)
            writer.writerow([f"411081{item.code}{serial:06d}", item.code, item.name, "完好", lon, lat])
    started = perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "appliance", "import", "parts", str(path), "--home", str(home), "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = perf_counter() - started
    result = json.loads(done.stdout)
    assert result["added"] == PARTS, result["refusals"][:3]
    print(f"import of {PARTS} parts        {PARTS / seconds:8.0f} /s   (aim ≥ {AIM}, start of the command included)")
    return PARTS / seconds >= AIM
