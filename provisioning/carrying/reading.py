"""`wanmi link read`: receipts of the platform and the orders in its files, each file whole or not at all, in order."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from appliance.clock import rfc3339
from appliance.errors import BadFile, Broken
from appliance.exchange.chains import common_name
from appliance.exchange.clients import Confirmed, save_confirmed
from appliance.exchange.file_state import Outbox, files_in
from appliance.exchange.files import DOWN, Manifest, Received, check_signer, lines_of, name_of, unpack
from appliance.exchange.kept import Kept, LastExchange, Order
from appliance.exchange.reading import feed_state
from appliance.exchange.settings import Link
from appliance.records.store import Records
from provisioning.carrying.writing import enrolment_of, reader_of


@dataclass(frozen=True, slots=True)
class Taken:
    """One file from above that was taken in."""

    file: str
    orders: int
    confirmed: int | None
    snapshot: bool


class Reader:
    """Reads what came back for one link."""

    def __init__(self, records: Records, link: Link) -> None:
        self._records, self._link = records, link
        self._kept = Kept(records.home, link.url)
        self._outbox = Outbox(self._kept, records.settings.county)
        self._enrolment = enrolment_of(records.home, link)
        self._client, _ = reader_of(link, self._enrolment)
        self._state = self._outbox.state()

    def read(self, folder: Path) -> list[Taken]:
        """Take in the files that are new, by their numbers.

        Raises:
            BadFile: one is missing, torn, changed, or not for this county; those before it were taken in.
        """
        taken = []
        for number, path in files_in(folder, self._records.settings.county, DOWN):
            if number > self._state.taken.number:
                taken.append(self._take(number, path))
        self._outbox.tidy(self._state)
        if taken:
            self._kept.save_last(LastExchange(at=taken_at(self._records)))
        return taken

    def _take(self, number: int, path: Path) -> Taken:
        content = path.read_bytes()
        manifest, payload = unpack(content, path.name)
        signer = self._check(manifest)
        if not self._follows(manifest, number):
            raise _gap(self._records.settings.county, self._state.taken, number, path)
        orders = _orders(manifest, payload)
        left = [line for line, order in orders if self._kept.answer_to(order.id) is None]
        if left:
            self._carry_out(signer, left)
        self._take_receipt(manifest)
        self._state.taken = Received(number, hashlib.sha256(content).hexdigest())
        self._outbox.save(self._state)
        told = manifest.confirmed
        return Taken(path.name, len(orders), told.cursor if told else None, bool(told and told.snapshot))

    def _check(self, manifest: Manifest) -> str:
        """The client above that signed the file.

        Raises:
            BadFile: it is for another county or link, or nobody signed it who may.
        """
        county = self._records.settings.county
        signer = common_name(check_signer(manifest, self._enrolment.ca.read_bytes()))
        if signer not in self._enrolment.scopes:
            raise BadFile(
                f"{manifest.name} 由 {signer} 签名,不在本县授权的客户端之列;未采用。",
                f"{manifest.name} is signed by {signer}, which is no client that this county lists; it was not used.",
            )
        if manifest.county != county or manifest.link not in ("", self._link.url):
            raise BadFile(
                f"{manifest.name} 是给 {manifest.county} ({manifest.link}) 的,不是给 {county} ({self._link.url}) 的。",
                f"{manifest.name} is for {manifest.county} ({manifest.link}), not for {county} ({self._link.url}).",
            )
        return signer

    def _follows(self, manifest: Manifest, number: int) -> bool:
        """Whether nothing is missing before a file; a county that was restored goes on where the platform is."""
        known = self._state.taken
        return (number == known.number + 1 and manifest.previous == known.sha256) or self._restored(manifest)

    def _restored(self, manifest: Manifest) -> bool:
        """Whether the platform has files of ours that we do not know: this home is an older one."""
        theirs, ours = manifest.received, self._state.made
        return theirs.number > ours.number or (theirs.number == ours.number and theirs.sha256 != ours.sha256)

    def _take_receipt(self, manifest: Manifest) -> None:
        state, told = self._state, manifest.confirmed
        if self._restored(manifest):
            state.made, state.cursor, state.snapshot = manifest.received, None, None
        state.receipted = max(state.receipted, manifest.received.number)
        if told is None:
            return
        if told.snapshot and manifest.received.number >= state.snapshot_from:
            state.cursor = state.snapshot = None
        with self._records.read() as connection:
            feed = feed_state(connection)
        if told.feed == feed.name and told.cursor <= feed.last:
            now = self._records.clock.now()
            confirmed = Confirmed(self._link.url, self._client, told.feed, told.cursor, now)
            self._records.write(lambda unit: save_confirmed(unit, [confirmed]))

    def _carry_out(self, signer: str, orders: list[bytes]) -> None:
        """Carry out a file's orders on the county's own exchange routes, in a process of their own.

        Raises:
            Broken: it was ended; the next call goes on with the order that was under way.
        """
        command = [sys.executable, "-m", "appliance", "exchange", "--carry-out", self._link.url, signer]
        done = subprocess.run(
            [*command, "--home", str(self._records.home)], input=b"\n".join(orders) + b"\n", stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()[-300:]
            raise Broken(
                f"指令没有执行完 (代码 {done.returncode}): {said};请重复本命令。",
                f"The orders were not carried out to the end ({done.returncode}): {said}; repeat the command.",
            )


def taken_at(records: Records) -> str:
    """Now, as RFC 3339."""
    return rfc3339(records.clock.now()) or ""


def _orders(manifest: Manifest, payload: bytes) -> list[tuple[bytes, Order]]:
    """The orders of a file, and the lines they came in; all are read before the first is carried out.

    Raises:
        BadFile: one of them is none.
    """
    lines = lines_of(manifest, payload) if manifest.content == "orders" else ()
    try:
        return [(line, msgspec.json.decode(line, type=Order)) for line in lines]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadFile(
            f"{manifest.name} 里有看不懂的指令 ({error});全部未执行,请转告平台。",
            f"{manifest.name} holds an order that cannot be read ({error}); none was carried out, tell the platform.",
        ) from None


def _gap(county: str, known: Received, number: int, path: Path) -> BadFile:
    if number == known.number + 1:
        return BadFile(
            f"{path.name} 接的不是本机读过的 {name_of(county, DOWN, known.number)};未采用,请核对它来自哪个平台。",
            f"{path.name} does not follow the file {name_of(county, DOWN, known.number)} that was read here; it was "
            "not used, find out which platform wrote it.",
        )
    missing = name_of(county, DOWN, known.number + 1)
    return BadFile(
        f"缺少 {missing},{path.name} 及其后的文件未采用;请平台再次 wanmi prefecture files write,把缺的文件带来。",
        f"{missing} is missing, so {path.name} and what follows was not used; have the platform write it again with "
        "wanmi prefecture files write.",
    )
