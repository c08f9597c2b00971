"""Is the node well: for the supervisor, the technician and Prometheus."""

from __future__ import annotations

import resource
from shutil import disk_usage
from typing import Any

import msgspec
from litestar import Controller, Request, Response, get
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import Connection, text

from appliance.cases.summary import summary
from appliance.clock import SECOND
from appliance.errors import Forbidden
from appliance.exchange.clients import all_confirmed
from appliance.messages.outbox import counts
from appliance.records.feed import last_seq
from appliance.scheduling.declared import jobs
from appliance.scheduling.runs import newest
from server.node import Node, node_of

LOOPBACK = ("127.0.0.1", "::1", "localhost")
VERSION = "0.1.0"


class Health(msgspec.Struct):
    """The node answers, and its database reads."""

    status: str
    county: str
    name: str
    version: str
    seq: int
    edition: str
    time_zone: str


class HealthController(Controller):
    """Health and metrics."""

    tags = ["node"]

    @get("/health", operation_id="health", security=[{}])
    async def health(self, request: Request[Any, Any, Any]) -> Health:
        """Answers when the node can read its records."""
        node = node_of(request)
        settings = node.office.settings
        seq = await node.read(last_seq)
        return Health("ok", settings.county, settings.name, VERSION, seq, settings.edition, settings.time_zone)

    @get("/metrics", operation_id="metrics", security=[{}], media_type="text/plain")
    async def metrics(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Prometheus text; from this machine only, unless the setting opens it."""
        node = node_of(request)
        client = request.client.host if request.client else ""
        if client not in LOOPBACK and not node.office.settings.http.metrics_open:
            raise Forbidden("指标只对本机开放。", "Metrics are open to this machine only.")
        body = await node.read(lambda connection: _metrics(connection, node))
        return Response(body, media_type="text/plain; version=0.0.4")


def _metrics(connection: Connection, node: Node) -> bytes:
    registry = CollectorRegistry()
    writer = node.office.records.writer
    figures = summary(connection, node.office)
    parts = connection.execute(text("SELECT count(*) FROM part")).scalar_one()
    gauges = {
        "wanmi_writer_waiting": ("units waiting for the writer", writer.waiting),
        "wanmi_writer_units_total": ("units written since start", writer.units),
        "wanmi_writer_groups_total": ("commits since start", writer.groups),
        "wanmi_tracks_waiting": ("batches of positions waiting for the disk", node.tracks.waiting),
        "wanmi_feed_last": ("number of the newest change", last_seq(connection)),
        "wanmi_cases_open": ("open cases", figures["open"]),
        "wanmi_cases_overdue": ("overdue cases", figures["overdue"]),
        "wanmi_cases_reported_today": ("cases reported since midnight", figures["reported_today"]),
        "wanmi_cases_closed_today": ("cases closed since midnight", figures["closed_today"]),
        "wanmi_parts": ("parts on record", parts),
        "wanmi_disk_free_bytes": ("free bytes on the disk of the home", disk_usage(node.office.records.home).free),
        "wanmi_warm_copy_seconds": ("up to when the warm copy has everything, in Unix time; 0 for none", _warm(node)),
        "wanmi_memory_peak_bytes": ("peak memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024),
    }
    for name, (help_text, value) in gauges.items():
        Gauge(name, help_text, registry=registry).set(value)
    states = Gauge("wanmi_cases_in_state", "open cases by state", ["state"], registry=registry)
    for state, count in figures["states"].items():
        states.labels(state).set(count)
    _device_metrics(registry, node)
    waiting = Gauge(
        "wanmi_messages", "messages to departments that were not sent, by state", ["state"], registry=registry
    )
    for state, count in counts(connection, node.office.records.clock.now()).items():
        waiting.labels(state).set(count)
    _exchange_metrics(registry, connection)
    _job_metrics(registry, connection, node)
    return generate_latest(registry)


def _warm(node: Node) -> float:
    """What the follower of the warm copy last wrote of itself."""
    try:
        known = msgspec.json.decode((node.office.records.home / "backups" / "warm.json").read_bytes())
        return float(known["at"] / SECOND)
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
        return 0.0


def _exchange_metrics(registry: CollectorRegistry, connection: Connection) -> None:
    names = ["link", "client"]
    cursor = Gauge("wanmi_exchange_cursor", "the last change a client above has confirmed", names, registry=registry)
    pulled = Gauge("wanmi_exchange_last_pull_seconds", "when it asked last, in Unix time", names, registry=registry)
    for client in all_confirmed(connection):
        cursor.labels(client.link, client.client).set(client.cursor)
        pulled.labels(client.link, client.client).set(client.last_pull / SECOND)


def _job_metrics(registry: CollectorRegistry, connection: Connection, node: Node) -> None:
    well = Gauge(
        "wanmi_job_well", "1 where a job's last run went well, 0 where it failed", ["job_name"], registry=registry
    )
    ended = Gauge("wanmi_job_last_end_seconds", "when it ended last, in Unix time", ["job_name"], registry=registry)
    now = node.office.records.clock.now()
    for job in jobs(node.office.settings.schedule):
        for run in newest(connection, job.name, now, limit=1):
            if run.ended_at is not None:
                well.labels(job.name).set(bool(run.ok))
                ended.labels(job.name).set(run.ended_at / SECOND)


def _device_metrics(registry: CollectorRegistry, node: Node) -> None:
    now = node.office.records.clock.now()
    names = ["device", "driver"]
    well = Gauge("wanmi_device_well", "1 where a device is well and its agent heard of", names, registry=registry)
    counted = Gauge(
        "wanmi_device_counter", "what went over a device's port since its agent began", [*names, "what"],
        registry=registry,
    )  # fmt: skip
    for device in node.equipment.devices(now):
        labels = (device["name"], device["driver"])
        well.labels(*labels).set(device["well"] and device["heard"])
        for what, value in device["counters"].items():
            counted.labels(*labels, what).set(value)
    held = Gauge("wanmi_agent_positions_waiting", "positions on an agent's disk", ["agent"], registry=registry)
    for agent in node.equipment.agents(now):
        held.labels(agent["agent"]).set(agent["positions"]["waiting"])
