import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from eventum.issues.events import Event, Subscribed
from eventum.issues.issue import Issue, messages
from eventum.mail.envelope import Posting
from eventum.store import files, journal
from eventum.store.flush import Flush
from eventum.store.issues import MOST
from eventum.store.maildir import Entry, Queue, keys
from eventum.store.pool import record_of
from eventum.store.recovery import STRANGERS_FOR
from eventum.store.spool import MAX_ATTEMPTS, key_of
from eventum.store.state import Intent, Move
from tests.store.parts import NOW, Parts, filed, issue, pooled, posting, received

RAW = b"Subject: hello\r\n\r\nhello\r\n"
KEY = key_of("account", RAW)


class Killed(Exception):
    """The run is dead from here on."""


class Dying(Parts):
    """A run that is killed after so many steps of what it does; its steps are those of a commit."""

    steps = 0

    def step(self, killed_after: int) -> None:
        """One step is done."""
        self.steps += 1
        if self.steps > killed_after:
            raise Killed

    def claim(self) -> Entry:
        """The mail is in this run's hands."""
        (entry,) = self.spool.claim(Queue(self.layout.incoming).all_waiting())
        return entry

    def open_issue(self, killed_after: int) -> None:
        """The mail opens issue 1, pulls the mail `old` out of the pool, and somebody is told."""
        entry = self.claim()
        self.step(killed_after)
        pulled = ("0ld", str(self.pool.path("account", "0ld")))
        with Flush() as flush:
            intent = Intent(self.maker.id, ((KEY, 1), ("0ld", 1)), (Move("account", "0ld", 1),))
            self.state.intend(intent)
            self.step(killed_after)
            value = issue(1, filed(1, "0ld"), filed(2, KEY))
            folder = self.issues.build(flush, value, [pulled, (KEY, entry.path)])
            self.step(killed_after)
            prepared = [self.outbox.prepare(flush, posting(event=2), RAW)]
            self.step(killed_after)
        self.maker.journal([("issues/1", 1)])
        self.step(killed_after)
        with Flush() as flush:
            self.issues.publish(flush, folder, 1)
        self.step(killed_after)
        self.pool.take("account", "0ld")
        self.maker.journal([(record_of("account", "0ld"), 0)])
        self.step(killed_after)
        self.finish(entry, prepared, killed_after)

    def file(self, killed_after: int) -> None:
        """The mail goes into issue 1, which is there, and somebody is told."""
        entry = self.claim()
        self.step(killed_after)
        before = self.issues.open(1)
        number = before.value.next_event
        with Flush() as flush:
            self.state.intend(Intent(self.maker.id, ((KEY, 1),)))
            self.step(killed_after)
            self.issues.add(flush, 1, [(KEY, entry.path)])
            self.step(killed_after)
            value = grown(before.value, filed(number, KEY))
            value, temporary = self.issues.prepare(flush, value, before)
            self.step(killed_after)
            prepared = [self.outbox.prepare(flush, posting(event=number), RAW)]
            self.step(killed_after)
        self.maker.journal([("issues/1", value.revision)])
        self.step(killed_after)
        with Flush() as flush:
            self.issues.replace(flush, value, temporary)
        self.step(killed_after)
        self.finish(entry, prepared, killed_after)

    def finish(self, entry: Entry, prepared: list[tuple[str, str]], killed_after: int) -> None:
        """Somebody is told, and the mail is where it belongs."""
        self.outbox.publish(prepared)
        self.step(killed_after)
        self.spool.finish([entry])
        self.step(killed_after)
        self.state.fulfilled(self.maker.id)
        self.step(killed_after)


def grown(value: Issue, *events: Event) -> Issue:
    """The next state of an issue."""
    last = events[-1].number
    return msgspec.structs.replace(
        value, events=(*value.events, *events), next_event=last + 1, announced=last, revision=value.revision + 1
    )


def publish(parts: Parts, value: Issue) -> None:
    with Flush() as flush:
        folder = parts.issues.build(flush, value, ())
    with Flush() as flush:
        parts.issues.publish(flush, folder, value.number)


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in files.listing(folder))


def is_clean(parts: Parts) -> bool:
    """Whether nothing of a dead run is left under any temporary name."""
    layout = parts.layout
    folders = (layout.state_tmp, layout.issues_tmp, layout.incoming / "tmp", layout.outgoing / "tmp", layout.intents)
    leases = [name for name in names(layout.locks / "leases") if not name.startswith("journal")]
    return not any(names(folder) for folder in folders) and leases == [f"{parts.maker.id}.lock"]


def run_until(work: Callable[[int], None], killed_after: int) -> bool:
    """Do it; whether it was killed."""
    try:
        work(killed_after)
    except Killed:
        return True
    return False


def in_mail(parts: Parts, number: int) -> set[str]:
    return set(keys(parts.layout.issue(number) / "mail"))


@pytest.mark.parametrize("killed_after", range(11))
def test_an_issue_that_was_being_opened_is_there_whole_or_not_at_all(parts: Parts, killed_after: int) -> None:
    dying = Dying(parts.layout)
    old = parts.layout.incoming / "cur" / "0ld,R=x:2,"
    old.write_bytes(b"old")
    with Flush() as flush:
        parts.pool.put(flush, pooled("0ld"), "unassociated", str(old))
    old.unlink()
    dying.spool.accept([received(RAW)])
    was_killed = run_until(dying.open_issue, killed_after)
    assert was_killed == (killed_after < 10)
    dying.die()

    parts.recovery().run()
    is_committed = killed_after >= 5
    assert parts.issues.exists(1) == is_committed
    assert (parts.pool.outcome("account", "0ld") is None) == is_committed
    assert [entry.key for entry in parts.spool.waiting()] == ([] if is_committed else [KEY])
    assert list(keys(parts.layout.done)) == ([KEY] if is_committed else [])
    assert parts.outbox.known() == ({posting(event=2).key} if is_committed else set())
    if is_committed:
        assert in_mail(parts, 1) == {"0ld", KEY}
    assert is_clean(parts)


@pytest.mark.parametrize("killed_after", range(11))
def test_a_mail_that_was_being_filed_is_filed_once_or_waits(parts: Parts, killed_after: int) -> None:
    publish(parts, issue(1, filed(1, "first")))
    dying = Dying(parts.layout)
    dying.spool.accept([received(RAW)])
    was_killed = run_until(dying.file, killed_after)
    assert was_killed == (killed_after < 10)
    dying.die()

    parts.recovery().run()
    is_committed = killed_after >= 6
    assert [one.key for one in messages(parts.issues.load(1).events)] == ["first", KEY][: 1 + is_committed]
    assert in_mail(parts, 1) == ({KEY} if is_committed else set())
    assert [entry.key for entry in parts.spool.waiting()] == ([] if is_committed else [KEY])
    assert list(keys(parts.layout.done)) == ([KEY] if is_committed else [])
    assert parts.outbox.known() == ({posting(event=2).key} if is_committed else set())
    assert is_clean(parts)


@pytest.mark.parametrize("work", [Dying.open_issue, Dying.file])
@pytest.mark.parametrize("killed_after", range(10))
def test_recovering_again_changes_nothing(parts: Parts, work: Callable[..., None], killed_after: int) -> None:
    if work is Dying.file:
        publish(parts, issue(1))
    old = parts.layout.incoming / "cur" / "0ld,R=x:2,"
    old.write_bytes(b"old")
    with Flush() as flush:
        parts.pool.put(flush, pooled("0ld"), "unassociated", str(old))
    old.unlink()
    dying = Dying(parts.layout)
    dying.spool.accept([received(RAW)])
    run_until(lambda steps: work(dying, steps), killed_after)
    dying.die()
    parts.recovery().run()
    before = {path: path.stat().st_ino for path in sorted(parts.layout.root.rglob("*"))}
    assert parts.recovery().run() == 0
    assert {path: path.stat().st_ino for path in sorted(parts.layout.root.rglob("*"))} == before


def test_what_a_living_run_does_is_left_to_it(parts: Parts) -> None:
    publish(parts, issue(1))
    living = Dying(parts.layout)
    living.spool.accept([received(RAW)])
    assert run_until(living.file, 4)
    before = sorted(parts.layout.root.rglob("*"))
    assert parts.recovery().run() == 0
    assert sorted(parts.layout.root.rglob("*")) == before
    living.close()


def test_a_mail_that_another_run_filed_meanwhile_is_not_taken_out_of_the_issue(parts: Parts) -> None:
    publish(parts, issue(1))
    dying = Dying(parts.layout)
    dying.spool.accept([received(RAW)])
    assert run_until(dying.file, 2)
    dying.die()
    before = parts.issues.open(1)
    with Flush() as flush:
        value, temporary = parts.issues.prepare(flush, grown(before.value, filed(1, KEY)), before)
    parts.issues.replace(flush, value, temporary)
    parts.recovery().run()
    assert in_mail(parts, 1) == {KEY}


def owed(parts: Parts, *told: Posting) -> None:
    """A run died with these in `out/tmp`."""
    dying = Parts(parts.layout)
    with Flush() as flush:
        for one in told:
            dying.outbox.prepare(flush, one, RAW)
    dying.die()


def test_a_notice_whose_event_was_never_written_is_forgotten(parts: Parts) -> None:
    publish(parts, issue(1, filed(1, "aa")))
    owed(parts, posting(event=2), posting(number=7), posting(event=0))
    assert parts.recovery().run() == 0
    assert parts.outbox.known() == set()
    assert is_clean(parts)


def test_a_notice_of_another_event_that_got_the_same_number_is_forgotten(parts: Parts) -> None:
    publish(parts, issue(1, Event(number=1, when=NOW.replace(second=1), what=Subscribed("ana@x", ()))))
    owed(parts, posting())
    assert parts.recovery().run() == 0
    assert parts.outbox.known() == set()


@pytest.mark.parametrize("place", ["outgoing", "sent", "held", "failed"])
def test_a_notice_that_is_on_its_way_is_not_sent_twice(parts: Parts, place: str) -> None:
    publish(parts, issue(1, filed(1, "aa")))
    (getattr(parts.layout, place) / "cur" / f"{posting().key}:2,S").write_bytes(b"")
    owed(parts, posting())
    parts.recovery().run()
    assert names(parts.layout.outgoing / "tmp") == []
    assert list(keys(getattr(parts.layout, place))) == [posting().key]
    if place != "outgoing":
        assert list(keys(parts.layout.outgoing)) == []


def test_a_commit_so_large_that_its_events_are_history_already_is_told_and_filed_whole(parts: Parts) -> None:
    first, last = MOST // 2, MOST + MOST // 2
    publish(parts, issue(1, *(filed(number, f"{number:x}") for number in range(1, first))))
    before, told = parts.issues.open(1), [posting(event=number) for number in range(first, last)]
    dying = Parts(parts.layout)
    value = grown(before.value, *(filed(number, f"{number:x}") for number in range(first, last)))
    with Flush() as flush:
        dying.state.intend(Intent(dying.maker.id, tuple((f"{number:x}", 1) for number in range(first, last))))
        dying.issues.add(flush, 1, (), [(f"{number:x}", RAW) for number in range(first, last)])
        value, temporary = dying.issues.prepare(flush, value, before)
        for one in told:
            dying.outbox.prepare(flush, one, RAW)
    dying.issues.replace(flush, value, temporary)
    dying.die()
    assert value.first_event > first
    assert parts.recovery().run() == len(told)
    assert parts.outbox.known() == {one.key for one in told}
    assert in_mail(parts, 1) == {f"{number:x}" for number in range(first, last)}
    assert is_clean(parts)


def test_two_dead_runs_that_owed_the_same_notice_send_it_once(parts: Parts) -> None:
    publish(parts, issue(1, filed(1, "aa")))
    for _ in range(2):
        owed(parts, posting())
    assert parts.recovery().run() == 1
    assert [entry.key for entry in parts.outbox.due()] == [posting().key]
    assert is_clean(parts)


def test_a_mail_that_kills_its_reader_three_times_is_buried_and_no_other(parts: Parts) -> None:
    parts.spool.accept([received(b"bad"), received(b"good")])
    bad, good = key_of("account", b"bad"), key_of("account", b"good")
    for _ in range(MAX_ATTEMPTS):
        dying = Parts(parts.layout)
        dying.spool.claim(dying.spool.waiting())
        dying.spool.hold(good)
        dying.spool.hold(bad)
        dying.die()
        assert parts.recovery().run() == 2
    assert [dead.key for dead, _ in parts.spool.dead()] == [bad]
    assert [(entry.key, entry.attempts) for entry in parts.spool.waiting()] == [(good, 0)]
    assert names(parts.layout.hands) == []


def test_outgoing_mail_of_the_dead_waits_again(parts: Parts) -> None:
    dying = Parts(parts.layout)
    with Flush() as flush:
        prepared = [dying.outbox.prepare(flush, posting(), RAW)]
    dying.outbox.publish(prepared)
    assert dying.outbox.claim(dying.outbox.due()[0])
    dying.die()
    assert parts.recovery().run() == 1
    assert [entry.attempts for entry in parts.outbox.due()] == [0]


@pytest.mark.parametrize("folder", ["spool/in/tmp", "spool/out/tmp"])
@pytest.mark.parametrize(("age", "is_left"), [(STRANGERS_FOR - 600, True), (STRANGERS_FOR + 600, False)])
def test_a_delivery_by_another_program_has_its_time(parts: Parts, folder: str, age: int, is_left: bool) -> None:
    path = parts.layout.root / folder / "1764000000.M1P2.host"
    path.write_bytes(b"half a mail")
    os.utime(path, ns=(files.modified_ns(path) - age * 10**9,) * 2)
    parts.recovery().run()
    assert path.exists() == is_left


def test_an_intent_about_an_issue_that_is_damaged_does_not_stop_a_recovery(parts: Parts) -> None:
    publish(parts, issue(1))
    dying = Dying(parts.layout)
    dying.spool.accept([received(RAW)])
    assert run_until(dying.file, 3)
    dying.die()
    (parts.layout.issue(1) / "issue.json").write_bytes(b"{")
    parts.recovery().run()
    assert [entry.key for entry in parts.spool.waiting()] == [KEY]
    assert is_clean(parts)


def test_a_move_that_is_brought_to_its_end_is_told_in_the_journal(parts: Parts) -> None:
    dying = Parts(parts.layout)
    source = parts.layout.incoming / "cur" / "k1,R=x:2,"
    source.write_bytes(b"mail")
    with Flush() as flush:
        dying.pool.put(flush, pooled("k1"), "unassociated", str(source))
        dying.state.intend(Intent(dying.maker.id, (("k1", 1),), (Move("account", "k1", 1),)))
    os.unlink(source)
    publish(dying, issue(1, filed(1, "k1")))
    dying.die()
    parts.recovery().run()
    assert parts.pool.outcome("account", "k1") is None
    assert (record_of("account", "k1"), 0) in [change for _, change in journal.read_from(parts.layout, "0.jsonl", 0)]


def test_a_run_ends_its_own_commit_that_failed_half_way_and_leaves_its_letters_alone(parts: Parts) -> None:
    publish(parts, issue(1, filed(1, "aa")))
    with Flush() as flush:
        for one in (posting(event=1), posting(number=0, event=0)):
            parts.outbox.prepare(flush, one, RAW)
    parts.recovery().bring_own_to_end()
    assert parts.outbox.known() == {posting(event=1).key}
    assert len(names(parts.layout.outgoing / "tmp")) == 1


def test_a_move_of_its_own_that_failed_half_way_is_ended(parts: Parts) -> None:
    old = parts.layout.incoming / "cur" / "0ld,R=run:2,"
    old.write_bytes(RAW)
    with Flush() as flush:
        parts.pool.put(flush, pooled("0ld"), "unassociated", str(old))
    parts.state.intend(Intent(parts.maker.id, (), (Move("account", "0ld", 1),)))
    publish(parts, issue(1, filed(1, "0ld")))
    parts.recovery().bring_own_to_end()
    assert parts.pool.outcome("account", "0ld") is None
