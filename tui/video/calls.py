"""The video screen's calls to the node. They run in workers, touch no widget and end in a message."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

from textual.message import Message

from tui.client import NodeAway, Refused
from tui.fields import FILES, PICK, PLACE, TEXT, Field, Form
from tui.messages import Told
from tui.video.round import newest_picture
from tui.work import careful, worker

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.context import Context

    Base = Screen[None]
else:
    Base = object

Record = dict[str, Any]
MOST = 500


class RoundRead(Message):
    """The cameras to look through."""

    def __init__(self, found: Record) -> None:
        super().__init__()
        self.found = found


class NotLogged(Message):
    """A look was not taken; the round is to be read again."""


class CaseFormReady(Message):
    """The form of a case that was found through a camera."""

    def __init__(self, camera: Record, form: Form) -> None:
        super().__init__()
        self.camera, self.form = camera, form


class VideoCalls(Base):
    """Reads the round, logs looks, builds the form of a case."""

    context: Context
    street_class: str
    everything: bool

    def load(self) -> None:
        """Read the round."""
        worker(self, self._load, "round")

    @careful
    async def _load(self) -> None:
        client = self.context.client
        found = await client.get(
            "/api/v1/cameras/round", street_class=self.street_class, all=self.everything, limit=MOST
        )
        self.post_message(RoundRead(found))

    def log_look(self, camera: Record, body: Record, said: str) -> None:
        """Log a look; each camera has a group of its own, so that no look ends another's."""
        worker(self, self._log_look(camera, body, said), f"look-{camera['code']}")

    @careful
    async def _log_look(self, camera: Record, body: Record, said: str) -> None:
        try:
            await self.context.client.post(f"/api/v1/cameras/{quote(str(camera['code']), safe='')}/looks", body)
        except (NodeAway, Refused):
            self.post_message(NotLogged())
            raise
        self.post_message(Told(said, good=True))

    def build_case(self, camera: Record) -> None:
        """The form of a case at a camera: position, address and screenshot stand in it."""
        worker(self, self._build_case(camera), "form")

    @careful
    async def _build_case(self, camera: Record) -> None:
        labels = self.context.labels
        try:
            located = await self.context.client.get("/api/v1/locate", lon=camera["lon"], lat=camera["lat"])
        except Refused as error:
            if error.status != 422:
                raise
            located = {}
        folder = os.environ.get("WANMI_SCREENSHOTS", "")
        picture = await asyncio.to_thread(newest_picture, folder, time.time())
        fields = (
            Field("class", PICK, True, finder=self.context.reference.class_choices),
            Field("description", TEXT),
            Field("place", PLACE, True, default=f"{camera['lon']},{camera['lat']}"),
            Field("address", TEXT, default=_address(str(located.get("address") or ""), camera["name"])),
            Field("evidence", FILES, default=picture),
        )
        fixed = (("source", "video"), ("camera", camera["code"]))
        about = f"{camera['code']} {camera['name']}"
        form = Form(
            labels("key.new_case"), about, "/api/v1/cases", fields, versioned=False, fixed=fixed, once=uuid4().hex
        )
        self.post_message(CaseFormReady(camera, form))


def _address(proposed: str, name: str) -> str:
    """The proposed address, with the camera's name where that says more."""
    return proposed if name in proposed else f"{proposed}{name}"
