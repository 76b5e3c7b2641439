import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from eventum.errors import NotFound
from eventum.store import files


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in files.listing(folder))


def test_a_replaced_file_has_the_new_content_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    files.atomic_write(path, b"old")
    files.atomic_write(path, b"new", durable=False)
    assert (files.read(path), names(tmp_path)) == (b"new", ["a.json"])


def test_a_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    files.atomic_write(tmp_path / "a", b"x")
    files.write_durable(tmp_path / "b", b"x")
    files.make_folder(tmp_path / "c")
    assert [os.stat(tmp_path / name).st_mode & 0o777 for name in "abc"] == [0o600, 0o600, 0o700]


def test_the_leftover_of_a_dead_run_under_the_temporary_name_does_not_stop_a_replace(tmp_path: Path) -> None:
    (tmp_path / ".tmp").write_bytes(b"half")
    files.atomic_write(tmp_path / "a", b"whole", tmp=tmp_path / ".tmp")
    assert (files.read(tmp_path / "a"), names(tmp_path)) == (b"whole", ["a"])


def test_a_new_file_never_replaces_one_and_never_follows_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"kept")
    (tmp_path / "link").symlink_to(tmp_path / "outside")
    for name in ("there", "link"):
        with pytest.raises(FileExistsError):
            files.write_durable(tmp_path / name, b"x")
    assert ((tmp_path / "there").read_bytes(), (tmp_path / "outside").exists()) == (b"kept", False)


def test_a_half_written_new_file_does_not_keep_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        files.write_durable(tmp_path / "a", b"x")
    assert names(tmp_path) == []


def test_an_append_that_the_disk_cut_short_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", lambda fd, data: len(data) - 1)
    with pytest.raises(OSError, match="No space") as raised:
        files.append(tmp_path / "a", b"line\n")
    assert raised.value.filename == str(tmp_path / "a")


def test_appended_lines_stand_one_after_the_other(tmp_path: Path) -> None:
    files.append(tmp_path / "a", b"1\n", durable=True)
    files.append(tmp_path / "a", b"2\n")
    assert files.read(tmp_path / "a") == b"1\n2\n"


@pytest.mark.parametrize(("content", "answer"), [(b"", True), (b"a\n", True), (b"a", False), (None, True)])
def test_whether_a_file_ends_with_a_newline(tmp_path: Path, content: bytes | None, answer: bool) -> None:
    if content is not None:
        (tmp_path / "a").write_bytes(content)
    assert files.ends_with(tmp_path / "a", b"\n") is answer


@pytest.mark.parametrize("size", [0, 1, 4096, 3_000_000])
def test_a_file_is_read_whole(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "a").write_bytes(data)
    assert (files.read(tmp_path / "a"), files.read_head(tmp_path / "a", 100)) == (data, data[:100])


def test_what_is_not_there_is_said_by_its_name(tmp_path: Path) -> None:
    for read in (lambda: files.read(tmp_path / "a"), lambda: files.read_head(tmp_path / "a", 1)):
        with pytest.raises(NotFound, match=str(tmp_path / "a")):
            read()
    assert (files.modified_ns(tmp_path / "a"), files.exists(tmp_path / "a"), names(tmp_path / "a")) == (0, False, [])


def test_who_comes_second_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    assert [files.link(tmp_path / "a", tmp_path / "b") for _ in range(2)] == [True, False]
    assert [files.rename(tmp_path / "a", tmp_path / name) for name in "cd"] == [True, False]
    assert [files.remove(tmp_path / "c") for _ in range(2)] == [True, False]
    assert [files.make_folder(tmp_path / "d") for _ in range(2)] == [True, False]
    assert names(tmp_path) == ["b", "d"]


def test_a_file_of_our_own_that_is_gone_is_an_error_when_it_gets_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.move(tmp_path / "gone", tmp_path / "a")


def test_a_finished_folder_never_replaces_one_that_holds_something(tmp_path: Path) -> None:
    for name in ("new", "empty", "full"):
        (tmp_path / name).mkdir()
    (tmp_path / "new" / "x").touch()
    (tmp_path / "full" / "y").touch()
    assert not files.publish(tmp_path / "new", tmp_path / "full")
    assert files.publish(tmp_path / "new", tmp_path / "empty")
    assert names(tmp_path / "empty") == ["x"]


def test_removing_a_tree_never_follows_a_link_out_of_it(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").touch()
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "link").symlink_to(tmp_path / "outside")
    files.remove_tree(tmp_path / "tree")
    assert (names(tmp_path), names(tmp_path / "outside")) == (["outside"], ["kept"])


def test_folders_are_made_with_their_parents_and_again_without_change(tmp_path: Path) -> None:
    wanted = [tmp_path / "a" / "b" / "c", tmp_path / "a" / "d"]
    files.make_folders(wanted)
    files.make_folders(wanted)
    assert all(path.is_dir() for path in wanted)


def test_threads_that_replace_the_same_file_do_not_take_each_others_away(tmp_path: Path) -> None:
    path, texts = tmp_path / "reading.json", [b"%d" % number * 1000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: [files.atomic_write(path, text, durable=False) for _ in range(50)], texts))
    assert path.read_bytes() in texts
    assert [one.name for one in tmp_path.iterdir()] == ["reading.json"]


def test_a_file_that_is_moved_to_where_it_is_stays(tmp_path: Path) -> None:
    path = tmp_path / "mail"
    path.write_bytes(b"mail")
    assert files.rename(path, f"{tmp_path}/./mail")
    files.move(path, path)
    assert path.read_bytes() == b"mail"


def test_links_pipes_and_folders_are_never_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "link").symlink_to("secret")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("link", "pipe", "folder"):
        for reading in (files.read, lambda path: files.read_head(path, 10)):
            with pytest.raises(OSError, match="symbolic link|pipe|folder"):
                reading(tmp_path / name)


def test_what_is_done_and_said_to_have_failed_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a network file system says when it asked twice."""
    real = os.rename

    def rename(source: Path, target: Path) -> None:
        real(source, target)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(source))

    for name in "abc":
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr(os, "rename", rename)
    assert files.rename(tmp_path / "a", tmp_path / "a2")
    files.move(tmp_path / "b", tmp_path / "b2")
    assert files.publish(tmp_path / "folder", tmp_path / "folder2")
    files.atomic_write(tmp_path / "c", b"new")
    assert names(tmp_path) == ["a2", "b2", "c", "folder2"]
    assert files.read(tmp_path / "c") == b"new"


def test_what_is_gone_and_came_nowhere_is_not_done(tmp_path: Path) -> None:
    assert not files.rename(tmp_path / "nothing", tmp_path / "b")
    for moved in (files.move, files.publish):
        with pytest.raises(FileNotFoundError):
            moved(tmp_path / "nothing", tmp_path / "b")
