import resource
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventum.errors import Busy
from eventum.store import journal
from eventum.store.journal import JournalWriter, line, parse, read_from, standing
from eventum.store.layout import Layout
from eventum.store.locks import Locks

changes = st.tuples(st.text(st.characters(codec="utf-8")), st.integers(0, 2**53))


@pytest.fixture
def room_for() -> Iterator[Callable[[int], None]]:
    """Lets files of this process grow to so many bytes only: a disk that is full, as the kernel tells it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (before[1] if size < 0 else size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def told(layout: Layout, name: str = "0.jsonl", position: int = 0) -> list[tuple[str, int] | None]:
    return [change for _, change in read_from(layout, name, position)]


def lengths(layout: Layout) -> dict[str, int]:
    return {name: mark.length for name, mark in standing(layout).items()}


@given(changes)
def test_a_line_says_what_was_put_into_it(change: tuple[str, int]) -> None:
    data = line(*change)
    assert data.endswith(b"\n") and data.count(b"\n") == 1
    assert parse(data[:-1]) == change


@given(changes, st.data())
def test_a_line_with_a_wrong_bit_says_nothing(change: tuple[str, int], data: st.DataObject) -> None:
    written = bytearray(line(*change)[:-1])
    written[data.draw(st.integers(0, len(written) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert parse(bytes(written)) in (None, change)


@given(changes, st.data())
def test_a_line_that_was_cut_short_says_nothing(change: tuple[str, int], data: st.DataObject) -> None:
    written = line(*change)[:-1]
    assert parse(written[: data.draw(st.integers(0, len(written) - 1))]) is None


@given(st.binary(max_size=60))
def test_no_bytes_are_too_odd_to_be_passed_over(data: bytes) -> None:
    assert parse(data) is None


@pytest.mark.parametrize(
    "data",
    [b"", b" ", b"0 00000000 ", b"-1 00000000 x", b"2 00000000 []", line("a", 1), line("a", 1)[:-1] + b" "],
)
def test_what_is_no_line_says_nothing(data: bytes) -> None:
    assert parse(data) is None


@settings(max_examples=40)
@given(st.lists(st.lists(changes, max_size=4), max_size=6), st.integers(0, 30))
def test_what_writers_append_readers_follow_from_any_line(batches: list[list[tuple[str, int]]], passed: int) -> None:
    with tempfile.TemporaryDirectory() as root:
        layout = Layout(Path(root))
        layout.create()
        writer = JournalWriter(layout, Locks(layout))
        for batch in batches:
            writer.append(batch)
        writer.close()
        lines = list(read_from(layout, "0.jsonl", 0))
        assert [change for _, change in lines] == [change for batch in batches for change in batch]
        ends = [0, *(end for end, _ in lines)]
        assert lengths(layout) == {"0.jsonl": ends[-1]}
        start = min(passed, len(lines))
        assert list(read_from(layout, "0.jsonl", ends[start])) == lines[start:]


@settings(max_examples=40)
@given(st.integers(0, 60))
def test_what_a_dead_writer_left_half_is_passed_over_and_nothing_after_it(kept: int) -> None:
    with tempfile.TemporaryDirectory() as root:
        layout = Layout(Path(root))
        layout.create()
        whole = line("issues/1", 1) + line("issues/2", 1)
        (layout.journal / "0.jsonl").write_bytes(whole[:kept])
        writer = JournalWriter(layout, Locks(layout))
        writer.append([("issues/3", 1)])
        writer.close()
        found = [change for change in told(layout) if change is not None]
        first, both = len(line("issues/1", 1)), len(whole)
        # A line of which only the newline is missing is whole.
        before = (kept >= first - 1) + (kept >= both - 1)
        assert found == [("issues/1", 1), ("issues/2", 1)][:before] + [("issues/3", 1)]


def test_a_line_that_is_being_written_is_left_for_later(layout: Layout) -> None:
    path = layout.journal / "0.jsonl"
    path.write_bytes(line("issues/1", 1) + line("issues/1", 2)[:-1])
    ((end, change),) = read_from(layout, "0.jsonl", 0)
    assert change == ("issues/1", 1)
    path.write_bytes(path.read_bytes() + b"\n")
    assert told(layout, position=end) == [("issues/1", 2)]


def test_writers_at_one_time_have_files_of_their_own_and_leave_them_to_the_next(layout: Layout) -> None:
    first, second = JournalWriter(layout, Locks(layout)), JournalWriter(layout, Locks(layout))
    first.append([("issues/1", 1)])
    second.append([("issues/2", 1)])
    first.close()
    third = JournalWriter(layout, Locks(layout))
    third.append([("issues/3", 1)])
    assert told(layout) == [("issues/1", 1), ("issues/3", 1)]
    assert told(layout, "1.jsonl") == [("issues/2", 1)]
    second.close()
    third.close()


def test_when_every_file_is_in_use_there_is_a_sentence_that_says_so(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SLOTS", 2)
    writers = [JournalWriter(layout, Locks(layout)) for _ in range(2)]
    with pytest.raises(Busy, match="2 journal files"):
        JournalWriter(layout, Locks(layout))
    for writer in writers:
        writer.close()


def test_a_full_disk_is_told_and_what_comes_after_it_is_read(layout: Layout, room_for: Callable[[int], None]) -> None:
    writer = JournalWriter(layout, Locks(layout))
    writer.append([("issues/1", 1)])
    room_for(lengths(layout)["0.jsonl"] + 7)
    for _ in range(2):
        with pytest.raises(OSError):
            writer.append([("issues/2", 1)])
    room_for(-1)
    writer.append([("issues/3", 1)])
    writer.append([("issues/4", 1)])
    writer.close()
    assert [one for one in told(layout) if one] == [("issues/1", 1), ("issues/3", 1), ("issues/4", 1)]


def test_other_files_of_the_folder_are_no_journals(layout: Layout) -> None:
    for name in ("notes.txt", "0.jsonl~", "0.jsonl"):
        (layout.journal / name).write_bytes(b"1")
    (layout.journal / "1.jsonl").mkdir()
    assert lengths(layout) == {"0.jsonl": 1}


def test_a_full_file_is_followed_by_another_and_only_the_last_full_one_stays(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "FULL", 200)
    writer = JournalWriter(layout, Locks(layout))
    for number in range(60):
        writer.append([(f"issues/{number}", 1)])
    writer.close()
    names = sorted(lengths(layout))
    assert len(names) == 2 and "0.jsonl" not in names
    last = JournalWriter(layout, Locks(layout))
    last.append([("issues/60", 1)])
    last.close()
    assert sorted(lengths(layout)) == names
    changes = [one for name in names for one in told(layout, name) if one and one[0].startswith("issues/")]
    assert changes[-1] == ("issues/60", 1) and sum(lengths(layout).values()) < 3 * 200


def test_who_read_all_of_a_file_that_is_gone_missed_nothing_and_who_did_not_knows_it(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "FULL", 200)
    writer = JournalWriter(layout, Locks(layout))
    known: list[dict[str, journal.Mark]] = []
    for number in range(40):
        writer.append([(f"issues/{number}", 1)])
        known.append(standing(layout))
    writer.close()
    now = standing(layout)
    missed = [journal.is_missed(layout, now, read) for read in known]
    # Those who had read to the end of the file that is gone, and everybody after them.
    first = missed.index(False)
    assert 0 < first < 39 and missed == [True] * first + [False] * (40 - first)
    assert journal.is_missed(layout, now, {})
    assert not journal.is_missed(layout, known[0], {})
    other = {name: mark._replace(inode=mark.inode + 1) for name, mark in now.items()}
    assert journal.is_missed(layout, now, other)


def test_a_file_that_cannot_be_written_leaves_the_slot_and_another_is_taken(layout: Layout) -> None:
    (layout.journal / "0.jsonl").mkdir()
    (layout.journal / "1.jsonl").symlink_to("/dev/null")
    writer = JournalWriter(layout, Locks(layout))
    writer.append([("issues/1", 1)])
    writer.close()
    assert told(layout, "2.jsonl") == [("issues/1", 1)]
    assert Locks(layout).lease("journal-0") is not None
