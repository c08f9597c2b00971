"""The seat is the operator's own: keys, colours, language, the command palette, jump mode."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from appliance.errors import Invalid
from tests.nodes import RunningNode
from tests.tui.conftest import Seat, report, seat_at
from tests.tui.test_desk import filed
from tui.seat.files import Preferences, config_folder
from tui.seat.keyed import KEYED
from tui.seat.keymap import binding_names, read_keymap
from tui.seat.themes import CONTRAST, PLAIN


def write_keys(text: str) -> Path:
    file = config_folder() / "keys.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def play(node: RunningNode, account: str, story: object) -> None:
    async def run() -> None:
        async with seat_at(node, account) as seat:
            await story(seat)  # type: ignore[operator]  # a coroutine function

    asyncio.run(run())


def test_own_keys_come_before_the_houses(shared_node: RunningNode) -> None:
    """Somebody dispatches with `x` and searches with ctrl+f; help and key line say so."""
    number = filed(shared_node)
    write_keys('[keys]\n"desk.search" = "ctrl+f"\n[actions]\ndispatch = "x"\n')

    async def story(seat: Seat) -> None:
        await seat.until(lambda: dict(seat.key_line).get("x") == "派遣", "the own key is on the key line")
        await seat.keys("x")
        await seat.on_form()
        await seat.keys("escape", "ctrl+f")
        await seat.until(lambda: getattr(seat.app.focused, "id", "") == "search", "the search line")
        await seat.keys(number[-4:], "enter")
        await seat.settled()

    play(shared_node, "p1", story)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('[keys]\n"desk.serch" = "a"\n', "desk.search"),
        ('[actions]\ndispatch = "xy"\n', "一个字符"),
        ('[actions]\ndispatch = "x"\nfile = "x"\n', "两次"),
        ("[keys\n", "读不懂"),
        ("[colours]\n", "没有这个表"),
        ('[keys]\n"desk.search" = 3\n', "应为键名"),
    ],
)
def test_a_wrong_key_file_is_named_and_nothing_of_it_is_used(text: str, wanted: str) -> None:
    file = write_keys(text)
    with pytest.raises(Invalid) as refusal:
        read_keymap(binding_names(KEYED))
    assert wanted in refusal.value.zh
    assert str(file) in refusal.value.zh


def test_a_wrong_key_file_does_not_keep_anybody_from_working(shared_node: RunningNode) -> None:
    write_keys('[keys]\n"desk.serch" = "a"\n')

    async def run() -> None:
        async with seat_at(shared_node) as seat:
            await seat.until(lambda: "desk.search" in seat.banner, "the line is named")
            await seat.sign_in("p1")

    asyncio.run(run())


def test_every_binding_has_a_name_of_its_own() -> None:
    names = [
        binding.id for owner in KEYED for binding in owner.__dict__.get("BINDINGS", ()) if getattr(binding, "id", None)
    ]
    own = [name for name in names if name is not None]
    assert len(own) == len(set(own))
    assert len(own) > 30


def test_the_palette_finds_things_by_pinyin(shared_node: RunningNode) -> None:
    """`cq` is 超期; the last digits of a number find its case."""
    number = str(report(shared_node)["number"])

    async def story(seat: Seat) -> None:
        await seat.keys("ctrl+p")
        await seat.until(lambda: type(seat.app.screen).__name__ == "PaletteScreen", "the palette")
        await seat.keys("cq", "enter")
        await seat.until(lambda: seat.app.screen.view and seat.app.screen.view.key == "overdue", "the view 超期")
        await seat.keys("ctrl+p")
        await seat.until(lambda: type(seat.app.screen).__name__ == "PaletteScreen", "the palette again")
        await seat.keys(number[-5:], "enter")
        await seat.until(lambda: (seat.selected or {}).get("number") == number, "the case by its last digits")

    play(shared_node, "s1", story)


def test_looks_and_language_are_as_last_time(shared_node: RunningNode) -> None:
    async def first(seat: Seat) -> None:
        await seat.keys("ctrl+l")
        assert seat.app.theme == CONTRAST
        await seat.keys("ctrl+l")
        assert seat.app.theme == PLAIN
        strips = seat.app.screen._compositor.render_strips()
        styles = [segment.style for strip in strips for segment in strip.apply_filter(seat.app._plain, None)]
        assert not [style for style in styles if style and style.color and len(set(style.color.triplet or ())) > 1]
        await seat.keys("f9")

    async def second(seat: Seat) -> None:
        assert seat.app.theme == PLAIN
        assert "To do" in seat.screen_text()

    play(shared_node, "s1", first)
    assert Preferences().get("language") == "en"
    play(shared_node, "s1", second)


def test_jump_mode_goes_to_a_field_by_its_letter(shared_node: RunningNode) -> None:
    async def story(seat: Seat) -> None:
        await seat.keys("f3")
        await seat.until(lambda: type(seat.app.screen).__name__ == "IntakeScreen" and seat.app.focused, "intake")
        await seat.keys("ctrl+g")
        await seat.until(lambda: type(seat.app.screen).__name__ == "JumpScreen", "letters stand on the fields")
        await seat.keys("d")
        await seat.until(lambda: seat.app.focused is seat.app.screen.row("condition").line, "the third field")

    play(shared_node, "s1", story)
