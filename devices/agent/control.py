"""The agent's control socket, `run/agent.sock` in the home (0600): commands of the technician at the box.

One JSON line in, one out: `{"device", "action", "value"}` → an outcome; `{"action": "list"}` → the report.
"""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from devices.errors import DeviceError

SOCKET = Path("run") / "agent.sock"
LONGEST = 64 * 1024
SECONDS = 100.0
Handle = Callable[[dict[str, Any]], dict[str, Any]]


class Control(socketserver.ThreadingUnixStreamServer):
    """Answers one request a connection."""

    daemon_threads = True

    def __init__(self, home: Path, handle: Handle) -> None:
        self._path = home / SOCKET
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path.unlink(missing_ok=True)
        self.handle_request_line = handle
        super().__init__(str(self._path), _Connection)
        self._path.chmod(0o600)
        self._thread = threading.Thread(target=self.serve_forever, name="control", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._path.unlink(missing_ok=True)


class _Connection(socketserver.StreamRequestHandler):
    timeout = SECONDS

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, Control)
        with suppress(OSError):
            line = self.rfile.readline(LONGEST)
            try:
                request = json.loads(line)
                answer = server.handle_request_line(request)
            except (ValueError, KeyError, TypeError) as error:
                answer = {"ok": False, "answer": {}, "zh": f"请求有错: {error}。", "en": f"Bad request: {error}."}
            self.wfile.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")


def agent_runs(home: Path) -> bool:
    """Whether an agent of this home answers."""
    try:
        return bool(ask_agent(home, {"action": "list"}, seconds=3.0))
    except DeviceError:
        return False


def ask_agent(home: Path, request: dict[str, Any], seconds: float = SECONDS) -> dict[str, Any]:
    """Ask the running agent of a home.

    Raises:
        DeviceError: no agent runs, or it does not answer.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(str(home / SOCKET))
            connection.sendall(json.dumps(request, ensure_ascii=False).encode() + b"\n")
            with connection.makefile("rb") as file:
                answer = json.loads(file.readline())
        except (OSError, ValueError) as error:
            raise DeviceError(
                f"{home} 没有运行中的设备代理 ({error});请先 wanmi up 或 wanmi devices agent。",
                f"No device agent runs on {home} ({error}); start wanmi up or wanmi devices agent first.",
            ) from None
    found: dict[str, Any] = answer
    return found
