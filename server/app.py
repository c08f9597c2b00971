"""The application put together: routes, sign-in, problems, OpenAPI, start and stop."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from litestar import Litestar
from litestar.config.app import AppConfig

from appliance.cases.evidence import sweep_uploads
from appliance.cases.office import Office
from appliance.cases.resume import resume_due
from appliance.equipment.commands import lapse, some_lapsed
from appliance.messages.writing import something_to_tell, write_messages
from server import openapi, sign_in
from server.account_settings import AccountSettingController
from server.analysis import AnalysisController
from server.appeals import AppealController
from server.assessment import AssessmentController
from server.calls import CallController
from server.cameras import CameraController
from server.campaigns import CampaignController, CampaignTaskController
from server.cases.around import AroundController
from server.cases.emergency import EmergencyController
from server.cases.papers import PaperController
from server.cases.routes import CaseController
from server.codes import CodeController
from server.devices import DeviceController
from server.doctor import DoctorController
from server.events import EventController
from server.evidence import EvidenceController
from server.health import HealthController
from server.instructions import InstructionController
from server.jobs import JobController
from server.layers import LayerController
from server.ledgers import LedgerController
from server.map import MapController
from server.messages import MessageController
from server.node import Node
from server.ogc.routes import ROUTES as OGC
from server.open311.routes import ROUTES as OPEN311
from server.patrols import PatrolController
from server.people import PeopleController
from server.places import PlaceController
from server.plans import PlanController
from server.positions import PositionController
from server.printed import PrintedController
from server.problem_kinds import ProblemController
from server.problems import HANDLERS
from server.public import PublicController
from server.returns import ReturnController
from server.scores import ScoreController
from server.sessions import SessionController
from server.shifts import HandoverController, RosterController, ShiftController, ShiftLogController
from server.tracks import TrackController
from server.wall import WallController

CONTROLLERS = [
    HealthController, SessionController, CaseController, EvidenceController, PlaceController, CodeController,
    PeopleController, EventController, PositionController, CallController, JobController, PublicController,
    LayerController, ProblemController, PaperController, DoctorController, ShiftController, HandoverController,
    ShiftLogController, RosterController, CameraController, InstructionController, AccountSettingController,
    MapController, WallController, AroundController, TrackController, PatrolController, ScoreController,
    LedgerController, AppealController, AnalysisController, ReturnController, PrintedController,
    CampaignController, CampaignTaskController, AssessmentController, PlanController,
    EmergencyController, DeviceController, MessageController,
]  # fmt: skip
TICK_SECONDS = 1.0
SLICES = 50
"""At most so many slices of messages a second."""
SWITCH_SECONDS = 0.0005
"""The writer and the event loop hand over to each other ten times as soon as Python would by itself."""


def create_app(office: Office) -> Litestar:
    """The node's application over an open office; closing the application closes the office."""
    node = Node(office)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        sweep_uploads(office.records.home)
        await node.watcher.start()
        sys.setswitchinterval(SWITCH_SECONDS)
        gc.collect()
        gc.freeze()  # what stands now stays; walking it again at every full collection would make answers wait
        ticking = asyncio.create_task(tick(node))
        try:
            yield
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking
            await node.watcher.stop()
            await node.patrol_count.close()
            await node.score_count.close()
            node.close()

    app = Litestar(
        route_handlers=[*CONTROLLERS, *OPEN311, *OGC],
        middleware=[sign_in.middleware],
        exception_handlers=HANDLERS,
        lifespan=[lifespan],
        on_app_init=[_quiet],
        openapi_config=openapi.config(),
        request_max_body_size=office.settings.http.body_megabytes * 1024 * 1024,
    )
    app.state.node = node
    return app


async def tick(node: Node) -> None:
    """What the clock does: suspended cases go on at their end date, departments are told, old commands lapse."""
    while True:
        try:
            await node.office.records.write_async(lambda unit: resume_due(unit, node.office))
            await tell_departments(node)
            await end_old_commands(node)
        except Exception as error:  # a full disk must not end the clock; the next second tries again
            structlog.get_logger("wanmi").error("tick", error=str(error))
        await asyncio.sleep(TICK_SECONDS)


async def tell_departments(node: Node) -> None:
    """Write the messages of what happened since the last time, and wake the agents that send them.

    What piled up is written slice by slice, so that the writer takes others in between.
    """
    office, now, written = node.office, node.office.records.clock.now(), 0
    for _ in range(SLICES):
        if not await node.read(lambda connection: something_to_tell(connection, office, now)):
            break
        written += await office.records.write_async(lambda unit: write_messages(unit, office))
    if written:
        node.watcher.tell("device", "message", {"written": written})


async def end_old_commands(node: Node) -> None:
    """Answer the commands that no agent fetched in time."""
    now = node.office.records.clock.now()
    if await node.read(lambda connection: some_lapsed(connection, now)):
        await node.office.records.write_async(lapse)


def _quiet(config: AppConfig) -> AppConfig:
    config.logging_config = None
    return config
