"""Whose keys a person may change: every class of the console that has bindings of its own."""

from __future__ import annotations

from tui.app import SCREENS, Console
from tui.figures.reading import ReadingScreen
from tui.map.glyphs import GlyphScreen
from tui.map.jump import JumpScreen as MapJumpScreen
from tui.map.pane import MapPane
from tui.map.picker import PickPlaceScreen
from tui.pictures.screen import EvidenceScreen
from tui.screens.form import FormScreen
from tui.screens.help import HelpScreen
from tui.screens.jump import JumpScreen
from tui.screens.palette import PaletteScreen
from tui.screens.pick import PickScreen
from tui.screens.told import ToldScreen
from tui.widgets.field_row import FieldRow
from tui.widgets.rows import Rows

KEYED: tuple[type, ...] = (
    *SCREENS.values(), Console, FormScreen, FieldRow, HelpScreen, PaletteScreen, PickScreen, ToldScreen, JumpScreen,
    MapPane, MapJumpScreen, PickPlaceScreen, GlyphScreen, EvidenceScreen, Rows, ReadingScreen,
)  # fmt: skip
