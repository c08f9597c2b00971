"""Loads the native libraries of file import in the only order that works.

SQLite loads mod_spatialite with its symbols global, and with it the system's PROJ and GEOS. Python's shapely,
pyproj and pyogrio bring their own versions of these; loaded afterwards they would be bound to the system's and corrupt
memory. So whoever reads or writes files calls `load` before the records are opened.
"""

from __future__ import annotations

from importlib import import_module


def load() -> None:
    """Load shapely, pyproj and pyogrio; call it before the first `Records.open` of a process."""
    for name in ("shapely", "pyproj", "pyogrio.raw"):
        import_module(name)
