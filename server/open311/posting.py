"""A new service request from a form post, as clients of every age send it."""

from __future__ import annotations

from urllib.parse import parse_qsl

from sqlalchemy import Connection, text

from appliance.cases.office import Office
from appliance.cases.report import ADDRESS_AT_MOST, DESCRIPTION_AT_MOST, NewCase
from appliance.errors import WanmiError
from appliance.people.actor import Actor, machine
from appliance.people.keys import find_key
from server.open311.answer import Open311Error
from server.open311.services import CONDITION, find_service

ACCOUNT = "open311:"
_PLACE = text("SELECT lon, lat, name FROM place WHERE code = :code")
_PART = text("SELECT lon, lat, name FROM part WHERE code = :code")


def form_values(body: bytes, query: str) -> dict[str, str]:
    """The fields of a form post; what stands in the address counts too, the body wins; empty ones are absent."""
    found: dict[str, str] = {}
    for text_ in (query, body.decode("utf-8", "replace")):
        for name, value in parse_qsl(text_, keep_blank_values=True, max_num_fields=200):
            if value.strip():
                found[name] = value.strip()
    return found


def key_holder(connection: Connection, values: dict[str, str]) -> tuple[Actor, str]:
    """Who posts, and the case source of the key.

    Raises:
        Open311Error: 403, no key or an unknown one.
    """
    found = find_key(connection, values["api_key"]) if "api_key" in values else None
    if found is None or found.role != "public":
        raise Open311Error(403, "api_key is missing or not known; ask the county for one")
    return machine("public", account_of(found.name), found.name), found.source or "web"


def account_of(name: str) -> str:
    """Under which the posts of a key are registered."""
    return f"{ACCOUNT}{name}"


def new_case(connection: Connection, office: Office, values: dict[str, str], source: str) -> NewCase:
    """The case behind a post.

    Raises:
        Open311Error: 400 a missing or wrong field, 404 an unknown service.
    """
    if "service_code" not in values:
        raise Open311Error(400, "service_code is missing")
    item = find_service(office, values["service_code"])
    lon, lat, address = _place(connection, values)
    description = values.get("description", "")
    if len(description) > DESCRIPTION_AT_MOST:
        raise Open311Error(400, f"description may have at most {DESCRIPTION_AT_MOST} characters")
    media = values.get("media_url")
    return NewCase(
        source=source, kind=item.kind, code=item.code, description=description, lon=lon, lat=lat,
        address=address[:ADDRESS_AT_MOST], condition=_condition(values), reporter_name=_name(values),
        reporter_phone=values.get("phone"),
        reporter_email=values.get("email"), note=f"media_url: {media}" if media else None,
    )  # fmt: skip


def _name(values: dict[str, str]) -> str | None:
    """The reporter's name: 张三, or John Smith."""
    last, first = values.get("last_name", ""), values.get("first_name", "")
    if (last + first).isascii():
        return " ".join(part for part in (first, last) if part) or None
    return last + first


def _condition(values: dict[str, str]) -> str | None:
    for name in (f"attribute[{CONDITION}]", f"attribute[{CONDITION}][]"):
        if name in values:
            return values[name]
    return None


def _place(connection: Connection, values: dict[str, str]) -> tuple[float, float, str]:
    address = values.get("address_string", "")
    if "lat" in values and "long" in values:
        try:
            return float(values["long"]), float(values["lat"]), address
        except ValueError:
            raise Open311Error(400, "lat and long must be numbers") from None
    if "address_id" in values:
        for statement in (_PLACE, _PART):
            row = connection.execute(statement, {"code": values["address_id"]}).one_or_none()
            if row is not None:
                return row.lon, row.lat, address or row.name
        raise Open311Error(400, f"address_id {values['address_id']} is not known")
    if address:
        return _geocoded(connection, address)
    raise Open311Error(400, "give lat and long, or address_string, or address_id")


def _geocoded(connection: Connection, address: str) -> tuple[float, float, str]:
    from appliance.places.geocode import geocode

    try:
        found = geocode(connection, address, limit=1)
    except WanmiError:
        found = []
    if not found:
        raise Open311Error(400, f"address_string {address} was not found; give lat and long")
    return found[0].lon, found[0].lat, address
