"""`[exchange]` of `wanmi.toml`: the port for the prefecture, and the platforms above to which this node is joined."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator

from appliance.device_settings import wrong

PORT = 8412
LISTEN = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):(?P<port>\d{1,5})")
PULL, OUTBOUND, FILES = "pull", "outbound", "files"
"""Who calls whom: the platform pulls, we call out, or files are carried."""
OFFLINE = "usb"
"""Stands for the URL of a platform that was joined by USB stick and never called."""


def host_and_port(written: str) -> tuple[str, int] | None:
    """Host and port of `0.0.0.0:8412` or `[::]:8412`, None when it is no such text."""
    found = LISTEN.fullmatch(written)
    if found is None or not 0 <= int(found["port"]) <= 65535:
        return None
    return found["host"].strip("[]"), int(found["port"])


class Link(BaseModel):
    """One platform above.

    Attributes:
        url: where it enrols counties, or `usb`. listen: our exchange port for it. address: how it reaches that port.
        allow: scopes that the technician allowed in person (`reporter.read`).
        mode: who calls whom: it pulls, we call out, or files are carried.
    """

    url: str
    listen: str
    address: str
    allow: list[str] = []
    mode: Literal["pull", "outbound", "files"] = "pull"

    @field_validator("url", "address")
    @classmethod
    def _is_https(cls, url: str) -> str:
        if url != OFFLINE and (urlsplit(url).scheme != "https" or not urlsplit(url).hostname):
            raise wrong(f"须为 https:// 地址,得到 {url}", f"an https:// address is needed, got {url}")
        return url.rstrip("/")

    @field_validator("listen")
    @classmethod
    def _is_address(cls, listen: str) -> str:
        if host_and_port(listen) is None:
            raise wrong(f"须写作 0.0.0.0:8412,得到 {listen}", f"it is written as in 0.0.0.0:8412, got {listen}")
        return listen


class Exchange(BaseModel):
    """How the node exchanges data with the platforms above.

    Attributes:
        listen, address: what the first `wanmi join` was given.
        tls: the lowest version of TLS that is spoken; 1.2 only for old gateways.
        requests_per_minute: of each client; above it is answered 429.
        feed_kept_days: how long changes are kept; a client that comes back later takes a snapshot.
        reads_kept_months: how long it is kept what was read; six months at least (网络安全法 Art. 21).
    """

    listen: str = f"0.0.0.0:{PORT}"
    address: str = ""
    tls: Literal["1.3", "1.2"] = "1.3"
    requests_per_minute: int = Field(default=3000, ge=1)
    feed_kept_days: int = Field(default=400, ge=7)
    reads_kept_months: int = Field(default=36, ge=6)
    links: list[Link] = []

    @field_validator("links")
    @classmethod
    def _told_apart(cls, links: list[Link]) -> list[Link]:
        for name in ("url", "listen"):
            values = [getattr(link, name) for link in links if name == "url" or link.mode == PULL]
            twice = sorted({value for value in values if values.count(value) > 1 and not value.endswith(":0")})
            if twice:
                raise wrong(f"{name} 重复: {'、'.join(twice)}", f"{name} given twice: {', '.join(twice)}")
        return links
