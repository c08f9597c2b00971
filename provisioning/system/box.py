"""Where the system install stands on a machine, and what runs it there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

NODE, SEAT = "wanmi", "seat"
"""The account of the node, and the account of seats, whose shell is the console."""


@dataclass(frozen=True, slots=True)
class Box:
    """A machine, or a folder that holds the file tree of one.

    Attributes:
        root: `/`, or the folder.
    """

    root: Path = Path("/")

    def at(self, path: str | Path) -> Path:
        """An absolute path of the machine, below the root."""
        return self.root / str(path).lstrip("/")

    @property
    def is_real(self) -> bool:
        """Whether it is this machine itself."""
        return self.root.resolve() == Path("/")

    @property
    def has_systemd(self) -> bool:
        """Whether systemd is process 1 of this machine, as sd_booted(3) asks it."""
        return self.is_real and Path("/run/systemd/system").is_dir()

    @property
    def opt(self) -> Path:
        """The software: releases side by side, `current` the one that runs."""
        return self.at("/opt/wanmi")

    @property
    def releases(self) -> Path:
        return self.opt / "releases"

    @property
    def current(self) -> Path:
        """A link to the release that runs."""
        return self.opt / "current"

    def environment(self) -> dict[str, str]:
        """The variables of `/etc/wanmi/environment`; none where there is no such file."""
        file = self.at("/etc/wanmi/environment")
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))

    @property
    def home(self) -> Path:
        """The node's home."""
        return self.at("/var/lib/wanmi")
