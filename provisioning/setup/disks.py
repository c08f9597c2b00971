"""Disks and sticks that are mounted, and where the units of an installed box may write backups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage

from appliance.backup_settings import DISK, REMOTE
from appliance.errors import Conflict
from provisioning.system.box import Box

LABELS, MOUNTS = Path("/dev/disk/by-label"), Path("/proc/self/mounts")
UNDER = ("/media", "/mnt", "/run/media", "/srv")
"""Where sticks and second disks are mounted; beside the home the units may write there alone (`ReadWritePaths`)."""
FOLDER = "wanmi"


@dataclass(frozen=True, slots=True)
class Target:
    """A disk or stick that is mounted: as `[backup]` names it, where it is, bytes free."""

    to: str
    mounted: Path
    free: int


def targets() -> list[Target]:
    """Disks and sticks that are mounted where one mounts them, by their label where they have one."""
    labels = {item.resolve(): item.name for item in LABELS.iterdir()} if LABELS.is_dir() else {}
    found = []
    for source, mounted, options in _mounts():
        if "ro" in options or not _is_under(mounted):
            continue
        label = labels.get(source.resolve())
        to = f"{DISK}{label}/{FOLDER}" if label is not None else str(mounted / FOLDER)
        try:
            found.append(Target(to, mounted, disk_usage(mounted).free))
        except OSError:  # mounted on demand, and its stick is not plugged in
            continue
    return found


def refuse_wrong_place(home: Path, to: str, box: Box) -> None:
    """Refuse a place for backups that dies with the home, or that the units of an installed box may not write.

    Raises:
        Conflict: it is such a place.
    """
    place = _folder_of(to)
    if place is None:
        return
    if place.is_relative_to(home.resolve()):
        raise Conflict(
            f"{to} 在家目录里面,盘坏了就一起没了;请选另一块盘。",
            f"{to} is inside the home and dies with its disk; take another disk.",
        )
    if home.resolve() == box.home.resolve() and box.current.exists() and not _is_under(place):
        raise Conflict(
            f"{to}: 各服务只能写 {'、'.join(UNDER)} 下面的文件夹;请把盘挂载到其中一处。",
            f"{to}: the units may write below {', '.join(UNDER)} only; mount the disk at one of these.",
        )


def _folder_of(to: str) -> Path | None:
    """The folder of this machine that is meant; None for one elsewhere, or on a disk that is not mounted now."""
    if not to or to.startswith(REMOTE):
        return None
    if not to.startswith(DISK):
        return Path(to).resolve()
    label, _, folder = to.removeprefix(DISK).partition("/")
    device = (LABELS / label).resolve()
    mounted = (mounted for source, mounted, _ in _mounts() if source.resolve() == device)
    return next((place.resolve() / (folder or FOLDER) for place in mounted), None)


def _is_under(place: Path) -> bool:
    return any(place.is_relative_to(Path(folder).resolve()) for folder in UNDER)


def _mounts() -> Iterator[tuple[Path, Path, list[str]]]:
    """What is mounted: device, folder, options."""
    for line in MOUNTS.read_text(encoding="utf-8").splitlines():
        source, mounted, _, options, *_ = line.split()
        yield Path(source), Path(mounted.replace("\\040", " ")), options.split(",")
