"""Joining a platform step by step: key, enrol, register, probe; each can be repeated, and undone if the next fails.

A refusal changes nothing. A key that was made for a refused enrolment goes again. An enrolment counts only once the
platform registered our address; until then its certificate stays aside, so that the same command without a token goes
on where it ended. When the platform cannot pull from us, what held before holds again, here and at the platform.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from appliance.errors import WanmiError
from appliance.exchange.links import Enrolment, LinkFolder, write_private
from appliance.exchange.settings import Link
from appliance.records.acts import append_act
from appliance.records.store import Records
from appliance.settings import Settings
from provisioning.joining.before import Before, forget
from provisioning.joining.check_list import CheckList
from provisioning.joining.papers import certificate_request, check_certificate, ensure_key
from provisioning.joining.platform import Enrolled, Identity, Platform
from provisioning.joining.probing import Probed, probe_link
from provisioning.joining.written import put_link

T = TypeVar("T")


@dataclass(slots=True)
class Joining:
    """One run of `wanmi join` on line.

    Args:
        ca: who signs the platform's own certificate, if not a public one. keep: leave the link in force when the
            platform cannot pull from us, so that the network may be mended with the port open.
    """

    home: Path
    settings: Settings
    link: Link
    told: CheckList
    ca: Path | None = None
    keep: bool = False
    _in_force: bool = field(default=False, init=False)

    def run(self, token: str | None) -> None:
        """All four steps; the list says how far they came.

        Raises:
            Invalid: no https URL, or a CA file that is none.
        """
        folder = LinkFolder(self.home, self.link.url)
        ca = self.ca or (folder.platform_ca if folder.platform_ca.exists() else None)
        known = folder.newest()
        identity = None if known is None else Identity(known.certificate, folder.key)
        platform = Platform(self.link.url, token=token, identity=identity, ca=ca)
        try:
            self._steps(platform, folder)
        finally:
            platform.close()

    def _steps(self, platform: Platform, folder: LinkFolder) -> None:
        before = Before.of(self.home, self.link.url)
        made = self._try("key", lambda: self._key(folder))
        if made is None:
            return
        enrolment = self._try("enrol", lambda: self._enrol(platform, folder))
        if enrolment is None:
            if made:
                folder.forget_key()
            return
        try:
            if self._try("register", lambda: self._register(platform, folder, enrolment, before)) is None:
                self._undo(before)
                return
            probed = probe_link(self.home, platform, self.settings.county, self.link, enrolment)
        except BaseException:  # also who stops the command at the keyboard
            with suppress(OSError, SQLAlchemyError, WanmiError):  # the next command goes back then
                self._undo(before)
            raise
        if probed.ok:
            forget(folder)
        elif not (probed.ours or self._holds_anyway(before)):
            probed = self._take_back(platform, before, probed)
        self.told.add("probe", probed.zh, probed.en, ok=probed.ok)
        folder.forget_others(enrolment, None if probed.ok else before.enrolment)

    def _holds_anyway(self, before: Before) -> bool:
        """Whether the link stays in force though nobody pulled."""
        return self.keep or before.is_same_way(self.link)

    def _undo(self, before: Before) -> None:
        if self._in_force and not self._holds_anyway(before):
            fall_back(self.home, self.link, before)

    def _key(self, folder: LinkFolder) -> bool:
        _, made = ensure_key(folder.key)
        tell_key(self.told, made)
        return made

    def _enrol(self, platform: Platform, folder: LinkFolder) -> Enrolment:
        key, _ = ensure_key(folder.key)
        csr = certificate_request(key, self.settings.county, self.link.address)
        enrolment = stage_answer(
            folder, platform.enrol(self.settings.county, self.settings.name, self.link.address, csr)
        )
        if self.ca is not None and self.ca != folder.platform_ca:
            write_private(folder.platform_ca, self.ca.read_bytes())
        self.told.add("enrol", *_enrolled(enrolment))
        return enrolment

    def _register(self, platform: Platform, folder: LinkFolder, enrolment: Enrolment, before: Before) -> bool:
        platform.show(Identity(enrolment.certificate, folder.key))
        platform.register(self.settings.county, self.link.address)
        before.keep(folder)
        self._in_force = True
        let_count(self.home, self.link, enrolment)
        address = self.link.address
        self.told.add("register", f"平台已登记地址 {address}", f"the platform knows {address}")
        return True

    def _try(self, step: str, work: Callable[[], T]) -> T | None:
        """A step's result; None where it failed, which the list says."""
        try:
            return work()
        except WanmiError as error:
            self.told.add(step, error.zh, error.en, ok=False)
        except OSError as error:
            said = f"{error.filename or ''}: {error.strerror}".strip(": ")
            self.told.add(step, f"磁盘或文件: {said}", f"disk or file: {said}", ok=False)
        return None

    def _take_back(self, platform: Platform, before: Before, probed: Probed) -> Probed:
        """Let hold what held before, here and at the platform; what is said then."""
        fall_back(self.home, self.link, before)
        zh = f"{probed.zh};已撤回,证书另存,修好后重复本命令(不用令牌);加 --keep 则保留端口以便排查"
        en = (
            f"{probed.en}; taken back, the certificate is kept aside: once mended, repeat this command (no token); "
            "--keep leaves the port open meanwhile"
        )
        was = before.link
        if was is None or before.enrolment is None or was.address == self.link.address:
            return Probed(False, zh, en)
        try:
            platform.register(self.settings.county, was.address)
        except WanmiError as error:
            return Probed(
                False, f"{zh};平台仍记着新地址: {error.zh}", f"{en}; the platform still has the new address: {error.en}"
            )
        return Probed(False, f"{zh};平台又登记 {was.address}", f"{en}; the platform has {was.address} again")


def accept_answer(home: Path, link: Link, answer: Enrolled, told: CheckList) -> None:
    """The answer of step 1 that came by USB stick: checked and in force.

    Raises:
        Invalid: it is not for our key, or not valid.
    """
    folder = LinkFolder(home, link.url)
    _, made = ensure_key(folder.key)
    tell_key(told, made)
    enrolment = stage_answer(folder, answer)
    let_count(home, link, enrolment)
    forget(folder)
    folder.forget_others(enrolment)
    told.add("enrol", *_enrolled(enrolment))


def stage_answer(folder: LinkFolder, answer: Enrolled) -> Enrolment:
    """The platform's answer, checked against our key and kept aside.

    Raises:
        Invalid: it is not for our key, not of its authority, or not valid now.
    """
    key, _ = ensure_key(folder.key)
    check_certificate(answer.certificate, answer.ca, key)
    return folder.stage(answer.certificate, answer.ca, answer.scopes)


def let_count(home: Path, link: Link, enrolment: Enrolment) -> None:
    """From now on the link is in force; a running node opens its port within seconds."""
    put_link(home, link)
    LinkFolder(home, link.url).count(enrolment)
    _note(home, "link.join", link, {"clients": sorted(enrolment.scopes)})


def fall_back(home: Path, link: Link, before: Before) -> None:
    """What held before a link was put in force holds again; the new certificate stays aside."""
    before.hold_again(home, link.url)
    _note(home, "link.take_back", link, {})


def tell_key(told: CheckList, made: bool) -> None:
    """The line of the key."""
    told.add("key", "新建密钥" if made else "沿用原密钥", "a key was made" if made else "the key is kept")


def _note(home: Path, act: str, link: Link, more: dict[str, object]) -> None:
    records = Records.open(home)
    detail = {"address": link.address, "mode": link.mode, **more}
    try:
        records.write(lambda unit: append_act(unit, "technician", act, link.url, detail))
    finally:
        records.close()


def _enrolled(enrolment: Enrolment) -> tuple[str, str]:
    end = f"{enrolment.certificate_end():%Y-%m-%d}"
    clients = ", ".join(f"{name} ({' '.join(words)})" for name, words in enrolment.scopes.items()) or "-"
    return f"证书有效期至 {end};可读取本县数据的客户端: {clients}", f"certificate until {end}; clients: {clients}"
