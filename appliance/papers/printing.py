"""Pages as PDF, in a process of its own: laying out takes seconds and a hundred megabytes, which the node keeps.

`python -m appliance.papers.printing` reads a page from standard input and writes the PDF to standard output. The page
brings its pictures along; nothing else is fetched.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading

from appliance.errors import Broken

NICE = 10
SECONDS = 120
MEMORY = 2 << 30
"""Address space of the process in bytes; a page that needs more is broken."""
_one = threading.Lock()


def pdf_of(page: str) -> bytes:
    """The PDF of a page; one at a time in a process, the others wait.

    Raises:
        Broken: it cannot be laid out; the last words are told.
    """
    command = [sys.executable, "-m", "appliance.papers.printing"]
    try:
        with _one:
            done = subprocess.run(command, input=page.encode(), capture_output=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise _failed(f"{SECONDS} s") from None
    if done.returncode or not done.stdout.startswith(b"%PDF-"):
        raise _failed(done.stderr.decode(errors="replace").strip()[-400:])
    return done.stdout


def _failed(why: str) -> Broken:
    return Broken(
        f"生成 PDF 失败: {why};请安装 libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0,或改用 .html 打印。",
        f"Making the PDF failed: {why}; install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0, or print .html.",
    )


def main() -> None:
    """Lay out one page."""
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    page, inside = sys.stdin.buffer.read().decode(), URLFetcher(allowed_protocols={"data"})
    sys.stdout.buffer.write(HTML(string=page, url_fetcher=inside).write_pdf())


if __name__ == "__main__":
    main()
