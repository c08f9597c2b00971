"""Departments, staff and duties from one workbook: all of it, or nothing; temporary passwords on a page to hand out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from appliance.errors import Invalid, WanmiError
from appliance.exchange.links import write_private
from appliance.papers.pages import page_of
from appliance.people.roles import ROLE_NAMES
from appliance.settings import load
from provisioning.import_files.columns import matched
from provisioning.import_files.kinds import importer
from provisioning.import_files.table import Table, bad_file
from provisioning.setup.facts import Facts
from provisioning.setup.importing import SHOWN, refused, retried
from provisioning.setup.passwords import new_password
from provisioning.setup.settings import change_settings
from provisioning.setup.step import Back, Standing
from provisioning.setup.talk import Talk
from provisioning.setup.workbook import read_workbook, sheets, write_template

if TYPE_CHECKING:
    from appliance.records.store import Records

PAGE = "passwords"
_WITH_PASSWORD = text("SELECT account FROM account WHERE password IS NOT NULL")
_LAST = text("SELECT coalesce(max(id), 0) FROM import_batch")
_SINCE = text("SELECT id FROM import_batch WHERE id > :last AND state = 'applied' ORDER BY id DESC")


class People:
    """The workbook."""

    def standing(self, facts: Facts) -> Standing:
        departments, accounts, duties = (facts.counts[name] for name in ("departments", "accounts", "duties"))
        return Standing(
            departments > 0 and accounts > 1,
            f"部门 {departments} 账号 {accounts} 确权 {duties}",
            f"{departments} units, {accounts} accounts, {duties} duties",
        )

    def run(self, home: Path, talk: Talk) -> None:
        if not talk.alone and not self._has_workbook(home, talk):
            return
        retried(talk, lambda: self._take(home, talk))

    def _has_workbook(self, home: Path, talk: Talk) -> bool:
        """Whether there is a filled workbook; else an empty one is written."""
        offered = {"1": "已有填好的表 a filled workbook", "2": "写一份空表 write the empty one"}
        if talk.choose("部门人员表?", "The workbook?", offered, "1") == "1":
            return True
        file = Path(talk.free("写到", "write it to", "wanmi-people.xlsx")).expanduser()
        try:
            write_template(file)
        except OSError as error:
            talk.tell(f"✗ {file}: {error.strerror}")
        else:
            talk.tell(f"✓ 已写 {file};填好后再来这一步", "written; fill it in and take this step again")
        return False

    def _take(self, home: Path, talk: Talk) -> bool:
        file = talk.path("workbook")
        assert file is not None
        tables = read_workbook(file)
        if not tables:
            raise bad_file(file.name, "三张表都是空的;请填好再导入", "all its sheets are empty; fill them in first")
        talk.tell(", ".join(f"{sheet} {len(tables[kind])}" for sheet, kind in sheets().items() if kind in tables))
        if not talk.confirm("导入?", "Import them?"):
            raise Back
        page = import_tables(home, tables, talk, file)
        if page is not None:
            if not load(home).sign_in.new_password_at_first_sign_in:
                change_settings(home, {"sign_in.new_password_at_first_sign_in": True})
            talk.tell(
                f"✓ 临时密码已写到 {page};打印分发后请删除这个文件",
                "temporary passwords are on this page; print it, hand them out, delete the file",
            )
        return True


def import_tables(home: Path, tables: Mapping[str, Table], talk: Talk, file: Path) -> Path | None:
    """Import the sheets in turn; when one is refused, those before it are taken back.

    Temporary passwords are on their page before an account has one: nothing else knows them.

    Returns:
        The page, None where nobody got a temporary password.

    Raises:
        WanmiError: a sheet was refused; nothing of the workbook stays. OSError: the page cannot be written; likewise.
    """
    from provisioning.commands import opened
    from provisioning.import_files.pipeline import one_import, take_back_cut_off

    page = None
    with opened(home) as records, one_import(home):
        take_back_cut_off(records)
        with records.read() as connection:
            last = int(connection.execute(_LAST).scalar_one())
        try:
            for kind, table in tables.items():
                if kind == "staff" and (made := give_passwords(records, table)):
                    file_of_page = _unused(Path(talk.ask("passwords")).expanduser())
                    write_passwords(home, file_of_page, made)
                    page = file_of_page
                    talk.tell(f"  ✓ 临时密码 {len(made)} 个", "temporary passwords")
                _import_sheet(records, kind, table, talk, file)
        except BaseException:
            if page is not None:
                page.unlink(missing_ok=True)
            _take_back(records, last)
            raise
    return page


def _unused(page: Path) -> Path:
    """The page, under another name where one stands there that may not have been handed out yet."""
    number, free = 2, page
    while free.exists():
        number, free = number + 1, page.with_stem(f"{page.stem}-{number}")
    return free


def _import_sheet(records: Records, kind: str, table: Table, talk: Talk, file: Path) -> None:
    from provisioning.import_files.pipeline import Options, file_digest, import_table, silent

    result = import_table(records, kind, table, file_digest(file), Options(), silent)
    sheet = next(name for name, of in sheets().items() if of == kind)
    if result.refusals:
        for item in result.refusals[:SHOWN]:
            talk.tell(f"  ✗ {sheet} 第 {item['row']} 行 {item['field']}: {item['why']}", item["why_en"])
        first = refused(file, result)
        raise Invalid(
            f"表 {sheet}: {first.zh.rpartition(';')[0]};请改正后再导入,整本表都没有写入。",
            f"Sheet {sheet}: {first.en.rpartition(';')[0]}; correct it and import again, nothing stays.",
            fields=first.fields,
        )
    talk.tell(f"  ✓ {sheet} 新增 {result.added} 更新 {result.updated}", "added, updated")


def _take_back(records: Records, last: int) -> None:
    """Take the sheets back that came after the last batch before them, the last one first.

    The database is asked, not the importer: Ctrl-C in the slice that closes a batch is heard when that is written.
    """
    from appliance.places import batches as kept
    from provisioning.import_files.pipeline import silent, take_back, take_back_cut_off

    with records.read() as connection:
        whole = connection.execute(_SINCE, {"last": last}).scalars().all()
    with suppress(WanmiError):
        take_back_cut_off(records)
    for batch in whole:
        with records.read() as connection:
            found = kept.check_undo(connection, batch)
        take_back(records, found, silent)


def give_passwords(records: Records, table: Table) -> list[dict[str, str]]:
    """Fill in a temporary password where the sheet has none and the account has none yet."""
    from provisioning.import_files.pipeline import Options, context_of

    found = matched(table, importer("staff", context_of(records, Options())), {}).fields
    with records.read() as connection:
        known = frozenset(connection.execute(_WITH_PASSWORD).scalars())
    cells = table.columns.setdefault(found.get("password", "密码"), [None] * len(table))
    made = []
    for index in range(len(table)):
        row = {field: str(table.columns[column][index] or "").strip() for field, column in found.items()}
        if row["account"] and not row.get("password") and row["account"] not in known:
            cells[index] = new_password(records.settings.sign_in.password_length)
            made.append({**{name: row[name] for name in ("account", "name", "roles")}, "password": cells[index]})
    return made


def write_passwords(home: Path, file: Path, made: list[dict[str, str]]) -> None:
    """Write the page of temporary passwords, readable by its owner only: a strip for each person to cut off."""
    settings = load(home)
    facts: dict[str, Any] = {
        "county": f"{settings.county} {settings.name}".strip(),
        "people": [{**person, "roles": in_chinese(person["roles"])} for person in made],
        "due": True,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file, page_of(home, PAGE, facts))


def in_chinese(roles: str) -> str:
    """Roles joined by `|` as people call them."""
    return "、".join(ROLE_NAMES.get(role.strip(), (role.strip(), ""))[0] for role in roles.split("|"))
