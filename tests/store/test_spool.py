import os
import re
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from eventum.errors import NotFound
from eventum.mail.envelope import Envelope, read
from eventum.store import files
from eventum.store.layout import Layout
from eventum.store.maildir import Entry, Queue, keys
from eventum.store.spool import DONE_FOR, MAX_ATTEMPTS, RETRY_AFTER, Spool, key_of
from tests.store.parts import NOW, Parts, received


def take(parts: Parts, *raws: bytes) -> list[Entry]:
    """These mails come and are claimed, in their order."""
    parts.spool.accept([received(raw) for raw in raws])
    return parts.spool.claim(parts.spool.waiting())


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in files.listing(folder))


def test_a_mail_is_named_after_where_it_goes_and_its_bytes() -> None:
    assert re.fullmatch("[0-9a-f]{64}", key_of("account", b"mail"))
    assert key_of("account", b"mail") == key_of("account", b"mail")
    different = {key_of("account", b"mail"), key_of("account", b"mail\n"), key_of("accoun", b"tmail"), key_of("b", b"")}
    assert len(different) == 4


@settings(max_examples=30)
@given(
    st.lists(
        st.builds(
            lambda destination, raw, sender: (
                Envelope(destination=destination, received=NOW, sender=sender, recipients=("help@example.org",)),
                raw,
            ),
            st.sampled_from(["account", "other", "address:help@example.org"]),
            st.binary(max_size=200),
            st.none() | st.just("") | st.just("ana@customer.example"),
        ),
        max_size=12,
    )
)
def test_what_is_accepted_lies_in_the_spool_unchanged_and_in_its_order(mails: list[tuple[Envelope, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as root:
        layout = Layout(Path(root))
        layout.create()
        parts = Parts(layout)
        told = parts.spool.accept(mails)
        assert told == [key_of(envelope.destination, raw) for envelope, raw in mails]
        waiting = parts.spool.waiting()
        assert [entry.key for entry in waiting] == list(dict.fromkeys(told))
        found = {entry.key: read(files.read(entry.path)) for entry in waiting}
        first = {key: mail for key, mail in reversed(list(zip(told, mails, strict=True)))}
        assert found == first
        assert names(layout.incoming / "tmp") == []
        parts.close()


def test_the_same_mail_keeps_its_place_in_the_order_of_arrival(parts: Parts) -> None:
    first, second = parts.spool.accept([received(b"one"), received(b"two")])
    parts.spool.accept([received(b"one")])
    assert [entry.key for entry in parts.spool.waiting()] == [first, second]


def test_the_same_bytes_for_two_accounts_are_two_mails(parts: Parts) -> None:
    parts.spool.accept([received(b"one", "account"), received(b"one", "other")])
    assert parts.spool.backlog() == 2


def test_a_batch_that_the_disk_does_not_take_promises_nothing(parts: Parts) -> None:
    (parts.layout.incoming / "tmp").rename(parts.layout.incoming / "gone")
    with pytest.raises(OSError):
        parts.spool.accept([received()])
    assert parts.spool.backlog() == 0


def test_two_runs_never_have_the_same_mail(parts: Parts) -> None:
    other = Parts(parts.layout)
    parts.spool.accept([received(b"one"), received(b"two")])
    seen, seen_by_other = parts.spool.waiting(), other.spool.waiting()
    ours = parts.spool.claim(seen[:1])
    theirs = other.spool.claim(seen_by_other)
    assert [entry.key for entry in (*ours, *theirs)] == [entry.key for entry in seen]
    other.close()


def test_what_is_finished_is_kept_for_a_day(parts: Parts) -> None:
    (entry,) = take(parts, b"one")
    parts.spool.finish([entry])
    assert list(keys(parts.layout.done)) == [entry.key]
    assert parts.spool.backlog() == 0
    now = time.time()
    parts.spool.prune(now - 60, now)
    assert list(keys(parts.layout.done)) == [entry.key]
    parts.spool.prune(now + 60, now)
    assert list(keys(parts.layout.done)) == []


def test_an_old_mail_that_was_finished_just_now_is_kept_as_long_as_others(parts: Parts) -> None:
    (entry,) = take(parts, b"one")
    os.utime(entry.path, ns=(1,) * 2)
    parts.spool.finish([entry])
    parts.spool.prune(time.time() - DONE_FOR, time.time())
    assert list(keys(parts.layout.done)) == [entry.key]


@pytest.mark.parametrize("handle", ["wait", "defer", "give_back"])
def test_what_is_handed_back_keeps_its_place_and_waits_as_it_should(parts: Parts, handle: str) -> None:
    first, second = take(parts, b"one", b"two")
    before = time.time()
    if handle == "defer":
        assert not parts.spool.defer(first, "it did not work")
    else:
        getattr(parts.spool, handle)(first)
    parts.spool.give_back(second)
    back, other = Queue(parts.layout.incoming).all_waiting()
    assert (back.key, other.key, back.maker) == (first.key, second.key, "")
    assert back.attempts == (handle == "defer")
    if handle == "give_back":
        assert back.not_before == 0
    else:
        assert before + RETRY_AFTER - 1 <= back.not_before <= time.time() + RETRY_AFTER
        assert [entry.key for entry in parts.spool.waiting()] == [second.key]


def test_the_third_attempt_that_ends_badly_buries(parts: Parts) -> None:
    parts.spool.accept([received(b"one")])
    buried = []
    for _ in range(MAX_ATTEMPTS):
        (entry,) = parts.spool.claim(Queue(parts.layout.incoming).all_waiting())
        buried.append(parts.spool.defer(entry, f"attempt {len(buried) + 1}"))
    assert buried == [False, False, True]
    ((dead, path),) = parts.spool.dead()
    assert (dead.key, dead.attempts, dead.reason) == (key_of("account", b"one"), 3, "attempt 3")
    assert read(files.read(path))[1] == b"one"


def test_what_was_waited_with_is_never_buried_for_it(parts: Parts) -> None:
    parts.spool.accept([received(b"one")])
    for _ in range(2 * MAX_ATTEMPTS):
        (entry,) = parts.spool.claim(Queue(parts.layout.incoming).all_waiting())
        parts.spool.wait(entry)
    assert (parts.spool.dead(), parts.spool.backlog()) == ([], 1)


def test_the_dead_are_told_oldest_first_those_whose_reason_was_lost_too(parts: Parts) -> None:
    for number, entry in enumerate(take(parts, b"one", b"two", b"three")):
        parts.spool.bury(entry, f"reason {number}")
    lost, damaged, told = (key_of("account", raw) for raw in (b"one", b"two", b"three"))
    files.remove(parts.layout.dead / f"{lost}.json")
    (parts.layout.dead / f"{damaged}.json").write_bytes(b"{")
    reasons = {dead.key: dead.reason for dead, _ in parts.spool.dead()}
    assert reasons == {lost: "its reason was lost", damaged: "its reason was lost", told: "reason 2"}
    assert parts.spool.dead()[-1][0].key == told


def test_a_dead_mail_that_is_tried_again_begins_anew_at_its_place(parts: Parts) -> None:
    first, second = take(parts, b"one", b"two")
    parts.spool.bury(first, "a reason", 3)
    parts.spool.give_back(second)
    parts.spool.retry(first.key)
    assert [(entry.key, entry.attempts) for entry in parts.spool.waiting()] == [(first.key, 0), (second.key, 0)]
    assert (parts.spool.dead(), names(parts.layout.dead)) == ([], ["cur", "new", "tmp"])


@pytest.mark.parametrize("flags", ["S", "", "FS", "RST"])
def test_a_dead_mail_is_known_whatever_a_mail_reader_marked(parts: Parts, flags: str) -> None:
    (entry,) = take(parts, b"one")
    parts.spool.bury(entry, "a reason")
    ((_, path),) = parts.spool.dead()
    path.rename(path.with_name(f"{entry.key}:2,{flags}"))
    parts.spool.forget(entry.key)
    assert (parts.spool.dead(), names(parts.layout.dead)) == ([], ["cur", "new", "tmp"])


@pytest.mark.parametrize("ask", [Spool.retry, Spool.forget])
def test_of_a_dead_mail_that_is_not_there_it_is_said(parts: Parts, ask: object) -> None:
    with pytest.raises(NotFound, match="no dead mail"):
        ask(parts.spool, "0" * 64)  # type: ignore[operator]


def test_how_long_the_oldest_waits_counts_those_in_hand(parts: Parts) -> None:
    assert parts.spool.oldest() is None
    first, second = take(parts, b"one", b"two")
    parts.spool.give_back(second)
    oldest = parts.spool.oldest()
    assert oldest is not None
    assert oldest.timestamp() == pytest.approx(first.arrival_ns / 1e9, abs=1e-5)
    assert parts.spool.backlog() == 2


def test_the_mail_in_hand_is_noted_until_the_run_ends(parts: Parts) -> None:
    path = parts.layout.hands / parts.maker.id
    assert not path.exists()
    for key in (key_of("account", b"one"), "", key_of("account", b"two")):
        parts.spool.hold(key)
        assert path.read_text().strip() == key
    parts.spool.release()
    parts.spool.release()
    assert not path.exists()


@pytest.mark.parametrize("accused", [None, 0, 1])
def test_only_the_mail_in_hand_is_accused_when_a_run_dies(parts: Parts, accused: int | None) -> None:
    dying = Parts(parts.layout)
    entries = take(dying, b"one", b"two")
    for index in (1, accused):
        dying.spool.hold("" if index is None else entries[index].key)
    dying.die()
    assert parts.spool.take_back(lambda maker: maker == parts.maker.id) == 2
    assert [entry.attempts for entry in parts.spool.waiting()] == [accused == 0, accused == 1]


def test_the_third_run_that_dies_on_a_mail_buries_it(parts: Parts) -> None:
    parts.spool.accept([received(b"one")])
    for death in range(1, MAX_ATTEMPTS + 1):
        dying = Parts(parts.layout)
        (entry,) = dying.spool.claim(dying.spool.waiting())
        dying.spool.hold(entry.key)
        dying.die()
        parts.spool.take_back(lambda maker: maker == parts.maker.id)
        assert [one.attempts for one in parts.spool.waiting()] == [death][: MAX_ATTEMPTS - death]
    assert [(dead.key, dead.attempts) for dead, _ in parts.spool.dead()] == [(entry.key, MAX_ATTEMPTS)]


def test_what_living_runs_hold_is_left_to_them(parts: Parts) -> None:
    take(parts, b"one")
    assert parts.spool.take_back(lambda maker: maker == parts.maker.id) == 0
    assert parts.spool.waiting() == []


def test_what_a_mail_reader_moved_waits_again(parts: Parts) -> None:
    (key,) = parts.spool.accept([received(b"one")])
    new = parts.layout.incoming / "new" / key
    new.rename(parts.layout.incoming / "cur" / f"{key}:2,S")
    assert parts.spool.take_back(lambda maker: True) == 1
    assert [entry.key for entry in parts.spool.waiting()] == [key]


MAILS = [received(raw, destination) for destination in ("account", "other") for raw in (b"1", b"2", b"3")]


class SpoolMachine(RuleBasedStateMachine):
    """Runs that accept, decide, give up and die, over one spool; what must hold after every step is below."""

    def __init__(self) -> None:
        super().__init__()
        self.root = tempfile.TemporaryDirectory()
        self.layout = Layout(Path(self.root.name) / "data")
        self.layout.create()
        self.runs = [Parts(self.layout), Parts(self.layout)]
        self.held: dict[int, dict[str, Entry]] = {0: {}, 1: {}}  # what each run has claimed
        self.in_hand: dict[int, str] = {0: "", 1: ""}
        self.abandoned: dict[str, Entry] = {}  # what the dead had claimed
        self.accusations: Counter[str] = Counter()
        self.came: Counter[str] = Counter()
        self.ended: dict[str, str] = {}  # key -> done or dead

    def teardown(self) -> None:
        for run in self.runs:
            run.close()
        self.root.cleanup()

    def waiting(self) -> dict[str, Entry]:
        return {entry.key: entry for entry in Queue(self.layout.incoming).all_waiting()}

    def is_accused(self, key: str) -> None:
        self.accusations[key] += 1
        if self.accusations[key] >= MAX_ATTEMPTS:
            self.ended[key] = "dead"

    def pick(self, who: int, data: st.DataObject) -> Entry:
        return self.held[who].pop(data.draw(st.sampled_from(sorted(self.held[who]))))

    @rule(who=st.integers(0, 1), wanted=st.lists(st.sampled_from(range(len(MAILS))), min_size=1, max_size=4))
    def accept(self, who: int, wanted: list[int]) -> None:
        """New mail, and mail that is on its way already and comes from its server once more."""
        known = [key_of(MAILS[index][0].destination, MAILS[index][1]) for index in wanted]
        waits = {key for key, entry in self.waiting().items() if entry.path.endswith(key)}
        fresh = [index for index, key in zip(wanted, known, strict=True) if not self.came[key] or key in waits]
        told = self.runs[who].spool.accept([MAILS[index] for index in fresh])
        self.came.update(set(told))

    @rule(who=st.integers(0, 1), count=st.integers(1, 3))
    def claim(self, who: int, count: int) -> None:
        due = Queue(self.layout.incoming).waiting(time.time() + 2 * RETRY_AFTER)
        claimed = self.runs[who].spool.claim(due[:count])
        assert [entry.key for entry in claimed] == [entry.key for entry in due[:count]]
        for entry in claimed:
            assert entry.attempts == self.accusations[entry.key]
            self.held[who][entry.key] = entry
        assert self.runs[1 - who].spool.claim(due[:count]) == []

    @precondition(lambda self: any(self.held.values()))
    @rule(data=st.data())
    def hold(self, data: st.DataObject) -> None:
        who = data.draw(st.sampled_from([who for who in self.held if self.held[who]]))
        key = data.draw(st.sampled_from(["", *sorted(self.held[who])]))
        self.runs[who].spool.hold(key)
        self.in_hand[who] = key

    @precondition(lambda self: any(self.held.values()))
    @rule(data=st.data(), verb=st.sampled_from(["finish", "give_back", "wait", "defer", "bury"]))
    def handle(self, data: st.DataObject, verb: str) -> None:
        who = data.draw(st.sampled_from([who for who in self.held if self.held[who]]))
        entry, spool = self.pick(who, data), self.runs[who].spool
        if verb == "finish":
            spool.finish([entry])
            self.ended[entry.key] = "done"
        elif verb == "defer":
            self.is_accused(entry.key)
            assert spool.defer(entry, "a reason") == (entry.key in self.ended)
        elif verb == "bury":
            spool.bury(entry, "a reason")
            self.ended[entry.key] = "dead"
        else:
            getattr(spool, verb)(entry)

    def buried(self) -> list[str]:
        """What lies in dead: a mail whose third run died is buried by the recovery that finds it."""
        return sorted(key for key, end in self.ended.items() if end == "dead" and key not in self.abandoned)

    @precondition(lambda self: self.buried())
    @rule(who=st.integers(0, 1), data=st.data())
    def retry(self, who: int, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.buried()))
        self.runs[who].spool.retry(key)
        del self.ended[key], self.accusations[key]

    @rule(who=st.integers(0, 1), is_accepting=st.booleans())
    def crash(self, who: int, is_accepting: bool) -> None:
        if is_accepting:  # Nobody was told that this mail is ours.
            files.write_durable(self.layout.incoming / "tmp" / self.runs[who].maker.name(), b"half a mail")
        self.runs[who].die()
        # Its claims and what it had in hand are known from the disk alone.
        self.abandoned |= self.held[who]
        if self.in_hand[who] in self.held[who]:
            self.is_accused(self.in_hand[who])
        self.held[who], self.in_hand[who] = {}, ""
        self.runs[who] = Parts(self.layout)

    @precondition(lambda self: any(self.held.values()))
    @rule(data=st.data())
    def die_reading(self, data: st.DataObject) -> None:
        """Some mails kill whoever reads them."""
        who = data.draw(st.sampled_from([who for who in self.held if self.held[who]]))
        self.in_hand[who] = min(self.held[who])
        self.runs[who].spool.hold(self.in_hand[who])
        self.crash(who, is_accepting=False)

    @rule(who=st.integers(0, 1))
    def recover(self, who: int) -> None:
        assert self.runs[who].recovery().run() == len(self.abandoned)
        self.abandoned = {}

    @invariant()
    def every_mail_is_in_exactly_one_place(self) -> None:
        claimed = Queue(self.layout.incoming).claimed()
        places = Counter(entry.key for entry in (*Queue(self.layout.incoming).all_waiting(), *claimed))
        places.update([*keys(self.layout.done), *keys(self.layout.dead)])
        assert set(places) == set(self.came)
        assert set(places.values()) <= {1}
        assert {entry.path for entry in claimed} == {
            entry.path for held in (*self.held.values(), self.abandoned) for entry in held.values()
        }

    @invariant()
    def what_ended_lies_where_it_ended(self) -> None:
        ended = {key: end for key, end in self.ended.items() if key not in self.abandoned}
        assert set(keys(self.layout.done)) == {key for key, end in ended.items() if end == "done"}
        assert set(keys(self.layout.dead)) == {key for key, end in ended.items() if end == "dead"}
        assert {dead.key for dead, _ in self.runs[0].spool.dead() if "lost" not in dead.reason} == set(
            keys(self.layout.dead)
        )

    @invariant()
    def nobody_was_accused_of_what_he_did_not_do(self) -> None:
        for key, entry in self.waiting().items():
            assert entry.attempts == self.accusations[key] < MAX_ATTEMPTS

    @invariant()
    def the_bytes_are_those_that_came(self) -> None:
        for folder in ("in/new", "in/cur", "done/cur", "dead/cur"):
            for item in files.listing(self.layout.spool / folder):
                envelope, raw = read(files.read(item.path))
                assert isinstance(envelope, Envelope)
                assert key_of(envelope.destination, raw) == os.path.basename(item.path)[:64]


TestSpoolMachine = SpoolMachine.TestCase
TestSpoolMachine.settings = settings(max_examples=15, stateful_step_count=30)
