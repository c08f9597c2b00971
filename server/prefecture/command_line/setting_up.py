"""Making a platform and letting counties in: `init`, `token`, `sign`, `remove`."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from appliance.errors import BadFile
from appliance.options import existing_file, json_option, say, show
from server.prefecture.command_line.shared import county_argument, home_option, split_words


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Name of the prefecture, for example 许昌市.")
@click.option("--url", required=True, metavar="URL", help="Where counties find it: https://HOST:PORT[/path].")
@click.option(
    "--database-url",
    required=True,
    metavar="URL",
    help="postgresql+psycopg://USER:PASSWORD@HOST/DATABASE with PostGIS.",
)
@click.option(
    "--listen", default="", metavar="HOST:PORT", help="Where it listens. [default: 0.0.0.0 and the URL's port]"
)
@json_option
def init(directory: Path, name: str, url: str, database_url: str, listen: str, as_json: bool) -> None:
    """Make a platform in DIR: settings, its own CA and certificates, its tables in the schema `prefecture`.

    All or nothing. The database must exist, be encoded in UTF8 and sorted by C.UTF-8; PostGIS is made in it where the
    role may do so. DIR/keys/ca.crt is what a county's technician gives to `wanmi join --ca`.

    \b
    Examples:
      createdb --template template0 --encoding UTF8 --locale C.UTF-8 xuchang
      wanmi prefecture init /srv/xuchang --name 许昌市 --url https://10.0.0.1:8443 \\
          --database-url postgresql+psycopg://wanmi@/xuchang
    """
    from server.prefecture.settings import checked
    from server.prefecture.store import make_platform

    given = {"name": name, "url": url, "database_url": database_url, "listen": listen}
    settings = checked("init", {key: value for key, value in given.items() if value})
    make_platform(directory, settings)
    made = {
        "home": str(directory),
        "name": settings.name,
        "url": settings.url,
        "ca": str(directory / "keys" / "ca.crt"),
    }
    if as_json:
        show(made)
        return
    say(f"{settings.name} 的平台已建好: {directory} (made)")
    say(f"下一步 / next: wanmi prefecture token 县代码 --home {directory}; wanmi prefecture serve --home {directory}")


@click.command()
@county_argument
@click.option("--scopes", multiple=True, help="What the county grants us, by commas. [default: of prefecture.toml]")
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="How long it counts. [default: token_days]")
@home_option
@json_option
def token(county: str, scopes: tuple[str, ...], days: float | None, home: Path, as_json: bool) -> None:
    """Make a token with which COUNTY is enrolled once.

    It is printed once and kept nowhere. Names and phones of reporters need the scope reporter.read here and
    `--allow reporter.read` from the county's technician.

    \b
    Examples:
      wanmi prefecture token 411081
      wanmi prefecture token 411081 --scopes cases.read,places.read --days 1
    """
    from appliance.clock import rfc3339
    from server.prefecture.enrolment import make_token
    from server.prefecture.store import opened

    with opened(home) as platform:
        made, ends = make_token(platform, county, split_words(scopes), days)
        url = platform.settings.url
    if as_json:
        show({"token": made, "county": county, "url": url, "ends": rfc3339(ends)})
        return
    click.echo(made)
    say(f"县里执行 / in the county: wanmi join {url} --token {made} --ca ca.crt   (至 / until {rfc3339(ends)})")


@click.command()
@click.argument("request", metavar="REQUEST.json", callback=existing_file)
@click.option(
    "--out", "out", required=True, metavar="FILE", type=click.Path(path_type=Path), help="Where the answer goes."
)
@click.option("--scopes", multiple=True, help="What the county grants us, by commas. [default: of prefecture.toml]")
@home_option
@json_option
def sign(request: Path, out: Path, scopes: tuple[str, ...], home: Path, as_json: bool) -> None:
    """Sign a county's request that came on a USB stick; the answer goes back on it.

    REQUEST.json was written by `wanmi join --request FILE`; the county reads the answer by `wanmi join --accept FILE`.
    Compare the county's code and address with what its technician says: here nobody else checks them.

    \b
    Example:
      wanmi prefecture sign /media/usb/request.json --out /media/usb/answer.json
    """
    import msgspec

    from server.prefecture.enrolment import EnrolBody, sign_file
    from server.prefecture.store import opened

    try:
        body = msgspec.json.decode(request.read_bytes(), type=EnrolBody)
    except msgspec.DecodeError as error:
        raise BadFile(f"{request} 不是接入请求: {error}。", f"{request} is no request to join: {error}.") from None
    with opened(home) as platform:
        answer = sign_file(platform, body, split_words(scopes))
    out.write_bytes(msgspec.json.encode(answer))
    if as_json:
        show({"county": body.county, "name": body.name, "address": body.address, "answer": str(out),
              "scopes": answer.scopes})  # fmt: skip
        return
    say(f"已为 {body.county} {body.name} ({body.address}) 签发证书: {out} (signed)")


@click.command()
@county_argument
@home_option
@json_option
def remove(county: str, home: Path, as_json: bool) -> None:
    """End COUNTY's membership from this side.

    Its certificates and tokens count no more, nobody calls it, and it is in no view and no table any more. What was
    pulled stays in its schema; `DROP SCHEMA county_COUNTY CASCADE` takes it away.
    """
    from server.prefecture.enrolment import leave
    from server.prefecture.store import opened

    with opened(home) as platform:
        leave(platform, None, county)
    if as_json:
        show({"county": county, "removed": True})
        return
    say(f"{county} 已退出本平台 (removed)")
