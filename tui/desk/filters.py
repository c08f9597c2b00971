"""Filters of the queue, and views of one's own: kept at the node, so they are there at every seat."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.message import Message

from appliance.cases.workflow import workflow
from tui.client import Refused
from tui.desk.views import OWN, View, own_view, views_for
from tui.fields import PICK, TEXT, Choice, Field, Form
from tui.messages import Told
from tui.screens.base import SeatScreen
from tui.screens.form import FormScreen
from tui.work import careful, worker

Record = dict[str, Any]
SETTING = "/api/v1/me/settings/desk.views"
FILTER = "filter"


class OwnViewsRead(Message):
    """The views somebody has kept."""

    def __init__(self, views: list[View]) -> None:
        super().__init__()
        self.views = views


class DeskFilters(SeatScreen):
    """Asks for a filter, keeps and forgets views."""

    views: tuple[View, ...]
    view: View | None

    def show_view(self, view: View) -> None:
        """Show a view; the screen itself knows how."""
        raise TypeError("the desk screen shows views")

    def load_own_views(self) -> None:
        """Read the views this account has kept."""
        worker(self, self._load_own_views(), "views")

    @careful
    async def _load_own_views(self) -> None:
        self.post_message(OwnViewsRead(await self._read_own_views()))

    async def _read_own_views(self) -> list[View]:
        try:
            kept = (await self.context.client.get(SETTING))["value"]
        except Refused as error:
            if error.status != 404:
                raise
            kept = []
        found = [own_view(item) for item in kept if isinstance(item, dict)] if isinstance(kept, list) else []
        return [view for view in found if view is not None]

    @on(OwnViewsRead)
    def _own_views_read(self, event: OwnViewsRead) -> None:
        read = {view.key for view in event.views}
        here = [view for view in self.views if view.key.startswith((OWN, FILTER)) and view.key not in read]
        self.views = (*views_for(self.context.roles), *event.views, *here)
        if self.view is not None:
            self.view = next((view for view in self.views if view.key == self.view.key), self.views[0])
        self.draw_lines()

    def draw_lines(self) -> None:
        """Draw the views; the screen itself knows how."""
        raise TypeError("the desk screen draws its lines")

    def action_filter(self) -> None:
        """Ask for a filter; with a name it becomes a view of one's own."""
        labels = self.context.labels
        yes = (Choice("yes", labels("form.yes")),)
        states = tuple(
            Choice(state.key, labels.pick(state.chinese, state.english)) for state in workflow().states.values()
        )
        fields = (
            Field("state", PICK, choices=states),
            Field("department", PICK, choices=self.context.reference.department_choices()),
            Field("class", PICK, finder=self.context.reference.class_choices),
            Field("overdue", PICK, choices=yes),
            Field("words", TEXT),
            Field("view_name", TEXT),
        )
        form = Form(labels("filter.title"), labels("filter.about"), "", fields)
        self.app.push_screen(FormScreen(self.context, form, None), self._filtered)

    def _filtered(self, body: Record | None) -> None:
        if body is None:
            return
        extra = {"department": body.get("department"), "code": body.get("code"), "text": body.get("words")}
        pairs = tuple((name, str(value)) for name, value in extra.items() if value)
        states = frozenset([body["state"]]) if body.get("state") else frozenset()
        name = str(body.get("view_name") or "")
        shown = name or self.context.labels("filter.view")
        view = View(f"{OWN}{name}" if name else FILTER, shown, shown, states, body.get("overdue") == "yes", pairs)
        self.views = (*(other for other in self.views if other.key not in (view.key, FILTER)), view)
        self.show_view(view)
        if name:
            worker(self, self._keep(view, ""), "keep-views")

    def action_forget_view(self) -> None:
        """Forget the view of one's own that is shown."""
        if self.view is None or not self.view.key.startswith((OWN, FILTER)):
            self.say(self.context.labels("filter.not_own"))
            return
        forgotten = self.view.key
        self.views = tuple(view for view in self.views if view.key != forgotten)
        self.show_view(self.views[0])
        worker(self, self._keep(None, forgotten), "keep-views")

    @careful
    async def _keep(self, added: View | None, forgotten: str) -> None:
        """Write the views anew out of those that stand at the node now, also those another seat has kept meanwhile."""
        gone = forgotten or (added.key if added else "")
        kept = [view for view in await self._read_own_views() if view.key != gone]
        own = [view.as_setting() for view in (*kept, *([added] if added else []))]
        await self.context.client.put(SETTING, {"value": own})
        self.post_message(Told(self.context.labels("filter.kept", count=len(own)), good=True))
