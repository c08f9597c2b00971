"""`wanmi link tunnel`: a WireGuard tunnel to a platform, where the network office approves of one."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from appliance.options import home_option, json_option, say, show


@click.group()
def tunnel() -> None:
    """A WireGuard tunnel to the platform: off by default, and only with the network office's approval (需批准).

    \b
    Order of things:
      wanmi link tunnel make --endpoint 203.0.113.5:51820 --peer-key KEY \\
                --own-address 10.77.0.2/32 --allowed 10.77.0.1/32
      (give the printed public key to the platform, get the network office's approval)
      sudo wanmi link tunnel up
      wanmi link tunnel status
    """


@tunnel.command()
@click.argument("url", required=False)
@click.option("--endpoint", required=True, metavar="HOST:PORT", help="Where the platform's side listens.")
@click.option("--peer-key", required=True, metavar="KEY", help="The public key of the platform's side.")
@click.option("--own-address", required=True, metavar="ADDRESS", help="Ours in the tunnel, as 10.77.0.2/32.")
@click.option(
    "--allowed", required=True, multiple=True, metavar="NETWORK", help="What is reached through it; may be repeated."
)
@click.option("--listen-port", type=click.IntRange(1, 65535), help="Our UDP port. [default: any]")
@click.option("--new-key", is_flag=True, help="Make a new key; the platform must be told.")
@home_option
@json_option
def make(
    url: str | None,
    endpoint: str,
    peer_key: str,
    own_address: str,
    allowed: tuple[str, ...],
    listen_port: int | None,
    new_key: bool,
    home: Path,
    as_json: bool,
) -> None:
    """Write the tunnel's file (keys/wireguard, 0600) and print our public key; starts nothing.

    Repeating it keeps the key.
    """
    from provisioning.joining.leaving import find_link
    from provisioning.tunnel.making import APPROVAL, Tunnel, make_tunnel

    link = find_link(home, url)
    wanted = Tunnel(endpoint, peer_key, own_address, allowed, listen_port)
    file, key = make_tunnel(home, link.url, wanted, new_key=new_key)
    _note(home, link.url, "link.tunnel_make", {"endpoint": endpoint, "public_key": key})
    if as_json:
        show({"url": link.url, "file": str(file), "public_key": key, "approval": " ".join(APPROVAL)})
        return
    click.echo(key)
    say(f"已写 {file};上面是本机公钥,请交给平台一侧 / written; above is our public key, give it to the platform's side")
    say(f"{APPROVAL[0]} / {APPROVAL[1]}")


@tunnel.command()
@click.argument("url", required=False)
@click.option("--yes", is_flag=True, help="Do not ask; the network office has approved.")
@home_option
def up(url: str | None, yes: bool, home: Path) -> None:
    """Start the tunnel (root). It stays until `down` or the next boot; nothing starts it by itself."""
    from provisioning.joining.leaving import find_link
    from provisioning.tunnel.making import APPROVAL
    from provisioning.tunnel.running import switch

    link = find_link(home, url)
    say(f"{APPROVAL[0]} / {APPROVAL[1]}")
    if not yes and sys.stdin.isatty():
        click.confirm("网络主管部门已批准? / Has the network office approved?", abort=True, err=True)
    switch(home, link.url, "up")
    _note(home, link.url, "link.tunnel_up", {})
    say("隧道已启用 / the tunnel is up")


@tunnel.command()
@click.argument("url", required=False)
@home_option
def down(url: str | None, home: Path) -> None:
    """End the tunnel (root)."""
    from provisioning.joining.leaving import find_link
    from provisioning.tunnel.running import switch

    link = find_link(home, url)
    switch(home, link.url, "down")
    _note(home, link.url, "link.tunnel_down", {})
    say("隧道已停用 / the tunnel is down")


@tunnel.command()
@click.argument("url", required=False)
@home_option
@json_option
def status(url: str | None, home: Path, as_json: bool) -> None:
    """Whether the tunnel is up, and (root) when the sides last greeted each other."""
    from provisioning.joining.leaving import find_link
    from provisioning.tunnel.running import tunnel_status

    told = tunnel_status(home, find_link(home, url).url)
    if as_json:
        show(asdict(told))
        return
    click.echo(f"{told.name}  {'启用 / up' if told.state == 'up' else '未启用 / down'}  {told.public_key}")
    if told.endpoint is not None:
        click.echo(
            f"  {told.endpoint}  最近握手 / handshake {told.handshake or '-'}  "
            f"收 / received {told.received}  发 / sent {told.sent}"
        )


def _note(home: Path, url: str, action: str, detail: dict[str, object]) -> None:
    """A change of how the county is reached stands in the audit chain."""
    from appliance.records.acts import append_act
    from appliance.records.store import Records

    records = Records.open(home)
    try:
        records.write(lambda unit: append_act(unit, "technician", action, url, detail))
    finally:
        records.close()
