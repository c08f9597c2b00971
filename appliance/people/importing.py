"""Imports departments and staff from tables (see `provisioning/import_files/kinds.py` for how a run goes).

A password in a staff file is hashed while the file is checked and is given to new accounts only; the file again
changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import Connection, text

from appliance.errors import FieldError, Invalid, UnknownCode
from appliance.nearest import nearest
from appliance.people.accounts import hash_password, is_account_name
from appliance.people.roles import ROLE_NAMES, joined_roles, split_roles
from appliance.places.importing import ImportContext, Problems, Record, TableImporter, required_text, text_of

CHINESE_ROLES = {chinese: role for role, (chinese, _) in ROLE_NAMES.items()}


class DepartmentImporter(TableImporter):
    """Imports the tree of responsible units. A parent stands in the same file or is known already."""

    fields: Mapping[str, tuple[str, ...]] = {
        "code": ("部门编码", "部门代码", "编码", "机构编码"),
        "name": ("部门名称", "名称", "机构名称"),
        "parent": ("上级部门", "上级", "上级编码", "父级"),
        "phone": ("电话", "联系电话"),
        "group": ("分组", "考核分组", "类别"),
        "area": ("区域", "区划代码", "所属区域"),
        "upper_code": ("上级平台编码", "市级编码"),
    }
    required = frozenset({"code", "name"})

    table: ClassVar[str] = "department"
    columns: ClassVar[tuple[str, ...]] = (
        "code", "name", "parent", "phone", "duty_group", "area", "upper_code", "attributes",
    )  # fmt: skip
    with_geometry: ClassVar[bool] = False
    feed_type: ClassVar[str | None] = "department"
    batch_column: ClassVar[str | None] = None

    def __init__(self, context: ImportContext) -> None:
        super().__init__(context)
        self.parents: dict[str, str | None] = {}

    def prepare(self, connection: Connection) -> None:
        """Know the units that are there."""
        self.parents = {row.code: row.parent for row in connection.execute(text("SELECT code, parent FROM department"))}

    def check(self, row: Mapping[str, Any]) -> Record:
        """A unit; the parent is checked when all rows are known."""
        problems = Problems()
        code = required_text(row, "code", problems)
        name = required_text(row, "name", problems)
        if "|" in code or " " in code:
            problems.add("code", f"“{code}”不能有空格或竖线", f"'{code}' must have no blank and no bar")
        problems.raise_any()
        record: Record = {"key": code, "code": code, "name": name, "attributes": row["attributes"] or None}
        for field, column in (("phone", "phone"), ("group", "duty_group"), ("area", "area"), ("upper_code",) * 2):
            if field in row:
                record[column] = text_of(row, field)
        if "parent" in row:
            record["parent"] = text_of(row, "parent")
        self.parents[code] = record.get("parent", self.parents.get(code))
        return record

    def complete(self, records: Sequence[Record]) -> Sequence[tuple[int, FieldError]]:
        """Refuse parents that nobody knows, and circles."""
        wrong: list[tuple[int, FieldError]] = []
        for index, record in enumerate(records):
            parent = record.get("parent")
            if parent is None:
                continue
            if parent not in self.parents:
                near = nearest(parent, self.parents)
                wrong.append((index, FieldError("parent", f"没有部门 {parent}", f"no department {parent}", near)))
            elif self._in_circle(record["key"]):
                wrong.append((index, FieldError("parent", "上级关系成环", "the parents form a circle")))
        return wrong

    def _in_circle(self, code: str) -> bool:
        above, seen = self.parents.get(code), set[str]()
        while above is not None and above not in seen:
            if above == code:
                return True
            seen.add(above)
            above = self.parents.get(above)
        return False


class StaffImporter(TableImporter):
    """Imports accounts. Roles are joined by `|`, in English or Chinese."""

    fields: Mapping[str, tuple[str, ...]] = {
        "account": ("账号", "用户名", "登录名"),
        "name": ("姓名", "名称"),
        "roles": ("角色", "岗位", "role"),
        "department": ("部门", "部门编码", "单位"),
        "phone": ("电话", "手机", "联系电话"),
        "password": ("密码", "初始密码"),
    }
    required = frozenset({"account", "name", "roles"})

    table: ClassVar[str] = "account"
    key: ClassVar[str] = "account"
    columns: ClassVar[tuple[str, ...]] = (
        "account", "name", "roles", "department", "phone", "password", "new_password_due", "active", "created_at",
    )  # fmt: skip
    json_columns: ClassVar[frozenset[str]] = frozenset()
    with_geometry: ClassVar[bool] = False
    batch_column: ClassVar[str | None] = None
    defaults: ClassVar[Mapping[str, Any]] = {
        "password": None, "new_password_due": False, "active": True, "wrong_passwords": 0,
    }  # fmt: skip

    def __init__(self, context: ImportContext) -> None:
        super().__init__(context)
        self.rules = context.settings.sign_in
        self.departments: dict[str, str] = {}
        self.with_password: frozenset[str] = frozenset()

    def prepare(self, connection: Connection) -> None:
        """Know the units, and the accounts that have a password."""
        rows = connection.execute(text("SELECT code, name FROM department WHERE ended_at IS NULL"))
        self.departments = {row.code: row.name for row in rows}
        has = connection.execute(text("SELECT account FROM account WHERE password IS NOT NULL"))
        self.with_password = frozenset(has.scalars())

    def check(self, row: Mapping[str, Any]) -> Record:
        """An account; its password, if there is one, is hashed here, outside the writer."""
        problems = Problems()
        account = required_text(row, "account", problems)
        name = required_text(row, "name", problems)
        if not is_account_name(account):
            problems.add(
                "account",
                f"“{account}”不能有空格、竖线、冒号,也不能是系统保留的账号",
                f"'{account}' must have no blank, bar or colon and be none that is kept for the system",
            )
        roles = self._roles(required_text(row, "roles", problems), problems)
        department = self._department(text_of(row, "department"), problems)
        if "department" in split_roles(roles) and department is None and "department" in row:
            problems.add("department", "专业部门的账号须写部门", "an account of a department must name it")
        record: Record = {"key": account, "account": account, "name": name, "roles": roles}
        if "department" in row:
            record["department"] = department
        if "phone" in row:
            record["phone"] = text_of(row, "phone")
        password = text_of(row, "password")
        if password and account not in self.with_password:
            self._give_password(record, password, problems)
        problems.raise_any()
        return record

    def insert(self, unit: Any, rows: list[Record]) -> None:
        """New accounts begin now."""
        super().insert(unit, [{**row, "created_at": unit.now} for row in rows])

    def bound(self, record: Record, batch: int | None) -> Record:
        """As stored, with the count of wrong passwords that a new row needs."""
        values = super().bound(record, batch)
        if "wrong_passwords" in record:
            values["wrong_passwords"] = record["wrong_passwords"]
        return values

    def _roles(self, written: str, problems: Problems) -> str:
        try:
            names = split_roles(written.replace("、", "|").replace(",", "|").replace(";", "|"))
            return joined_roles(CHINESE_ROLES.get(name, name) for name in names) if names else ""
        except UnknownCode as unknown:
            problems.errors.extend(unknown.fields)
            return ""

    def _department(self, written: str | None, problems: Problems) -> str | None:
        if written is None or written in self.departments:
            return written
        named = [code for code, name in self.departments.items() if name == written]
        if len(named) == 1:
            return named[0]
        near = nearest(written, [f"{code} {name}" for code, name in self.departments.items()])
        problems.add("department", f"没有部门 {written}", f"no department {written}", near)
        return None

    def _give_password(self, record: Record, password: str, problems: Problems) -> None:
        try:
            record["password"] = hash_password(password, self.rules, str(record["account"]))
            record["new_password_due"] = True
        except Invalid as short:
            problems.errors.extend(short.fields)
