"""Evidence files for the prefecture, whole or a range of them; and files that come with a case from above."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, put
from litestar.params import Parameter
from litestar.response import Stream

from appliance.cases import evidence
from appliance.cases.step import evidence_view
from appliance.errors import Invalid, TooLarge
from appliance.exchange.evidence import shared_file
from appliance.records.writer import Unit
from server.exchange.desk import PREFIX, ExchangeDesk, asker_of, desk_of, log_read
from server.node import json_bytes

BLOCK = 1 << 18
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
DIGEST = re.compile(r"[0-9a-f]{64}")


class EvidenceController(Controller):
    """Files by the SHA-256 of their content."""

    path = f"{PREFIX}/evidence"
    tags = ["exchange"]

    @get("/{sha256:str}")
    async def read(
        self,
        request: Request[Any, Any, Any],
        sha256: str,
        range_: Annotated[str, Parameter(header="Range")] = "",
        if_range: Annotated[str, Parameter(header="If-Range")] = "",
        if_none_match: Annotated[str, Parameter(header="If-None-Match")] = "",
    ) -> Response[bytes] | Stream:
        """The file, unless its county keeps it to itself."""
        desk, asker = desk_of(request), asker_of(request)
        asker.grants.require("evidence.read")
        home, areas = desk.office.records.home, asker.grants.areas["evidence.read"]
        path, media = await desk.read(
            lambda connection: shared_file(connection, home, sha256, areas, asker.actor.account)
        )
        tag, size = f'"{sha256}"', path.stat().st_size
        headers = {"ETag": tag, "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff"}
        if tag in if_none_match:
            return Response(b"", status_code=304, headers=headers)
        span = _span(range_, size) if range_ and if_range in ("", tag) else None
        if span is not None and span[0] >= span[1]:
            return Response(b"", status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
        first, end = span or (0, size)
        if span is not None:
            headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
        headers["Content-Length"] = str(end - first)
        log_read(request, "evidence", sha256=sha256, bytes=end - first)
        return Stream(
            _blocks(desk, path, first, end), status_code=200 if span is None else 206, media_type=media, headers=headers
        )

    @put("/{sha256:str}", request_max_body_size=None)
    async def write(self, request: Request[Any, Any, Any], sha256: str) -> Response[bytes]:
        """A file for a case that will be sent down; the same file again changes nothing."""
        desk, asker = desk_of(request), asker_of(request)
        asker.grants.require("cases.write")
        if not DIGEST.fullmatch(sha256):
            raise Invalid("地址须以文件的 SHA-256 结尾。", "The address ends in the file's SHA-256, 64 digits.")
        most = desk.office.settings.http.evidence_megabytes * 1024 * 1024
        temporary = await _save(desk, request, most)
        try:
            content = await desk.thread(lambda: evidence.content_of(temporary))
            if content.sha256 != sha256:
                raise Invalid(
                    f"文件的 SHA-256 是 {content.sha256},不是地址中的 {sha256};请重传。",
                    f"The file's SHA-256 is {content.sha256} and not {sha256}; send it again.",
                )

            def work(unit: Unit) -> tuple[dict[str, Any], bool]:
                row, is_new = evidence.add_once(unit, asker.actor, content)
                evidence.keep(desk.office.records.home, temporary, sha256)
                return evidence_view(row), is_new

            stored, is_new = await desk.office.records.write_async(work)
        finally:
            await desk.thread(lambda: temporary.unlink(missing_ok=True))
        return json_bytes(msgspec.json.encode(stored), 201 if is_new else 200)


def _span(written: str, size: int) -> tuple[int, int] | None:
    """First byte and end of a range; None for what is no single range, which is answered whole (RFC 9110 14.2)."""
    found = RANGE.fullmatch(written.strip())
    if found is None or found[0] == "bytes=-":
        return None
    if not found[1]:
        return max(0, size - int(found[2])), size
    first = int(found[1])
    end = min(size, int(found[2]) + 1) if found[2] else size
    return None if found[2] and int(found[2]) < first else (first, end)


async def _blocks(desk: ExchangeDesk, path: Path, first: int, end: int) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        while first < end:
            size = min(BLOCK, end - first)
            block = await desk.thread(partial(file.read, size))
            if not block:
                return
            first += len(block)
            yield block


async def _save(desk: ExchangeDesk, request: Request[Any, Any, Any], most: int) -> Path:
    """Write the body beside the store as it comes; one that is too large leaves nothing.

    Raises:
        TooLarge: over the county's limit.
    """
    folder = desk.office.records.home / "evidence"
    folder.mkdir(exist_ok=True)
    with NamedTemporaryFile(dir=folder, prefix=evidence.UPLOAD, delete=False) as file:
        path, written = Path(file.name), 0
        try:
            async for block in request.stream():
                written += len(block)
                if written > most:
                    raise TooLarge(f"文件超过 {most >> 20} MB。", f"The file is over {most >> 20} MB.")
                await desk.thread(partial(file.write, block))
        except BaseException:
            path.unlink()
            raise
    return path
