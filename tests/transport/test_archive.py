import os
from pathlib import Path

import pytest

from eventum.errors import NotFound, Refused
from eventum.transport import mbox
from eventum.transport.archive import Archive

LINE = b"From ana@example.org Mon Jan  5 10:00:00 2026\n"


def mail(subject: str, day: int = 1, text: bytes = b"Text.\n", received: int = 0) -> bytes:
    head = f"Received: by x.example; {received} Jan 2026 12:00:00 +0000\n" if received else ""
    head += f"Subject: {subject}\nDate: {day} Jan 2026 12:00:00 +0000\n"
    return head.encode() + b"\n" + text


def in_mbox(*mails: bytes, line: bytes = LINE, end: bytes = b"\n") -> bytes:
    return b"".join(line.replace(b"\n", end) + raw + end for raw in mails)


def subjects(archive: Archive) -> list[str]:
    found = [archive.read(number) for number in range(len(archive))]
    archive.close()
    return [raw.partition(b"Subject: ")[2].partition(b"\n")[0].strip().decode() for raw in found if raw]


def box(folder: Path, data: bytes, name: str = "old.mbox") -> Archive:
    (folder / name).write_bytes(data)
    return Archive(str(folder / name))


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("chunk", [2100, 2101, 2107, 3000, 1 << 20])
def test_each_mail_of_an_mbox_is_what_was_put_in_wherever_it_is_cut_while_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: bytes, chunk: int
) -> None:
    monkeypatch.setattr(mbox, "CHUNK", chunk)
    mails = [mail(f"{n}", 1, b"From here on.\n\nabout\n" * (n * 37 % 90)).replace(b"\n", end) for n in range(40)]
    (tmp_path / "box").write_bytes(in_mbox(*mails, end=end))
    with open(tmp_path / "box", "rb") as file:
        data = (tmp_path / "box").read_bytes()
        assert [data[at : at + size] for at, size, _ in mbox.pieces(file)] == mails


@pytest.mark.parametrize(
    ("data", "mails"),
    [
        (b"From - Thu Jan  1 00:00:00 2026\nA: b\n\nno blank line\nFrom - Thu Jan  1 00:00:00 2026\nA: c\n\nend", 2),
        (b"From a@b\nA: b\n\nloose\n\nFrom c@d\nA: c\n\nend\n", 2),
        (b"From 1@xxx Thu Jan 01 00:00:00 +0000 2026\r\nA: b\r\n\r\nby a big provider\r\n\r\n", 1),
        (LINE + b"A: b\n\nFrom here: it is text\n\nFrom now on.\n\n", 1),
        (LINE, 1),
    ],
)
def test_a_line_begins_a_mail_where_programs_write_such_lines(tmp_path: Path, data: bytes, mails: int) -> None:
    assert len(box(tmp_path, data)) == mails


@pytest.mark.parametrize(
    ("quoted", "plain"),
    [(b">From x\n", b"From x\n"), (b">>From x\n", b">From x\n"), (b"> From x\n", b"> From x\n"), (b"x\n", b"x\n")],
)
def test_one_mark_of_quoting_is_taken_away(quoted: bytes, plain: bytes) -> None:
    assert mbox.unquoted(b"Subject: a\n\n" + quoted) == b"Subject: a\n\n" + plain


def test_mails_come_in_the_order_of_their_dates_the_servers_before_the_senders(tmp_path: Path) -> None:
    data = in_mbox(mail("third", 9), mail("first", 2), mail("second", 30, received=5), b"Subject: by its separator\n\n")
    archive = box(tmp_path, data)
    assert subjects(archive) == ["first", "by its separator", "second", "third"]


def test_a_maildir_a_folder_and_a_single_file_are_read_as_what_they_are(tmp_path: Path) -> None:
    for part in ("cur", "new", "tmp", ".Old/cur", ".Old/new"):
        (tmp_path / "box" / part).mkdir(parents=True)
    (tmp_path / "box/cur/1:2,S").write_bytes(mail("one", 1))
    (tmp_path / "box/new/2").write_bytes(mail("two", 2))
    (tmp_path / "box/tmp/3").write_bytes(mail("half", 3))
    (tmp_path / "box/dovecot.index").write_bytes(b"\0")
    (tmp_path / "box/.Old/cur/4:2,S").write_bytes(mail("old", 1))
    assert subjects(Archive(str(tmp_path / "box"))) == ["one", "two"]
    assert subjects(Archive(str(tmp_path / "box"), recursive=True)) == ["one", "old", "two"]
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved/a.eml").write_bytes(mail("a"))
    (tmp_path / "saved/Sent").write_bytes(in_mbox(mail("sent", 4)))
    (tmp_path / "saved/notes.txt").write_text("Not a mail.")
    assert subjects(Archive(str(tmp_path / "saved"))) == ["a", "sent"]
    assert subjects(Archive(str(tmp_path / "saved/a.eml"))) == ["a"]


def test_what_cannot_be_read_is_named_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "good.eml").write_bytes(mail("good"))
    os.mkfifo(tmp_path / "pipe.eml")
    (tmp_path / "link.eml").symlink_to("/etc/hostname")
    (tmp_path / "gone.eml").write_bytes(mail("gone", 2))
    archive = Archive(str(tmp_path))
    (tmp_path / "gone.eml").unlink()
    assert subjects(archive) == ["good"]
    assert [place for place, _ in archive.problems] == [f"{tmp_path.name}/gone.eml"]


def test_a_path_without_mail_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no file or folder"):
        Archive(str(tmp_path / "nothing"))
    with pytest.raises(Refused, match="holds no mail"):
        Archive(str(tmp_path))


@pytest.mark.parametrize(
    "data", [b"", b"root:x:0:0:root:/root:/bin/bash\n", b"\x89PNG\r\n\x1a\n\0\0", b"Some text.\n\nTo: whom\n"]
)
def test_what_is_no_mail_becomes_no_issue_and_among_mails_it_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "chosen.eml").write_bytes(data)
    with pytest.raises(Refused, match="holds no mail"):
        Archive(str(tmp_path / "chosen.eml"))
    (tmp_path / "good.eml").write_bytes(mail("good"))
    archive = Archive(str(tmp_path))
    assert subjects(archive) == ["good"]
    assert archive.unreadable == 1
    assert archive.problems == [(str(tmp_path / "chosen.eml"), "is no mail: nothing in it is the head of one")]
