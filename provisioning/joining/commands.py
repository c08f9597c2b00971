"""`wanmi join`, `wanmi leave`, `wanmi link`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from appliance.exchange.settings import FILES, OUTBOUND, PULL
from appliance.options import existing_file, home_option, json_option, say, show
from provisioning.carrying.commands import read, write
from provisioning.tunnel.commands import tunnel

_MODES = {
    PULL: "pull 平台来取 / it calls  {listen} ← {address}",
    OUTBOUND: "outbound 本节点呼叫平台 / this node calls",
    FILES: "files 文件摆渡 / files are carried",
}


@click.command()
@click.argument("url", required=False)
@click.option("--token", metavar="T", help="The platform's token for this enrolment; not needed to renew.")
@click.option(
    "--ca", callback=lambda c, p, v: v and existing_file(c, p, v), help="Who signs the platform's certificate."
)
@click.option("--listen", metavar="HOST:PORT", help="Our exchange port. [default: 0.0.0.0:8412]")
@click.option("--address", metavar="URL", help="How the platform reaches that port: https://HOST:PORT.")
@click.option(
    "--allow", multiple=True, metavar="SCOPE", help="Allow a scope in person: reporter.read. May be repeated."
)
@click.option(
    "--mode",
    type=click.Choice(["pull", "outbound", "files"]),
    help="Who calls whom. [default: pull, the platform calls]",
)
@click.option(
    "--keep", is_flag=True, help="When the platform cannot pull from us: leave the port open, do not take it back."
)
@click.option(
    "--request", "request_file", metavar="FILE", help="Write the request to FILE (USB stick), and FILE.csr as PEM."
)
@click.option("--accept", callback=lambda c, p, v: v and existing_file(c, p, v), help="Read the answer to the request.")
@click.option(
    "--scopes", callback=lambda c, p, v: v and existing_file(c, p, v), help="With --accept CERT --ca CA: scopes."
)
@home_option
@json_option
def join(url: str | None, home: Path, as_json: bool, request_file: str | None, **given: Any) -> None:
    """Join the platform of a prefecture (URL, https only), renew the certificate, or change the address.

    Makes a key once, enrols with it (certificate, CA, who may read what), registers the node's address, and lets the
    platform pull a probe. Every step is told in a line and can be repeated: the same command again renews, without a
    token. What the platform refuses changes nothing here. When it cannot pull from us, the link is taken back: what
    held before holds again, and the new certificate is kept aside for the next try. Joining another URL adds a
    platform; each has a port of its own. A running node opens the port within seconds.

    Without a network: --request writes what the platform needs onto a USB stick, --accept reads its answer.

    Exit code 0 only if every step went well.

    \b
    Examples:
      wanmi join https://city.example:8443 --token T --address https://10.0.0.2:8412
      wanmi join https://city.example:8443                      renew the certificate
      wanmi join https://city.example:8443 --address https://10.9.0.2:8412
      wanmi join --request /media/usb/411081.json --address https://10.0.0.2:8412
      wanmi join --accept /media/usb/answer.json
      wanmi join --accept cert.pem --ca ca.pem --scopes scopes.json
    """
    from provisioning.joining.joining import Wanted, make_request, run_join

    wanted = Wanted(url=url, allow=list(given.pop("allow")), **given)
    if request_file is not None:
        make_request(home, wanted, Path(request_file))
        return
    told = run_join(home, wanted, quiet=as_json)
    if as_json:
        show({"ok": told.ok, "checks": [line.as_dict() for line in told.checks]})
    sys.exit(0 if told.ok else 1)


@click.command()
@click.argument("url", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
@json_option
def leave(url: str | None, yes: bool, home: Path, as_json: bool) -> None:
    """Leave a platform: it is told, its clients are refused at once, key and certificate are deleted.

    The county's records stay; what the platform has already stays there. It works also when the platform does not
    answer. URL may be left out where there is one platform only.

    \b
    Example:
      wanmi leave https://city.example:8443
    """
    from provisioning.joining.leaving import leave_platform, link_to_leave

    link = link_to_leave(home, url)
    if not yes and not as_json and sys.stdin.isatty():
        click.confirm(f"退出 {link.url}? / Leave {link.url}?", abort=True, err=True)
    silent = leave_platform(home, link.url)
    if as_json:
        show({"left": link.url, "told": silent is None, "why": silent})
        return
    say(f"已退出 {link.url} / left")
    if silent is not None:
        say(f"平台没有应答,请另行告知 / the platform did not answer, tell it otherwise: {silent}")


@click.group()
def link() -> None:
    """The platforms above: how far they are, what they read, renewal."""


@link.command()
@home_option
@json_option
def status(home: Path, as_json: bool) -> None:
    """Every platform: how it is reached, its clients, what they have not read yet, when the certificate ends.

    lag_rows counts the changes that a client may read and has not confirmed; it confirms one by asking for what comes
    after it. lag_seconds is the age of the oldest of them.
    """
    from appliance.records.store import Records
    from provisioning.joining.status import link_status

    records = Records.open(home)
    try:
        told = link_status(home, records)
    finally:
        records.close()
    if as_json:
        show(told)
        return
    if not told["links"]:
        say("没有加入任何平台;用 wanmi join / joined to no platform; use wanmi join")
    for each in told["links"]:
        _tell_link(each)


@link.command()
@click.option("--since", default="", metavar="TIME", help="From this time or its beginning on, as in 2026-11 (UTC).")
@click.option("--client", help="Only this client.")
@home_option
@json_option
def reads(since: str, client: str | None, home: Path, as_json: bool) -> None:
    """What was read from above: every request, by whom, of which types, from where to where.

    \b
    Example:
      wanmi link reads --since 2026-11-26 --client prefecture
    """
    from appliance.exchange.read_log import read_lines

    for line in read_lines(home, since):
        if client is None or line["client"] == client:
            if as_json:
                show(line)
            else:
                rest = {name: value for name, value in line.items() if name not in ("at", "client", "what", "link")}
                click.echo(f"{line['at']}  {line['client']}  {line['what']}  {json.dumps(rest, ensure_ascii=False)}")


@link.command()
@click.option(
    "--days", default=60, show_default=True, type=click.IntRange(1), help="Renew what ends within so many days."
)
@home_option
@json_option
def renew(days: int, home: Path, as_json: bool) -> None:
    """Renew the certificates that end soon; a running node looks every six hours by itself.

    Exit code 1 when one that ends soon could not be renewed.
    """
    from provisioning.joining.joining import renew_links

    results = renew_links(home, days)
    if as_json:
        show({"items": results})
    for item in results:
        if not as_json:
            say(f"{item['url']}: {'已续期 / renewed' if item['ok'] else item['why']}")
    sys.exit(0 if all(item["ok"] for item in results) else 1)


@link.command()
@home_option
@json_option
def offers(home: Path, as_json: bool) -> None:
    """What the platforms above offer: code packs and holiday calendars. Nothing of it counts before `apply`."""
    from appliance.exchange.offers import list_offers

    found = list_offers(home)
    if as_json:
        show({"items": [offer.summary() for offer in found]})
        return
    if not found:
        say("没有下发内容 / nothing was offered")
    for offer in found:
        click.echo(f"{offer.id}  {offer.at}  {offer.kind}  {offer.title}  {offer.state}  {offer.note}")


@link.command()
@click.argument("offer")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
def apply(offer: str, yes: bool, home: Path) -> None:
    """Apply an offer: a calendar is imported (`wanmi import undo` takes it back), a pack is checked and put in force.

    \b
    Example:
      wanmi link offers
      wanmi link apply 3f2a9c01b4de
    """
    from appliance.exchange.offers import find_offer
    from provisioning.joining.applying import apply_offer

    found = find_offer(home, offer)
    if not yes and sys.stdin.isatty():
        click.confirm(f"启用 {found.kind} “{found.title}”? / Apply it?", abort=True, err=True)
    _, said = apply_offer(home, offer)
    say(said)


@link.command()
@click.argument("offer")
@click.option("--reason", required=True, help="The platform can read it.")
@home_option
def decline(offer: str, reason: str, home: Path) -> None:
    """Decline an offer."""
    from provisioning.joining.applying import decline_offer

    say(f"已谢绝 {decline_offer(home, offer, reason).title} / declined")


for _command in (write, read, tunnel):
    link.add_command(_command)


def _tell_link(told: dict[str, Any]) -> None:
    if not told["joined"]:
        click.echo(f"{told['url']}  未完成加入,请重复 wanmi join / not joined yet, repeat wanmi join")
        if told["trouble"]:
            click.echo(f"  {told['trouble']}")
        return
    click.echo(f"{told['url']}  {_MODES[told['mode']].format(**told)}")
    click.echo(f"  证书至 / certificate until {told['certificate_end']}")
    click.echo(
        f"  最近拉取 / last pull {told['last_pull'] or '-'}  落后 / behind {told['lag_rows']} 条 / rows, "
        f"{told['lag_seconds']} 秒 / s"
    )
    if told["mode"] != PULL:
        click.echo(f"  最近交换 / last exchange {told['last_exchange'] or '-'}")
    if told["tunnel"]:
        click.echo(f"  WireGuard 隧道 / tunnel: {'启用 / up' if told['tunnel'] == 'up' else '未启用 / down'}")
    if told["trouble"]:
        click.echo(f"  失败 / failed {told['failed_at']}: {told['trouble']}")
    for client in told["clients"]:
        cursor = "-" if client["cursor"] is None else client["cursor"]
        click.echo(f"  {client['name']}  {' '.join(client['scopes'])}  cursor {cursor}  -{client['lag_rows']}")
