"""`[exchange]` in `wanmi.toml`, changed in place: the technician's comments and order stay."""

from __future__ import annotations

import fcntl
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import tomlkit
from pydantic import ValidationError
from tomlkit.items import AoT, Table

from appliance.errors import Invalid
from appliance.exchange.settings import Link
from appliance.settings import FILE, Settings, load

LOCK = "settings.lock"


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """One command at a time reads and writes the settings; another one waits for it."""
    with (home / LOCK).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Head(msgspec.Struct, frozen=True):
    """Port and address that stand in `[exchange]` itself, for the first link; None where they are not written."""

    listen: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A link as `wanmi.toml` has it, None where it has none, and the head of `[exchange]`."""

    link: Link | None
    head: Head


def read_written(home: Path, url: str) -> Written:
    """What is written of a link.

    Raises:
        Invalid: `[exchange]` has a form that cannot be changed in place. BadHome: the settings cannot be read.
    """
    settings = load(home)
    _, table = _read(home)
    link = next((each for each in settings.exchange.links if each.url == url), None)
    return Written(link, msgspec.convert(table.unwrap(), Head))


def put_link(home: Path, link: Link) -> None:
    """Write a link, in place of the one with its URL; the first one's port and address also stand in `[exchange]`.

    Raises:
        Invalid: another link has its port. BadHome: the settings cannot be read.
    """
    with _changed(home) as table:
        links = _put_link(table, link)
        if _is_for(links[0], link.url):
            table["listen"], table["address"] = link.listen, link.address


def drop_link(home: Path, url: str) -> None:
    """Take a link out; the last one takes its list with it."""
    with _changed(home) as table:
        _drop_link(table, url)


def put_back(home: Path, url: str, written: Written) -> None:
    """Write again what was written of a link, or that there was none."""
    with _changed(home) as table:
        if written.link is None:
            _drop_link(table, url)
        else:
            _put_link(table, written.link)
        for name in Head.__struct_fields__:
            value = getattr(written.head, name)
            if value is not None:
                table[name] = value
            elif name in table:
                del table[name]


def _put_link(table: Table, link: Link) -> AoT:
    links = table.setdefault("links", tomlkit.aot())
    values = link.model_dump(exclude_defaults=True)
    known = next((each for each in links if _is_for(each, link.url)), None)
    if known is None:
        known = tomlkit.table()
        links.append(known)
        known = links[-1]
    known.update(values)
    for name in [name for name in known if name not in values]:
        del known[name]
    assert isinstance(links, AoT)
    return links


def _drop_link(table: Table, url: str) -> None:
    left = [known for known in table.get("links", []) if not _is_for(known, url)]
    if "links" in table:
        del table["links"]
    if left:
        links = tomlkit.aot()
        for known in left:
            block = tomlkit.table()
            block.update(known)
            links.append(block)
        table["links"] = links


def _is_for(known: Table, url: str) -> bool:
    return str(known.get("url", "")).rstrip("/") == url


@contextmanager
def _changed(home: Path) -> Iterator[Table]:
    """`[exchange]` to be changed, and written whole at the end."""
    with alone(home):
        document, table = _read(home)
        yield table
        write_settings(home, document)


def _read(home: Path) -> tuple[tomlkit.TOMLDocument, Table]:
    load(home)
    document = tomlkit.parse((home / FILE).read_text(encoding="utf-8"))
    table = document.get("exchange")
    if table is None:
        table = tomlkit.table()
        document["exchange"] = table
    if not isinstance(table, Table) or not isinstance(table.get("links", tomlkit.aot()), AoT):
        raise Invalid(
            f"{home / FILE} 中的 [exchange] 写法无法就地修改;请写成一个 [exchange] 表,每个平台写成 [[exchange.links]]。"
            "平台还没有被呼叫。",
            f"[exchange] in {home / FILE} has a form that cannot be changed in place; write one table [exchange], and "
            "each platform as [[exchange.links]]. The platform was not called yet.",
        )
    return document, table


def write_settings(home: Path, document: tomlkit.TOMLDocument) -> None:
    """Write the settings whole or not at all, once they were found good."""
    try:
        Settings(**document.unwrap())
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        zh = first.get("ctx", {}).get("zh", first["msg"])
        raise Invalid(f"{key} 不对: {zh}。", f"{key} is wrong: {first['msg']}.") from None
    if tomllib.loads(tomlkit.dumps(document)) != document.unwrap():
        raise Invalid(
            f"{home / FILE} 的写法无法就地修改,原样未动;请把各表写完整,不用行内写法。",
            f"{home / FILE} has a form that cannot be changed in place and was left as it is; write its tables out, "
            "not inline.",
        )
    temporary = home / f"{FILE}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(tomlkit.dumps(document))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(home / FILE)
