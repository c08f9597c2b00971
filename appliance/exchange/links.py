"""The platforms above to which a home is joined: key, certificate, its CA and the scopes, in `keys/links/`.

Certificate, CA and scopes come in one answer and change at one stroke: `enrolment` is a link to the folder that counts.
The key is made once and stays.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from appliance.errors import Broken, WanmiError
from appliance.exchange.scopes import Grants, check_scopes, grants_of
from appliance.exchange.settings import Exchange, Link

FOLDER = "links"
KEY, CERTIFICATE, CA, SCOPES, PLATFORM_CA = "key.pem", "certificate.pem", "ca.pem", "scopes.json", "platform-ca.pem"
CURRENT = "enrolment"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the platform answered.

    Attributes:
        folder: where it stands; another one counts after the next enrolment.
        scopes: words by client.
    """

    folder: Path
    scopes: dict[str, list[str]]

    @property
    def certificate(self) -> Path:
        """Our certificate, leaf first."""
        return self.folder / CERTIFICATE

    @property
    def ca(self) -> Path:
        """Who signs the certificates of clients, and ours."""
        return self.folder / CA

    def certificate_end(self) -> datetime:
        """When our certificate ends."""
        from cryptography import x509

        return x509.load_pem_x509_certificate(self.certificate.read_bytes()).not_valid_after_utc


class LinkFolder:
    """The files of one link.

    Args:
        home: the node's home. url: the platform's, which names the link.
    """

    def __init__(self, home: Path, url: str) -> None:
        readable = re.sub(r"[^a-z0-9]+", "-", url.removeprefix("https://").lower()).strip("-")[:40]
        self.path = home / "keys" / FOLDER / f"{readable}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"

    @property
    def key(self) -> Path:
        """Our private key for this platform."""
        return self.path / KEY

    @property
    def platform_ca(self) -> Path:
        """Who signs the platform's own TLS certificate, where the technician named it."""
        return self.path / PLATFORM_CA

    def enrolment(self) -> Enrolment | None:
        """The enrolment that counts, None before the first.

        Raises:
            Broken: its scopes cannot be read.
        """
        try:
            return _enrolment((self.path / CURRENT).resolve(strict=True))
        except FileNotFoundError:
            return None

    def answers(self) -> Iterator[Enrolment]:
        """The answers of the platform that are kept, the newest first; one that was cut off is passed over."""
        for number in reversed(self._numbers()):
            with suppress(Broken):
                yield _enrolment(self.path / f"{CURRENT}-{number}")

    def newest(self) -> Enrolment | None:
        """The newest answer of the platform, also one that does not count yet."""
        return next(self.answers(), None)

    def stage(self, certificate: str, ca: str, scopes: dict[str, Any]) -> Enrolment:
        """Write a new answer beside the one that counts; who left and joins again never gets a folder's name twice."""
        checked = msgspec.json.encode(check_scopes(scopes))
        folder = self.path / f"{CURRENT}-{max(self._numbers(), default=time.time_ns() // 1_000_000) + 1}"
        folder.mkdir(parents=True, mode=0o700)
        for name, content in ((CERTIFICATE, certificate), (CA, ca), (SCOPES, checked)):
            write_private(folder / name, content)
        return _enrolment(folder)

    def count(self, enrolment: Enrolment | None) -> None:
        """From now on this enrolment counts, or none: certificate, CA and scopes change at one stroke."""
        if enrolment is None:
            (self.path / CURRENT).unlink(missing_ok=True)
            return
        staged = self.path / f"{CURRENT}.new"
        staged.unlink(missing_ok=True)
        staged.symlink_to(enrolment.folder.name)
        staged.replace(self.path / CURRENT)

    def forget_others(self, *kept: Enrolment | None) -> None:
        """Delete the answers of the platform other than these."""
        folders = {enrolment.folder for enrolment in kept if enrolment is not None}
        for number in self._numbers():
            folder = self.path / f"{CURRENT}-{number}"
            if folder not in folders:
                shutil.rmtree(folder, ignore_errors=True)

    def _numbers(self) -> list[int]:
        return sorted(int(path.name.rpartition("-")[2]) for path in self.path.glob(f"{CURRENT}-*"))

    def forget_key(self) -> None:
        """Delete the key; its folder too where nothing else is in it."""
        self.key.unlink(missing_ok=True)
        with suppress(OSError):
            self.path.rmdir()

    def forget(self) -> None:
        """Take the whole link off the disk, its key too."""
        shutil.rmtree(self.path, ignore_errors=True)


def _enrolment(folder: Path) -> Enrolment:
    try:
        return Enrolment(folder, check_scopes(msgspec.json.decode((folder / SCOPES).read_bytes())))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Broken(
            f"{folder / SCOPES} 无法读取 ({error});请重新 wanmi join。",
            f"{folder / SCOPES} cannot be read ({error}); run wanmi join again.",
        ) from None


def joined(
    home: Path, settings: Exchange, broken: Callable[[Link, WanmiError], None] | None = None
) -> list[tuple[Link, Enrolment]]:
    """The links that are enrolled, with the enrolment that counts.

    Args:
        broken: is told of a link whose enrolment cannot be read, and the others are returned.

    Raises:
        Broken, Invalid: an enrolment cannot be read, and nobody wants to be told.
    """
    found = []
    for link in settings.links:
        try:
            enrolment = LinkFolder(home, link.url).enrolment()
        except WanmiError as error:
            if broken is None:
                raise
            broken(link, error)
            continue
        if enrolment is not None:
            found.append((link, enrolment))
    return found


def granted(link: Link, enrolment: Enrolment, client: str) -> Grants | None:
    """What a client of a link may do, None when it is not listed."""
    words = enrolment.scopes.get(client)
    return None if words is None else grants_of(words, link.allow)


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file that only its owner reads, whole and on the disk; else it stays as it was."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    staged = path.with_name(f"{path.name}.part")
    try:
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
