"""What the help lists: the keys that work on a screen at this moment, in groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.dom import DOMNode

if TYPE_CHECKING:
    from tui.app import Console
    from tui.screens.base import SeatScreen

Pairs = list[tuple[str, str]]


def help_groups(app: Console, screen: SeatScreen) -> list[tuple[str, Pairs]]:
    """Actions on offer, the screen's own keys, those of the focused widget and of what it lies in, the app's."""
    labels = app.context.labels
    offered = [(key.key, labels.pick(key.chinese, key.english)) for key in getattr(screen, "action_keys", ())]
    around = [] if app.focused is None else [node for node in app.focused.ancestors_with_self if node is not screen]
    widgets = [pair for node in around if node is not app for pair in _pairs(app, node)]
    return [
        (labels("help.actions"), offered),
        (labels("help.screen"), _pairs(app, screen)),
        (labels("help.widget"), list(dict.fromkeys(widgets))),
        (labels("help.app"), _pairs(app, app)),
    ]


def _pairs(app: Console, node: DOMNode) -> Pairs:
    labels = app.context.labels
    found = []
    for binding in getattr(type(node), "BINDINGS", ()):
        if isinstance(binding, Binding) and binding.description in labels:
            own = Binding(app.own_keymap.get(binding.id or "", binding.key), "", "")
            keys = " ".join(app.get_key_display(single) for single in Binding.make_bindings([own]))
            found.append((keys, labels(binding.description)))
    return found
