"""The county's own monthly return (CONTRACT.md "Exchange"): JSON, CSV or XLSX, as the client asks."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get
from litestar.params import Parameter

from appliance.errors import Forbidden
from appliance.exchange.scopes import Grants
from appliance.papers.daily import daily_document, day_of
from appliance.papers.filing import filing_of
from appliance.scoring.facts import facts_of_month
from appliance.scoring.monthly_return import Row, return_document, row_of
from appliance.scoring.periods import Period, month_of
from appliance.scoring.return_files import CSV, XLSX, csv_of, xlsx_of
from server.exchange.desk import PREFIX, asker_of, desk_of, log_read
from server.exchange.encoding import chosen, weights, whole

JSON = "application/json"
FORMATS = {JSON: "json", "text/csv": "csv", XLSX: "xlsx"}
"""What a return is written in, by media type; the first one where the client has no wish."""

FILING = ("state", "revision", "signed_by_name", "signed_at")
"""What is told of how the county's own return stands."""
SCOPE = "reports.read"


class ReportController(Controller):
    """What the county reports by itself."""

    path = f"{PREFIX}/reports"
    tags = ["exchange"]

    @get("/monthly/{period:str}")
    async def monthly(
        self,
        request: Request[Any, Any, Any],
        period: str,
        accept: Annotated[str, Parameter(header="Accept")] = "",
        accept_encoding: Annotated[str, Parameter(header="Accept-Encoding")] = "",
        if_none_match: Annotated[str, Parameter(header="If-None-Match")] = "",
    ) -> Response[bytes]:
        """The county's row of the monthly table; that of an ended month is the same whenever it is asked for."""
        desk, asker = desk_of(request), asker_of(request)
        _require_whole_county(asker.grants)
        settings, now = desk.office.settings, desk.office.records.clock.now()
        month, media = month_of(period, settings.zone, now), _wanted(accept)
        facts, filed = await desk.read(
            lambda connection: (facts_of_month(connection, month), filing_of(connection, month.name))
        )
        filing = {member: filed[member] for member in FILING}
        row = row_of(settings.county, settings.name, facts)
        headers = {"ETag": _tag(row, month, media, filing), "Cache-Control": "no-store"}
        if headers["ETag"] in if_none_match:
            return Response(b"", status_code=304, headers=headers)
        body, more = await desk.thread(lambda: whole(_written(row, month, media, filing), chosen(accept_encoding)))
        log_read(request, "monthly return", period=month.name, format=FORMATS[media], bytes=len(body))
        if media != JSON:
            name = f"{settings.county}-{month.name}.{FORMATS[media]}"
            headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return Response(body, media_type=CSV if media == "text/csv" else media, headers=headers | more)

    @get("/daily/{day:str}")
    async def daily(
        self,
        request: Request[Any, Any, Any],
        day: str,
        accept_encoding: Annotated[str, Parameter(header="Accept-Encoding")] = "",
    ) -> Response[bytes]:
        """The county's facts of a day, by source, and what is open and overdue now."""
        desk, asker = desk_of(request), asker_of(request)
        _require_whole_county(asker.grants)
        asked = day_of(desk.office, day)
        document = await desk.read(lambda connection: daily_document(connection, desk.office, asked))
        body, headers = whole(msgspec.json.encode(document), chosen(accept_encoding))
        log_read(request, "daily report", day=asked.name, bytes=len(body))
        return Response(body, media_type=JSON, headers=headers | {"Cache-Control": "no-store"})


def _require_whole_county(grants: Grants) -> None:
    """Refuse who may not read it; a report is of the whole county and cannot be narrowed to an area.

    Raises:
        Forbidden: the scope is missing, or is for some areas only.
    """
    grants.require(SCOPE)
    if grants.areas[SCOPE]:
        areas = ", ".join(grants.areas[SCOPE])
        raise Forbidden(
            f"证书的 {SCOPE} 只限 {areas};月报和日报是全县的。",
            f"The scope {SCOPE} of this certificate is for {areas} only; reports are of the whole county.",
            needed=[SCOPE],
        )


def _wanted(accept: str) -> str:
    """The format that the client likes best; JSON where it does not say, or likes none of ours."""
    liked = weights(accept)
    return max(FORMATS, key=lambda media: liked.get(media, liked.get("*/*", 0.0)))


def _written(row: Row, month: Period, media: str, filing: dict[str, Any]) -> bytes:
    if media == JSON:
        return msgspec.json.encode(return_document(row, month) | {"filing": filing})
    return csv_of([row], month) if media == "text/csv" else xlsx_of([row], month)


def _tag(row: Row, month: Period, media: str, filing: dict[str, Any]) -> str:
    """The same for the same facts: the moment of looking, which a running month tells, is left out."""
    told = {**return_document(row, month), "as_of": None, "format": FORMATS[media], "filing": filing}
    return f'W/"{hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:32]}"'
