"""What held before a link was put in force, kept on the disk until the platform once pulled by the new way.

A command that is killed between "in force" and the verdict, or gets no verdict, leaves this behind; the next one then
knows what to go back to, and does not take a way that never worked for one that holds.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from appliance.errors import WanmiError
from appliance.exchange.links import Enrolment, LinkFolder, write_private
from appliance.exchange.settings import Link
from provisioning.joining.written import Head, Written, put_back, read_written

FILE = "before.json"


class _Kept(msgspec.Struct):
    link: dict[str, object] | None
    enrolment: str | None
    head: Head


@dataclass(frozen=True, slots=True)
class Before:
    """The link as it was written, the enrolment that counted, and the head of `[exchange]`."""

    link: Link | None
    enrolment: Enrolment | None
    head: Head

    @classmethod
    def of(cls, home: Path, url: str) -> Before:
        """What holds now; or, where that never proved itself, what held before it.

        Raises:
            Invalid, BadHome: `wanmi.toml` cannot be changed in place, or not be read.
        """
        written, folder = read_written(home, url), LinkFolder(home, url)
        with suppress(OSError, msgspec.MsgspecError, ValueError):
            kept = msgspec.json.decode((folder.path / FILE).read_bytes(), type=_Kept)
            link = None if kept.link is None else Link.model_validate(kept.link)
            return cls(link, _enrolment_named(folder, kept.enrolment), kept.head)
        enrolment = None
        with suppress(WanmiError):  # one that cannot be read is nothing to go back to
            enrolment = folder.enrolment()
        return cls(written.link, enrolment, written.head)

    def is_same_way(self, link: Link) -> bool:
        """Whether a link in force only gets a new certificate."""
        was = self.link
        return (
            was is not None
            and self.enrolment is not None
            and (was.listen, was.address, was.mode) == (link.listen, link.address, link.mode)
        )

    def keep(self, folder: LinkFolder) -> None:
        """Remember it on the disk."""
        kept = _Kept(
            None if self.link is None else self.link.model_dump(),
            None if self.enrolment is None else self.enrolment.folder.name,
            self.head,
        )
        write_private(folder.path / FILE, msgspec.json.encode(kept))

    def hold_again(self, home: Path, url: str) -> None:
        """Let it hold again; the newer certificate stays aside."""
        folder = LinkFolder(home, url)
        folder.count(self.enrolment)
        put_back(home, url, Written(self.link, self.head))
        forget(folder)


def forget(folder: LinkFolder) -> None:
    """The way in force proved itself, or there is nothing to go back to."""
    (folder.path / FILE).unlink(missing_ok=True)


def _enrolment_named(folder: LinkFolder, name: str | None) -> Enrolment | None:
    return next((each for each in folder.answers() if each.folder.name == name), None)
