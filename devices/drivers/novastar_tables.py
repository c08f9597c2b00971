"""What NovaStar boxes have: registers, models, their families, inputs, patterns. Five CSV tables, checked on loading.

Only what stands in `novastar_registers.csv` can be sent; a register is written only where the table says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from devices.drivers.csv_tables import TableError, read_table


@dataclass(frozen=True, slots=True)
class Register:
    """A register: its length in bytes, and whether it may be read and written."""

    name: str
    device_type: int
    address: int
    length: int
    access: str


@dataclass(frozen=True, slots=True)
class Family:
    """Models that share input and freeze registers; `inputs` are codes by name, none where nothing can be chosen."""

    name: str
    input: str
    inputs: dict[str, int]
    freeze: str
    frozen: int
    live: int


@dataclass(frozen=True, slots=True)
class Model:
    """A model; `id` is None where no document tells it, so that it must be named by the option `model`."""

    name: str
    id: int | None
    family: Family


@dataclass(frozen=True, slots=True)
class Tables:
    """All of them."""

    registers: dict[str, Register]
    models: dict[str, Model]
    patterns: dict[str, int]

    def model_of(self, model_id: int) -> Model | None:
        """The model with this id."""
        return next((model for model in self.models.values() if model.id == model_id), None)


@cache
def tables() -> Tables:
    """The five tables.

    Raises:
        TableError: a value out of range, or a name that another table does not have.
    """
    registers = {
        row["name"]: Register(
            row["name"],
            row.number("device_type", 0, 2),
            row.number("address", 0, 0xFFFFFFFF),
            row.number("length", 1, 256),
            row.one_of("access", ("read", "write", "both")),
        )
        for row in read_table(
            "novastar_registers.csv", ("name", "device_type", "address", "length", "access"), unique="name"
        )
    }
    families = _families(registers)
    models = {
        row["model"]: Model(
            row["model"],
            row.number("id", 1, 0xFFFF) if row["id"] else None,
            families[row.one_of("family", families)],
        )
        for row in read_table("novastar_models.csv", ("model", "id", "family"), unique="model", may_be_empty=("id",))
    }
    patterns = {
        row["pattern"]: row.number("code", 0, 0xFF)
        for row in read_table("novastar_patterns.csv", ("pattern", "code", "zh", "en"), unique="pattern")
    }
    known = [model.id for model in models.values() if model.id is not None]
    if len(known) != len(set(known)):
        raise TableError("novastar_models.csv: an id stands twice")
    return Tables(registers, models, patterns)


def _families(registers: dict[str, Register]) -> dict[str, Family]:
    columns = ("family", "input", "freeze", "frozen", "live")
    rows = read_table("novastar_families.csv", columns, unique="family", may_be_empty=("input",))
    names = [row["family"] for row in rows]
    inputs: dict[str, dict[str, int]] = {name: {} for name in names}
    for row in read_table("novastar_inputs.csv", ("key", "family", "input", "code"), unique="key"):
        inputs[row.one_of("family", names)][row["input"]] = row.number("code", 0, 0xFF)
    writable = [name for name, register in registers.items() if register.access != "read"]
    return {
        row["family"]: Family(
            row["family"],
            row.one_of("input", ("", *writable)),
            inputs[row["family"]] if row["input"] else {},
            row.one_of("freeze", writable),
            row.number("frozen", 0, 0xFF),
            row.number("live", 0, 0xFF),
        )
        for row in rows
    }
