import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventum.errors import Busy
from eventum.issues.events import Event, Filed, Opened, TakenOut, What
from eventum.issues.issue import Issue
from eventum.store import journal
from eventum.store.flush import Flush
from eventum.store.index import Index
from eventum.store.index_tables import Filing, Query
from eventum.store.issues import MOST
from eventum.store.layout import Layout
from eventum.store.pool import record_of
from tests.store.parts import NOW, Parts, filed, filing, issue, pooled


def publish(parts: Parts, value: Issue) -> None:
    """A new issue, told of in the journal."""
    with Flush() as flush:
        folder = parts.issues.build(flush, value, ())
    parts.maker.journal([(f"issues/{value.number}", value.revision)])
    with Flush() as flush:
        parts.issues.publish(flush, folder, value.number)


def save(parts: Parts, value: Issue) -> None:
    """The next state of an issue, told of in the journal."""
    before = parts.issues.open(value.number)
    value = msgspec.structs.replace(value, revision=before.value.revision + 1)
    with Flush() as flush:
        value, temporary = parts.issues.prepare(flush, value, before)
    parts.maker.journal([(f"issues/{value.number}", value.revision)])
    with Flush() as flush:
        parts.issues.replace(flush, value, temporary)


def put(parts: Parts, key: str, outcome: str = "unassociated") -> None:
    """A mail of no issue, told of in the journal."""
    source = parts.layout.incoming / "cur" / key
    source.write_bytes(b"mail")
    with Flush() as flush:
        parts.pool.put(flush, pooled(key), outcome, str(source))
    parts.maker.journal([(record_of("account", key), 0)])


def follow(parts: Parts, number: int, *keys: str) -> None:
    """These mails are filed into an issue."""
    value = parts.issues.load(number)
    events = tuple(filed(value.next_event + at, key) for at, key in enumerate(keys))
    last = value.next_event + len(keys)
    save(parts, msgspec.structs.replace(value, events=(*value.events, *events), next_event=last, announced=last - 1))


@pytest.fixture
def index(parts: Parts) -> Index:
    return parts.index()


def is_true(parts: Parts, index: Index) -> bool:
    """Whether the index says what one says that is made anew."""
    anew = parts.index("anew")
    anew.rebuild()
    same = index.contents() == anew.contents()
    anew.close()
    return same


def test_the_index_of_an_empty_store_is_empty(parts: Parts, index: Index) -> None:
    index.catch_up()
    assert (index.issues(Query()), index.filed("aa"), index.pooled("aa")) == ([], None, None)
    index.close()
    index.close()


def test_what_was_filed_is_found_by_key_content_and_message_id(parts: Parts, index: Index) -> None:
    publish(parts, issue(1, filed(1, "aa")))
    follow(parts, 1, "bb")
    index.catch_up()
    for key in ("aa", "bb"):
        assert index.filed(key) == 1
        assert index.by_digest(f"digest-{key}", "account") == Filing(key, 1)
        assert index.by_digest(f"digest-{key}", "other") is None
        assert index.holds(1, f"digest-{key}") and not index.holds(2, f"digest-{key}")
        assert [(one.issue, one.key, one.kind) for one in index.by_message_id(f"<{key}@example.org>")] == [
            (1, key, "email")
        ]
    assert index.filed("cc") is None
    index.close()


def test_a_mail_of_no_issue_is_found_until_it_leaves(parts: Parts, index: Index) -> None:
    put(parts, "aa")
    index.catch_up()
    assert index.pooled("aa") == ("account", "unassociated")
    assert index.by_digest("digest-aa", "account") == Filing("aa", 0)
    assert list(index.pool(["unassociated", "ignored"])) == [("account", "aa", "unassociated")]
    assert list(index.pool(["ignored"])) == []
    parts.pool.take("account", "aa")
    parts.maker.journal([(record_of("account", "aa"), 0)])
    index.catch_up()
    assert (index.pooled("aa"), index.by_digest("digest-aa", "account")) == (None, None)
    index.close()


@pytest.mark.parametrize(
    ("outcome", "by_digest", "by_message_id"),
    [("unassociated", True, True), ("refused", True, False), ("ignored", True, False), ("duplicate", False, False)],
)
def test_a_duplicate_is_never_the_original_and_only_open_mail_is_answered(
    parts: Parts, index: Index, outcome: str, by_digest: bool, by_message_id: bool
) -> None:
    put(parts, "aa", outcome)
    index.catch_up()
    assert (index.by_digest("digest-aa", "account") is not None) == by_digest
    assert bool(index.by_message_id("<aa@example.org>")) == by_message_id
    index.close()


def test_the_newest_issue_with_a_message_id_comes_first_and_the_pool_last(parts: Parts, index: Index) -> None:
    for number in (1, 2):
        same = Filed(filing(f"k{number}", message_id="<same@x>"))
        publish(parts, issue(number, Event(number=1, when=NOW, what=same)))
    index.catch_up()
    assert [one.issue for one in index.by_message_id("<same@x>")] == [2, 1]
    index.close()


def test_acknowledgements_are_counted_by_address_and_time(parts: Parts, index: Index) -> None:
    for number in range(1, 4):
        opened = Event(number=1, when=NOW + timedelta(hours=number), what=Opened(acknowledge="ana@x"))
        publish(parts, issue(number, opened))
    index.catch_up()
    index.catch_up()
    counts = [index.acknowledgements("ana@x", (NOW + timedelta(hours=hours)).timestamp()) for hours in range(4)]
    assert counts == [3, 2, 1, 0]
    assert index.acknowledgements("ben@x", 0) == 0
    index.close()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(), [3, 2, 1]),
        (Query(limit=2), [3, 2]),
        (Query(project="other"), [2]),
        (Query(status="closed"), [3]),
        (Query(search="PRINTER"), [3, 1]),
        (Query(search="printer fire"), [1]),
        (Query(search="ben@x"), [2]),
        (Query(search="2"), [2]),
        (Query(search="#2"), [2]),
        (Query(search="100%"), [2]),
        (Query(search="%"), [2]),
        (Query(search="_"), []),
        (Query(search="\\"), []),
        (Query(search="' OR 1=1 --"), []),
        (Query(project="other", search="printer"), []),
    ],
)
def test_a_list_shows_what_it_was_asked_for_the_newest_change_first(
    parts: Parts, index: Index, query: Query, found: list[int]
) -> None:
    publish(parts, issue(1, summary="The printer is on fire"))
    publish(parts, issue(2, summary="100% of it", project="other", reporter="ben@x", updated=NOW + timedelta(1)))
    publish(parts, issue(3, summary="Printer", status="closed", updated=NOW + timedelta(2)))
    index.catch_up()
    assert index.issues(query) == found
    index.close()


def test_mails_are_found_by_the_beginning_of_their_key(parts: Parts, index: Index) -> None:
    publish(parts, issue(1, filed(1, "aabb"), filed(2, "aacc"), filed(3, "bb")))
    put(parts, "aadd")
    index.catch_up()
    assert sorted(index.find("aa")) == [("aabb", 1), ("aacc", 1), ("aadd", 0)]
    assert index.find("aab") == [("aabb", 1)]
    assert index.find("c") == []
    index.close()


def test_what_is_asked_in_a_snapshot_sees_one_state(parts: Parts, index: Index) -> None:
    publish(parts, issue(1))
    index.catch_up()
    other = parts.index()
    with index.snapshot():
        assert index.issues(Query()) == [1]
        publish(parts, issue(2))
        other.catch_up()
        assert index.issues(Query()) == [1]
    assert index.issues(Query()) == [2, 1]
    other.close()
    index.close()


def test_a_line_whose_record_does_not_show_it_yet_stays_pending_while_its_writer_lives(parts: Parts) -> None:
    publish(parts, issue(1))
    other = Parts(parts.layout)
    index = other.index()
    index.catch_up()
    with parts.locks.issues([1]):
        value = msgspec.structs.replace(parts.issues.load(1), summary="changed", revision=2)
        with Flush() as flush:
            value, temporary = parts.issues.prepare(flush, value, parts.issues.open(1))
        parts.maker.journal([("issues/1", 2)])
        index.catch_up()
        assert index.issues(Query(search="changed")) == []
        with Flush() as flush:
            parts.issues.replace(flush, value, temporary)
    index.catch_up()
    assert index.issues(Query(search="changed")) == [1]
    index.close()
    other.close()


def test_a_line_of_a_writer_that_died_before_it_changed_anything_is_passed_over(parts: Parts, index: Index) -> None:
    publish(parts, issue(1))
    parts.maker.journal([("issues/1", 2)])
    index.catch_up()
    assert not index._has_pending()
    assert is_true(parts, index)
    index.close()


def test_a_new_issue_is_seen_when_it_appears_after_its_line(parts: Parts, index: Index) -> None:
    index.catch_up()
    with Flush() as flush:
        folder = parts.issues.build(flush, issue(1, filed(1, "aa")), ())
    parts.maker.journal([("issues/1", 1)])
    index.catch_up()
    assert index.filed("aa") is None
    with Flush() as flush:
        parts.issues.publish(flush, folder, 1)
    index.catch_up()
    assert index.filed("aa") == 1
    index.close()


def test_a_scan_between_a_line_and_its_record_sees_the_record_later(parts: Parts, index: Index) -> None:
    publish(parts, issue(1))
    other = Parts(parts.layout)
    with other.locks.issues([1]):
        value = msgspec.structs.replace(other.issues.load(1), summary="changed", revision=2)
        with Flush() as flush:
            value, temporary = other.issues.prepare(flush, value, other.issues.open(1))
        other.maker.journal([("issues/1", 2)])
        index.catch_up()
        with Flush() as flush:
            other.issues.replace(flush, value, temporary)
    index.catch_up()
    assert index.issues(Query(search="changed")) == [1]
    other.close()
    index.close()


def test_a_damaged_issue_stops_no_other_and_is_seen_when_it_is_mended(parts: Parts, index: Index) -> None:
    publish(parts, issue(1, filed(1, "aa")))
    path = parts.layout.issue(1) / "issue.json"
    whole = path.read_bytes()
    path.write_bytes(b"{")
    publish(parts, issue(2, filed(1, "bb")))
    index.catch_up()
    assert (index.filed("aa"), index.filed("bb")) == (None, 2)
    path.write_bytes(whole)
    index.catch_up()
    assert (index.filed("aa"), index.filed("bb")) == (1, 2)
    index.close()


def test_an_issue_that_grew_past_its_record_is_read_from_its_history_too(parts: Parts, index: Index) -> None:
    publish(parts, issue(1))
    index.catch_up()
    for batch in range(3):
        follow(parts, 1, *(f"{batch}-{number}" for number in range(MOST - 10)))
    index.catch_up()
    assert [index.filed(f"{batch}-0") for batch in range(3)] == [1, 1, 1]
    assert is_true(parts, index)
    index.close()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"no database at all, but long enough to be one" * 100),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
    ],
)
def test_an_index_that_is_lost_or_spoilt_is_made_anew(parts: Parts, spoil: Callable[[Path], object]) -> None:
    publish(parts, issue(1, filed(1, "aa")))
    put(parts, "bb")
    first = parts.index()
    first.catch_up()
    first.close()
    spoil(first.path)
    again = parts.index()
    again.catch_up()
    assert (again.filed("aa"), again.pooled("bb")) == (1, ("account", "unassociated"))
    assert is_true(parts, again)
    again.close()


def test_the_index_of_another_store_is_not_believed(parts: Parts) -> None:
    publish(parts, issue(1, filed(1, "aa")))
    theirs = parts.index(store="another-store")
    theirs.catch_up()
    theirs._db.execute("UPDATE mails SET issue = 7")
    theirs.close()
    ours = parts.index()
    ours.catch_up()
    assert ours.filed("aa") == 1
    ours.close()


def test_tables_of_another_form_are_thrown_away(parts: Parts) -> None:
    publish(parts, issue(1, filed(1, "aa")))
    old = parts.index()
    old.catch_up()
    old._db.execute("UPDATE meta SET value = 'older' WHERE name = 'version'")
    old._db.execute("ALTER TABLE mails ADD COLUMN colour")
    old.close()
    new = parts.index()
    new.catch_up()
    assert new.filed("aa") == 1
    new.close()


def test_a_journal_that_became_shorter_means_that_everything_is_read_again(parts: Parts, index: Index) -> None:
    publish(parts, issue(1, filed(1, "aa")))
    index.catch_up()
    (parts.layout.journal / "0.jsonl").write_bytes(b"")
    with Flush() as flush:
        folder = parts.issues.build(flush, issue(2, filed(1, "bb")), ())
    with Flush() as flush:
        parts.issues.publish(flush, folder, 2)
    index.catch_up()
    assert (index.filed("aa"), index.filed("bb")) == (1, 2)
    index.close()


def test_journals_that_go_on_in_other_files_are_followed_without_reading_all_again(
    parts: Parts, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "FULL", 300)
    publish(parts, issue(1, filed(1, "aa")))
    index.catch_up()
    monkeypatch.setattr(Index, "_scan", None)
    for count in range(40):
        follow(parts, 1, f"k{count}")
        index.catch_up()
    assert index.filed("k39") == 1 and len(list(parts.layout.journal.iterdir())) == 2
    monkeypatch.undo()
    assert is_true(parts, index)
    index.close()


def test_who_was_away_while_journals_were_thrown_away_reads_all_again(
    parts: Parts, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "FULL", 300)
    publish(parts, issue(1, filed(1, "aa")))
    publish(parts, issue(2, filed(1, "bb")))
    index.catch_up()
    follow(parts, 2, "cc")
    for count in range(40):
        follow(parts, 1, f"k{count}")
    index.catch_up()
    assert index.filed("cc") == 2 and is_true(parts, index)
    index.close()


def test_a_store_that_was_put_back_from_a_backup_is_read_again_whatever_was_written_since(
    parts: Parts, index: Index
) -> None:
    publish(parts, issue(1, filed(1, "aa")))
    path = parts.layout.journal / "0.jsonl"
    before = path.read_bytes(), (parts.layout.issue(1) / "issue.json").read_bytes()
    follow(parts, 1, "bb")
    index.catch_up()
    long = path.stat().st_size
    for place, data in zip((path, parts.layout.issue(1) / "issue.json"), before, strict=True):
        copy = place.with_name("copy")
        copy.write_bytes(data)
        copy.rename(place)
    path.write_bytes(before[0] + journal.line("issues/9", 2)[: long - len(before[0])])
    index.catch_up()
    assert (path.stat().st_size, index.filed("bb")) == (long, None)
    index.close()


def test_an_index_that_is_made_anew_is_used_at_once_by_those_who_had_the_old_one_open(
    parts: Parts, index: Index
) -> None:
    publish(parts, issue(1, filed(1, "aa")))
    index.catch_up()
    other = parts.index()
    with other.snapshot():
        assert other.filed("aa") == 1
        index._db.execute("UPDATE mails SET issue = 7")
        counts: list[int] = []
        index.rebuild(counts.append)
        assert counts == [1] and other.filed("aa") == 1
    assert (index.filed("aa"), other.filed("aa")) == (1, 1)
    follow(parts, 1, "bb")
    for one in (index, other):
        one.catch_up()
        assert one.filed("bb") == 1
        one.close()


def test_a_rebuild_takes_the_place_of_a_spoilt_file_and_leaves_nothing_of_one_that_died(
    parts: Parts, index: Index
) -> None:
    publish(parts, issue(1, filed(1, "aa")))
    index.catch_up()
    index.close()
    data = bytearray(index.path.read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    index.path.write_bytes(data)
    index.path.with_name("index.sqlite3.new-999999999").write_bytes(b"x")
    index.rebuild()
    assert index.filed("aa") == 1 and is_true(parts, index)
    index.close()
    assert [path.name for path in index.path.parent.iterdir() if "new" in path.name] == ["anew.sqlite3"]


def test_a_damaged_line_means_that_everything_is_read_again(parts: Parts, index: Index) -> None:
    publish(parts, issue(1, filed(1, "aa")))
    index.catch_up()
    follow(parts, 1, "bb")
    path = parts.layout.journal / "0.jsonl"
    data = path.read_bytes()
    path.write_bytes(data[:-20] + bytes(19) + b"\n")
    index.catch_up()
    assert index.filed("bb") == 1
    index.close()


def test_lines_that_cannot_be_read_are_passed_over(parts: Parts, index: Index) -> None:
    publish(parts, issue(1, filed(1, "aa")))
    (parts.layout.journal / "9.jsonl").write_bytes(b"torn\n\n5 00000000 [1,2]\n")
    index.catch_up()
    assert index.filed("aa") == 1
    index.close()


def test_an_index_whose_place_cannot_be_written_is_told(parts: Parts) -> None:
    index = parts.index()
    index.path.parent.mkdir()
    index.path.mkdir()
    with pytest.raises(Busy, match="index.sqlite3"):
        index.catch_up()


KEYS = st.sampled_from(["a1", "a2", "b1", "b2"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("open"), KEYS),
        st.tuples(st.just("file"), KEYS),
        st.tuples(st.just("block"), KEYS),
        st.tuples(st.just("take out"), KEYS),
        st.tuples(st.just("assign"), KEYS),
        st.tuples(st.just("close"), KEYS),
        st.tuples(st.just("pool"), KEYS),
        st.tuples(st.just("move"), KEYS),
        st.tuples(st.just("take"), KEYS),
        st.tuples(st.just("look"), KEYS),
        st.tuples(st.just("next run"), KEYS),
    ),
    max_size=12,
)


def happened(value: Issue, what: What) -> Issue:
    """The issue with one more event."""
    event = Event(
        number=value.next_event, when=NOW, who="ana", what=what, nonce=f"nonce-{value.number}-{value.next_event}"
    )
    later = value.updated + timedelta(minutes=1)
    return msgspec.structs.replace(
        value, events=(*value.events, event), next_event=event.number + 1, announced=event.number, updated=later
    )


CHANGES: dict[str, Callable[[Issue, str], Issue]] = {
    "block": lambda value, key: happened(value, Filed(filing(key, blocked="not_entitled", outgoing=key > "b"))),
    "take out": lambda value, key: happened(value, TakenOut(key)),
    "assign": lambda value, key: msgspec.structs.replace(
        value, assignees=() if key in value.assignees else (*value.assignees, key)
    ),
    "close": lambda value, key: msgspec.structs.replace(
        value, closed=None if value.closed else NOW, status=key, reporter=f"{key}@x", project=key
    ),
}


@settings(max_examples=40)
@given(STEPS)
def test_an_index_that_followed_says_the_same_as_one_made_anew(steps: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as root:
        layout = Layout(Path(root) / "data")
        layout.create()
        writer, reader = Parts(layout), Parts(layout)
        index = reader.index()
        for verb, key in steps:
            numbers = sorted(writer.issues.numbers())
            if verb == "open":
                publish(writer, issue(len(numbers) + 1, filed(1, key)))
            elif verb == "file" and numbers:
                follow(writer, numbers[-1], f"{key}{len(numbers)}", key)
            elif verb in CHANGES and numbers:
                value = writer.issues.load(numbers[-1])
                save(writer, CHANGES[verb](value, key))
            elif verb == "pool":
                put(writer, key)
            elif verb == "move" and writer.pool.outcome("account", key):
                writer.pool.move("account", key, "removed")
                writer.maker.journal([(record_of("account", key), 0)])
            elif verb == "take":
                writer.pool.take("account", key)
                writer.maker.journal([(record_of("account", key), 0)])
            elif verb == "look":
                index.catch_up()
            elif verb == "next run":
                writer.close()
                writer = Parts(layout)
        index.catch_up()
        assert is_true(reader, index)
        index.close()
        reader.close()
        writer.close()
