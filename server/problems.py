"""The one map from refusals to RFC 9457 problem details.

`type` is `/problems/<kind>` and never changes; `title` names the kind, `detail` is the sentence for this case in the
language the client asked for (Chinese unless `Accept-Language` prefers English); `errors` lists wrong fields with the
nearest valid values; further members such as `allowed` or `version` are for machines.
"""

from __future__ import annotations

import errno
import re
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from sqlalchemy.exc import DatabaseError, OperationalError

from appliance.errors import WanmiError

PROBLEM = "application/problem+json"
STATUS: dict[str, int] = {
    "invalid": 422, "unknown-code": 422, "unknown-place": 422, "action-not-allowed": 422, "bad-file": 422,
    "refused": 422, "forbidden": 403, "not-found": 404, "gone": 410, "not-signed-in": 401,
    "second-factor-needed": 401, "second-factor-wrong": 401, "stale-version": 409,
    "conflict": 409, "version-required": 428, "locked-out": 429, "too-many": 429, "too-large": 413, "bad-home": 500,
    "broken": 500,
}  # fmt: skip
KIND_OF_STATUS = {
    400: "bad-request", 401: "not-signed-in", 403: "forbidden", 404: "not-found", 405: "method-not-allowed",
    406: "not-acceptable", 413: "too-large", 415: "unsupported-media-type", 422: "invalid", 429: "too-many",
    500: "internal", 503: "busy",
}  # fmt: skip
SENTENCES = {
    400: ("请求无法解析;请检查 JSON 的格式。", "The request cannot be read; check its JSON."),
    404: ("没有这个地址;可用的见 /schema/openapi.json。", "There is no such address; see /schema/openapi.json."),
    405: ("这个地址不支持该方法。", "This address does not take this method."),
    413: ("请求体太大。", "The body is too large."),
    415: ("不支持这种内容类型。", "This content type is not supported."),
    422: ("请求中有字段不对。", "A field of the request is wrong."),
    500: (
        "节点内部错误,已记入日志;请稍后再试或联系技术员。",
        "An internal error; it was logged. Call the technician.",
    ),
    503: ("数据库正忙或磁盘已满,请稍后再试。", "The database is busy or the disk is full; try again later."),
}
_encode = msgspec.json.encode
_NAMED = re.compile(r"(?:field|query parameter) [`']([^`']+)[`']")


def language_of(request: Request[Any, Any, Any]) -> str:
    """`en` when the client prefers English, else `zh`."""
    return "en" if request.headers.get("accept-language", "").lower().startswith("en") else "zh"


def problem(
    status: int, kind: str, detail: str, *, headers: dict[str, str] | None = None, **members: Any
) -> Response[bytes]:
    """A problem response."""
    title = HTTPStatus(status).phrase
    body = {"type": f"/problems/{kind}", "title": title, "status": status, "detail": detail, **members}
    return Response(_encode(body), status_code=status, media_type=PROBLEM, headers=headers)


def refusal(request: Request[Any, Any, Any], error: WanmiError) -> Response[bytes]:
    """The problem of one of our own refusals."""
    language = language_of(request)
    status = STATUS.get(error.kind, 422)
    members: dict[str, Any] = {"instance": request.url.path, **error.extra}
    if error.fields:
        members["errors"] = [
            {"field": item.field, "detail": item.zh if language == "zh" else item.en, "nearest": list(item.nearest)}
            for item in error.fields
        ]
    headers = {}
    if "retry_after" in error.extra:
        headers["Retry-After"] = str(error.extra["retry_after"])
    if status == 401:
        schemes = ("Basic", "Bearer") if request.url.path.startswith("/ogc") else ("Bearer",)
        headers["WWW-Authenticate"] = ", ".join(f'{scheme} realm="wanmi"' for scheme in schemes)
    return problem(status, error.kind, error.sentence(language), headers=headers, **members)


def http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """The problem of an error of the framework: wrong address, method, JSON, field."""
    language, status = language_of(request), error.status_code
    members: dict[str, Any] = {"instance": request.url.path}
    if isinstance(error, ValidationException):
        status = 422
        items = error.extra if isinstance(error.extra, list) else [{"message": error.detail}]
        members["errors"] = [_wrong_field(item) for item in items if isinstance(item, dict)]
    kind = KIND_OF_STATUS.get(status, f"http-{status}")
    zh, en = SENTENCES.get(status, (error.detail, error.detail))
    detail = zh if language == "zh" else en
    if status in (400, 422) and error.detail:
        reasons = "; ".join(f"{item['field']}: {item['detail']}" for item in members.get("errors", []))
        detail = f"{detail} ({reasons or error.detail})"
    return problem(status, kind, detail, headers=dict(error.headers or {}), **members)


def encoding_error(request: Request[Any, Any, Any], error: UnicodeDecodeError) -> Response[bytes]:
    """The body is no UTF-8, as from a client that writes GBK."""
    zh, en = "请求体不是 UTF-8(例如是 GBK);请改用 UTF-8。", "The body is no UTF-8 (GBK perhaps); send it as UTF-8."
    detail = zh if language_of(request) == "zh" else en
    return problem(400, KIND_OF_STATUS[400], detail, instance=request.url.path)


def _wrong_field(item: dict[str, Any]) -> dict[str, Any]:
    """A field that the framework refused; it hides the names of missing and unknown ones in its sentence."""
    message, key = str(item.get("message", "")), str(item.get("key", ""))
    named = _NAMED.search(message)
    if named is not None:
        inside = key if key not in ("", "data") else ""
        key = ".".join(part for part in (inside, named[1]) if part)
    return {"field": key, "detail": message, "nearest": []}


def damaged(request: Request[Any, Any, Any], error: DatabaseError) -> Response[bytes]:
    """A page of the database is damaged; whoever looks at it is told, and everybody else goes on."""
    if not any(word in str(error.orig) for word in DAMAGE):
        return unexpected(request, error)
    import structlog

    structlog.get_logger("wanmi").error("damaged", path=request.url.path, error=str(error.orig))
    zh = "数据库有损坏的页;请立即告诉技术员,运行 wanmi doctor。"
    en = "A page of the database is damaged; tell the technician at once, who runs wanmi doctor."
    return problem(500, "broken", zh if language_of(request) == "zh" else en, instance=request.url.path)


DAMAGE = ("malformed", "not a database", "disk I/O error")
DISK_ERRORS = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO))


def database_error(request: Request[Any, Any, Any], error: OperationalError) -> Response[bytes]:
    """The database could not be written or read now; nothing of the request was done."""
    import structlog

    structlog.get_logger("wanmi").error("database", path=request.url.path, error=str(error.orig))
    zh, en = SENTENCES[503]
    detail = zh if language_of(request) == "zh" else en
    return problem(503, "busy", detail, headers={"Retry-After": "5"}, instance=request.url.path)


def disk_error(request: Request[Any, Any, Any], error: OSError) -> Response[bytes]:
    """A file could not be written: the disk is full, read-only or failing; nothing of the request was done."""
    if error.errno not in DISK_ERRORS:
        return unexpected(request, error)
    import structlog

    structlog.get_logger("wanmi").error("disk", path=request.url.path, error=error.strerror)
    zh, en = SENTENCES[503]
    detail = zh if language_of(request) == "zh" else en
    return problem(503, "busy", detail, headers={"Retry-After": "10"}, instance=request.url.path)


def unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Anything that nobody foresaw: logged with its traceback, told without it."""
    import structlog

    structlog.get_logger("wanmi").error("unexpected", path=request.url.path, exc_info=error)
    zh, en = SENTENCES[500]
    return problem(500, "internal", zh if language_of(request) == "zh" else en, instance=request.url.path)


HANDLERS: dict[Any, Any] = {
    WanmiError: refusal,
    HTTPException: http_error,
    UnicodeDecodeError: encoding_error,
    OperationalError: database_error,
    DatabaseError: damaged,
    OSError: disk_error,
    Exception: unexpected,
}
