"""All tables of the house in one metadata, for migrations and for the schema test."""

from __future__ import annotations

from importlib import import_module

from sqlalchemy import MetaData
from sqlmodel import SQLModel

TABLE_MODULES = (
    "appliance.records.tables",
    "appliance.people.tables",
    "appliance.places.tables",
    "appliance.cases.tables",
    "appliance.patrols.tables",
    "appliance.equipment.tables",
    "appliance.messages.tables",
    "appliance.exchange.tables",
    "appliance.scoring.tables",
    "appliance.ledgers.tables",
    "appliance.campaigns.tables",
    "appliance.assessment.tables",
    "appliance.papers.tables",
    "appliance.scheduling.tables",
)


def metadata() -> MetaData:
    """The metadata with every subject's tables loaded."""
    for module in TABLE_MODULES:
        import_module(module)
    return SQLModel.metadata
