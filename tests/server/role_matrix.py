"""Every door of a node, tried by everybody; `python -m tests.server.role_matrix` writes the table anew, to be read.

A door is shut where the answer is 401 or 403. It is tried with the example of its body, or an empty one, on records
that there are not: what a person may see of a record that is there is told by the stories of sight.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from appliance.people.accounts import add_account, hash_password
from appliance.people.keys import add_key
from appliance.people.roles import ROLE_NAMES
from appliance.records.store import Records
from tests import homes
from tests.homes import PASSWORD, STAFF
from tests.nodes import RunningNode

TABLE = Path(__file__).with_name("role_matrix.csv")
KEYS = ("wall", "device", "public")
WHO = ("nobody", *ROLE_NAMES, *KEYS)
OPEN, SHUT = "open", "-"
NOWHERE = "1"
"""The value of every path parameter: no record has it."""
BODIES = {"change_password": {"old": PASSWORD, "new": PASSWORD}}
"""Bodies where the example would be refused for itself, with the answer of a shut door."""
SLOW = ("doctor", "analysis", "settlement")
"""Operations that work for seconds once the guard has let somebody in."""
LAST = ("sign_out",)
"""Ends the session with which the others are tried."""

Door = tuple[str, str]


def furnished(home: Path) -> dict[str, str]:
    """A home with an account of every role; the keys of machines by role."""
    homes.copy_home(home)
    records = Records.open(home)
    try:
        hashed = hash_password(PASSWORD, records.settings.sign_in)
        records.write(
            lambda unit: add_account(
                unit, account="t1", name="技术员一", roles=frozenset(("technician",)), by="technician",
                password_hash=hashed,
            )
        )  # fmt: skip
        return {
            role: records.write(lambda unit, role=role: add_key(unit, role, role=role, source="web", by="technician"))
            for role in KEYS
        }
    finally:
        records.close()


def clients(node: RunningNode, keys: dict[str, str]) -> dict[str, httpx.Client]:
    """A client for everybody of the table."""
    account_of = {role: account for account, _, role, _ in reversed(STAFF)} | {"technician": "t1"}
    found = {role: node.client(account_of[role]) for role in ROLE_NAMES}
    for who in ("nobody", *KEYS):
        headers = {"Authorization": f"Bearer {keys[who]}"} if who in keys else {}
        found[who] = httpx.Client(base_url=node.url, timeout=30, headers=headers)
    return found


def doors(document: dict[str, Any]) -> Iterator[tuple[Door, dict[str, Any]]]:
    """Method, path and operation of every route, those that end a session last."""
    found = [
        ((method.upper(), path), operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    yield from sorted(found, key=lambda door: (door[1]["operationId"] in LAST, door[0][1], door[0][0]))


def tried(client: httpx.Client, door: Door, operation: dict[str, Any]) -> str:
    """Whether a door is open for somebody."""
    method, path = door
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", NOWHERE)
    body = BODIES.get(operation["operationId"]) or _example(operation)
    sent: dict[str, Any] = {"json": body}
    if method == "POST" and path.startswith("/open311/"):
        sent = {"data": {"api_key": client.headers.get("Authorization", "").removeprefix("Bearer ")}}
    with client.stream(method, path, headers={"If-Match": '"1"'}, **sent) as answer:
        if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
            answer.read()  # so that the connection is used again
        return SHUT if answer.status_code in (401, 403) else OPEN


def _example(operation: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {})
    for example in content.get("application/json", {}).get("examples", {}).values():
        return example["value"]
    return {} if content else None


def matrix(
    node: RunningNode, keys: dict[str, str], spared: dict[Door, list[str]] | None = None
) -> dict[Door, list[str]]:
    """Who may enter which door, as the node has it.

    Args:
        spared: the decided table; of those for whom it opens a slow door only the first tries it, and the others are
            taken from it. Everybody for whom it is shut tries it all the same. None tries all.
    """
    everybody = clients(node, keys)
    document = everybody["nobody"].get("/schema/openapi.json").json()
    found: dict[Door, list[str]] = {}
    for door, operation in doors(document):
        then = (spared or {}).get(door) if operation["operationId"] in SLOW else None
        skipped = [who for who, now in zip(WHO, then or (), strict=False) if now == OPEN][1:]
        found[door] = [OPEN if who in skipped else tried(everybody[who], door, operation) for who in WHO]
    for who in ("nobody", *KEYS):
        everybody[who].close()
    return dict(sorted(found.items(), key=lambda each: (each[0][1], each[0][0])))


def decided() -> dict[Door, list[str]]:
    """Who may enter which door, as it was decided."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {(row["method"], row["path"]): [row[who] for who in WHO] for row in csv.DictReader(file)}


def main() -> int:
    """Write the table as the node has it."""
    with TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        keys = furnished(home)
        node = RunningNode(home).start()
        try:
            found = matrix(node, keys)
        finally:
            node.stop()
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("method", "path", *WHO))
        writer.writerows((*door, *row) for door, row in found.items())
    return 0


if __name__ == "__main__":
    sys.exit(main())
