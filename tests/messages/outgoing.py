"""An office whose departments are told by text message, and what lies in its outbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomli_w
from sqlalchemy import text

from appliance.messages import outbox
from appliance.messages.writing import something_to_tell, write_messages
from tests.cases.desk import Desk

PHONE = "13812341234"


def configure(home: Path, **messages: Any) -> None:
    """Write the block of messages anew."""
    file = home / "wanmi.toml"
    before = file.read_text(encoding="utf-8").split("[messages]")[0]
    file.write_text(f"{before}\n{tomli_w.dumps({'messages': messages})}", encoding="utf-8")


class Outgoing:
    """A desk, and beside it the clock's look for what is to be told."""

    def __init__(self, home: Path, start: str = "2026-10-09 09:00", **messages: Any) -> None:
        configure(home, **{"channels": ["sms"], **messages})
        self.desk = Desk(home, start)
        self.office = self.desk.office
        self.sql("UPDATE department SET phone = :phone WHERE code = 'D01'", phone=PHONE)

    def close(self) -> None:
        self.desk.close()

    @property
    def now(self) -> int:
        """The moment at the office."""
        return self.desk.clock.now()

    def go_to(self, moment: int) -> None:
        """Move the clock."""
        self.desk.clock.set(moment)

    def sql(self, statement: str, **values: Any) -> None:
        """Change something behind the office's back, as an import does."""
        self.office.records.write(lambda unit: unit.connection.execute(text(statement), values) and None)

    def tell(self, most: int = 20) -> int:
        """What a second of the clock does, until nothing is left; returns how many messages were written."""
        written = 0
        for _ in range(most):
            with self.office.records.read() as connection:
                if not something_to_tell(connection, self.office, self.now):
                    return written
            written += self.office.records.write(lambda unit: write_messages(unit, self.office))
        raise AssertionError("it never came to an end")

    def ledger(self) -> list[dict[str, Any]]:
        """All messages, the oldest first."""
        with self.office.records.read() as connection:
            return outbox.messages_page(connection, before=2**62, limit=10_000)[::-1]

    def waiting(self) -> list[dict[str, Any]]:
        """What an agent is given now."""
        with self.office.records.read() as connection:
            return outbox.waiting_messages(connection, self.now)

    def result(self, key: int, ok: bool, detail: str = "") -> dict[str, Any]:
        """An agent tells what became of a message."""
        return self.office.records.write(lambda unit: outbox.result(unit, self.office, key, ok, detail))

    def told(self) -> list[tuple[str, str]]:
        """Event and case of all messages."""
        return [(message["event"], message["case"]) for message in self.ledger()]
