"""Services: the classes of the county's edition; a class with several conditions asks for one of them."""

from __future__ import annotations

from typing import Any

from appliance.cases.office import Office
from appliance.codes.values import CodeClass, Limit
from appliance.errors import UnknownCode
from server.open311.answer import Open311Error

CONDITION = "condition"


def service_code(item: CodeClass) -> str:
    """`part-01002`, `event-06001`: unique over both kinds."""
    return f"{item.kind}-{item.code}"


def find_service(office: Office, code: str) -> CodeClass:
    """The class behind a service code.

    Raises:
        Open311Error: 404, no such service.
    """
    kind, _, number = code.partition("-")
    try:
        return office.code_class(kind, number)
    except UnknownCode:
        raise Open311Error(404, f"service_code {code} was not found; see services") from None


def limits_to_choose(office: Office, item: CodeClass) -> tuple[Limit, ...]:
    """The limits of a class that has several."""
    limits = office.limits(item.edition, item.kind, item.code)
    return limits if len(limits) > 1 else ()


def all_services(office: Office) -> list[dict[str, Any]]:
    """The service list."""
    edition = office.settings.edition
    return [_service(office, item) for item in office.book.classes.values() if item.edition == edition]


def definition(office: Office, code: str) -> dict[str, Any]:
    """The attributes of a service.

    Raises:
        Open311Error: 404, no such service.
    """
    item = find_service(office, code)
    limits = limits_to_choose(office, item)
    attributes = []
    if limits:
        attributes.append(
            {
                "variable": True,
                "code": CONDITION,
                "datatype": "singlevaluelist",
                "required": False,
                "datatype_description": "",
                "order": 1,
                "description": "立案条件 / condition",
                "values": [
                    {"key": str(number), "name": limit.condition_to_open} for number, limit in enumerate(limits, 1)
                ],
            }
        )
    return {"service_code": service_code(item), "attributes": attributes}


def _service(office: Office, item: CodeClass) -> dict[str, Any]:
    return {
        "service_code": service_code(item), "service_name": item.name, "description": item.english,
        "metadata": bool(limits_to_choose(office, item)), "type": "realtime",
        "keywords": f"{item.english},{item.initials}", "group": item.class_name,
    }  # fmt: skip
