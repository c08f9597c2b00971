"""What the command palette offers on the screen of the moment, and how a chosen line is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.dom import DOMNode

from tui.desk.screen import DeskScreen
from tui.fields import Choice
from tui.seat.themes import ORDER

if TYPE_CHECKING:
    from tui.app import Console

OWN = ("app.palette",)


def choices(app: Console) -> list[Choice]:
    """Actions of the selected case, keys of the screen and the app, views, themes; `letters` is the key."""
    labels, screen = app.context.labels, app.screen
    found = [
        Choice(f"action:{key.action}", labels.pick(key.chinese, key.english), key.key)
        for key in getattr(screen, "action_keys", ())
    ]
    for node in (screen, app):
        for binding in _bindings(node):
            keys = " ".join(app.get_key_display(single) for single in binding.make_bindings([binding]))
            found.append(Choice(f"do:{binding.id}", labels(binding.description), keys))
    shown = {choice.value for choice in found}
    found += [
        Choice(f"go:{mode}", labels(f"screen.{mode}")) for mode in app.modes_open if f"do:app.{mode}" not in shown
    ]
    if isinstance(screen, DeskScreen):
        for at, view in enumerate(screen.views):
            found.append(Choice(f"view:{at}", f"{labels('palette.view')} {labels.pick(view.chinese, view.english)}"))
    found += [Choice(f"theme:{name}", f"{labels('palette.theme')} {labels(f'theme.{name}')}") for name in ORDER]
    return found


async def carry_out(app: Console, value: str) -> None:
    """Do what was chosen."""
    kind, _, name = value.partition(":")
    screen = app.screen
    if kind == "case":
        app.find_number(name)
    elif kind == "go":
        await app.action_go(name)
    elif kind == "theme":
        app.show_theme(name)
    elif kind == "view" and isinstance(screen, DeskScreen):
        screen.show_view(screen.views[int(name)])
    elif kind == "action" and isinstance(screen, DeskScreen):
        screen.start_named(name)
    elif kind == "do":
        for node in (screen, app):
            for binding in _bindings(node):
                if binding.id == name:
                    await app.run_action(binding.action, default_namespace=node)
                    return


def _bindings(node: DOMNode) -> list[Binding]:
    return [
        binding
        for binding in getattr(type(node), "BINDINGS", ())
        if isinstance(binding, Binding) and binding.id and binding.description and binding.id not in OWN
    ]
