"""`wanmi certificate`: TLS of the node in the local network."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from appliance.options import home_option, json_option, say, show


@click.group()
def certificate() -> None:
    """The certificate with which seats and phones reach the node."""


@certificate.command()
@click.option(
    "--names", default="", metavar="NAME,IP,…",
    help="What the box is called in the network, by commas. Without: its host name and its addresses of now.",
)  # fmt: skip
@home_option
@json_option
def make(names: str, home: Path, as_json: bool) -> None:
    """Make or renew the node's certificate (825 days) from an authority of the box's own.

    Seats and phones trust the authority, keys/lan-ca.crt: wanmi console --ca lan-ca.crt. Start the node again after
    that.

    \b
    Example:
      wanmi certificate make --names wanmi.local,10.0.0.5
    """
    from appliance.lan import AUTHORITY
    from appliance.settings import load
    from provisioning.certificate import make_certificate, names_of_this_box

    door = load(home).node
    given = [name.strip() for name in names.split(",") if name.strip()]
    given = given or names_of_this_box()
    ends = make_certificate(home, given, door)
    if as_json:
        show(
            {
                "certificate": str(home / door.certificate),
                "authority": str(home / AUTHORITY),
                "ends": f"{ends:%F}",
                "names": given,
            }
        )
    else:
        say(f"已写 {home / door.certificate},{ends:%F} 到期 / written, ends then: {', '.join(given)}")
        say(f"坐席须信任 {home / AUTHORITY} / seats are to trust it: wanmi console --ca")
