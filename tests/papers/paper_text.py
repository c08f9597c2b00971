"""What a PDF says, page by page, as poppler reads it."""

from __future__ import annotations

import subprocess
from pathlib import Path


def words_of(pdf: Path) -> list[str]:
    """The text of each page without blanks."""
    done = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, check=True)
    return ["".join(page.split()) for page in done.stdout.decode().split("\f")[:-1]]


def fonts_of(pdf: Path) -> str:
    """The fonts inside of a file."""
    return subprocess.run(["pdffonts", str(pdf)], capture_output=True, check=True).stdout.decode()
