"""The video seat 视频: a round through the cameras, the longest waiting first; one key logs a look and goes on."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import DataTable, Static

from tui.cells import wrap
from tui.fields import TEXT, Field, Form
from tui.screens.base import SeatScreen
from tui.screens.form import FormScreen
from tui.show import clock_text, short_number
from tui.video.calls import CaseFormReady, NotLogged, RoundRead, VideoCalls
from tui.video.round import CLASSES, is_due, round_rows, shown_address, viewer_command
from tui.widgets.bars import Banner, KeyLine, TitleLine
from tui.widgets.rows import Rows

Record = dict[str, Any]
FORM_SECONDS = 2.0


class VideoScreen(VideoCalls, SeatScreen):
    """The cameras that are due."""

    TITLE_KEY = "screen.video"
    DEFAULT_CSS = """
    VideoScreen #which { height: 1; background: $surface; }
    VideoScreen #below { height: auto; max-height: 30%; border-top: solid $surface; padding: 0 1; }
    """
    BINDINGS = [
        Binding("n", "nothing", "key.nothing_found", id="video.nothing"),
        Binding("p", "problem", "key.problem_found", id="video.problem"),
        Binding("c", "case", "key.new_case", id="video.case"),
        Binding("v", "viewer", "key.viewer", id="video.viewer"),
        Binding("left_square_bracket", "street_class(-1)", "key.street_class", id="video.class_before"),
        Binding("right_square_bracket", "street_class(1)", "key.street_class", id="video.class_after", show=False),
        Binding("f", "everything", "key.everything", id="video.everything"),
        Binding("N", "reload", "key.reload", id="video.reload"),
        Binding("escape", "leave", "key.back", id="video.leave"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.street_class = ""
        self.everything = False
        self.found: Record | None = None
        self._viewers: list[subprocess.Popen[bytes]] = []

    def compose(self) -> ComposeResult:
        yield TitleLine()
        yield Static("", id="which", markup=False)
        yield Rows()
        with VerticalScroll(id="below", can_focus=False):
            yield Static("", id="text", markup=False)
        yield Banner()
        yield KeyLine()

    def on_mount(self) -> None:
        self.rows.focus()
        self.relabel()

    def on_screen_resume(self) -> None:
        self.console.let_keys_go()
        self.load()

    @property
    def rows(self) -> Rows:
        """The table."""
        return self.query_one(Rows)

    @property
    def camera(self) -> Record | None:
        """The camera under the cursor."""
        cameras: list[Record] = self.found["items"] if self.found else []
        return next((camera for camera in cameras if camera["code"] == self.rows.selected), None)

    # Drawing.

    def relabel(self) -> None:
        self._draw()

    def _draw(self) -> None:
        labels, found = self.context.labels, self.found
        figures = labels("video.due", **{key: found[key] for key in ("cameras", "due", "never")}) if found else ""
        self.draw_title(figures)
        shown = labels("video.every_camera" if self.everything else "video.only_due")
        line = Text(f" {self.street_class or labels('video.all_classes')}   {shown}", no_wrap=True)
        self.query_one("#which", Static).update(line, layout=False)
        columns, rows = round_rows(found["items"], found["at"], labels) if found else ([], [])
        self.rows.fill(columns, rows)
        self._draw_below()

    def _draw_below(self) -> None:
        labels, camera = self.context.labels, self.camera
        lines: list[str] = []
        if camera is not None:
            last = f"  {labels('video.column_last')} {clock_text(camera['looked_at'])}" if camera["looked_at"] else ""
            lines.append(f"{camera['code']} {camera['name']}  {camera['lon']:.6f},{camera['lat']:.6f}{last}")
            url = camera["url"]
            lines.append(labels("video.url", url=shown_address(url)) if url else labels("video.no_url"))
        elif self.found is not None:
            lines.append(labels("video.round_done" if self.found["cameras"] else "video.no_cameras"))
        width = max(self.app.size.width - 3, 40)
        wrapped = [line for text in lines for line in wrap(text, width)]
        self.query_one("#text", Static).update(Text("\n".join(wrapped), no_wrap=True))
        keys: list[tuple[str, str]] = []
        if camera is not None:
            keys += [("n", labels("key.nothing_found")), ("p", labels("key.problem_found"))]
            keys += [("c", labels("key.new_case"))]
            keys += [("v", labels("key.viewer"))] if camera["url"] else []
        self.draw_keys([*keys, ("[ ]", labels("key.street_class")), ("f", labels("key.everything"))])

    # What the node told.

    @on(RoundRead)
    def _round_read(self, event: RoundRead) -> None:
        self.found = event.found
        self._draw()

    @on(NotLogged)
    def _not_logged(self) -> None:
        self.load()

    @on(CaseFormReady)
    def _case_form_ready(self, event: CaseFormReady) -> None:
        camera = event.camera

        def done(record: Record | None) -> None:
            if record is not None:
                number = short_number(record["number"])
                said = self.context.labels("video.registered", number=number)
                self._looked(camera, {"found": "problem", "case": record["number"]}, said)

        self.app.push_screen(FormScreen(self.context, event.form, None), done)

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._draw_below()

    @on(DataTable.RowSelected)
    def _row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        self.action_viewer()

    # What the operator does.

    def action_nothing(self) -> None:
        camera = self.camera
        if camera is not None:
            self._looked(camera, {"found": "nothing"}, self.context.labels("video.looked", name=camera["name"]))

    def action_problem(self) -> None:
        camera, labels = self.camera, self.context.labels
        if camera is None:
            return
        self.console.hold_keys(FORM_SECONDS)
        path, about = f"/api/v1/cameras/{camera['code']}/looks", f"{camera['code']} {camera['name']}"
        fields, fixed = (Field("note", TEXT, True),), (("found", "problem"),)
        form = Form(labels("key.problem_found"), about, path, fields, versioned=False, fixed=fixed)

        def done(answer: Record | None) -> None:
            if answer is not None:
                self._take_out(camera)
                self.say(labels("video.looked", name=camera["name"]), good=True)

        self.app.push_screen(FormScreen(self.context, form, None), done)

    def action_case(self) -> None:
        if self.camera is not None:
            self.console.hold_keys(FORM_SECONDS)
            self.build_case(self.camera)

    def action_viewer(self) -> None:
        camera, labels = self.camera, self.context.labels
        if camera is None:
            return
        setting = os.environ.get("WANMI_VIEWER", "").strip()
        if not camera["url"] or not setting:
            self.say(labels("video.no_viewer" if camera["url"] else "video.no_url"))
            return
        self._viewers = [viewer for viewer in self._viewers if viewer.poll() is None]
        quiet = subprocess.DEVNULL
        try:
            words = viewer_command(setting, camera["url"])
            viewer = subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
        except (OSError, ValueError) as error:
            self.say(labels("video.not_opened", why=str(error)))
            return
        self._viewers.append(viewer)
        self.say(labels("video.opened"), good=True)

    def action_street_class(self, step: int) -> None:
        self.street_class = CLASSES[(CLASSES.index(self.street_class) + step) % len(CLASSES)]
        self._draw()
        self.load()

    def action_everything(self) -> None:
        self.everything = not self.everything
        self._draw()
        self.load()

    def action_reload(self) -> None:
        self.say("")
        self.load()

    async def action_leave(self) -> None:
        await self.console.action_go("desk")

    def _looked(self, camera: Record, body: Record, said: str) -> None:
        """Go on to the next camera at once; the round is read again when the node did not take the look."""
        self._take_out(camera)
        self.log_look(camera, body, said)

    def _take_out(self, camera: Record) -> None:
        if self.found is None:
            return
        if camera in self.found["items"]:
            self.found["items"].remove(camera)
            self.found["due"] -= is_due(camera, self.found["at"])
            self.found["never"] -= camera["due_at"] is None
        self._draw()
