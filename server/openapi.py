"""The OpenAPI 3.1 document: as the framework makes it, with our problem details where it would name its own errors."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
DESCRIPTION = "The county node of digital city management. Errors are RFC 9457 problem details with a stable `type`."


def config() -> OpenAPIConfig:
    """How the document is made. It is offered as JSON and YAML; pages would load scripts from the internet."""
    return OpenAPIConfig(
        title="Wanmi county node",
        version="1.0",
        description=DESCRIPTION,
        path="/schema",
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer"),
                "basic": SecurityScheme(type="http", scheme="basic"),
            }
        ),
        security=[{"bearer": []}],
        use_handler_docstrings=True,
        render_plugins=[Json(), Yaml()],
    )


class Json(JsonRenderPlugin):
    """The document as JSON."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document, put right."""
        return super().render(request, with_problems(openapi_schema))


class Yaml(YamlRenderPlugin):
    """The document as YAML."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document, put right."""
        return super().render(request, with_problems(openapi_schema))


def with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Name 422 where the framework names its own 400 for a wrong field, and problems where it names its own shape."""
    for path, operations in document["paths"].items():
        for operation in operations.values():
            responses = operation["responses"]
            if path.startswith("/open311"):
                _say_formats(path, responses)
            if not _is_theirs(responses.get("400", {})):
                continue
            del responses["400"]
            if path.startswith("/open311"):
                continue
            responses.setdefault("422", {"description": "A wrong value", "content": PROBLEM})
            if "requestBody" in operation:
                responses["400"] = {"description": "Not readable", "content": PROBLEM}
    return document


def _say_formats(path: str, responses: dict[str, Any]) -> None:
    """GeoReport answers in XML where the address ends in .xml, in either format where the ending is in a parameter."""
    for response in responses.values():
        content = response.get("content", {})
        if path.endswith((".xml", "}")) and "application/json" in content:
            content["text/xml"] = {"schema": {"type": "string"}}
            if path.endswith(".xml"):
                del content["application/json"]


def _is_theirs(response: dict[str, Any]) -> bool:
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    return bool(schema.get("description") == "Validation Exception")
