"""Leaving a platform: it is told, its clients are refused, its key and certificate go; the records stay."""

from __future__ import annotations

from pathlib import Path

import httpx

from appliance.errors import NotFound, WanmiError
from appliance.exchange.clients import forget_clients
from appliance.exchange.links import LinkFolder
from appliance.exchange.settings import OFFLINE, Link
from appliance.exchange.tunnels import tunnel_file, tunnel_state
from appliance.records.acts import append_act
from appliance.records.store import Records
from appliance.records.writer import Unit
from appliance.settings import load
from provisioning.joining.in_turn import in_turn
from provisioning.joining.platform import Identity, Platform
from provisioning.joining.written import drop_link, read_written


def find_link(home: Path, url: str | None) -> Link:
    """The link of a URL; without one, the only link.

    Raises:
        NotFound: there is no such link, or it must be named.
    """
    links = load(home).exchange.links
    found = [link for link in links if url is None or link.url == url.rstrip("/")]
    if len(found) != 1:
        known = ", ".join(link.url for link in links) or "-"
        raise NotFound(
            f"请写明要用哪个平台;已加入: {known}。" if links else "本节点没有加入任何平台。",
            f"Name the platform; joined are: {known}." if links else "This node is joined to no platform.",
        )
    return found[0]


def link_to_leave(home: Path, url: str | None) -> Link:
    """The link to end; also one that was taken back, whose certificate is still kept aside.

    Raises:
        NotFound: there is no such link, or it must be named.
    """
    try:
        return find_link(home, url)
    except NotFound:
        if url is None or LinkFolder(home, url.rstrip("/")).newest() is None:
            raise
        exchange = load(home).exchange
        return Link(url=url, listen=exchange.listen, address=exchange.address or url)


def leave_platform(home: Path, url: str) -> str | None:
    """End a link; returns why the platform could not be told, None where it was.

    Raises:
        NotFound: there is no such link. Invalid: `wanmi.toml` cannot be changed in place.
    """
    with in_turn(home):
        link = link_to_leave(home, url)
        read_written(home, link.url)
        return _leave(home, link)


def _leave(home: Path, link: Link) -> str | None:
    folder = LinkFolder(home, link.url)
    silent = _tell(folder, link, load(home).county)
    drop_link(home, link.url)
    folder.forget()
    if tunnel_state(home, link.url) != "up":  # one that is up needs its file to be ended
        tunnel_file(home, link.url).unlink(missing_ok=True)
    records = Records.open(home)

    def ended(unit: Unit) -> None:
        forget_clients(unit, link.url)
        append_act(unit, "technician", "link.leave", link.url, {"told": silent is None})

    try:
        records.write(ended)
    finally:
        records.close()
    return silent


def _tell(folder: LinkFolder, link: Link, county: str) -> str | None:
    enrolment = folder.newest()
    if link.url == OFFLINE or enrolment is None:
        return None
    ca = folder.platform_ca if folder.platform_ca.exists() else None
    try:
        platform = Platform(link.url, token=None, identity=Identity(enrolment.certificate, folder.key), ca=ca)
        try:
            platform.leave(county)
        finally:
            platform.close()
    except (httpx.HTTPError, WanmiError, OSError) as error:
        return str(error) or type(error).__name__
    return None
