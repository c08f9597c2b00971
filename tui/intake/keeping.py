"""The intake's draft on this seat: written at every key, read when the intake opens, gone when it is registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.intake.draft import Draft
from tui.seat.files import DraftFile
from tui.widgets.field_row import FieldRow

if TYPE_CHECKING:
    from tui.context import Context
    from tui.screens.base import SeatScreen

    Base = SeatScreen
else:
    Base = object

Record = dict[str, Any]
TYPED = ("phone", "reporter", "description")
PICKED = ("source", "condition")


class DraftKeeping(Base):
    """Keeps what is typed. The screen has a `row` for each field, `take_class`, `take_place`, `draft`, `place`."""

    context: Context
    draft: Draft
    kept: dict[str, str]

    if TYPE_CHECKING:

        def row(self, name: str) -> FieldRow: ...
        def take_class(self, kind: str, code: str) -> None: ...
        def take_place(self, place: Record) -> None: ...
        @property
        def place(self) -> Record | None: ...

    @property
    def draft_file(self) -> DraftFile:
        """The file of this account at this node."""
        session = self.context.session
        return DraftFile(self.context.client.url, session.account if session else "")

    def keep_draft(self) -> None:
        """Write what stands in the form; an empty form leaves no file."""
        values = {name: self.row(name).value for name in (*TYPED, *PICKED)}
        candidate = self.row("class").candidate
        values["class"] = candidate.value if candidate else ""
        place = self.place
        if not any(values[name] for name in (*TYPED, "class")) and place is None:
            self.forget_draft()
            return
        sent = self.draft.body if self.draft.sent else None
        draft = {"values": values, "place": place, "part": self.draft.part}
        if not self.draft_file.keep({**draft, "once": self.draft.once, "sent": sent}):
            self.say(self.context.labels("intake.draft_not_kept", path=self.draft_file.path))

    def forget_draft(self) -> None:
        """Remove the file."""
        self.draft_file.remove()

    def restore_draft(self) -> None:
        """Fill the form with the draft that a crash or a dropped line left."""
        kept = self.draft_file.read()
        values = kept.get("values")
        if not isinstance(values, dict) or not isinstance(kept.get("once"), str):
            return
        self.draft = Draft(once=kept["once"], part=kept.get("part"))
        if isinstance(kept.get("sent"), dict):
            self.draft.sent, self.draft.body = True, kept["sent"]
        for name in TYPED:
            if values.get(name):
                self.row(name).set_value(str(values[name]))
        self.kept = {name: str(values[name]) for name in PICKED if values.get(name)}
        kind, _, code = str(values.get("class") or "").partition(":")
        if code:
            self.take_class(kind, code)
        if isinstance(kept.get("place"), dict):
            self.take_place(kept["place"])
        self.say(self.context.labels("intake.draft_back"), good=True)
