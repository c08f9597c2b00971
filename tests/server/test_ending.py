"""A server is told to end while clients keep their lines."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from appliance.lan import AUTHORITY, Door, protection
from provisioning.certificate import make_certificate
from server.ending import EndingServer
from tests.devices.waiting import until
from tests.nodes import NO_AUTHORITIES, free_port

WORDS = b"x" * 3_000_000
"""More than the buffers on the way hold."""


class Office:
    """Answers at once, or when it is allowed to."""

    def __init__(self) -> None:
        self.asked, self.allowed = threading.Event(), threading.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            self.asked.set()
            await asyncio.to_thread(self.allowed.wait, 20)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": WORDS})


@contextmanager
def ending(
    office: Office, port: int, context: ssl.SSLContext | None
) -> Iterator[tuple[EndingServer, threading.Thread]]:
    """A server that would wait for ever for who keeps a line."""
    config = uvicorn.Config(office, port=port, lifespan="off", log_config=None, timeout_graceful_shutdown=None)  # type: ignore[arg-type]  # an ASGI application with a wider scope
    config.load()
    config.ssl = context
    server = EndingServer(config)
    working = threading.Thread(target=server.run, daemon=True)
    working.start()
    try:
        until(lambda: server.started)
        yield server, working
    finally:
        office.allowed.set()
        server.should_exit = server.force_exit = True
        working.join(20)


@pytest.mark.parametrize("secured", [False, True])
def test_silent_lines_are_not_waited_for_and_what_was_asked_is_answered(home: Path, secured: bool) -> None:
    office, port, context, trusted = Office(), free_port(), None, NO_AUTHORITIES
    if secured:
        make_certificate(home, ["127.0.0.1"], Door())
        context, trusted = protection(home, Door(), "0.0.0.0"), ssl.create_default_context(cafile=home / AUTHORITY)
    url = f"{'https' if secured else 'http'}://127.0.0.1:{port}"
    answers: list[bytes] = []
    let_go = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=url, verify=trusted, timeout=30) as client:
            answers.append(client.get("/slow").content)
            let_go.wait(40)

    asking = threading.Thread(target=ask)
    with ending(office, port, context) as (server, working), httpx.Client(base_url=url, verify=trusted) as silent:
        assert silent.get("/").content == WORDS
        asking.start()
        assert office.asked.wait(20)
        server.should_exit = True
        office.allowed.set()
        working.join(20)
        assert not working.is_alive(), "both clients keep their lines, and nobody waits for them"
        let_go.set()
        asking.join(20)
    assert answers == [WORDS]
