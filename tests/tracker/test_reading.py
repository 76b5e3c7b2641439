import os
import signal
from pathlib import Path

import msgspec
import pytest

from eventum.mail.envelope import Envelope, stamp
from eventum.mail.message import READING
from eventum.mail.parts import MAX_SIZE
from eventum.store import files
from eventum.tracker.guard import reading
from eventum.tracker.limits import Limits
from eventum.tracker.reading import AHEAD, Reader, cached, cached_path, keep, raw_bytes
from tests.house import NOW, mail


@pytest.fixture
def stored(tmp_path: Path) -> list[str]:
    """Mails in files, each under its trace headers; more than the child is asked for ahead."""
    paths = []
    for number in range(AHEAD + 10):
        path = tmp_path / str(number)
        path.write_bytes(stamp(Envelope(destination="a", received=NOW), mail(f"Mail {number}")))
        paths.append(str(path))
    return paths


def children(process: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_answers_come_in_the_order_of_the_questions(tmp_path: Path, stored: list[str]) -> None:
    reader = Reader(tmp_path / "cache")
    for path in stored:
        reader.ask(path)
    subjects = [answer.message.subject for _ in stored if (answer := reader.answer()).message]
    reader.close()
    assert subjects == [f"Mail {number}" for number in range(len(stored))]


def test_a_name_with_line_ends_is_one_question(tmp_path: Path, stored: list[str]) -> None:
    odd = Path(stored[0]).rename(tmp_path / "what\nread\tis this?\n")
    reader = Reader(tmp_path / "cache")
    for path in (str(odd), stored[1]):
        reader.ask(path)
    subjects = [answer.message.subject for _ in range(2) if (answer := reader.answer()).message]
    reader.close()
    assert subjects == ["Mail 0", "Mail 1"]


def test_a_file_that_is_gone_is_an_answer_too(tmp_path: Path, stored: list[str]) -> None:
    reader = Reader(tmp_path / "cache")
    reader.ask(str(tmp_path / "missing"))
    reader.ask(stored[0])
    missing, there = reader.answer(), reader.answer()
    reader.close()
    assert missing.message is None
    assert "missing" in missing.error
    assert there.message is not None


def test_when_the_child_dies_only_the_mail_in_its_hand_is_accused(tmp_path: Path, stored: list[str]) -> None:
    reader = Reader(tmp_path / "cache")
    before = set(children(os.getpid()))
    reader.ask(stored[0])
    assert reader.answer().message is not None
    (child,) = set(children(os.getpid())) - before
    os.kill(child, signal.SIGKILL)
    reader.ask(stored[1])
    reader.ask(stored[2])
    accused, next_one = reader.answer(), reader.answer()
    reader.close()
    assert accused.message is None
    assert "died" in accused.error and Path(stored[1]).name in accused.error
    assert next_one.message is not None


def test_a_child_that_hangs_is_ended_in_time(tmp_path: Path, stored: list[str]) -> None:
    reader = Reader(tmp_path / "cache", Limits(wait=0.2))
    before = set(children(os.getpid()))
    reader.ask(stored[0])
    assert reader.answer().message is not None
    (child,) = set(children(os.getpid())) - before
    os.kill(child, signal.SIGSTOP)
    reader.ask(stored[1])
    assert "took longer than 0.2 s" in reader.answer().error
    assert not Path(f"/proc/{child}").exists()
    slow = Reader(tmp_path / "cache")
    slow.ask(stored[0])
    assert slow.answer().message is not None
    reader.close()
    slow.close()


def test_a_reading_is_kept_and_made_again_when_it_is_missing(tmp_path: Path, stored: list[str]) -> None:
    cache = tmp_path / "cache"
    reader = Reader(cache)
    reader.ask(stored[0])
    message = reader.answer().message
    reader.close()
    assert message is not None
    kept = cached_path(cache, message.digest)
    assert reading(cache, message.digest, Path("/nowhere")) == message
    files.remove(kept)
    assert reading(cache, message.digest, Path(stored[0])) == message
    kept.write_bytes(b"{")
    assert reading(cache, message.digest, Path(stored[0])) == message
    assert raw_bytes(Path(stored[0])) == mail("Mail 0")


def test_a_reading_of_another_edition_is_made_anew(tmp_path: Path, stored: list[str]) -> None:
    reader = Reader(tmp_path / "cache")
    reader.ask(stored[0])
    message = reader.answer().message
    reader.close()
    assert message is not None and cached(tmp_path / "cache", message.digest) == message
    keep(tmp_path / "cache", msgspec.structs.replace(message, reading=READING - 1))
    assert cached(tmp_path / "cache", message.digest) is None
    assert reading(tmp_path / "cache", message.digest, Path(stored[0])) == message


def test_of_a_huge_mail_only_so_much_is_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge"
    huge.write_bytes(b"Subject: huge\n\nIt begins.\n")
    os.truncate(huge, MAX_SIZE + (300 << 20))
    reader = Reader(tmp_path / "cache")
    reader.ask(str(huge))
    message = reader.answer().message
    reader.close()
    assert message is not None and "limit-size" in message.defects and message.text == "It begins."
