"""One picture on the screen: half blocks, or the terminal's own graphics where it has them."""

from __future__ import annotations

from typing import Any

from PIL import Image
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Resize
from textual.widget import Widget
from textual.widgets import Static

from tui.pictures.graphics import KITTY, SIXEL, protocol
from tui.pictures.halves import half_blocks


class PicturePane(Vertical):
    """A line of facts over a picture, or over a sentence where there is none.

    Args:
        blocks: whether the terminal has half blocks.
    """

    DEFAULT_CSS = """
    PicturePane { width: 1fr; }
    PicturePane > .facts { height: auto; max-height: 3; color: $text-muted; }
    PicturePane > .drawn { height: 1fr; }
    """

    def __init__(self, *, blocks: bool = True) -> None:
        super().__init__()
        self._blocks = blocks
        self._picture: Image.Image | None = None

    def compose(self) -> ComposeResult:
        yield Static("", classes="facts", markup=False)
        yield Static("", classes="drawn", markup=False)

    def say(self, facts: str, text: str) -> None:
        """Facts, and a sentence instead of a picture."""
        self._picture = None
        self._facts(facts)
        self._clear()
        self.query_one(".drawn", Static).update(text)

    def show(self, facts: str, picture: Image.Image) -> None:
        """Facts, and the picture."""
        self._picture = picture
        self._facts(facts)
        self._clear()
        if made := own_graphics(picture):
            self.query_one(".drawn", Static).display = False
            self.mount(made)
        else:
            self.call_after_refresh(self._draw)

    def on_resize(self, event: Resize) -> None:
        if self._picture is not None and not self.query(".own"):
            self.call_after_refresh(self._draw)

    def _facts(self, facts: str) -> None:
        self.query_one(".facts", Static).update(facts)

    def _clear(self) -> None:
        self.query(".own").remove()
        self.query_one(".drawn", Static).display = True

    def _draw(self) -> None:
        drawn = self.query_one(".drawn", Static)
        if self._picture is not None and drawn.size:
            rows = half_blocks(self._picture, drawn.size.width, drawn.size.height, blocks=self._blocks)
            drawn.update(Text("\n").join(rows), layout=False)


def own_graphics(picture: Image.Image) -> Widget | None:
    """A widget that lets the terminal draw the picture itself; None where it cannot."""
    if protocol() not in (SIXEL, KITTY):
        return None
    from textual_image.widget import SixelImage, TGPImage  # loaded by `detect` already

    kind: Any = SixelImage if protocol() == SIXEL else TGPImage
    made: Widget = kind(picture, classes="own")
    made.styles.width, made.styles.height = "auto", "1fr"
    return made
