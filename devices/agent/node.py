"""The node as the agent sees it: a few routes over HTTP, with a key of role `device`."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from appliance.errors import BadHome, WanmiError

SECONDS = httpx.Timeout(10.0, connect=3.0)
STREAM_SECONDS = httpx.Timeout(10.0, connect=3.0, read=60.0)
"""The node sends something at least every 25 seconds."""


class NodeAway(Exception):
    """The node cannot be reached now, or is not well; what was to be sent is sent later."""


class NodeRefused(WanmiError):
    """The node answered that it will not; sending the same again helps nothing."""

    kind = "node-refused"

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"节点拒绝 ({status}): {detail}", f"The node refused ({status}): {detail}")
        self.status = status


class NodeClient:
    """A client of one node. Each thread makes its own."""

    def __init__(self, url: str, key: str, trusted: ssl.SSLContext | bool = True) -> None:
        headers = {"Authorization": f"Bearer {key}", "Accept-Language": "en"}
        try:
            self._http = httpx.Client(base_url=url, headers=headers, timeout=SECONDS, trust_env=False, verify=trusted)
        except (httpx.InvalidURL, UnicodeError, ValueError) as error:
            raise BadHome(
                f"节点地址 {url} 不对: {error};例如 http://127.0.0.1:8411。",
                f"The node's address {url} is wrong: {error}; write for example http://127.0.0.1:8411.",
            ) from None

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON at a path.

        Raises:
            NodeAway, NodeRefused.
        """
        return self._sent("GET", path, params=parameters)

    def post(self, path: str, body: Any) -> Any:
        """Post JSON; raises as `get` does."""
        return self._sent("POST", path, json=body)

    def post_lines(self, path: str, lines: list[bytes]) -> Any:
        """Post NDJSON; raises as `get` does."""
        return self._sent("POST", path, content=b"\n".join(lines), headers={"Content-Type": "application/x-ndjson"})

    @contextmanager
    def events(self) -> Iterator[Iterator[tuple[str, Any]]]:
        """The node's event stream, from now on: names and data.

        Raises:
            NodeAway: it broke off. NodeRefused: the key is not good.
        """
        try:
            with self._http.stream("GET", "/api/v1/events", timeout=STREAM_SECONDS) as response:
                if response.status_code >= 400:
                    response.read()
                    raise _refusal(response)
                yield _read_events(response.iter_lines())
        except httpx.HTTPError as error:
            raise NodeAway(str(error)) from None

    def close(self) -> None:
        self._http.close()

    def _sent(self, method: str, path: str, **rest: Any) -> Any:
        try:
            response = self._http.request(method, path, **rest)
        except httpx.HTTPError as error:
            raise NodeAway(str(error) or type(error).__name__) from None
        if response.status_code >= 300:
            raise _refusal(response)
        try:
            return response.json() if response.content else None
        except ValueError:
            raise NodeAway(f"no JSON at {path}") from None


def read_key(home: Path, key_file: str) -> str:
    """The agent's key.

    Raises:
        BadHome: there is no such file, or it is empty.
    """
    path = home / key_file
    try:
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        key = ""
    if not key:
        raise BadHome(
            f"没有设备密钥 {path};请在节点上运行 wanmi keys add 名称 --role device,把密钥存入该文件 (权限 0600)。",
            f"There is no agent key in {path}; run wanmi keys add NAME --role device at the node and keep the key in "
            f"that file (mode 0600).",
        )
    return key


def _refusal(response: httpx.Response) -> Exception:
    if response.status_code in (429, 502, 503, 504) or response.status_code >= 500:
        return NodeAway(f"status {response.status_code}")
    try:
        detail = str(response.json().get("detail", ""))
    except (json.JSONDecodeError, AttributeError):
        detail = response.text[:200]
    return NodeRefused(response.status_code, detail)


def _read_events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """Server-Sent Events out of lines; comments are told as the event "beat"."""
    name, data = "message", ""
    for line in lines:
        if not line:
            if data:
                yield name, json.loads(data)
            name, data = "message", ""
        elif line.startswith(":"):
            yield "beat", None
        else:
            field, _, value = line.partition(":")
            if field == "event":
                name = value.strip()
            elif field == "data":
                data += value.strip()
