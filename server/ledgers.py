"""Ledgers 台账: what was returned, voided, extended …, with shares and limits; registers that people fill by a form."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post

from appliance.ledgers import registers
from appliance.ledgers.reading import overview, page
from appliance.ledgers.values import REGISTER, ledger_named, ledgers
from appliance.scoring.runs import PLATFORM
from server import answers, examples, ledger_answers
from server.node import actor_of_request, node_of
from server.paging import PAGE, After, Key, Limit, sent
from server.paging import page as paged
from server.scores import Name, evaluated_of, period_of_request
from server.sign_in import require, require_person

READERS = ("shift_leader", "dispatcher", "leader", "assessor", "admin", "technician")
WRITERS = ("acceptor", "shift_leader", "dispatcher", "leader", "assessor", "admin")
Fields = dict[str, str | float | int | None]


class EntryBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is entered into a register."""

    fields: Fields
    number: str | None = None
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class ClosingBody(msgspec.Struct, forbid_unknown_fields=True):
    """How an entry is closed."""

    fields: Fields


class LedgerController(Controller):
    """Ledgers and registers."""

    path = "/api/v1/ledgers"
    tags = ["ledgers"]
    guards = [require_person()]

    @get(
        operation_id="ledgers", guards=[require(*READERS)],
        responses={**answers.shows(ledger_answers.Ledgers), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def all(self, request: Request[Any, Any, Any], period: Name = "") -> Response[bytes]:
        """Every ledger of a period with its share of all cases; `near` warns before a limit is passed."""
        node = node_of(request)
        asked = period_of_request(node, period)
        evaluated = await evaluated_of(node, asked)
        facts = evaluated.named["platform"][PLATFORM].subject.facts
        settings = node.office.settings
        items = await node.read(lambda connection: overview(connection, evaluated.period, facts, settings))
        return sent({"period": asked.name, "items": items})

    @get(
        "/forms",
        operation_id="ledger_forms",
        responses={**answers.shows(ledger_answers.Forms), **examples.refusals(401)},
    )
    async def forms(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The forms of the registers."""
        items = [
            {
                "ledger": each.ledger, "name": each.chinese, "english": each.english,
                "fields": [
                    {"field": field.field, "name": field.chinese, "english": field.english, "type": field.type,
                     "needed": field.needed, "at": field.at}
                    for field in each.fields
                ],
            }
            for each in ledgers().values() if each.kind == REGISTER
        ]  # fmt: skip
        return sent({"items": items})

    @get(
        "/{ledger:str}", operation_id="ledger", guards=[require(*READERS)],
        responses={**answers.shows(ledger_answers.LedgerPage), **examples.refusals(401, 403, 404, 422)},
    )  # fmt: skip
    async def one(
        self, request: Request[Any, Any, Any], ledger: str, period: Name = "", after: After = None, limit: Limit = PAGE
    ) -> Response[bytes]:
        """The rows of a ledger in a period, oldest first."""
        node, found = node_of(request), ledger_named(ledger)
        asked = period_of_request(node, period)
        rows = await node.read(
            lambda connection: page(connection, found, asked, node.office.settings, after=after or 0, limit=limit + 1)
        )
        return sent({"ledger": ledger, "period": asked.name, **paged(rows, limit, lambda row: row["id"])})

    @post(
        "/{ledger:str}", operation_id="enter_ledger", status_code=201, guards=[require(*WRITERS)],
        responses={**answers.shows(ledger_answers.Entered, 201), **examples.refusals(401, 403, 404, 422)},
    )  # fmt: skip
    async def enter(self, request: Request[Any, Any, Any], ledger: str, data: EntryBody) -> Response[bytes]:
        """Enter something into a register by its form."""
        node, actor, found = node_of(request), actor_of_request(request), ledger_named(ledger)
        id_ = await node.office.records.write_async(
            lambda unit: registers.enter(unit, actor, found, data.number, data.fields, data.note)
        )
        return sent({"id": id_}, 201)

    @post(
        "/{ledger:str}/{entry:int}/close", operation_id="close_ledger_entry", status_code=200,
        guards=[require(*WRITERS)],
        responses={**answers.shows(ledger_answers.Entered), **examples.refusals(401, 403, 404, 409, 422)},
    )  # fmt: skip
    async def close(
        self, request: Request[Any, Any, Any], ledger: str, entry: Key, data: ClosingBody
    ) -> Response[bytes]:
        """Close an entry (销号)."""
        node, actor, found = node_of(request), actor_of_request(request), ledger_named(ledger)
        await node.office.records.write_async(lambda unit: registers.close(unit, actor, found, entry, data.fields))
        return sent({"id": entry})
