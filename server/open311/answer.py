"""Answers of GeoReport v2: JSON without a root name, XML without schema or namespace, errors as an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import msgspec
from litestar import Response

TYPES = {"json": "application/json; charset=utf-8", "xml": "text/xml"}
"""Media types; the framework adds the charset to text by itself."""


class Open311Error(Exception):
    """A refusal in the terms of the protocol: an HTTP status and a sentence."""

    def __init__(self, status: int, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.description = description


def answer(form: str, root: str, item: str, rows: Sequence[dict[str, Any]], status: int = 200) -> Response[bytes]:
    """A list of rows; in XML under `root` with one element `item` for each."""
    if form == "json":
        return Response(msgspec.json.encode(list(rows)), status_code=status, media_type=TYPES["json"])
    top = ElementTree.Element(root)
    for row in rows:
        _fill(ElementTree.SubElement(top, item), row)
    return _xml(top, status)


def single(form: str, root: str, row: dict[str, Any]) -> Response[bytes]:
    """One object at the top (discovery and service definitions are no lists)."""
    if form == "json":
        return Response(msgspec.json.encode(row), media_type=TYPES["json"])
    top = ElementTree.Element(root)
    _fill(top, row)
    return _xml(top, 200)


def failure(form: str, error: Open311Error) -> Response[bytes]:
    """An error as the protocol wants it."""
    row = {"code": error.status, "description": error.description}
    return answer(form, "errors", "error", [row], error.status)


def form_of(path: str) -> str:
    """`json` or `xml`, by the suffix of the address."""
    return "json" if path.endswith(".json") else "xml"


LISTS = {"endpoints": "endpoint", "formats": "format", "attributes": "attribute", "values": "value"}
"""Elements that hold a list, and the name of each element in it."""


def _fill(parent: ElementTree.Element, row: dict[str, Any]) -> None:
    for name, value in row.items():
        element = ElementTree.SubElement(parent, name)
        if isinstance(value, list):
            for member in value:
                inner = ElementTree.SubElement(element, LISTS.get(name, "item"))
                if isinstance(member, dict):
                    _fill(inner, member)
                else:
                    inner.text = _text(member)
        elif isinstance(value, dict):
            _fill(element, value)
        else:
            element.text = _text(value)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return "".join(sign for sign in str(value) if sign >= " " or sign in "\t\n\r")


def _xml(top: ElementTree.Element, status: int) -> Response[bytes]:
    body = b'<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(top, encoding="utf-8")
    return Response(body, status_code=status, media_type=TYPES["xml"])
