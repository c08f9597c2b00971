"""Evidence up and down: multipart in, the file by its SHA-256 out."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any, BinaryIO

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import File

from appliance.cases import evidence
from appliance.cases.step import evidence_view
from appliance.errors import Invalid, TooLarge
from appliance.people.actor import Actor
from appliance.records.writer import Unit
from server import answers, examples
from server.cases.schemas import moment_of
from server.node import Node, actor_of_request, json_bytes, node_of

BLOCK = 1 << 18
MAX_BODY = 512 * 1024 * 1024
"""The framework's limit; the county's own limit (`http.evidence_megabytes`) is checked while the file is written."""


class UploadForm(msgspec.Struct):
    """The multipart form of an upload."""

    file: Any
    stage: str
    taken_at: datetime | None = None
    lon: float | None = None
    lat: float | None = None
    share: bool = True


Form = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART, description="file, stage, …")]


class EvidenceController(Controller):
    """Evidence files."""

    path = "/api/v1"
    tags = ["evidence"]

    @post(
        "/evidence", operation_id="upload_evidence", request_max_body_size=MAX_BODY,
        responses={**answers.shows(answers.EvidenceStored, 201), **examples.refusals(401, 413, 422)},
    )  # fmt: skip
    async def upload(self, request: Request[Any, Any, Any], data: Form) -> Response[bytes]:
        """A file before there is a case; attach it with `evidence: [{sha256, stage}]`."""
        return await _store(node_of(request), actor_of_request(request), data, None)

    @post(
        "/cases/{number:str}/evidence", operation_id="add_evidence", request_max_body_size=MAX_BODY,
        responses={**answers.shows(answers.EvidenceStored, 201), **examples.refusals(401, 403, 404, 413, 422)},
    )  # fmt: skip
    async def add(self, request: Request[Any, Any, Any], number: str, data: Form) -> Response[bytes]:
        """A file of a case: jpeg, png, webp, pdf, amr, mp3, wav or mp4, by content."""
        return await _store(node_of(request), actor_of_request(request), data, number)

    @get("/evidence/{sha256:str}", operation_id="read_evidence", responses=examples.refusals(401, 404))
    async def read(self, request: Request[Any, Any, Any], sha256: str) -> File:
        """The file, if this account may see its case."""
        node, actor = node_of(request), actor_of_request(request)
        path, media = await node.read(lambda connection: evidence.find_file(connection, node.office, actor, sha256))
        headers = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
        return File(path, media_type=media, headers=headers, content_disposition_type="inline")


async def _store(node: Node, actor: Actor, data: dict[str, Any], number: str | None) -> Response[bytes]:
    form = _form(data)
    new = evidence.NewFile(form.stage, moment_of("taken_at", form.taken_at), form.lon, form.lat, form.share)
    if number is not None:
        await node.read(lambda connection: evidence.case_to_add_to(connection, actor, number))
    home, most = node.office.records.home, node.office.settings.http.evidence_megabytes * 1024 * 1024
    temporary, content = await node.thread(lambda: _save(home, form.file, most))

    def work(unit: Unit) -> dict[str, Any]:
        if number is None:
            shown = evidence_view(evidence.add(unit, actor, content, new)[0])
        else:
            shown = evidence.add_to_case(unit, node.office, actor, number, content, new)
        evidence.keep(home, temporary, content.sha256)
        return {**shown, "bytes": content.size, "case": number}

    try:
        stored = await node.office.records.write_async(work)
    finally:
        await node.thread(lambda: temporary.unlink(missing_ok=True))
    return json_bytes(msgspec.json.encode(stored), 201)


def _form(data: dict[str, Any]) -> UploadForm:
    file = data.get("file")
    if not isinstance(file, UploadFile):
        raise Invalid("表单缺少文件字段 file。", "The form has no file in its field `file`.")
    values = {key: value for key, value in data.items() if key in UploadForm.__struct_fields__ and key != "file"}
    try:
        return msgspec.convert({**values, "file": file}, UploadForm, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"表单字段不对: {error}。", f"A field of the form is wrong: {error}.") from None


def _save(home: Path, upload: UploadFile, most: int) -> tuple[Path, evidence.Content]:
    """Write an upload beside the store, block by block, and look what it is; a refused one leaves nothing.

    Raises:
        TooLarge: over the county's limit.
        Invalid: not one of the allowed kinds by content.
    """
    folder = home / "evidence"
    folder.mkdir(exist_ok=True)
    with NamedTemporaryFile(dir=folder, prefix=evidence.UPLOAD, delete=False) as file:
        path = Path(file.name)
    try:
        with path.open("wb") as file:
            _copy(upload, file, most)
        return path, evidence.content_of(path)
    except BaseException:
        path.unlink()
        raise


def _copy(upload: UploadFile, file: BinaryIO, most: int) -> None:
    written = 0
    while block := upload.file.read(BLOCK):
        written += len(block)
        if written > most:
            raise TooLarge(f"文件超过 {most // 1024 // 1024} MB。", f"The file is over {most // 1024 // 1024} MB.")
        file.write(block)
