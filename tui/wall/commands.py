"""`wanmi wall`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from appliance.errors import Invalid
from tui.trusting import authority_option, trusted

DEFAULT_URL = "http://127.0.0.1:8411"


@click.command()
@click.option("--url", metavar="URL", help=f"The node's address. [default: $WANMI_URL, else {DEFAULT_URL}]")
@click.option(
    "--seconds", type=click.FloatRange(1, 3600), default=20.0, show_default=True, help="A page stands so long."
)
@click.option("--language", type=click.Choice(["zh", "en"]), help="[default: $WANMI_LANGUAGE, else zh]")
@click.option("--key-file", type=click.Path(path_type=Path), help="File with a key of role wall. [default: $WANMI_KEY]")
@click.option("--account", help="Sign in with an account instead; the password is asked for, or $WANMI_PASSWORD.")
@click.option("--no-braille", is_flag=True, help="Draw the map with . : # where the font has no braille dots.")
@authority_option
def wall(
    url: str | None, seconds: float, language: str | None, key_file: Path | None, account: str | None,
    no_braille: bool, ca: Path | None,
) -> None:  # fmt: skip
    """Show the wall screen: pages of figures, units, map and cases, without input. Ctrl+Q ends it.

    A key that can read the wall's figures and nothing else: wanmi keys add wall --role wall

    \b
    Examples:
      wanmi wall --key-file /etc/wanmi/wall.key
      wanmi wall --url https://10.0.0.5:8411 --ca lan-ca.crt --account b1 --seconds 30
    """
    from tui.terminal import end_with_terminal, require_terminal

    require_terminal()
    key = "" if account else _key(key_file)
    password = ""
    if not key:
        account = account or click.prompt("账号 Account", err=True)
        password = os.environ.get("WANMI_PASSWORD") or click.prompt("密码 Password", hide_input=True, err=True)
    end_with_terminal()

    from tui.map.glyphs import known_braille
    from tui.wall.app import Access, Wall

    spoken = language or os.environ.get("WANMI_LANGUAGE") or "zh"
    access = Access(key, account or "", password)
    braille = not no_braille and known_braille() is not False
    Wall(url or os.environ.get("WANMI_URL") or DEFAULT_URL, access, seconds=seconds, language=spoken,
         braille=braille, trusted=trusted(ca)).run()  # fmt: skip


def _key(file: Path | None) -> str:
    """The key from the file, else from WANMI_KEY; empty when there is neither.

    Raises:
        Invalid: the file cannot be read, or holds no key.
    """
    if file is None:
        return os.environ.get("WANMI_KEY", "").strip()
    try:
        found = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"读不了密钥文件 {file}: {error}。", f"The key file {file} cannot be read: {error}.") from None
    if not found or len(found.split()) != 1:
        raise Invalid(
            f"密钥文件 {file} 里应只有一个密钥 (wanmi keys add wall --role wall)。",
            f"The key file {file} must hold one key and nothing else (wanmi keys add wall --role wall).",
        )
    return found
