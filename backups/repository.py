"""A restic repository: encrypted, incremental, on a folder, a disk by its label, sftp or S3.

Everything goes through Debian's `restic` command; its messages become one sentence each. The repository's password is
the node's key for backups, in a file that only its owner reads, and never on a command line or in a log.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from appliance.backup_settings import DISK, REMOTE, without_password
from appliance.errors import BadHome, Broken, Conflict, Invalid, NotFound, WanmiError
from backups.gently import end_with_parent, gentle

LABELS = Path("/dev/disk/by-label")
MOUNTS = Path("/proc/self/mounts")
WORDS = 400
HOPELESS = (b"no space left", b"read-only file system", b"input/output error", b"no such file or directory")
"""What no second try mends on a disk of this machine."""
TRIES = 10
"""So often another process takes its lock away between the moments when restic sees it and reads it."""
LISTS = "deletions"
"""The tag of a snapshot that holds the list of deletions, and nothing else."""
SENTENCES: tuple[tuple[str, type[WanmiError], str, str], ...] = (
    ("wrong password", Invalid, "密钥不对,打不开备份仓库", "the key is wrong for this repository"),
    ("ciphertext verification failed", Broken, "仓库中的数据已损坏", "data in the repository is damaged"),
    ("does not match", Broken, "仓库中的数据已损坏", "data in the repository is damaged"),
    ("no space left", Conflict, "备份目标已满", "the target of the backup is full"),
    ("already locked", Conflict, "另一个备份正在使用仓库", "another backup uses the repository"),
    ("read-only file system", Conflict, "备份目标只读", "the target of the backup is read-only"),
    ("input/output error", Broken, "备份目标读写出错 (被拔出?)", "the target cannot be read or written (unplugged?)"),
    ("is there a repository", NotFound, "那里没有备份仓库", "there is no repository there"),
    ("unable to open config file", NotFound, "那里没有备份仓库", "there is no repository there"),
    ("no snapshot found", NotFound, "没有这个快照", "there is no such snapshot"),
    ("no matching id", NotFound, "没有这个快照", "there is no such snapshot"),
)
"""What restic says, the refusal it is, and the sentence."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot in the repository; `tags` carry what the list tells."""

    id: str
    at: str
    host: str
    tags: tuple[str, ...]


class Repository:
    """One repository.

    Args:
        to: where, as in `[backup]`. key: the file with its password. cache: where restic keeps its cache.

    Raises:
        Conflict: a disk with this label is not plugged in, or not mounted.
    """

    def __init__(self, to: str, key: Path, cache: Path) -> None:
        self.to = to
        self._place = place_of(to)
        self._key, self._cache = key.resolve(), cache.resolve()

    @property
    def key(self) -> str:
        """The repository's password."""
        return self._key.read_text(encoding="ascii").strip()

    def ensure(self) -> bool:
        """Make the repository where there is none; returns whether it was made now.

        Raises:
            Invalid: there is one, of another key.
        """
        try:
            self._run("unlock")  # from processes that are gone; a power cut leaves such locks
        except NotFound:
            if not self._place.startswith(("sftp:", "s3:", "rest:")):
                Path(self._place).mkdir(mode=0o700, parents=True, exist_ok=True)
            self._run("init")
            return True
        return False

    def add(self, folder: Path, names: Sequence[str], host: str, tags: Sequence[str], excluded: Sequence[str]) -> Any:
        """Add a snapshot of files in a folder; returns restic's summary."""
        options = [part for tag in tags for part in ("--tag", tag)]
        options += [part for name in excluded for part in ("--exclude", name)]
        said = self._run("backup", "--json", "--host", host, *options, *names, folder=folder)
        lines = [msgspec.json.decode(line) for line in said.splitlines() if line.startswith(b"{")]
        return next(line for line in reversed(lines) if line.get("message_type") == "summary")

    def snapshots(self) -> list[Kept]:
        """The snapshots of homes, oldest first."""
        return [each for each in self._all() if LISTS not in each.tags]

    def lists(self) -> list[Kept]:
        """The small snapshots of lists of deletions, oldest first."""
        return [each for each in self._all() if LISTS in each.tags]

    def _all(self) -> list[Kept]:
        found = msgspec.json.decode(self._run("snapshots", "--json")) or []
        return [
            Kept(each["short_id"], each["time"], each.get("hostname", ""), tuple(each.get("tags") or ()))
            for each in sorted(found, key=lambda each: each["time"])
        ]

    @property
    def holds_any(self) -> bool:
        """Whether a snapshot was ever made here."""
        try:
            return bool(self.snapshots())
        except NotFound:
            return False

    def names(self, snapshot: str) -> list[str]:
        """The paths of a snapshot's files and folders."""
        return self._run("ls", snapshot).decode(errors="replace").splitlines()

    def file(self, snapshot: str, name: str) -> bytes:
        """The content of a small file in a snapshot."""
        return self._run("dump", snapshot, name)

    @contextmanager
    def archive(self, snapshot: str, folder: str) -> Iterator[IO[bytes]]:
        """A folder of a snapshot as a tar stream.

        Raises:
            NotFound, Broken: after it was read, where it could not be read to its end.
        """
        process = self._start("dump", "--archive", "tar", snapshot, folder)
        said, listener = self._listened(process)
        assert process.stdout is not None
        try:
            try:
                yield process.stdout
            except tarfile.ReadError:
                process.terminate()  # nobody reads on
                listener.join()
                raise refusal(b"".join(said), self.to) from None
            while process.stdout.read(1 << 20):
                continue
            code = process.wait()
            listener.join()
            if code:
                raise refusal(b"".join(said), self.to)
        finally:
            _end(process)

    def restore(self, snapshot: str, target: Path) -> None:
        """Write a snapshot's files into a folder.

        Raises:
            Conflict: that folder's disk is full or read-only. NotFound, Broken: the snapshot cannot be read.
        """
        code, _, said = self._tried("restore", snapshot, "--target", str(target))
        if code:
            raise refusal_there(said, target) or refusal(b"".join(said), self.to)

    def check(self) -> None:
        """Read everything in the repository back.

        Raises:
            Broken: something in it is damaged.
        """
        self._run("unlock")
        self._run("check", "--read-data")

    def forget_lists(self, host: str, kept: int) -> None:
        """Drop all but the newest lists of deletions; each holds what those before it held."""
        self._run("forget", "--host", host, "--group-by", "host", "--keep-last", str(kept))

    def forget(self, host: str, daily: int, weekly: int, monthly: int) -> None:
        """Drop the snapshots of a county beyond those kept; their room comes back by `prune`."""
        keep = ("--keep-daily", str(daily), "--keep-weekly", str(weekly), "--keep-monthly", str(monthly))
        self._run("forget", "--host", host, "--group-by", "host", *keep)

    def prune(self) -> None:
        """Give back the room of what no snapshot needs any more; it reads and writes much, so it is done every week."""
        self._run("prune")

    def _run(self, *arguments: str, folder: Path | None = None) -> bytes:
        code, told, said = self._tried(*arguments, folder=folder)
        if code:
            raise refusal(b"".join(said), self.to)
        return told

    def _tried(self, *arguments: str, folder: Path | None = None) -> tuple[int, bytes, list[bytes]]:
        """As `_run_once`, again where it was ended over another one's lock."""
        for _ in range(TRIES):
            code, told, said = self._run_once(*arguments, folder=folder)
            if not (code and _is_lock_gone(said)):
                break
        return code, told, said

    def _run_once(self, *arguments: str, folder: Path | None) -> tuple[int, bytes, list[bytes]]:
        """Its exit code, what it told, and the lines it said."""
        process = self._start(*arguments, folder=folder)
        said, listener = self._listened(process)
        try:
            assert process.stdout is not None
            told = process.stdout.read()
            code = process.wait()
            listener.join()
        finally:
            _end(process)
        return code, told, said

    def _start(self, *arguments: str, folder: Path | None = None) -> subprocess.Popen[bytes]:
        if shutil.which("restic") is None:
            raise BadHome("没有安装 restic;请 apt install restic。", "restic is not installed; apt install restic.")
        return subprocess.Popen(
            gentle("restic", *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self._environment(),
            cwd=folder, stdin=subprocess.DEVNULL, preexec_fn=end_with_parent,
        )  # fmt: skip

    def _listened(self, process: subprocess.Popen[bytes]) -> tuple[list[bytes], threading.Thread]:
        """What it says, as it comes, and the thread that hears it."""
        said: list[bytes] = []
        listener = threading.Thread(target=self._listen, args=(process, said), daemon=True)
        listener.start()
        return said, listener

    def _listen(self, process: subprocess.Popen[bytes], said: list[bytes]) -> None:
        """Keep what it says; end it where it would try for a quarter of an hour on a disk that is gone or full."""
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if b"retrying" in line and not self._place.startswith(REMOTE) and any(word in line for word in HOPELESS):
                process.terminate()

    def _environment(self) -> dict[str, str]:
        own = {
            "RESTIC_REPOSITORY": self._place, "RESTIC_PASSWORD_FILE": str(self._key),
            "RESTIC_CACHE_DIR": str(self._cache), "RESTIC_PROGRESS_FPS": "0", "LC_ALL": "C",
        }  # fmt: skip
        return os.environ | own


def _is_lock_gone(said: Sequence[bytes]) -> bool:
    """Whether it was ended over the lock of another process that was done."""
    return any(b"<lock/" in line and b"no such file or directory" in line for line in said)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()


def refusal_there(said: Sequence[bytes], target: Path) -> Conflict | None:
    """The refusal where a restore's own disk took no more; None where it was something else."""
    there = b"".join(line for line in said if str(target).encode() in line).lower()
    if b"no space left" in there:
        return Conflict(
            f"{target.parent} 所在的盘已满,恢复不下;请清理,或恢复到另一块盘。",
            f"The disk of {target.parent} is full and cannot take the restored home; make room, or restore to another.",
        )
    if b"read-only file system" in there:
        return Conflict(
            f"{target.parent} 所在的盘只读;请恢复到另一块盘。",
            f"The disk of {target.parent} is read-only; restore to another.",
        )
    return None


def refusal(said: bytes, to: str = "") -> WanmiError:
    """What restic's words mean, in a sentence."""
    words, to = without_password(said.decode(errors="replace").strip()), without_password(to)
    for part, kind, zh, en in SENTENCES:
        if part in words.lower():
            where = f" ({to})" if to else ""
            return kind(f"{zh}{where}。", f"{en[0].upper()}{en[1:]}{where}.")
    return Broken(f"备份失败: {words[-WORDS:]}", f"The backup failed: {words[-WORDS:]}")


def place_of(to: str) -> str:
    """Where a repository is now; a disk by its label is looked for where it is mounted.

    Raises:
        Conflict: no such disk, or it is not mounted.
    """
    if to.startswith(REMOTE):
        return to
    if not to.startswith(DISK):
        return str(Path(to).absolute())  # restic runs in the home
    label, _, folder = to.removeprefix(DISK).partition("/")
    device = (LABELS / label).resolve()
    if not (LABELS / label).exists():
        raise Conflict(f"没有插入卷标为 {label} 的盘。", f"No disk with the label {label} is plugged in.")
    for line in MOUNTS.read_text().splitlines():
        source, mounted, *_ = line.split()
        if Path(source).resolve() == device:
            return str(Path(mounted.replace("\\040", " ")) / (folder or "wanmi"))
    raise Conflict(
        f"卷标为 {label} 的盘 ({device}) 没有挂载;请先挂载。",
        f"The disk with the label {label} ({device}) is not mounted; mount it first.",
    )
