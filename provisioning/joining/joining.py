"""What `wanmi join` does with what it was given: on line, by USB stick, or again for a new certificate."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from appliance.errors import Invalid, WanmiError
from appliance.exchange.links import LinkFolder
from appliance.exchange.settings import OFFLINE, PORT, PULL, Link, host_and_port
from appliance.options import say
from appliance.settings import Settings, load
from provisioning.joining.check_list import Check, CheckList
from provisioning.joining.in_turn import in_turn
from provisioning.joining.papers import certificate_request, ensure_key
from provisioning.joining.platform import Enrolled, enrolled_of
from provisioning.joining.steps import Joining, accept_answer
from provisioning.joining.written import put_link, read_written


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the technician gave; None where a known link's own value, or the default, is meant."""

    url: str | None = None
    token: str | None = None
    ca: Path | None = None
    listen: str | None = None
    address: str | None = None
    allow: list[str] = field(default_factory=list)
    mode: str | None = None
    keep: bool = False
    accept: Path | None = None
    scopes: Path | None = None


def run_join(home: Path, wanted: Wanted, *, quiet: bool = False) -> CheckList:
    """Join, and tell each step as it is done.

    Raises:
        Invalid: a value is wrong, or `wanmi.toml` cannot be changed in place.
    """
    told = CheckList(_silent if quiet else _tell)
    with in_turn(home):
        settings = load(home)
        link = wanted_link(settings, wanted)
        read_written(home, link.url)
        if wanted.accept is not None:
            accept_answer(home, link, _read_answer(wanted), told)
        else:
            Joining(home, settings, link, told, wanted.ca, wanted.keep).run(wanted.token)
    return told


def make_request(home: Path, wanted: Wanted, file: Path) -> None:
    """Write the body of step 1, and the plain CSR beside it as FILE.csr; the link is noted, but not in force."""
    with in_turn(home):
        settings = load(home)
        link = wanted_link(settings, wanted)
        read_written(home, link.url)
        key, _ = ensure_key(LinkFolder(home, link.url).key)
        csr = certificate_request(key, settings.county, link.address)
        body = {
            "contract": "1", "county": settings.county, "name": settings.name, "address": link.address, "csr": csr,
        }  # fmt: skip
        file.write_text(json.dumps(body, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        file.with_name(file.name + ".csr").write_text(csr, encoding="ascii")
        put_link(home, link)
    say(f"已写 {file} 和 {file.name}.csr;带到平台,取回答复后用 --accept / written, take it to the platform")


def renew_links(home: Path, days: int) -> list[dict[str, Any]]:
    """Renew the certificates of the links that are called on line and end within so many days.

    One that cannot be renewed keeps no other from it.
    """
    soon, results = datetime.now(UTC) + timedelta(days=days), []
    for url in [link.url for link in load(home).exchange.links if link.url != OFFLINE]:
        try:
            with in_turn(home):
                result = _renew(home, url, soon)
        except (WanmiError, OSError, ValueError) as error:
            result = {"url": url, "ok": False, "why": str(error)}
        if result is not None:
            results.append(result)
    return results


def _renew(home: Path, url: str, soon: datetime) -> dict[str, Any] | None:
    """Renew one link; None where it does not end soon, or was left meanwhile."""
    settings = load(home)
    link = next((each for each in settings.exchange.links if each.url == url), None)
    enrolment = LinkFolder(home, url).enrolment()
    if link is None or enrolment is None or enrolment.certificate_end() > soon:
        return None
    told = CheckList(_silent)
    Joining(home, settings, link, told, keep=True).run(None)
    done = {line.check for line in told.checks if line.ok}
    why = next((f"{line.zh} / {line.en}" for line in told.checks if not line.ok), "")
    return {"url": url, "ok": "register" in done, "why": why}


def wanted_link(settings: Settings, wanted: Wanted) -> Link:
    """The link as it is to be: what was given, over what it was, over the defaults.

    Raises:
        Invalid: a value is wrong.
    """
    exchange = settings.exchange
    url = (wanted.url or _only_offline(exchange.links)).rstrip("/")
    known = next((link for link in exchange.links if link.url == url), None)
    listen = wanted.listen or (known.listen if known else exchange.listen)
    address = wanted.address or (known.address if known else "") or ("" if exchange.links else exchange.address)
    values: dict[str, Any] = {
        "url": url,
        "listen": listen,
        "address": address or own_address(url, listen),
        "allow": wanted.allow or (known.allow if known else []),
        "mode": wanted.mode or (known.mode if known else "pull"),
    }
    pulled = [each for each in exchange.links if each.mode == PULL and each.url != url]
    taken = next((each for each in pulled if each.listen == listen and not listen.endswith(":0")), None)
    if values["mode"] == PULL and taken is not None:
        raise Invalid(
            f"端口 {listen} 已用于 {taken.url};请用 --listen 另给一个,如 0.0.0.0:{PORT + 1}。平台还没有被呼叫。",
            f"{listen} is the port for {taken.url}; give this platform another one by --listen, such as "
            f"0.0.0.0:{PORT + 1}. The platform was not called yet.",
        )
    try:
        return Link(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name, zh = first["loc"][0], first.get("ctx", {}).get("zh", first["msg"])
        raise Invalid(f"--{name} 不对: {zh}。", f"--{name} is wrong: {first['msg']}.") from None


def own_address(url: str, listen: str) -> str:
    """How the platform most likely reaches our port: by the address we listen on, else the one we call it from."""
    host, port = host_and_port(listen) or ("0.0.0.0", PORT)
    if host not in ("0.0.0.0", "::"):
        return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect((urlsplit(url).hostname or "192.0.2.1", urlsplit(url).port or 443))  # sends nothing
        return f"https://{probe.getsockname()[0]}:{port}"
    return f"https://{socket.gethostname()}:{port}"


def _only_offline(links: list[Link]) -> str:
    """The link that is meant where no URL was given: the one by USB stick, else the only one."""
    return links[0].url if len(links) == 1 else OFFLINE


def _read_answer(wanted: Wanted) -> Enrolled:
    """The answer of step 1 as JSON, or certificate, CA and scopes as plain files."""
    assert wanted.accept is not None
    content = _text(wanted.accept)
    if wanted.scopes is not None or wanted.ca is not None:
        if wanted.scopes is None or wanted.ca is None:
            raise Invalid("--accept 证书 须同时给 --ca 和 --scopes。", "--accept CERT needs both --ca and --scopes.")
        told = {"certificate": content, "ca": _text(wanted.ca), "scopes": _json(wanted.scopes)}
    else:
        told = _json(wanted.accept)
    return enrolled_of(told)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(
            f"{file} 不是文本;证书须为 PEM,先执行: openssl x509 -inform DER -in {file} -out {file}.pem",
            f"{file} is no text; certificates are needed as PEM, first run: openssl x509 -inform DER -in {file} -out "
            f"{file}.pem",
        ) from None


def _json(file: Path) -> Any:
    try:
        return json.loads(_text(file))
    except ValueError as error:
        raise Invalid(f"{file} 不是 JSON: {error}。", f"{file} is no JSON: {error}.") from None


def _tell(line: Check) -> None:
    say(f"{'✓' if line.ok else '✗'} {line.check}: {line.zh} / {line.en}")


def _silent(_: Check) -> None:
    return
