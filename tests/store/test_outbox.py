import os
import re
import time
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.errors import Damaged, NotFound
from eventum.mail.envelope import Posting, stamp
from eventum.store import files
from eventum.store.flush import Flush
from eventum.store.maildir import Entry, Queue
from eventum.store.outbox import BACK_OFF, GIVE_UP_AFTER, Outbox, back_off, key_of
from tests.store.parts import NOW, Parts, posting

DATA = b"Subject: hello\r\n\r\nhello\r\n"


def queue(parts: Parts, *recipients: str) -> list[str]:
    """Mails to these wait to be sent; their keys."""
    with Flush() as flush:
        prepared = [parts.outbox.prepare(flush, posting(recipient), DATA) for recipient in recipients]
    parts.outbox.publish(prepared)
    return [key for _, key in prepared]


def claim(parts: Parts) -> Entry:
    """The first entry, due or not, in this run's hands."""
    entry = parts.outbox.claim(Queue(parts.layout.outgoing).all_waiting()[0])
    assert entry is not None
    return entry


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in files.listing(folder))


parts_of_a_key = st.tuples(st.integers(0, 10**9), st.integers(0, 10**6), st.text(st.characters(codec="utf-8")))


@given(parts_of_a_key, parts_of_a_key)
def test_a_key_names_one_issue_event_and_recipient(one: tuple[int, int, str], other: tuple[int, int, str]) -> None:
    assert re.fullmatch("[0-9a-f]{40}", key_of(*one))
    assert (key_of(*one) == key_of(*other)) == (one == other)


def test_the_wait_grows_with_the_attempts_and_then_no_more() -> None:
    waits = [back_off(attempts) for attempts in range(1, 20)]
    assert waits[: len(BACK_OFF)] == list(BACK_OFF)
    assert waits == sorted(waits)
    assert set(waits[len(BACK_OFF) :]) == {BACK_OFF[-1]}
    assert timedelta(seconds=GIVE_UP_AFTER) >= timedelta(days=4)


def test_what_is_prepared_is_not_sent_before_it_is_published(parts: Parts) -> None:
    with Flush() as flush:
        prepared = [parts.outbox.prepare(flush, posting(), DATA)]
    assert (parts.outbox.due(), parts.outbox.remaining(), parts.outbox.known()) == ([], 0, set())
    parts.outbox.publish(prepared)
    assert [entry.key for entry in parts.outbox.due()] == [posting().key]
    assert names(parts.layout.outgoing / "tmp") == []


def test_what_is_dropped_leaves_nothing(parts: Parts) -> None:
    with Flush() as flush:
        prepared = [parts.outbox.prepare(flush, posting(), DATA)]
    for _ in range(2):
        parts.outbox.drop(prepared)
    assert names(parts.layout.outgoing / "tmp") == []


def test_telling_again_changes_nothing(parts: Parts) -> None:
    assert queue(parts, "ana@x", "ben@x") == queue(parts, "ana@x", "ben@x")
    assert parts.outbox.remaining() == 2


def test_an_entry_is_read_as_it_was_written(parts: Parts) -> None:
    queue(parts, "ana@x")
    assert parts.outbox.read(parts.outbox.due()[0]) == (posting("ana@x"), DATA)


@pytest.mark.parametrize("content", [b"", DATA, stamp(posting(), DATA)[:50]])
def test_an_entry_without_its_envelope_is_damaged_and_disturbs_no_list(parts: Parts, content: bytes) -> None:
    (parts.layout.outgoing / "new" / "stranger").write_bytes(content)
    with pytest.raises(Damaged, match="stranger"):
        parts.outbox.read(parts.outbox.due()[0])
    assert list(parts.outbox.entries()) == []


def test_one_run_sends_an_entry(parts: Parts) -> None:
    queue(parts, "ana@x")
    (due,) = parts.outbox.due()
    other = Parts(parts.layout)
    assert parts.outbox.claim(due) is not None
    assert other.outbox.claim(due) is None
    other.close()


@pytest.mark.parametrize("verb", ["sent", "failed"])
def test_an_entry_that_came_to_its_end_is_told_of_with_the_answer(parts: Parts, verb: str) -> None:
    (key,) = queue(parts, "ana@x")
    getattr(parts.outbox, verb)(claim(parts), "the far end's words")
    (shown,) = parts.outbox.entries()
    assert (shown.id, shown.status, shown.attempts, shown.next_attempt) == (key, verb, 1, None)
    assert [(attempt.status, attempt.reply) for attempt in shown.log] == [(verb, "the far end's words")]
    assert (parts.outbox.due(), parts.outbox.remaining(), parts.outbox.known()) == ([], 0, {key})


def test_a_log_that_cannot_be_written_holds_up_no_mail(parts: Parts) -> None:
    queue(parts, "ana@x")
    entry = claim(parts)
    (parts.layout.out_log / f"{entry.key}.jsonl").mkdir()
    parts.outbox.defer(entry, "later")
    (shown,) = parts.outbox.entries()
    assert (shown.status, shown.log, parts.outbox.due()) == ("deferred", (), [])


def test_what_is_put_off_waits_longer_each_time(parts: Parts) -> None:
    queue(parts, "ana@x")
    for attempt in range(1, len(BACK_OFF) + 2):
        before = time.time()
        parts.outbox.defer(claim(parts), f"later, {attempt}")
        (shown,) = parts.outbox.entries()
        assert shown.next_attempt is not None
        assert -1 <= shown.next_attempt.timestamp() - before - back_off(attempt) <= 5
        assert (shown.status, shown.attempts) == ("deferred", attempt)
        assert parts.outbox.due() == []
    assert [attempt.reply for attempt in shown.log] == [f"later, {n}" for n in range(1, len(BACK_OFF) + 2)]


def test_what_was_not_tried_waits_as_before(parts: Parts) -> None:
    queue(parts, "ana@x")
    before = parts.outbox.due()
    parts.outbox.give_back(claim(parts))
    assert parts.outbox.due() == before
    assert parts.outbox.log(before[0].key) == ()


def test_a_line_of_a_log_that_a_crash_cut_short_hides_no_other(parts: Parts) -> None:
    (key,) = queue(parts, "ana@x")
    parts.outbox.defer(claim(parts), "later")
    files.append(parts.layout.out_log / f"{key}.jsonl", b'{"when": "2026-\n')
    parts.outbox.sent(claim(parts), "thank you")
    assert [attempt.reply for attempt in parts.outbox.log(key)] == ["later", "thank you"]


def test_what_dead_runs_claimed_waits_again_and_is_never_buried_for_it(parts: Parts) -> None:
    queue(parts, "ana@x")
    for _ in range(5):
        dying = Parts(parts.layout)
        claim(dying)
        dying.die()
        assert parts.outbox.take_back(lambda maker: maker == parts.maker.id) == 1
        assert [entry.attempts for entry in parts.outbox.due()] == [0]


def test_what_a_living_run_sends_is_left_to_it(parts: Parts) -> None:
    queue(parts, "ana@x")
    claim(parts)
    assert parts.outbox.take_back(lambda maker: True) == 0
    assert (parts.outbox.due(), parts.outbox.remaining()) == ([], 1)


def test_what_the_dead_prepared_is_told_with_its_envelope_as_far_as_it_was_written(parts: Parts) -> None:
    with Flush() as flush:
        whole, _ = parts.outbox.prepare(flush, posting("ana@x"), DATA)
        alive, _ = parts.outbox.prepare(flush, posting("ben@x"), DATA)
    half = str(parts.layout.outgoing / "tmp" / "half")
    files.write_durable(half, stamp(posting("cid@x"), DATA)[:60])
    found = dict(parts.outbox.leftovers(lambda path: path != alive))
    assert found == {whole: posting("ana@x"), half: None}


def test_every_entry_is_listed_under_its_one_status(parts: Parts) -> None:
    by_status = {}
    for status in ("sent", "failed", "deferred"):
        (by_status[status],) = queue(parts, f"{status}@x")
        verb = {"sent": parts.outbox.sent, "failed": parts.outbox.failed, "deferred": parts.outbox.defer}[status]
        verb(next(claimed for entry in parts.outbox.due() if (claimed := parts.outbox.claim(entry))), "words")
    (by_status["held"],) = queue(parts, "held@x")
    (parts.layout.outgoing / "new" / by_status["held"]).rename(parts.layout.held / "new" / by_status["held"])
    (by_status["pending"],) = queue(parts, "pending@x")
    assert {entry.status: entry.id for entry in parts.outbox.entries()} == by_status
    for status, key in by_status.items():
        assert [entry.id for entry in parts.outbox.entries(status)] == [key]
    told = parts.outbox.states([*by_status.values(), "0" * 40])
    assert told == {key: status for status, key in by_status.items()}
    assert parts.outbox.known() == set(by_status.values())


def test_what_is_in_hand_counts_as_waiting(parts: Parts) -> None:
    (key,) = queue(parts, "ana@x")
    claim(parts)
    assert parts.outbox.states([key]) == {key: "pending"}
    assert [entry.status for entry in parts.outbox.entries()] == ["pending"]


@pytest.mark.parametrize("place", ["failed", "held", "deferred"])
def test_an_entry_that_is_tried_again_is_due_at_once(parts: Parts, place: str) -> None:
    (key,) = queue(parts, "ana@x")
    if place == "held":
        (parts.layout.outgoing / "new" / key).rename(parts.layout.held / "new" / key)
    else:
        {"failed": parts.outbox.failed, "deferred": parts.outbox.defer}[place](claim(parts), "words")
    parts.outbox.retry(key)
    assert [(entry.key, entry.attempts) for entry in parts.outbox.due()] == [(key, 0)]
    assert len(parts.outbox.log(key)) == (place != "held")


def test_what_was_sent_is_not_sent_again_by_a_retry(parts: Parts) -> None:
    (key,) = queue(parts, "ana@x")
    parts.outbox.sent(claim(parts), "thank you")
    with pytest.raises(NotFound, match=key):
        parts.outbox.retry(key)
    assert parts.outbox.due() == []


@pytest.mark.parametrize("end", ["pending", "deferred", "sent", "failed"])
def test_what_is_forgotten_leaves_nothing(parts: Parts, end: str) -> None:
    (key,) = queue(parts, "ana@x")
    if end != "pending":
        verb = {"sent": parts.outbox.sent, "failed": parts.outbox.failed, "deferred": parts.outbox.defer}[end]
        verb(claim(parts), "words")
    parts.outbox.forget(key)
    assert (parts.outbox.known(), parts.outbox.log(key), parts.outbox.remaining()) == (set(), (), 0)
    assert names(parts.layout.out_log) == []


@pytest.mark.parametrize("ask", [Outbox.retry, Outbox.forget])
def test_of_an_entry_that_is_not_there_it_is_said(parts: Parts, ask: object) -> None:
    with pytest.raises(NotFound, match="0000"):
        ask(parts.outbox, "0" * 40)  # type: ignore[operator]


def test_a_monstrous_subject_does_not_hide_an_entry_from_who_sends_it(parts: Parts) -> None:
    huge: Posting = msgspec.structs.replace(posting(), subject="long " * 5000, queued=NOW)
    with Flush() as flush:
        prepared = [parts.outbox.prepare(flush, huge, DATA)]
    parts.outbox.publish(prepared)
    assert parts.outbox.read(claim(parts)) == (huge, DATA)


@pytest.mark.parametrize("place", ["sent", "failed"])
def test_an_entry_that_has_both_names_after_a_power_cut_is_not_sent_again(parts: Parts, place: str) -> None:
    (key,) = queue(parts, "ana@customer.example")
    (waiting,) = Queue(parts.layout.outgoing).all_waiting()
    ended = getattr(parts.layout, place) / "cur" / f"{key}:2,S"
    os.link(waiting.path, ended)
    assert parts.outbox.claim(waiting) is None
    assert ended.exists() and parts.outbox.remaining() == 0
