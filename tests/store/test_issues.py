import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventum.errors import Damaged, NotFound
from eventum.issues.issue import Issue
from eventum.store import files
from eventum.store.flush import Flush
from eventum.store.issues import KEEP, MOST, Numbers
from eventum.store.layout import Layout
from tests.store.parts import Parts, filed, issue


def publish(parts: Parts, value: Issue, mails: dict[str, bytes] | None = None) -> None:
    """A new issue, with mails of our own making."""
    with Flush() as flush:
        folder = parts.issues.build(flush, value, (), list((mails or {}).items()))
    with Flush() as flush:
        parts.issues.publish(flush, folder, value.number)


def save(parts: Parts, value: Issue) -> Issue:
    """The next state of an issue."""
    before = parts.issues.open(value.number)
    value = msgspec.structs.replace(value, revision=before.value.revision + 1)
    with Flush() as flush:
        value, temporary = parts.issues.prepare(flush, value, before)
    with Flush() as flush:
        parts.issues.replace(flush, value, temporary)
    return value


def grown(value: Issue, count: int) -> Issue:
    """The issue with so many events more, all of them announced."""
    events = [filed(value.next_event + number, f"{value.next_event + number:x}") for number in range(count)]
    last = value.next_event + count
    return msgspec.structs.replace(value, events=(*value.events, *events), next_event=last, announced=last - 1)


def test_an_issue_appears_at_once_and_whole(parts: Parts) -> None:
    value = issue(1, filed(1, "aa"))
    spooled = parts.layout.incoming / "cur" / "aa,R=run:2,"
    spooled.write_bytes(b"mail")
    with Flush() as flush:
        folder = parts.issues.build(flush, value, [("aa", str(spooled))], [("bb", b"ours")])
    assert not parts.issues.exists(1) and list(parts.issues.numbers()) == []
    assert parts.issues.leftovers() == [folder]
    with Flush() as flush:
        parts.issues.publish(flush, folder, 1)
    assert parts.issues.exists(1) and list(parts.issues.numbers()) == [1]
    assert (parts.issues.load(1), parts.issues.leftovers()) == (value, [])
    assert parts.issues.mail_path(1, "aa").samefile(spooled)
    assert parts.issues.mail_path(1, "bb").read_bytes() == b"ours"


def test_an_issue_never_takes_the_place_of_another(parts: Parts) -> None:
    first = issue(1, summary="first")
    publish(parts, first)
    with pytest.raises(Damaged, match="Issue 1 is there already"):
        publish(parts, issue(1, summary="second"))
    assert parts.issues.load(1) == first


@pytest.mark.parametrize("number", [1, 999, 1000, 999_999_999])
def test_issues_are_found_in_all_shards(parts: Parts, number: int) -> None:
    publish(parts, issue(number))
    publish(parts, issue(5))
    assert sorted(parts.issues.numbers()) == sorted([5, number])
    assert parts.issues.load(number).number == number


@pytest.mark.parametrize("number", [1, 0, -1, 10**9, 10**30])
def test_of_an_issue_that_is_not_there_it_is_said(parts: Parts, number: int) -> None:
    assert not parts.issues.exists(number)
    for ask in (parts.issues.load, parts.issues.open):
        with pytest.raises(NotFound, match=f"no issue {number}"):
            ask(number)
    with pytest.raises(NotFound, match="no mail"):
        parts.issues.mail_path(number, "aa")


def test_a_damaged_record_is_told_with_its_file(parts: Parts) -> None:
    publish(parts, issue(1))
    (parts.layout.issue(1) / "issue.json").write_bytes(b"{")
    with pytest.raises(Damaged, match="issue.json"):
        parts.issues.load(1)
    assert list(parts.issues.numbers()) == [1]


def test_the_next_state_shows_only_when_it_replaces_the_last(parts: Parts) -> None:
    publish(parts, issue(1))
    before = parts.issues.open(1)
    with Flush() as flush:
        value, temporary = parts.issues.prepare(flush, issue(1, summary="changed"), before)
    assert parts.issues.open(1) == before
    with Flush() as flush:
        parts.issues.replace(flush, value, temporary)
    assert parts.issues.load(1).summary == "changed"
    assert parts.issues.leftovers() == []


def test_what_a_newer_program_wrote_into_a_record_is_kept_by_a_change(parts: Parts) -> None:
    publish(parts, issue(1))
    path = parts.layout.issue(1) / "issue.json"
    path.write_bytes(msgspec.json.encode(msgspec.json.decode(path.read_bytes()) | {"later": [1]}))
    save(parts, msgspec.structs.replace(parts.issues.load(1), summary="changed"))
    assert msgspec.json.decode(path.read_bytes())["later"] == [1]


def test_what_was_built_or_prepared_is_dropped_without_a_trace(parts: Parts) -> None:
    publish(parts, issue(1))
    with Flush() as flush:
        folder = parts.issues.build(flush, issue(2), (), [("aa", b"ours")])
        _, temporary = parts.issues.prepare(flush, issue(1), parts.issues.open(1))
    for _ in range(2):
        parts.issues.drop([folder, temporary])
        assert parts.issues.leftovers() == []


def test_mail_is_added_once_and_taken_out_again(parts: Parts) -> None:
    publish(parts, issue(1))
    spooled = parts.layout.incoming / "cur" / "aa,R=run:2,"
    spooled.write_bytes(b"mail")
    for _ in range(2):
        with Flush() as flush:
            parts.issues.add(flush, 1, [("aa", str(spooled))])
    assert parts.issues.mail_path(1, "aa").samefile(spooled)
    for _ in range(2):
        parts.issues.take_out(1, "aa")
        with pytest.raises(NotFound, match="Issue 1 has no mail aa"):
            parts.issues.mail_path(1, "aa")
    assert spooled.read_bytes() == b"mail"


@pytest.mark.parametrize("flags", ["", "S", "FRS", "T"])
def test_mail_is_found_whatever_a_mail_reader_marked(parts: Parts, flags: str) -> None:
    publish(parts, issue(1), {"aa": b"ours"})
    path = parts.issues.mail_path(1, "aa")
    moved = path.rename(path.with_name(f"aa:2,{flags}"))
    assert parts.issues.mail_path(1, "aa") == moved


@settings(max_examples=12)
@given(st.lists(st.integers(1, MOST), min_size=1, max_size=5), st.booleans())
def test_no_event_is_lost_however_an_issue_grows(steps: list[int], is_reread: bool) -> None:
    with tempfile.TemporaryDirectory() as root:
        layout = Layout(Path(root))
        layout.create()
        parts = Parts(layout)
        value = issue(1)
        publish(parts, value)
        all_of_them = list(value.events)
        for count in steps:
            value = grown(parts.issues.load(1) if is_reread else value, count)
            all_of_them += value.events[len(value.events) - count :]
            value = save(parts, value)
            assert parts.issues.load(1) == value
            assert list(parts.issues.events(value)) == all_of_them
            assert len(value.events) < MOST
            assert value.first_event == value.events[0].number
            assert value.event(value.first_event) == value.events[0]
        parts.close()


@pytest.mark.parametrize(("count", "kept"), [(MOST - 1, MOST - 1), (MOST, KEEP), (MOST + 30, KEEP)])
def test_a_record_that_has_grown_long_keeps_its_newest_events(parts: Parts, count: int, kept: int) -> None:
    publish(parts, issue(1))
    value = save(parts, grown(parts.issues.load(1), count))
    assert [event.number for event in value.events] == list(range(count - kept + 1, count + 1))
    assert (parts.layout.issue(1) / "history").exists() == (kept < count)


def test_a_history_whose_record_was_never_written_counts_for_nothing(parts: Parts) -> None:
    publish(parts, issue(1))
    value = save(parts, grown(parts.issues.load(1), MOST - 1))
    with Flush() as flush:
        _, temporary = parts.issues.prepare(flush, grown(value, 30), parts.issues.open(1))
    parts.issues.drop([temporary])
    assert parts.issues.events(parts.issues.load(1)) == value.events
    other = save(parts, grown(value, 5))
    assert [event.number for event in parts.issues.events(other)] == list(range(1, MOST + 5))


def test_a_damaged_history_is_told_with_its_file(parts: Parts) -> None:
    publish(parts, issue(1))
    value = save(parts, grown(parts.issues.load(1), MOST))
    (parts.layout.issue(1) / "history" / "1.json").write_bytes(b"{")
    with pytest.raises(Damaged, match="1.json"):
        parts.issues.events(value)


def test_strangers_in_an_issues_folders_are_tolerated(parts: Parts) -> None:
    publish(parts, issue(1))
    value = save(parts, grown(parts.issues.load(1), MOST))
    before = parts.issues.events(value)
    for name in ("history/notes.json", "history/1.json~", "mail/cur/1764.M1.host:2,S", "notes.txt"):
        (parts.layout.issue(1) / name).write_bytes(b"x")
    (parts.layout.issues / "notes").mkdir()
    (parts.layout.issues / "0" / "old").mkdir()
    assert parts.issues.events(value) == before
    assert list(parts.issues.numbers()) == [1]


@settings(max_examples=25)
@given(st.lists(st.integers(1, 5) | st.sampled_from(["die", "lose", "release"]), max_size=10))
def test_no_number_is_given_twice(steps: list[int | str]) -> None:
    with tempfile.TemporaryDirectory() as root:
        layout = Layout(Path(root))
        layout.create()
        parts = Parts(layout)
        last = range(0)
        for step in steps:
            if step == "lose":
                files.remove(layout.number)
            elif step == "die":
                parts.die()
                parts = Parts(layout)
            elif step == "release" and last:
                parts.issues.release(last[1:])
            elif isinstance(step, int):
                last = parts.issues.reserve(step)
                assert len(last) == step and last.start > 0
                assert not any(parts.issues.exists(number) for number in last)
                publish(parts, issue(last[0]))
        parts.close()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(missing_ok=True),
        lambda path: path.write_bytes(b"{"),
        lambda path: path.write_bytes(b'{"next": 2}'),
    ],
)
def test_a_number_file_that_is_lost_damaged_or_old_stops_nobody(parts: Parts, spoil: Callable[[Path], object]) -> None:
    for number in (1, 2, 3, 1007):
        publish(parts, issue(number))
    spoil(parts.layout.number)
    (number,) = parts.issues.reserve(1)
    assert number in (4, 1008)
    assert parts.issues.reserve(1) == range(number + 1, number + 2)


def test_numbers_that_were_not_used_come_back_unless_somebody_was_there_since(parts: Parts) -> None:
    other = Parts(parts.layout)
    numbers = Numbers(parts.issues)
    numbers.wanted = 10
    assert [numbers.take(), numbers.take()] == [1, 2]
    numbers.give_back()
    assert list(other.issues.reserve(2)) == [3, 4]
    assert numbers.take() == 5
    assert list(other.issues.reserve(1)) == [15]
    numbers.give_back()
    assert numbers.take() == 16
    numbers.give_back()
    other.close()
