"""Tests of places read files, so the native libraries come first (see `provisioning.import_files.native`)."""

from __future__ import annotations

from provisioning.import_files import native

native.load()
