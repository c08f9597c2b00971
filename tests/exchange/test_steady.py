"""What goes wrong with one link, one file or one request ends neither the process nor the other links."""

from __future__ import annotations

import asyncio
import ssl
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from litestar import Litestar, post
from litestar.testing import TestClient

from appliance.errors import Invalid
from appliance.exchange.kinds.process import _number
from appliance.exchange.links import Enrolment, LinkFolder
from appliance.exchange.settings import Exchange, Link
from provisioning.joining.joining import Wanted, _read_answer
from server.exchange import keeper, port, running
from server.exchange.down import SuperviseBody
from server.exchange.evidence import _span
from server.exchange.keeper import Keeper
from server.exchange.port import Port
from server.exchange.renewing import Renewing
from server.problems import HANDLERS

CITY, PROVINCE = "https://city.example", "https://province.example"


def link(url: str, listen: str = "127.0.0.1:0") -> Link:
    return Link(url=url, listen=listen, address="https://10.0.0.2:8412")


def test_a_certificate_that_cannot_be_read_does_not_end_the_process(tmp_path: Path) -> None:
    folder = LinkFolder(tmp_path, CITY)
    folder.count(folder.stage("no certificate", "ca", {"city": ["cases.read"]}))
    renewal = Renewing(tmp_path)
    renewal._next = 0.0
    renewal.look(Exchange(links=[link(CITY)]))


def test_a_link_whose_scopes_are_torn_leaves_the_others_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for url in (CITY, PROVINCE):
        folder = LinkFolder(tmp_path, url)
        folder.count(folder.stage("certificate", "ca", {"city": ["cases.read"]}))
    (LinkFolder(tmp_path, CITY).path / "enrolment" / "scopes.json").write_text("{")
    settings = Exchange(links=[link(CITY), link(PROVINCE)])
    monkeypatch.setattr(running, "load", lambda _: SimpleNamespace(exchange=settings))
    opened: list[str] = []

    async def note(_desk: Any, wanted: Link, *_: Any) -> Any:
        opened.append(wanted.url)
        return SimpleNamespace(link=wanted)

    monkeypatch.setattr(running, "_opened", note)
    nobody: Any = SimpleNamespace(look=lambda _: None)
    asyncio.run(running.follow(tmp_path, nobody, {}, nobody))
    assert opened == [PROVINCE]


def test_the_keeper_tries_again_where_no_process_can_be_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries, enough = [], threading.Event()

    def popen(*_: Any, **__: Any) -> Any:
        tries.append(1)
        if len(tries) > 1:
            enough.set()
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(keeper.subprocess, "Popen", popen)
    monkeypatch.setattr(keeper, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(keeper, "FIRST_PAUSE", 0.01)
    kept = Keeper(tmp_path)
    monkeypatch.setattr(kept, "_is_joined", lambda: True)
    kept.start()
    try:
        assert enough.wait(5.0)
    finally:
        kept.close()


def test_a_port_whose_new_certificate_could_not_be_loaded_is_opened_a_second_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = SimpleNamespace(
        records=SimpleNamespace(home=tmp_path), settings=SimpleNamespace(http=SimpleNamespace(body_megabytes=1))
    )
    troubles = [None, OSError(24, "Too many open files"), None]

    def context(*_: Any, **__: Any) -> ssl.SSLContext:
        if (trouble := troubles.pop(0)) is not None:
            raise trouble
        return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    monkeypatch.setattr(port, "server_context", context)

    async def renew() -> None:
        first, second = (Enrolment(tmp_path / name, {"city": ["cases.read"]}) for name in ("1", "2"))
        opened = Port(cast("Any", SimpleNamespace(office=office)), link(CITY), first, Exchange())
        await opened.open()
        with pytest.raises(Invalid):
            await opened.follow(second)
        await opened.follow(second)
        assert troubles == [], "it was tried again"
        await opened.close()

    asyncio.run(renew())


def test_endless_digits_are_answered_as_anything_else_that_is_wrong() -> None:
    digits = "9" * 5000
    assert [_span(f"bytes={written}", 10) for written in (f"{digits}-", f"-{digits}", f"0-{digits}")] == [None] * 3
    with pytest.raises(Invalid):
        _number(digits)


def test_a_body_in_gbk_is_refused_in_a_sentence_and_not_as_a_fault_of_ours() -> None:
    @post("/")
    async def take(data: SuperviseBody) -> None: ...

    with TestClient(Litestar([take], exception_handlers=HANDLERS)) as client:
        answer = client.post(
            "/", content='{"note":"快一点"}'.encode("gbk"), headers={"Content-Type": "application/json"}
        )
    assert (answer.status_code, "UTF-8" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("content", "word"), [(b"\x30\x82\x01\xff", "openssl x509 -inform DER"), (b"[]", "no JSON object")]
)
def test_an_answer_on_the_stick_that_is_none_is_refused_in_a_sentence(
    tmp_path: Path, content: bytes, word: str
) -> None:
    file = tmp_path / "answer"
    file.write_bytes(content)
    with pytest.raises(Invalid, match=word):
        _read_answer(Wanted(accept=file))
