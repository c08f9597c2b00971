"""Evidence files: stored under the SHA-256 of their content, typed by content and not by name, attached to cases.

A file is written to a temporary name and flushed to the disk; everything that may refuse it is checked; then, in the
unit of work that writes its row, it is renamed. So a row never points to half a file, and a refusal leaves no file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from appliance.cases import columns
from appliance.cases.photo_looks import keep_look, look_of
from appliance.cases.sight import require_sight, sees_case
from appliance.cases.step import Step, evidence_view
from appliance.errors import FieldError, Forbidden, Invalid, NotFound
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
UPLOAD, TORN_SECONDS = "upload-", 3600
"""What an upload is called until it is kept; one that is older was torn by a kill."""
ONLY_LOOKS = frozenset(("assessor",))
"""Roles that see every case and add nothing to it."""

_INSERT = text(
    "INSERT INTO evidence (sha256, type, bytes, case_id, stage, taken_at, lon, lat, share, uploaded_by, uploaded_at) "
    "VALUES (:sha256, :type, :bytes, :case_id, :stage, :taken_at, :lon, :lat, :share, :uploaded_by, :uploaded_at)"
)
_OF_SHA = text("SELECT * FROM evidence WHERE sha256 = :sha256 ORDER BY case_id IS NOT NULL, id")
_ADOPT = text("UPDATE evidence SET case_id = :case_id, stage = :stage WHERE id = :id")
_OF_CASE = text("SELECT * FROM evidence WHERE case_id = :case_id AND sha256 = :sha256 AND stage = :stage")


@dataclass(frozen=True, slots=True)
class NewFile:
    """An uploaded file: its content, and what was said about it. Position in EPSG:4490, time in microseconds.

    Raises:
        Invalid: unknown stage, or a position that is none on earth.
    """

    stage: str
    taken_at: int | None = None
    lon: float | None = None
    lat: float | None = None
    share: bool = True

    def __post_init__(self) -> None:
        _check_stage(self.stage)
        _check_degrees("lon", self.lon, 180)
        _check_degrees("lat", self.lat, 90)


@dataclass(frozen=True, slots=True)
class Content:
    """What a file is by its content; `size` in bytes, `look` of a picture (`photo_looks.py`)."""

    sha256: str
    kind: str
    size: int
    look: int | None = None


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


def content_of(file: Path) -> Content:
    """The SHA-256, type and size of an uploaded file, flushed to the disk.

    Raises:
        Invalid: empty, or not one of the allowed kinds by content.
    """
    digest = hashlib.sha256()
    size = 0
    with file.open("rb") as opened:
        head = opened.read(HEAD)
        kind = type_of(head)
        if kind is None:
            raise Invalid(
                f"文件内容不是可接收的类型;可用: {'、'.join(MEDIA)}。",
                f"The content is none of the accepted kinds: {', '.join(MEDIA)}.",
                fields=(FieldError("file", "类型不可接收", "kind not accepted", tuple(MEDIA)),),
            )
        opened.seek(0)
        while block := opened.read(1 << 20):
            digest.update(block)
            size += len(block)
        os.fsync(opened.fileno())
    return Content(digest.hexdigest(), kind, size, look_of(file, kind))


def keep(home: Path, temporary: Path, sha256: str) -> None:
    """Move a flushed file to its place in the store, unless the same content lies there already."""
    target = path_of(home, sha256)
    if target.exists():
        return
    is_new = not target.parent.exists()
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary.chmod(0o600)
    temporary.replace(target)
    for folder in (target.parent, *([target.parent.parent] if is_new else [])):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sweep_uploads(home: Path) -> int:
    """Remove what uploads left behind that a killed node never finished; says how many."""
    oldest, torn = time() - TORN_SECONDS, []
    for path in (home / "evidence").glob(f"{UPLOAD}*"):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
            torn.append(path)
    return len(torn)


def case_to_add_to(connection: Connection, actor: Actor, number: str) -> tuple[dict[str, Any], str]:
    """The row of a case to which this person may add files, and the role in which.

    Raises:
        NotFound, Forbidden.
    """
    case = columns.load(connection, number)
    if case is None:
        raise NotFound(f"没有案件 {number}。", f"There is no case {number}.")
    require_sight(actor, case)
    for role in sorted(actor.roles - ONLY_LOOKS):
        return case, role
    raise Forbidden(
        f"{actor.name} 的角色不能给案件添加证据。", f"{actor.name} has no role that may add evidence to a case."
    )


def add(
    unit: Unit, actor: Actor, content: Content, new: NewFile, case_id: int | None = None
) -> tuple[dict[str, Any], bool]:
    """Write the row of a file; returns it, and whether it is new: a case has a file only once in each stage."""
    row = {
        "sha256": content.sha256, "type": content.kind, "bytes": content.size, "case_id": case_id, "stage": new.stage,
        "taken_at": new.taken_at, "lon": new.lon, "lat": new.lat, "share": new.share, "uploaded_by": actor.account,
        "uploaded_at": unit.now,
    }  # fmt: skip
    there = unit.connection.execute(_OF_CASE, row).first() if case_id is not None else None
    if there is not None:
        return dict(there._mapping), False
    unit.connection.execute(_INSERT, row)
    keep_look(unit.connection, content.sha256, content.look)
    return row, True


def add_once(unit: Unit, actor: Actor, content: Content) -> tuple[dict[str, Any], bool]:
    """Write the row of a file that waits for its case, unless this sender's copy is there; whether it is new."""
    rows = unit.connection.execute(_OF_SHA, {"sha256": content.sha256}).all()
    there = next((row for row in rows if row.uploaded_by == actor.account), None)
    if there is not None:
        return dict(there._mapping), False
    return add(unit, actor, content, NewFile(STAGES[0]))


def add_to_case(
    unit: Unit, office: Office, actor: Actor, number: str, content: Content, new: NewFile
) -> dict[str, Any]:
    """Add a file to a case, with a history row; returns the file as it stands in the record.

    The same file in the same stage again changes nothing; in another stage it stands there once more.

    Raises:
        NotFound, Forbidden.
    """
    case, role = case_to_add_to(unit.connection, actor, number)
    row, is_new = add(unit, actor, content, new, case["id"])
    if is_new:
        step = Step(unit, office, actor, case, role=role)
        step.detail |= {"sha256": content.sha256, "stage": new.stage}
        step.commit("evidence")
    return evidence_view(row)


def attach(unit: Unit, case_id: int, files: Iterable[dict[str, str]], actor: Actor) -> list[dict[str, Any]]:
    """Attach uploaded files, named by `sha256` and `stage`, to a case; a file may stand there in several stages.

    Raises:
        Invalid: a file that was not uploaded, or an unknown stage.
    """
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
        there = next((row for row in rows if row.case_id == case_id and row.stage == stage), None)
        row = dict((there or rows[0])._mapping)
        if there is None and row["case_id"] is None:
            unit.connection.execute(_ADOPT, {"case_id": case_id, "stage": stage, "id": row["id"]})
            row["stage"] = stage
        elif there is None:
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


def _check_degrees(name: str, value: float | None, most: int) -> None:
    if value is not None and not (isfinite(value) and -most <= value <= most):
        raise Invalid(
            f"{name} {value} 不是经纬度;须在 -{most} 与 {most} 之间。",
            f"{name} {value} is no position; it must be from -{most} to {most}.",
            fields=(FieldError(name, f"须在 -{most} 与 {most} 之间", f"must be from -{most} to {most}"),),
        )
