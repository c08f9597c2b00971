"""Alembic's entry: runs the migrations on the connection that `appliance.records.schema` hands over."""

from __future__ import annotations

from alembic import context
from geoalchemy2 import alembic_helpers

from appliance.records.metadata import metadata
from appliance.records.postgis import own_schema

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata(),
    version_table_schema=own_schema(connection),
    include_object=alembic_helpers.include_object,
    process_revision_directives=alembic_helpers.writer,
    render_item=alembic_helpers.render_item,
    transactional_ddl=False,
)
context.run_migrations()
