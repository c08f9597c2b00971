"""A server that ends when all is answered, though a client keeps a silent line open."""

from __future__ import annotations

import asyncio
import socket

import uvicorn

GOODBYE_SECONDS = 1.0
"""A client that listens closes its line well within this; one that does not listen loses nothing by it."""


class EndingServer(uvicorn.Server):
    """Does not wait for the goodbye of lines on which nothing is asked.

    TLS closes in two steps, and a client that keeps a connection for its next request does not read meanwhile: the
    device agent, a platform between two pulls. A restart of the node must not take seconds for them.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was asked, then end."""
        parting = asyncio.create_task(self._part())
        try:
            await super().shutdown(sockets)
        finally:
            parting.cancel()

    async def _part(self) -> None:
        while True:
            await asyncio.sleep(GOODBYE_SECONDS)
            for line in list(self.server_state.connections):
                is_idle = line.cycle is None or line.cycle.response_complete
                if is_idle and line.transport.get_write_buffer_size() == 0:
                    line.transport.abort()
