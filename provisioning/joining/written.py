"""`[exchange]` in `wanmi.toml`, changed in place: the technician's comments and order stay."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def put_link(home: Path, link: Link) -> None:
    """Write a link, in place of the one with its URL; the first one's port and address also stand in `[exchange]`.

    Raises:
        Invalid: another link has its port. BadHome: the settings cannot be read.
    """
    with alone(home):
        _put_link(home, link)


def _put_link(home: Path, link: Link) -> None:
    document, table = _read(home)
    links = table.get("links")
    if not isinstance(links, AoT):
        links = tomlkit.aot()
        table["links"] = links
    values = link.model_dump(exclude_defaults=True)
    for at, known in enumerate(links):
        if known.get("url") == link.url:
            links[at].update(values)
            for name in [name for name in known if name not in values]:
                del links[at][name]
            break
    else:
        block = tomlkit.table()
        block.update(values)
        links.append(block)
    if links[0].get("url") == link.url:
        table["listen"], table["address"] = link.listen, link.address
    write_settings(home, document)


def drop_link(home: Path, url: str) -> None:
    """Take a link out; the last one takes its list with it."""
    with alone(home):
        _drop_link(home, url)


def _drop_link(home: Path, url: str) -> None:
    document, table = _read(home)
    left = [known for known in table.get("links", []) if known.get("url") != url]
    if "links" in table:
        del table["links"]
    if left:
        links = tomlkit.aot()
        for known in left:
            block = tomlkit.table()
            block.update(known)
            links.append(block)
        table["links"] = links
    write_settings(home, document)


def _read(home: Path) -> tuple[tomlkit.TOMLDocument, Table]:
    load(home)
    document = tomlkit.parse((home / FILE).read_text(encoding="utf-8"))
    table = document.get("exchange")
    if not isinstance(table, Table):
        table = tomlkit.table()
        document["exchange"] = table
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
    temporary = home / f"{FILE}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(tomlkit.dumps(document))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(home / FILE)
