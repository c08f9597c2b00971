"""Evidence files: stored under the SHA-256 of their content, typed by content and not by name, attached to cases.

A file is written to a temporary name, flushed to the disk and renamed; only then its row is written. So a row never
points to half a file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from appliance.cases import columns
from appliance.errors import FieldError, Invalid, NotFound
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

STAGES = ("report", "verify", "before", "after", "check", "callback", "approval")
MEDIA = {
    "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "pdf": "application/pdf", "amr": "audio/amr",
    "mp3": "audio/mpeg", "wav": "audio/wav", "mp4": "video/mp4",
}  # fmt: skip
HEAD = 16

_INSERT = text(
    "INSERT INTO evidence (sha256, type, bytes, case_id, stage, taken_at, lon, lat, share, uploaded_by, uploaded_at) "
    "VALUES (:sha256, :type, :bytes, :case_id, :stage, :taken_at, :lon, :lat, :share, :uploaded_by, :uploaded_at)"
)
_OF_SHA = text("SELECT * FROM evidence WHERE sha256 = :sha256 ORDER BY case_id IS NOT NULL, id")
_ADOPT = text("UPDATE evidence SET case_id = :case_id, stage = :stage WHERE id = :id")
_OF_CASE = text("SELECT id FROM evidence WHERE case_id = :case_id AND sha256 = :sha256")


def type_of(head: bytes) -> str | None:
    """The kind of a file by its first bytes, None when it is none of ours."""
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head[:4] == b"RIFF" and head[8:12] in (b"WEBP", b"WAVE"):
        return "webp" if head[8:12] == b"WEBP" else "wav"
    if head.startswith(b"%PDF-"):
        return "pdf"
    if head.startswith(b"#!AMR"):
        return "amr"
    if head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06):
        return "mp3"
    if head[4:8] == b"ftyp":
        return "mp4"
    return None


def path_of(home: Path, sha256: str) -> Path:
    """Where a file with this content lies in a home."""
    return home / "evidence" / sha256[:2] / sha256


def take_in(home: Path, temporary: Path) -> tuple[str, str, int]:
    """Move an uploaded file into the store and return its SHA-256, its type and its size in bytes.

    Raises:
        Invalid: empty, or not one of the allowed kinds by content.
    """
    digest = hashlib.sha256()
    size = 0
    with temporary.open("rb") as file:
        head = file.read(HEAD)
        digest.update(head)
        size += len(head)
        while block := file.read(1 << 20):
            digest.update(block)
            size += len(block)
        os.fsync(file.fileno())
    kind = type_of(head)
    if kind is None:
        raise Invalid(
            f"文件内容不是可接收的类型;可用: {'、'.join(MEDIA)}。",
            f"The content is none of the accepted kinds: {', '.join(MEDIA)}.",
            fields=(FieldError("file", "类型不可接收", "kind not accepted", tuple(MEDIA)),),
        )
    target = path_of(home, digest.hexdigest())
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary.chmod(0o600)
    temporary.replace(target)
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return digest.hexdigest(), kind, size


def add(
    unit: Unit,
    actor: Actor,
    *,
    sha256: str,
    kind: str,
    size: int,
    stage: str,
    case_id: int | None = None,
    taken_at: int | None = None,
    lon: float | None = None,
    lat: float | None = None,
    share: bool = True,
) -> dict[str, Any]:
    """Write the row of a stored file; the same file again on the same case changes nothing.

    Raises:
        Invalid: unknown stage.
    """
    _check_stage(stage)
    row = {
        "sha256": sha256, "type": kind, "bytes": size, "case_id": case_id, "stage": stage, "taken_at": taken_at,
        "lon": lon, "lat": lat, "share": share, "uploaded_by": actor.account, "uploaded_at": unit.now,
    }  # fmt: skip
    known = case_id is not None and unit.connection.execute(_OF_CASE, {"case_id": case_id, "sha256": sha256}).first()
    if not known:
        unit.connection.execute(_INSERT, row)
    return row


def attach(unit: Unit, case_id: int, files: Iterable[dict[str, str]], actor: Actor) -> list[dict[str, Any]]:
    """Attach uploaded files, named by `sha256` and `stage`, to a case.

    Raises:
        Invalid: a file that was not uploaded, or an unknown stage.
    """
    from appliance.cases.step import evidence_view

    attached = []
    for number, file in enumerate(files):
        stage = file.get("stage", "report")
        _check_stage(stage)
        rows = unit.connection.execute(_OF_SHA, {"sha256": file.get("sha256", "")}).all()
        if not rows:
            raise Invalid(
                f"证据文件 {file.get('sha256', '')} 还没有上传;请先 POST /api/v1/evidence。",
                f"Evidence {file.get('sha256', '')} was not uploaded yet; POST it to /api/v1/evidence first.",
                fields=(FieldError(f"evidence.{number}.sha256", "没有这个文件", "no such file"),),
            )
        row = dict(rows[0]._mapping)
        if row["case_id"] is None:
            unit.connection.execute(_ADOPT, {"case_id": case_id, "stage": stage, "id": row["id"]})
            row["stage"] = stage
        elif all(other.case_id != case_id for other in rows):
            row |= {"case_id": case_id, "stage": stage, "uploaded_by": actor.account, "uploaded_at": unit.now}
            row.pop("id")
            unit.connection.execute(_INSERT, row)
        attached.append(evidence_view(row))
    return attached


def require_stages(files: Sequence[dict[str, str]], stages: Iterable[str]) -> None:
    """Make sure that there is a file of each of these stages.

    Raises:
        Invalid: naming the missing stage.
    """
    missing = [stage for stage in stages if all(file.get("stage") != stage for file in files)]
    if missing:
        raise Invalid(
            f"缺少照片: {'、'.join(missing)}。",
            f"Photos are missing: {', '.join(missing)}.",
            fields=tuple(FieldError("evidence", f"缺少 {stage}", f"{stage} is missing") for stage in missing),
        )


def stages_of(connection: Connection, case_id: int, since: int = 0) -> set[str]:
    """The stages a case has files of, uploaded at or after a moment."""
    statement = text("SELECT DISTINCT stage FROM evidence WHERE case_id = :case_id AND uploaded_at >= :since")
    return set(connection.execute(statement, {"case_id": case_id, "since": since}).scalars())


def find_file(connection: Connection, office: Office, actor: Actor, sha256: str) -> tuple[Path, str]:
    """The path and media type of a file which this person may see.

    Raises:
        NotFound: no such file, or only on cases which this person may not see.
    """
    from appliance.cases.sight import sees_case

    for row in connection.execute(_OF_SHA, {"sha256": sha256}):
        visible = row.uploaded_by == actor.account or (
            row.case_id is not None and sees_case(actor, columns.load_by_id(connection, row.case_id))
        )
        path = path_of(office.records.home, sha256)
        if visible and path.exists():
            return path, MEDIA[row.type]
    raise NotFound(f"没有证据文件 {sha256}。", f"There is no evidence file {sha256}.")


def _check_stage(stage: str) -> None:
    if stage not in STAGES:
        raise Invalid(
            f"未知的证据阶段 {stage};可用: {'、'.join(STAGES)}。",
            f"Unknown evidence stage {stage}; known: {', '.join(STAGES)}.",
            fields=(FieldError("stage", f"未知阶段 {stage}", f"unknown stage {stage}", STAGES),),
        )
