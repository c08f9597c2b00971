"""The settings of a platform: `prefecture.toml` in its home, every key checked when it is loaded."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from appliance.device_settings import wrong
from appliance.errors import BadHome, Invalid, WanmiError
from appliance.exchange.scopes import SCOPES, grants_of

FILE = "prefecture.toml"
CLIENT = "prefecture"
"""The subject CN with which the platform reads and writes at its counties."""

USUAL_SCOPES = tuple(scope for scope in SCOPES if scope != "reporter.read")
HTTPS_PORT = 443


class Prefecture(BaseModel):
    """All settings of a platform.

    Attributes:
        url: where counties find it; its path is the base of every route. listen: where it listens, HOST:PORT.
        interval, longest_pause: seconds between two pulls of a county, and at most after failures.
        at_once: counties pulled at the same time. page: changes asked for at once.
        patience: seconds without a byte after which a county counts as unreachable.
        scopes: what a token grants the platform unless it says otherwise.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=60)
    url: str
    database_url: str
    listen: str = ""
    time_zone: str = "Asia/Shanghai"
    interval: float = Field(default=60, ge=1)
    longest_pause: float = Field(default=900, ge=1)
    at_once: int = Field(default=8, ge=1, le=64)
    page: int = Field(default=1000, ge=1, le=10_000)
    patience: float = Field(default=30, gt=0)
    certificate_days: int = Field(default=825, ge=1, le=3650)
    token_days: float = Field(default=7, gt=0)
    scopes: list[str] = list(USUAL_SCOPES)

    @field_validator("url")
    @classmethod
    def _url_is_https(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment or parts.username:
            raise wrong("须写作 https://主机:端口[/路径]", "write https://HOST:PORT[/path]")
        return url.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _database_is_postgresql(cls, written: str) -> str:
        try:
            url = make_url(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", written))
        except ArgumentError:
            url = None
        if url is None or url.drivername != "postgresql+psycopg" or not url.database:
            raise wrong(
                "须写作 postgresql+psycopg://用户:密码@主机/数据库",
                "write postgresql+psycopg://USER:PASSWORD@HOST/DATABASE",
            )
        return url.render_as_string(hide_password=False)

    @field_validator("time_zone")
    @classmethod
    def _zone_is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise wrong(f"没有时区 {name}", f"there is no time zone {name}") from None
        return name

    @field_validator("scopes")
    @classmethod
    def _scopes_are_known(cls, words: list[str]) -> list[str]:
        try:
            grants_of(words, allowed=SCOPES)
        except WanmiError as error:
            raise wrong(error.zh.rstrip("。"), error.en.rstrip(".")) from None
        return words

    @property
    def base(self) -> str:
        """The path under which the routes stand, "" or `/city`."""
        return urlsplit(self.url).path

    @property
    def host(self) -> str:
        """The host of the URL, a name or an address."""
        return urlsplit(self.url).hostname or ""

    @property
    def door(self) -> tuple[str, int]:
        """Host and port to listen on; the URL's port on all addresses unless `listen` says otherwise."""
        return host_and_port(self.listen) if self.listen else ("0.0.0.0", urlsplit(self.url).port or HTTPS_PORT)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which months begin and end."""
        return ZoneInfo(self.time_zone)

    def database(self, schema: str) -> str:
        """The database's URL with a schema as the place where tables are looked for and made."""
        url: URL = make_url(self.database_url)
        path = {"options": f"-csearch_path={schema},public"}
        return url.update_query_dict(path).render_as_string(hide_password=False)


def host_and_port(written: str) -> tuple[str, int]:
    """`HOST:PORT`, with an IPv6 host in brackets.

    Raises:
        Invalid: it is not written so.
    """
    host, _, port = written.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 <= int(port) <= 65535:
        raise Invalid(f"“{written}”须写作 主机:端口。", f"'{written}' must be written HOST:PORT.")
    return host.strip("[]"), int(port)


def checked(where: str, values: dict[str, object]) -> Prefecture:
    """Settings from values.

    Raises:
        BadHome: a value is wrong; `where` and the key are named.
    """
    try:
        return Prefecture.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        zh = first.get("ctx", {}).get("zh", first["msg"])
        raise BadHome(f"{where} 的 {key} 不对: {zh}。", f"{key} of {where} is wrong: {first['msg']}.") from None


def load(home: Path) -> Prefecture:
    """The settings of a platform's home.

    Raises:
        BadHome: there is no `prefecture.toml`, or a value in it is wrong.
    """
    path = home / FILE
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise BadHome(
            f"{home} 里没有 {FILE};请先运行 wanmi prefecture init {home} …。",
            f"{home} has no {FILE}; run wanmi prefecture init {home} … first.",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadHome(f"{path} 不是有效的 TOML: {error}。", f"{path} is not valid TOML: {error}.") from None
    return checked(str(path), values)


def save(home: Path, settings: Prefecture) -> None:
    """Write `prefecture.toml`, readable by its owner only: the database's password stands in it."""
    descriptor = os.open(home / FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        tomli_w.dump(settings.model_dump(), file)
