"""Papers to print: bulletins, notice and letter of a case, as a page or as PDF."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import Controller, Request, Response, get
from litestar.openapi.datastructures import ResponseSpec
from sqlalchemy import Connection

from appliance.papers.case_papers import letter_facts, notice_facts
from appliance.papers.making import command_of
from appliance.papers.pages import page_of
from appliance.papers.printing import pdf_of
from appliance.papers.recurring import due_papers
from server import answers, examples
from server.aside import run_aside
from server.node import Node, actor_of_request, node_of
from server.paging import Key, sent
from server.paper_answers import DuePapers, wanted
from server.returns import READERS, Accept
from server.scores import period_of_request
from server.sign_in import require, require_person

HTML, PDF = "text/html", "application/pdf"
ENDINGS = {HTML: "html", PDF: "pdf"}
PAGE_ONLY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
PAGE = {200: ResponseSpec(str, description="The page", media_type=HTML, generate_examples=False)}
Facts = dict[str, Any]


class PrintedController(Controller):
    """Papers; PDF where `Accept` asks for it."""

    path = "/api/v1/papers"
    tags = ["papers"]
    guards = [require_person()]

    @get(
        "/bulletin/{period:str}", operation_id="bulletin", guards=[require(*READERS)],
        responses={**PAGE, **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def bulletin(self, request: Request[Any, Any, Any], period: str, accept: Accept = "") -> Response[bytes]:
        """The bulletin 专刊 of a day, week, month, quarter or year; made in a process beside the node."""
        node = node_of(request)
        asked, media = period_of_request(node, period), wanted(accept, ENDINGS)
        records = node.office.records
        command = command_of(records.home, records.clock.now(), asked.name, ENDINGS[media])
        body = await run_aside(command, "专刊生成失败", "Making the bulletin failed")
        return _sent(body, f"bulletin-{asked.name}", media)

    @get(
        "/due", operation_id="due_papers", guards=[require(*READERS)],
        responses={**answers.shows(DuePapers), **examples.refusals(401, 403)},
    )  # fmt: skip
    async def due(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The papers that come back: what is due, made, submitted or overdue, the newest first."""
        node = node_of(request)
        home, settings, now = node.office.records.home, node.office.settings, node.office.records.clock.now()
        found = await node.read(lambda connection: due_papers(connection, home, settings, now))
        return sent({"items": [each.as_dict() for each in found]})

    @get("/notice/{number:str}", operation_id="notice", responses={**PAGE, **examples.refusals(401, 403, 404, 422)})
    async def notice(self, request: Request[Any, Any, Any], number: str, accept: Accept = "") -> Response[bytes]:
        """The rectification notice 整改通知 of a dispatched case."""
        node, actor = node_of(request), actor_of_request(request)
        return await _filled(
            node, "notice", number, accept, lambda connection: notice_facts(connection, node.office, actor, number)
        )

    @get(
        "/letter/{number:str}/{supervision:int}", operation_id="letter",
        responses={**PAGE, **examples.refusals(401, 403, 404, 422)},
    )  # fmt: skip
    async def letter(
        self, request: Request[Any, Any, Any], number: str, supervision: Key, accept: Accept = ""
    ) -> Response[bytes]:
        """The supervision letter 督办函 of a supervised case."""
        node, actor = node_of(request), actor_of_request(request)
        return await _filled(
            node, "letter", f"{number}-{supervision}", accept,
            lambda connection: letter_facts(connection, node.office, actor, number, supervision),
        )  # fmt: skip


async def _filled(
    node: Node, template: str, name: str, accept: str, facts: Callable[[Connection], Facts]
) -> Response[bytes]:
    """A paper that is made of its facts."""
    page = await node.read(lambda connection: page_of(node.office.records.home, template, facts(connection)))
    return await _answered(node, page, f"{template}-{name}", accept)


async def _answered(node: Node, page: str, name: str, accept: str) -> Response[bytes]:
    """A page, or its PDF where that is what the client likes."""
    media = wanted(accept, ENDINGS)
    body = page.encode() if media == HTML else await node.thread(lambda: pdf_of(page))
    return _sent(body, name, media)


def _sent(body: bytes, name: str, media: str) -> Response[bytes]:
    headers = {
        "Vary": "Accept", "Cache-Control": "no-store", "Content-Security-Policy": PAGE_ONLY,
        "Content-Disposition": f'inline; filename="{name}.{ENDINGS[media]}"',
    }  # fmt: skip
    return Response(body, media_type=media, headers=headers)
