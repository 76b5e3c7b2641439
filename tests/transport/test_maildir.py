"""A local Maildir as a mailbox."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eventum.errors import Busy, NotFound
from eventum.transport.mailbox import Mailbox, Position, Server, open_mailbox


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("new", "cur", "tmp"):
        (tmp_path / "box" / part).mkdir(parents=True)
    return tmp_path / "box"


def put(folder: Path, name: str, raw: bytes, second: int) -> None:
    (folder / name).write_bytes(raw)
    os.utime(folder / name, (second, second))


def server(folder: Path) -> Server:
    return Server(protocol="maildir", folder=str(folder))


def fetched(mailbox: Mailbox, after: Position | None = None, **bounds: int) -> list[list[bytes]]:
    return [[mail.raw for mail in batch] for batch in mailbox.fetch(mailbox.new(after or Position()), **bounds)]


def test_mails_of_new_and_cur_come_in_order_of_arrival(folder: Path) -> None:
    put(folder, "cur/2.host:2,S", b"second", 20)
    put(folder, "new/1.host", b"third", 30)
    put(folder, "cur/9.host:2,", b"first", 10)
    with open_mailbox(server(folder)) as mailbox:
        assert mailbox.count == 3
        assert fetched(mailbox) == [[b"first", b"second", b"third"]]
        [[mail]] = mailbox.fetch(["2.host"])
        assert mail.date == datetime.fromtimestamp(20, UTC)


def test_only_unknown_mails_are_new_whatever_their_flags_become(folder: Path) -> None:
    put(folder, "new/1.host", b"old", 10)
    with open_mailbox(server(folder)) as mailbox:
        position = mailbox.advanced(Position(known=frozenset({"gone"})), mailbox.new(Position()))
        assert position == mailbox.newest() == Position(known=frozenset({"1.host"}))
    (folder / "new/1.host").rename(folder / "cur/1.host:2,RS")
    put(folder, "new/2.host", b"fresh", 20)
    with open_mailbox(server(folder)) as mailbox:
        assert fetched(mailbox, position) == [[b"fresh"]]


def test_unread_is_what_has_no_seen_flag(folder: Path) -> None:
    for second, name in enumerate(["new/1.S.host", "cur/2.host:2,F", "cur/3.host:2,FS", "cur/4.host"]):
        put(folder, name, b"x", second)
    with open_mailbox(server(folder)) as mailbox:
        assert mailbox.unseen() == ("1.S.host", "2.host", "4.host")


def test_a_mail_that_is_renamed_or_removed_meanwhile_is_found_or_left_out(folder: Path) -> None:
    for number in (1, 2, 3):
        put(folder, f"new/{number}.host", b"mail %d" % number, number)
    with open_mailbox(server(folder)) as mailbox:
        (folder / "new/1.host").rename(folder / "cur/1.host:2,S")
        (folder / "new/2.host").unlink()
        assert fetched(mailbox) == [[b"mail 1", b"mail 3"]]


def test_batches_are_bounded_by_bytes_and_by_count(folder: Path) -> None:
    for number, size in enumerate([10, 10, 10, 99, 5]):
        put(folder, f"new/{number}", b"x" * size, number)
    with open_mailbox(server(folder)) as mailbox:
        sizes = [[len(raw) for raw in batch] for batch in fetched(mailbox, max_bytes=25, max_count=2)]
    assert sizes == [[10, 10], [10], [99], [5]]


def test_exactly_the_named_mails_are_removed(folder: Path) -> None:
    for number in (1, 2, 3):
        put(folder, f"new/{number}.host", b"x", number)
    with open_mailbox(server(folder), removing=True) as mailbox:
        mailbox.remove(["1.host", "3.host", "gone"])
        assert mailbox.commit()
    assert [path.name for path in (folder / "new").iterdir()] == ["2.host"]


def test_links_pipes_and_folders_are_no_mails(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "new/1").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "new/2")
    (folder / "new/3").mkdir()
    put(folder, "new/.hidden", b"x", 1)
    with open_mailbox(server(folder)) as mailbox:
        assert mailbox.new(Position()) == ()


def test_a_pipe_put_in_place_of_a_mail_is_named_and_not_waited_for(folder: Path) -> None:
    put(folder, "new/1", b"x", 1)
    put(folder, "new/2", b"y", 2)
    with open_mailbox(server(folder)) as mailbox:
        (folder / "new/1").unlink()
        os.mkfifo(folder / "new/1")
        assert fetched(mailbox) == [[b"y"]]
        assert [uid for uid, _ in mailbox.passed_over] == ["1"]


@pytest.mark.parametrize("missing", ["nowhere", "box/new"])
@pytest.mark.parametrize("removing", [True, False])
def test_a_folder_that_is_no_maildir_is_not_found(folder: Path, missing: str, removing: bool) -> None:
    with (
        pytest.raises(NotFound, match="There is no Maildir at .*check the path"),
        open_mailbox(server(folder.parent / missing), removing=removing),
    ):
        pass


@pytest.mark.parametrize(("number", "come"), [(24, [b"1"]), (5, [b"1", b"3"])])
def test_a_mail_that_cannot_be_opened_just_now_waits_for_the_next_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, come: list[bytes]
) -> None:
    for name in "123":
        put(folder, f"new/{name}", name.encode(), int(name))
    real = os.open

    def broken(path: object, *rest: int) -> int:
        if str(path).endswith("/new/2"):
            raise OSError(number, os.strerror(number))
        return real(path, *rest)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "open", broken)
    got: list[bytes] = []
    with open_mailbox(server(folder)) as mailbox:
        # Without room for another open file no later mail overtakes it; one bad block keeps no other waiting.
        with pytest.raises(Busy, match=f"Mail waits for the next run: .*{os.strerror(number)}"):
            for batch in mailbox.fetch(mailbox.new(Position())):
                got += [mail.raw for mail in batch]
        assert (got, mailbox.passed_over) == (come, [])
