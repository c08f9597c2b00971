"""The exchange port of one link as an application; all links share one desk."""

from __future__ import annotations

from litestar import Litestar
from litestar.config.app import AppConfig

from server.exchange.desk import Door, ExchangeDesk, Guarded
from server.exchange.down import DownController
from server.exchange.evidence import EvidenceController
from server.exchange.feed import FeedController
from server.exchange.offers import OfferController
from server.exchange.reports import ReportController
from server.problems import HANDLERS

CONTROLLERS = [FeedController, EvidenceController, DownController, OfferController, ReportController]


def create_exchange_app(desk: ExchangeDesk, door: Door) -> Guarded:
    """The application behind one door."""
    app = Litestar(
        route_handlers=CONTROLLERS,
        exception_handlers=HANDLERS,
        on_app_init=[_quiet],
        openapi_config=None,
        request_max_body_size=desk.office.settings.http.body_megabytes * 1024 * 1024,
    )
    app.state.desk = desk
    return Guarded(app, door)


def _quiet(config: AppConfig) -> AppConfig:
    config.logging_config = None
    return config
