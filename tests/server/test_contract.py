"""The contract's names: routes, the case record, and that the OpenAPI document knows them all."""

from __future__ import annotations

import msgspec
import pytest

from server.cases.schemas import CaseOut
from tests.nodes import RunningNode
from tests.server.test_loop_over_http import report

RECORD = (
    "number", "kind", "edition", "code", "class_code", "name", "condition", "source", "external", "upper", "camera",
    "description", "lon", "lat", "address", "grid", "duty_grid", "street", "community", "part", "reporter",
    "query_code", "state", "clock", "due_at", "handle_due_at", "provisional", "light", "limit", "department",
    "sub_unit", "department_suggested", "collector", "rework", "extensions", "flags", "supervisions", "requests",
    "merged_into", "reported_at", "accepted_at", "filed_at", "dispatched_at", "handled_at", "checked_at",
    "closed_at", "satisfaction", "evidence", "version",
)  # fmt: skip

ROUTES = (
    "/health", "/metrics", "/api/v1/session", "/api/v1/cases", "/api/v1/cases/{number}",
    "/api/v1/cases/{number}/history", "/api/v1/cases/{number}/actions/{action}", "/api/v1/cases/{number}/requests",
    "/api/v1/cases/{number}/requests/{request_id}/decision", "/api/v1/cases/{number}/evidence", "/api/v1/evidence",
    "/api/v1/evidence/{sha256}", "/api/v1/positions", "/api/v1/calls", "/api/v1/public/cases/{query_code}",
    "/api/v1/jobs/{name}", "/api/v1/actions", "/api/v1/locate", "/api/v1/geocode", "/api/v1/events",
    "/api/v1/tracks/{who}", "/api/v1/patrols", "/api/v1/patrols/{duty_grid}", "/api/v1/patrols/alarms",
    "/api/v1/devices", "/api/v1/devices/{device}/commands", "/api/v1/devices/commands",
    "/api/v1/devices/commands/{command_id}", "/api/v1/devices/commands/{command_id}/answer", "/api/v1/messages",
    "/api/v1/messages/{message_id}/result", "/api/v1/wall",
)  # fmt: skip


def test_the_record_has_every_name_of_the_contract_and_fits_its_schema(shared_node: RunningNode) -> None:
    number = report(shared_node)["number"]
    answer = shared_node.client("z1").get(f"/api/v1/cases/{number}")
    assert set(RECORD) <= answer.json().keys()
    assert answer.json().keys() == set(CaseOut.__struct_fields__)
    msgspec.json.decode(answer.content, type=CaseOut)


def test_the_openapi_document_knows_every_route(shared_node: RunningNode) -> None:
    document = shared_node.client("z1").get("/schema/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert set(ROUTES) <= document["paths"].keys()
    assert any(path.startswith("/open311/v2") for path in document["paths"])
    assert any(path.startswith("/ogc") for path in document["paths"])
    operations = [item["operationId"] for path in document["paths"].values() for item in path.values()]
    assert len(operations) == len(set(operations))
    assert set(RECORD) <= document["components"]["schemas"]["CaseOut"]["properties"].keys()


FIELD_ANSWERS = ("verify_true", "verify_false", "check_pass", "check_fail")
ROLE_OF = {
    "s1": "acceptor", "z1": "shift_leader", "p1": "dispatcher", "d1": "department", "l1": "collector", "b1": "leader",
    "k1": "assessor", "admin": "admin",
}  # fmt: skip


@pytest.mark.parametrize("account", ROLE_OF)
def test_nobody_may_do_more_than_the_workflow_says(shared_node: RunningNode, account: str) -> None:
    """Every action is tried by every role on a case in every role's sight: 403 exactly where the table says so."""
    from appliance.cases.workflow import workflow

    node = shared_node
    number = str(report(node, "l1", source="collector")["number"])
    for who, action, body in (("s1", "accept", {}), ("z1", "file", {}), ("p1", "dispatch", {"department": "D01"})):
        body = {**body, "condition": 1} if action == "dispatch" else body
        assert node.act(who, number, action, **body).status_code == 200
    client, role = node.client(account), ROLE_OF[account]
    for action in workflow().actions.values():
        if action.called_by != "act":
            continue
        answer = client.post(f"/api/v1/cases/{number}/actions/{action.name}", json={}, headers={"If-Match": '"999"'})
        not_sent = role == "collector" and action.name in FIELD_ANSWERS
        expected = 409 if role in action.roles and not not_sent else 403
        assert answer.status_code == expected, (action.name, role, answer.text)


def test_the_key_bar_is_the_table(shared_node: RunningNode) -> None:
    from appliance.cases.workflow import workflow

    for account, role in ROLE_OF.items():
        for state in workflow().states:
            items = shared_node.client(account).get(f"/api/v1/actions?state={state}").json()["items"]
            named = [action.name for action in workflow().allowed(state, [role]) if action.called_by == "act"]
            assert [item["action"] for item in items] == named
