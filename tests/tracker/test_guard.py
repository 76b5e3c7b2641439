"""Readings that are missing are made again by a child that may break."""

import os
import shutil
import signal
import threading
from pathlib import Path

import msgspec
import pytest

from eventum.errors import Busy, NotFound
from eventum.mail.envelope import Envelope, stamp
from eventum.mail.message import parse
from eventum.tracker import guard, limits, reading
from tests.house import NOW, mail

HTML = mail(text="<p>Hello <b>you</b><script>x</script></p>", Content_Type="text/html", MIME_Version="1.0")


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "stored"
    path.write_bytes(stamp(Envelope(destination="a", received=NOW), HTML))
    return path


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every mail is too much for its reader."""
    guard.close()
    monkeypatch.setattr(reading, "LIMITS", limits.Limits(answer=1))


def test_the_children_are_kept_for_the_next_question_and_end_with_the_process(tmp_path: Path, stored: Path) -> None:
    guard.close()
    guard.reading(tmp_path / "cache", "0" * 64, stored)
    guard.reading(tmp_path / "cache", "1" * 64, stored)
    (_, reader), *others = guard._guards[-1]._idle
    assert others == [] and reader._answered == 2
    guard.close()
    assert reader._child is None


def test_a_reading_is_kept_under_the_digest_that_the_record_knows(tmp_path: Path, stored: Path) -> None:
    found = guard.reading(tmp_path, "ab" * 32, stored)
    assert found == parse(HTML)
    stored.write_bytes(b"")
    assert guard.reading(tmp_path, "ab" * 32, stored) == found


def test_a_mail_that_breaks_its_reader_has_a_stand_in_and_is_not_tried_again_for_a_day(
    tmp_path: Path, stored: Path, broken: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = parse(HTML).digest
    assert guard.reading(tmp_path, digest, stored).defects == (guard.UNREAD,)
    said = guard.unread(tmp_path, digest)
    assert said is not None and "gave an answer of" in said.reason
    guard.close()
    monkeypatch.setattr(reading, "LIMITS", limits.Limits())
    assert guard.reading(tmp_path, digest, stored).defects == (guard.UNREAD,)
    mark = guard._mark(tmp_path, digest)
    mark.write_bytes(msgspec.json.encode(guard.Unread(said.when - guard.AGAIN_AFTER, "")))
    assert guard.reading(tmp_path, digest, stored) == parse(HTML)


def test_html_is_cleaned_by_a_child_too(tmp_path: Path, stored: Path) -> None:
    found = guard.markup(tmp_path, "0" * 64, stored)
    assert found is not None and "Hello" in found.html and "script" not in found.html
    stored.write_bytes(mail())
    assert guard.markup(tmp_path, "1" * 64, stored) is None


def test_html_that_breaks_whoever_cleans_it_is_shown_as_none(tmp_path: Path, stored: Path, broken: None) -> None:
    assert guard.markup(tmp_path, "0" * 64, stored) is None
    assert guard.unread(tmp_path, "0" * 64 + ".html") is not None
    assert guard.unread(tmp_path, "0" * 64) is None


def test_a_mail_that_is_gone_is_not_found_and_nothing_is_remembered(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        guard.reading(tmp_path, "0" * 64, tmp_path / "gone")
    assert guard.unread(tmp_path, "0" * 64) is None


def test_a_child_that_cannot_be_started_is_busy_and_accuses_no_mail(
    tmp_path: Path, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard.close()
    monkeypatch.setattr(reading, "LIMITS", limits.Limits(start=0.0))
    with pytest.raises(Busy, match="cannot be started"):
        guard.reading(tmp_path, "0" * 64, stored)
    assert guard.unread(tmp_path, "0" * 64) is None
    guard.close()


def test_few_children_serve_many_threads(tmp_path: Path, stored: Path) -> None:
    guard.close()
    found: list[str] = []

    def one(at: int) -> None:
        found.append(guard.reading(tmp_path, f"{at:064}", stored).subject)

    threads = [threading.Thread(target=one, args=(at,)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["The printer is on fire"] * 8
    assert len(guard._guards[-1]._idle) <= guard.CHILDREN


def test_a_process_that_is_forked_off_leaves_the_children_alone(tmp_path: Path, stored: Path) -> None:
    guard.reading(tmp_path, "0" * 64, stored)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            shutil.rmtree(tmp_path / "readings")
            code = 0 if guard.reading(tmp_path, "1" * 64, stored).text else 1
            guard.close()
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert guard.reading(tmp_path, "2" * 64, stored).text
    (_, reader) = guard._guards[-1]._idle[-1]
    assert reader._answered == 2


def test_a_child_that_was_killed_meanwhile_costs_one_mail_at_most(tmp_path: Path, stored: Path) -> None:
    guard.close()
    guard.reading(tmp_path, "0" * 64, stored)
    reader = guard._guards[-1]._idle[-1][1]
    assert reader._child is not None
    os.kill(reader._child.pid, signal.SIGKILL)
    reader._child.wait()
    reader._used -= guard.IDLE  # As after a pause in which it ended by itself.
    assert guard.reading(tmp_path, "1" * 64, stored).text
