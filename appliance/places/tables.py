"""The tables of places: unit grids, duty grids, areas, parts, place names, layers, cameras, and import batches.

Geometry is EPSG:4490 in longitude and latitude. Dates without a time (when a grid or part began or ended) are ISO text.
Ended grids keep their row with `valid_to`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from appliance.records.base import document, geometry, identity, moment


class UnitGrid(SQLModel, table=True):
    """A unit grid (单元网格), about 10,000 m2. `code`: county 6 digits, street 3, community 3, serial 2 or 3."""

    __tablename__ = "unit_grid"
    __table_args__ = (Index("ix_unit_grid_community", "community", "code"), Index("ix_unit_grid_duty", "duty_grid"))

    id: int = identity()
    code: str = Field(sa_column_kwargs={"unique": True})
    name: str = ""
    street: str
    community: str
    duty_grid: str | None = None
    area_m2: float
    land_use: str | None = None
    grade: str | None = None
    responsible: str | None = None
    note: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    attributes: dict = document(nullable=True)  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised dict here
    lon: float
    lat: float
    batch: int | None = None
    geom: Any = geometry("MULTIPOLYGON")


class DutyGrid(SQLModel, table=True):
    """A duty grid (责任网格): unit grids that one collector walks."""

    __tablename__ = "duty_grid"
    __table_args__ = (Index("ix_duty_grid_collector", "collector"),)

    id: int = identity()
    code: str = Field(sa_column_kwargs={"unique": True})
    name: str = ""
    collector: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    attributes: dict = document(nullable=True)  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised dict here
    batch: int | None = None
    geom: Any = geometry("MULTIPOLYGON")


class DutyPost(SQLModel, table=True):
    """Who had a duty grid from a moment on; only of duty grids that changed hands, the first row from the beginning."""

    __tablename__ = "duty_post"
    __table_args__ = (Index("ix_duty_post_grid", "duty_grid", "since"),)

    id: int = identity()
    duty_grid: str
    collector: str | None = None
    since: int = moment(nullable=False)


class Area(SQLModel, table=True):
    """The county, a street or township, or a community or village; `level` is county, street or community.

    `code` has 6, 9 or 12 digits. An area may be known by name only.
    """

    __tablename__ = "area"
    __table_args__ = (Index("ix_area_parent", "parent"),)

    id: int = identity()
    code: str = Field(sa_column_kwargs={"unique": True})
    name: str
    level: str
    parent: str | None = None
    attributes: dict = document(nullable=True)  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised dict here
    batch: int | None = None
    geom: Any = geometry("MULTIPOLYGON", nullable=True)


class Part(SQLModel, table=True):
    """A component (部件). `code` has 16 or 17 digits: county 6, class and subclass 4 or 5, serial 6.

    `type` is the class code in `edition`. `department` answers for it (主管部门), `owner` owns it (权属单位) and
    `maintainer` keeps it (养护单位); the `…_department` columns hold their codes where they are units of the county.
    """

    __tablename__ = "part"
    __table_args__ = (
        Index("ix_part_type", "type", "id"),
        Index("ix_part_grid", "grid", "id"),
        Index("ix_part_department", "department", "id"),
    )

    id: int = identity()
    code: str = Field(sa_column_kwargs={"unique": True})
    type: str
    edition: str
    name: str
    state: str = "完好"
    department: str | None = None
    owner: str | None = None
    owner_department: str | None = None
    maintainer: str | None = None
    maintainer_department: str | None = None
    grid: str | None = None
    address: str | None = None
    lon: float
    lat: float
    accuracy: str | None = None
    source: str | None = None
    installed_on: str | None = None
    changed_on: str | None = None
    note: str | None = None
    attributes: dict = document(nullable=True)  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised dict here
    batch: int | None = None
    geom: Any = geometry("POINT")


class Place(SQLModel, table=True):
    """A place name: 地片 区片 街巷 门牌 兴趣点 区域. `search` holds its search words (see `appliance.places.words`)."""

    __tablename__ = "place"
    __table_args__ = (Index("ix_place_parent", "parent"), Index("ix_place_name", "name"))

    id: int = identity()
    code: str = Field(sa_column_kwargs={"unique": True})
    name: str
    type: str
    parent: str | None = None
    address: str | None = None
    initials: str = ""
    attributes: dict = document(nullable=True)  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised dict here
    search: str = Field(default="", sa_column=Column(Text, nullable=False))
    lon: float
    lat: float
    batch: int | None = None
    geom: Any = geometry("GEOMETRY")


class Layer(SQLModel, table=True):
    """A thematic layer: a named set of grids, parts and cases with a flag of its own on cases in it."""

    __tablename__ = "layer"

    code: str = Field(primary_key=True)
    name: str
    case_flag: str | None = None
    note: str | None = None
    created_at: int = moment(nullable=False)


class LayerMember(SQLModel, table=True):
    """A member of a layer; `kind` is grid, part or case, `member` its code or number."""

    __tablename__ = "layer_member"
    __table_args__ = (Index("ix_layer_member_member", "kind", "member"),)

    layer: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    member: str = Field(primary_key=True)


class Camera(SQLModel, table=True):
    """A surveillance camera of the county; the node keeps where it is and how to reach it."""

    __tablename__ = "camera"

    id: int = identity()
    code: str = Field(sa_column_kwargs={"unique": True})
    name: str
    street_class: str | None = None
    url: str | None = None
    attributes: dict = document(nullable=True)  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised dict here
    lon: float
    lat: float
    batch: int | None = None
    geom: Any = geometry("POINT")


class ImportBatch(SQLModel, table=True):
    """One import; `state` is applying, applied or undone. A batch that stayed `applying` was cut off and is undone."""

    __tablename__ = "import_batch"

    id: int = identity()
    kind: str
    file: str
    sha256: str
    actor: str
    at: int = moment(nullable=False)
    state: str = "applying"
    read: int = 0
    added: int = 0
    updated: int = 0
    refused: int = 0
    undone_at: int | None = moment()


class ImportChange(SQLModel, table=True):
    """What a batch did to one record: `before` is its former content, None when the batch added it."""

    __tablename__ = "import_change"
    __table_args__ = (Index("ix_import_change_batch", "batch", "id"),)

    id: int = identity()
    batch: int
    key: str
    before: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
