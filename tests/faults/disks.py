"""Disks of a test's own: small ones that fill up, and ones that turn read-only."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def lacking() -> str:
    """Why this machine can mount no disk; empty where it can."""
    if os.geteuid() != 0:
        return "only root mounts disks"
    if shutil.which("mkfs.ext4") is None:
        return "mkfs.ext4 is not here"
    tried = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else f"this machine lets nobody mount: {tried.stderr.decode().strip()}"


needs_disks = pytest.mark.skipif(bool(lacking()), reason=lacking() or "disks can be mounted")


@contextmanager
def disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of so many megabytes at a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        _run("umount", "-l", str(folder))


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Nothing is left on the disk meanwhile."""
    filler = folder / "filler"
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4k"], capture_output=True, check=False)
    try:
        yield
    finally:
        filler.unlink()


class Breaking:
    """A disk with a journal on which the kernel finds an error, whereupon it takes nothing more."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder, self._image = folder, folder.with_name(f"{folder.name}.image")
        self._image.write_bytes(b"")
        os.truncate(self._image, megabytes << 20)
        _run("mkfs.ext4", "-q", str(self._image))
        folder.mkdir(parents=True)
        try:
            self.mend()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"this machine mounts no file as a disk: {error.stderr.decode().strip()}")

    def break_(self) -> None:
        """From now on the disk is read-only, whoever has files open on it."""
        _run("mount", "-o", "remount,abort", str(self.folder))

    def mend(self) -> None:
        """Mount it anew; what is left from before is put right by the journal."""
        self.end()
        _run("mount", "-o", "loop", str(self._image), str(self.folder))

    def end(self) -> None:
        """Take it away."""
        subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=False)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
