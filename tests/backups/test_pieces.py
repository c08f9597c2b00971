"""A database in pieces: put together it is the database, and only what changed is written again."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import Broken
from backups import pieces
from backups.pieces import compare, join, split
from backups.repository import refusal


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE", 16)


def archive(folder: Path) -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        tar.add(folder, "pieces")
    stream.seek(0)
    return stream


@given(st.lists(st.binary(max_size=100), min_size=1, max_size=5))
@settings(deadline=None)
def test_whatever_the_database_becomes_its_pieces_are_it(contents: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patched, TemporaryDirectory() as scratch:
        patched.setattr(pieces, "PIECE", 16)
        copy, folder, known = Path(scratch) / "copy", Path(scratch) / "pieces", []
        for content in contents:
            copy.write_bytes(content)
            known = split(copy, folder, known)
        compare(archive(folder), known)
        join(folder, Path(scratch) / "joined", known)
        assert (Path(scratch) / "joined").read_bytes() == contents[-1]


def test_only_the_pieces_that_changed_are_written_again(tmp_path: Path) -> None:
    copy, folder = tmp_path / "copy", tmp_path / "pieces"
    copy.write_bytes(b"a" * 16 + b"b" * 16 + b"c" * 8)
    known = split(copy, folder, [])
    before = {path.name: path.stat().st_ino for path in folder.iterdir()}
    copy.write_bytes(b"a" * 16 + b"B" * 16 + b"c" * 8)
    split(copy, folder, known)
    after = {path.name: path.stat().st_ino for path in folder.iterdir()}
    assert [name for name in after if after[name] != before[name]] == ["000001"]
    (folder / "000000").unlink()
    split(copy, folder, known)
    assert (folder / "000000").read_bytes() == b"a" * 16, "one that was lost is made again"


def test_a_piece_that_is_missing_or_changed_is_named(tmp_path: Path) -> None:
    copy, folder = tmp_path / "copy", tmp_path / "pieces"
    copy.write_bytes(bytes(range(48)))
    known = split(copy, folder, [])
    (folder / "000001").write_bytes(b"x" * 16)
    with pytest.raises(Broken, match="Piece 1"):
        compare(archive(folder), known)
    (folder / "000001").unlink()
    with pytest.raises(Broken, match="2 pieces, not 3"):
        compare(archive(folder), known)
    with pytest.raises(Broken, match="Piece 1"):
        join(folder, tmp_path / "joined", known)


@pytest.mark.parametrize("words", ["Is there a repository", "Fatal: Get http://box:geh@im@10.0.0.5:8000/: dial"])
def test_a_refusal_tells_no_password_of_the_repository(words: str) -> None:
    said = refusal(words.encode(), "rest:http://box:geh@im@10.0.0.5:8000/")
    for each in (said.zh, said.en):
        assert "box:***@10.0.0.5" in each
        assert "geh" not in each
