import os
from pathlib import Path

import pytest

from eventum.store.flush import Flush


def test_a_batch_is_there_with_its_times_when_the_flush_ended(tmp_path: Path) -> None:
    with Flush() as flush:
        for number in range(20):
            flush.write(tmp_path / f"{number}", b"%d" % number, mtime_ns=number * 1000)
        flush.folder(tmp_path)
        flush.folder(tmp_path.parent)
    found = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    assert found == {f"{number}": (b"%d" % number, number * 1000) for number in range(20)}


def test_every_content_and_every_folder_is_synced_before_the_flush_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def noting(fd: int) -> None:
        real(fd)
        synced.append(os.readlink(f"/proc/self/fd/{fd}"))

    monkeypatch.setattr(os, "fsync", noting)
    with Flush() as flush:
        flush.write(tmp_path / "a", b"1")
        flush.write(tmp_path / "b", b"2")
        flush.folder(tmp_path)
    assert sorted(synced[:2]) == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert synced[2:] == [str(tmp_path)]


def test_a_disk_that_does_not_take_a_content_is_told_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(fd: int) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="the disk is gone"), Flush() as flush:
        flush.write(tmp_path / "a", b"1")


def test_the_error_of_the_block_itself_is_the_one_that_is_told(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Flush() as flush:
        flush.write(tmp_path / "a", b"1")
        raise ZeroDivisionError


def test_a_file_has_its_name_only_when_its_content_is_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"old")
    real, order = os.fsync, list[str]()

    def noting(fd: int) -> None:
        name = os.readlink(f"/proc/self/fd/{fd}").rpartition("/")[2]
        order.append(f"{name} {(tmp_path / 'a').read_text()}")
        real(fd)

    monkeypatch.setattr(os, "fsync", noting)
    with Flush() as flush:
        flush.write_whole(tmp_path / "t", tmp_path / "a", b"new")
        flush.folder(tmp_path)
    assert order == ["t old", f"{tmp_path.name} new"]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_was_to_be_named_is_gone_when_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), Flush() as flush:
        flush.write_whole(tmp_path / "t", tmp_path / "a", b"new")
        raise ValueError("no")
    assert list(tmp_path.iterdir()) == []
