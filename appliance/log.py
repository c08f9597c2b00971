"""The logs of a home: one JSON line an event, to a file in `log/` and to stderr; no secrets, no bodies."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog

KEPT_BYTES = 10 * 1024 * 1024
KEPT_FILES = 5


def configure(home: Path, name: str = "node") -> None:
    """Send structured events to `log/NAME.log` in the home, warnings also to stderr."""
    folder = home / "log"
    folder.mkdir(exist_ok=True, mode=0o700)
    file = RotatingFileHandler(folder / f"{name}.log", maxBytes=KEPT_BYTES, backupCount=KEPT_FILES, encoding="utf-8")
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(logging.WARNING)
    logging.basicConfig(level=logging.INFO, handlers=[file, console], format="%(message)s", force=True)
    for name in ("httpx", "uvicorn.access", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
