"""The one-line bars of every screen: title, banner, key line."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual.widgets import Static

from tui.cells import fit
from tui.widgets.still import Still


class TitleLine(Still):
    """Node, account and the figures of the moment."""

    DEFAULT_CSS = "TitleLine { height: 1; background: $primary; color: $foreground; }"

    def show(self, left: str, right: str) -> None:
        """`left` at the left edge, `right` at the right; the left one gives way."""
        width = max(self.app.size.width, 20)
        room = max(width - cell_len(right) - 2, 0)
        self.put(Text(f" {fit(left, room)} {right}", no_wrap=True), layout=False)


class Banner(Static):
    """One line that is there only when something has to be said: a lost node, a refusal, something done."""

    DEFAULT_CSS = """
    Banner { height: auto; max-height: 3; display: none; padding: 0 1; }
    Banner.-said { display: block; }
    Banner.-bad { background: $error; color: $background; }
    Banner.-good { background: $success; color: $background; }
    """

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self.said = ""
        self._lost = ""

    def say(self, text: str, *, good: bool = False) -> None:
        """Say a sentence until the next one, or until it is taken back with an empty text."""
        self.said = text
        self._draw(text or self._lost, good=good and bool(text))

    def lost(self, text: str) -> None:
        """Say that the node is away, for as long as it is; an empty text takes it back."""
        self._lost = text
        self._draw(text or self.said, good=False)

    def _draw(self, text: str, *, good: bool) -> None:
        if bool(text) != self.has_class("-said") or text:
            self.set_class(bool(text), "-said")
            self.set_class(bool(text) and not good, "-bad")
            self.set_class(good, "-good")
            self.update(text)


class KeyLine(Still):
    """The keys that do something now, eight at most."""

    DEFAULT_CSS = "KeyLine { height: 1; background: $surface; }"

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[tuple[str, str]] = []

    def show(self, first: list[tuple[str, str]], always: list[tuple[str, str]], most: int = 8) -> None:
        """Keys and their names: of `first` as many as fit before `always`."""
        width = max(self.app.size.width, 20) - 1
        room = width - sum(_cells(pair) for pair in always)
        shown: list[tuple[str, str]] = []
        for pair in first[: most - len(always)]:
            if _cells(pair) > room:
                break
            shown.append(pair)
            room -= _cells(pair)
        self.keys = [*shown, *always]
        line = Text(" ", no_wrap=True)
        for key, name in self.keys:
            line.append(key, "bold reverse").append(f"{name}  ")
        self.put(line, layout=False)


def _cells(pair: tuple[str, str]) -> int:
    return cell_len(pair[0]) + cell_len(pair[1]) + 2
