"""What the exchange keeps: who read how far, what was forgotten of the feed, and how far a replica is."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from appliance.records.base import moment


class ExchangeClient(SQLModel, table=True):
    """How far a client of a link has confirmed the feed, and when it asked last. A link is its platform's URL."""

    __tablename__ = "exchange_client"

    link: str = Field(primary_key=True)
    client: str = Field(primary_key=True)
    feed: str
    cursor: int
    last_pull: int = moment(nullable=False)


class ForgottenChange(SQLModel, table=True):
    """The last change of a type that is not kept any more; so that `prev` stays true for those who read it."""

    __tablename__ = "forgotten_change"

    type: str = Field(primary_key=True)
    seq: int


class Replica(SQLModel, table=True):
    """On the side above: how far this copy of a county is. The only row has id 1.

    While a snapshot is taken, `type` and `key` say how far it came, and `cursor` is where changes begin after it.
    `seen` is the last change that was taken in, at first the snapshot's cursor; the next one names none that is newer.
    """

    __tablename__ = "replica"

    id: int = Field(primary_key=True)
    county: str
    feed: str
    cursor: int
    type: str | None = None
    key: str | None = None
    items: int = 0
    pulled_at: int | None = moment()
    seen: int | None = None
