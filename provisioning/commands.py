"""`wanmi import`, `wanmi export` and `wanmi grids`: the technician's files."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from appliance.errors import FieldError, Invalid, WanmiError

if TYPE_CHECKING:
    from appliance.records.store import Records
    from provisioning.import_files.pipeline import Progress, Result

SHOWN_REFUSALS = 20
HOME = click.option("--home", type=click.Path(path_type=Path), help="The node's folder (default: WANMI_HOME).")
STAGES = {
    "read": "读取 reading",
    "check": "检查 checking",
    "apply": "写入 writing",
    "undo": "撤销 undoing",
    "cut": "划分 cutting",
    "export": "导出 exporting",
}


@contextmanager
def opened(home: Path | None) -> Iterator[Records]:
    """The records of the home, closed at the end."""
    from appliance.records.store import Records
    from appliance.settings import home_path
    from provisioning.import_files import native

    native.load()
    records = Records.open(home_path(home))
    try:
        yield records
    finally:
        records.close()


@contextmanager
def progress_bar() -> Iterator[Progress | None]:
    """A progress bar on stderr, none where that is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("")

        def tell(stage: str, done: int, total: int) -> None:
            bar.update(task, description=STAGES.get(stage, stage), completed=done, total=total)

        yield tell


def pairs(written: tuple[str, ...], option: str) -> dict[str, str]:
    """`ours=theirs` pairs; several may stand in one argument, separated by blanks or commas outside of names."""
    found: dict[str, str] = {}
    for pair in written:
        ours, sign, theirs = pair.partition("=")
        if not sign or not ours or not theirs:
            raise click.UsageError(f"{option} is written {option} our=theirs, not {pair!r}")
        found[ours.strip()] = theirs.strip()
    return found


@click.command("import")
@click.argument("kind")
@click.argument("file")
@click.option("--crs", help="EPSG:4547, GCJ-02, or @params.toml with a town's own parameters; wins over the file.")
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="OUR=THEIRS",
    help="Our field is their column; OUR==VALUE gives every row that value.",
)
@click.option("--values", multiple=True, metavar="FIELD=FILE", help="CSV of their value, our value for a field.")
@click.option("--make-codes", is_flag=True, help="Number parts or grids that come without a code.")
@click.option("--tz", metavar="ZONE", help="Time zone of times without one, for example Asia/Shanghai.")
@click.option("--layer", help="Which layer, sheet or member, where the file has several.")
@click.option("--encoding", help="Encoding of the text, where the file does not say it rightly.")
@click.option("--repair", is_flag=True, help="Mend invalid polygons instead of refusing them.")
@click.option("--dry-run", is_flag=True, help="Check everything and write nothing.")
@click.option("--keep-good", is_flag=True, help="Take the good rows although others are refused.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@HOME
def import_(kind: str, file: str, home: Path | None, as_json: bool, **chosen: Any) -> None:
    """Import FILE as KIND.

    KIND is boundary, grids, duty-grids, parts, places, cameras, departments, staff, roster, duties, cases, history,
    limits or calendar. `wanmi import undo BATCH` takes a batch back.

    All or nothing: one wrong row refuses the file, unless --keep-good. The same file again changes nothing.

    \b
    wanmi import boundary county.geojson --crs GCJ-02
    wanmi import parts census.zip --map code=ObjID --dry-run
    wanmi import parts lamps.gpkg --map type=layer --values type=types.csv --make-codes
    wanmi import undo 12
    """
    with opened(home) as records:
        if kind == "undo":
            undo_batch(records, file, as_json)
            return
        try:
            result = run(records, kind, Path(file), chosen)
        except WanmiError as refusal:
            if not as_json:
                raise
            print_json(refused_whole(refusal, records.settings.language))
            sys.exit(1)
        report(result, as_json, records.settings.language, dry_run=chosen["dry_run"])
    if result.refusals and not chosen["keep_good"]:
        sys.exit(1)


def run(records: Records, kind: str, file: Path, chosen: dict[str, Any]) -> Result:
    """Turn the options into values, import, and write the coded file back."""
    from provisioning.import_files.coding import write_coded
    from provisioning.import_files.columns import read_values
    from provisioning.import_files.pipeline import Options, run_import

    options = Options(
        crs=chosen["crs"],
        mapping=pairs(chosen["mapping"], "--map"),
        values={name: read_values(Path(path)) for name, path in pairs(chosen["values"], "--values").items()},
        make_codes=chosen["make_codes"],
        dry_run=chosen["dry_run"],
        keep_good=chosen["keep_good"],
        repair=chosen["repair"],
        layer=chosen["layer"],
        encoding=chosen["encoding"],
        zone=zone(chosen["tz"]),
    )
    with progress_bar() as progress:
        result, table = run_import(records, kind, file, options, progress)
        if options.make_codes and result.batch is not None:
            written = write_coded(table, result, file, records.home)
            result.warnings.append(f"带编码的文件已写到 {written} (the file with its codes)")
    return result


def zone(name: str | None) -> Any:
    """The time zone of a name.

    Raises:
        Invalid: there is none of that name.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as problem:
        zh, en = f"没有时区“{name}”，写作 Asia/Shanghai", f"there is no time zone '{name}', write Asia/Shanghai"
        raise Invalid(f"{zh}。", f"{en}.", fields=(FieldError("tz", zh, en),)) from problem


def refused_whole(refusal: WanmiError, language: str) -> dict[str, Any]:
    """The result of a file that was refused as a whole."""
    field = refusal.fields[0].field if refusal.fields else "file"
    row = refusal.extra.get("row")
    why = {"row": row, "field": field, "why": refusal.sentence(language)}
    return {"read": 0, "added": 0, "updated": 0, "refused": 0, "refusals": [why], "warnings": [], "batch": None}


def report(result: Result, as_json: bool, language: str, *, dry_run: bool) -> None:
    """Print what was done: data on stdout, talk on stderr."""
    why = "why" if language == "zh" else "why_en"
    refusals = [{"row": item["row"], "field": item["field"], "why": item[why]} for item in result.refusals]
    done = result.applied or dry_run
    counts = {
        "read": result.read,
        "added": result.added if done else 0,
        "updated": result.updated if done else 0,
        "refused": result.refused,
    }
    if as_json:
        print_json({**counts, "refusals": refusals, "warnings": result.warnings, "batch": result.batch})
        return
    for warning in result.warnings:
        click.echo(warning, err=True)
    for item in refusals[:SHOWN_REFUSALS]:
        click.echo(f"第 {item['row']} 行 {item['field']}：{item['why']}", err=True)
    if len(refusals) > SHOWN_REFUSALS:
        click.echo(f"… 共 {len(refusals)} 处 (in all; --json shows them)", err=True)
    if refusals and not done:
        click.echo("有错误的行，什么也没有写入；改正后重来，或用 --keep-good (nothing was written)", err=True)
    batch = f"，批次 {result.batch}" if result.batch else ""
    click.echo(
        f"读取 {counts['read']}，新增 {counts['added']}，更新 {counts['updated']}，拒绝 {counts['refused']}{batch}"
    )


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


def undo_batch(records: Records, written: str, as_json: bool) -> None:
    """Take a batch back."""
    from provisioning.import_files.pipeline import undo

    if not written.isdigit():
        raise click.UsageError("wanmi import undo BATCH: the number of a batch, for example 12")
    with progress_bar() as progress:
        count = undo(records, int(written), progress)
    if as_json:
        print_json({"batch": int(written), "undone": count})
    else:
        click.echo(f"批次 {written} 已撤销，共 {count} 条记录")


@click.command("export")
@click.argument("kind")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@HOME
def export(kind: str, file: Path, home: Path | None, as_json: bool) -> None:
    """Export all records of KIND to FILE; the ending says the format.

    Endings: .geojson .geojsonl .gpkg .gdb .zip (Shapefile) .csv .xlsx, each also with .gz. Coordinates are EPSG:4490.

    \b
    wanmi export parts parts.gpkg
    wanmi export cases cases.csv.gz
    """
    from provisioning.import_files.exporting import export_kind

    with opened(home) as records, progress_bar() as progress:
        count = export_kind(records, kind, file, progress)
    if as_json:
        print_json({"kind": kind, "file": str(file), "rows": count})
    else:
        click.echo(f"已导出 {count} 条到 {file}")


@click.group("grids")
def grids() -> None:
    """Unit grids: lay them over the boundary."""


@grids.command("cut")
@click.option("--size", default=100.0, show_default=True, help="Side of a grid in metres.")
@click.option("--digits", type=click.Choice(["14", "15"]), default="15", show_default=True, help="Length of the codes.")
@click.option(
    "--to", "target", type=click.Path(path_type=Path), help="Write the grids to a file and do not import them."
)
@click.option("--dry-run", is_flag=True, help="Say how many grids it would be.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@HOME
def cut(size: float, digits: str, target: Path | None, dry_run: bool, as_json: bool, home: Path | None) -> None:
    """Lay unit grids of about 10,000 m2 over the boundary, clipped to communities, coded west to east, north to south.

    \b
    wanmi grids cut
    wanmi grids cut --size 200 --to grids.gpkg
    """
    from provisioning.import_files.cutting import cut_county

    with opened(home) as records, progress_bar() as progress:
        result, batch = cut_county(records, size, int(digits), target, dry_run, progress)
    if as_json:
        counts = {"grids": result.count, "communities": result.communities, "batch": batch}
        print_json(counts | {"warnings": list(result.warnings)})
    else:
        for warning in result.warnings:
            click.echo(warning, err=True)
        click.echo(f"{result.communities} 个社区，{result.count} 个单元网格" + (f"，批次 {batch}" if batch else ""))
