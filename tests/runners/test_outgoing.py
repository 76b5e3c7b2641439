import re
import shutil

import msgspec
import pytest

from eventum.issues.events import DeliveryFailed
from eventum.issues.settings import Smtp
from eventum.runners.outgoing import Outgoing
from eventum.runners.runner import running
from eventum.store.outbox import back_off
from eventum.tracker.tracker import Tracker
from tests.house import House, mail
from tests.servers.dovecot import free_ports
from tests.servers.smtp_sink import DROP_AFTER_DOT, Sink

ANA, DEV = "ana@customer.example", "dev@example.org"


@pytest.fixture
def sending(house: House, sink: Sink) -> House:
    """A store that sends to the sink, with two mails to be sent."""
    configure(house, sink.port)
    house.arrive(mail())
    return house


def configure(house: House, port: int) -> None:
    general = msgspec.structs.replace(house.tracker.settings.general(), smtp=Smtp(host="localhost", port=port))
    house.tracker.settings.save_general(general)


def statuses(house: House) -> dict[str, str]:
    return {entry.posting.recipient: entry.status for entry in house.tracker.outbox.entries()}


def test_what_is_due_is_sent_once_over_one_connection(sending: House, sink: Sink) -> None:
    sent = Outgoing(sending.tracker).work()
    assert (sent.sent, sent.deferred, sent.failed, sent.remaining, sent.error) == (2, 0, 0, 0, "")
    assert sorted(one.recipients for one in sink.received) == [(ANA,), (DEV,)]
    assert sink.sessions == 1
    assert Outgoing(sending.tracker).work().sent == 0
    assert statuses(sending) == {ANA: "sent", DEV: "sent"}
    assert sending.tracker.daily.counts("out") == {sending.now.date(): 2}


def test_what_is_sent_has_no_trace_headers_and_the_right_envelope(sending: House, sink: Sink) -> None:
    Outgoing(sending.tracker).work()
    assert not any(b"X-Eventum-Key" in one.data for one in sink.received)
    # An automatic answer has the null sender, a notice the address its failure should come back to.
    assert {one.recipients[0]: one.sender for one in sink.received} == {ANA: "", DEV: "help@example.org"}


def test_when_the_server_is_away_the_mail_waits_and_nothing_counts_as_an_attempt(house: House, sink: Sink) -> None:
    (port,) = free_ports(1)
    configure(house, port)
    house.arrive(mail())
    away = Outgoing(house.tracker).work()
    assert (away.sent, away.remaining) == (0, 2)
    assert f"localhost:{port}" in away.error
    assert statuses(house) == {ANA: "pending", DEV: "pending"}
    configure(house, sink.port)
    assert Outgoing(house.tracker).work().sent == 2
    assert len(sink.received) == 2


def test_a_refused_recipient_does_not_touch_the_others_and_shows_on_the_issue(sending: House, sink: Sink) -> None:
    sink.at_rcpt[ANA] = "550 5.1.1 no such user"
    sent = Outgoing(sending.tracker).work()
    assert (sent.sent, sent.failed) == (1, 1)
    assert statuses(sending) == {ANA: "failed", DEV: "sent"}
    (failure,) = (e.what for e in sending.issue(1).events if isinstance(e.what, DeliveryFailed))
    assert failure.recipient == ANA
    assert "no such user" in failure.reply
    (entry,) = (entry for entry in sending.tracker.outbox.entries() if entry.status == "failed")
    assert [attempt.status for attempt in entry.log] == ["failed"]
    sink.at_rcpt.clear()
    sending.tracker.outbox.retry(entry.id)
    assert Outgoing(sending.tracker).work().sent == 1


@pytest.mark.parametrize("where", ["at_rcpt", "at_dot"])
def test_not_now_is_tried_again_later_and_the_others_go(sending: House, sink: Sink, where: str) -> None:
    getattr(sink, where)[ANA] = "451 4.3.0 later"
    sent = Outgoing(sending.tracker).work()
    assert (sent.sent, sent.deferred, sent.remaining) == (1, 1, 1)
    (waiting,) = (entry for entry in sending.tracker.outbox.entries() if entry.status == "deferred")
    assert waiting.attempts == 1
    assert waiting.next_attempt is not None
    assert Outgoing(sending.tracker).work().sent == 0  # It is not due yet.


def test_a_cut_after_the_dot_is_tried_again_with_the_same_id(sending: House, sink: Sink) -> None:
    sink.at_dot[ANA] = DROP_AFTER_DOT
    Outgoing(sending.tracker).work()
    (waiting,) = (entry for entry in sending.tracker.outbox.entries() if entry.status == "deferred")
    sending.tracker.outbox.retry(waiting.id)
    sink.at_dot.clear()
    Outgoing(sending.tracker).work()
    to_ana = [one.data for one in sink.received if one.recipients == (ANA,)]
    ids = {line for data in to_ana for line in data.split(b"\r\n") if line.startswith(b"Message-ID:")}
    assert len(ids) == 1
    assert statuses(sending) == {ANA: "sent", DEV: "sent"}


def test_a_mail_that_is_too_old_to_be_tried_again_has_failed(sending: House, sink: Sink) -> None:
    sink.at_rcpt[ANA] = "451 4.3.0 later"
    Outgoing(sending.tracker).work()
    (waiting,) = (entry for entry in sending.tracker.outbox.entries() if entry.status == "deferred")
    log = sending.tracker.layout.out_log / f"{waiting.id}.jsonl"
    # Tried for days: its log says so.
    line = log.read_text()
    log.write_text("".join(re.sub(r'"when":"[^"]*', f'"when":"2020-03-0{day}T00:00:00Z', line) for day in range(1, 7)))
    waiting.path.rename(waiting.path.with_name(waiting.path.name.partition(",N=")[0]))
    assert Outgoing(sending.tracker).work().failed == 1
    assert statuses(sending)[ANA] == "failed"


def test_a_clock_that_jumps_ahead_ends_no_mail(sending: House, sink: Sink) -> None:
    sink.at_rcpt[ANA] = "451 4.3.0 later"
    Outgoing(sending.tracker).work()
    (waiting,) = (entry for entry in sending.tracker.outbox.entries() if entry.status == "deferred")
    log = sending.tracker.layout.out_log / f"{waiting.id}.jsonl"
    # It was tried once, and then the clock said that years had gone.
    log.write_text(re.sub(r'"when":"[0-9]{4}', '"when":"2020', log.read_text()))
    waiting.path.rename(waiting.path.with_name(waiting.path.name.partition(",N=")[0]))
    assert Outgoing(sending.tracker).work().deferred == 1
    assert statuses(sending)[ANA] == "deferred"


def test_the_first_not_now_after_a_long_outage_of_ours_is_not_the_last(sending: House, sink: Sink) -> None:
    sink.at_rcpt[ANA] = "451 4.7.1 greylisted"
    for entry in list(sending.tracker.outbox.entries()):
        # Queued years ago and never tried: our own server was away.
        data = entry.path.read_bytes().replace(b"X-Eventum-Queued: 2026-11-22", b"X-Eventum-Queued: 2020-11-22")
        entry.path.write_bytes(data)
    assert Outgoing(sending.tracker).work().deferred == 1
    assert statuses(sending)[ANA] == "deferred"


def test_an_entry_that_cannot_be_read_fails_and_the_others_go(sending: House, sink: Sink) -> None:
    entry = sending.queued()[0]
    entry.path.write_bytes(b"")
    sent = Outgoing(sending.tracker).work()
    assert (sent.sent, sent.failed) == (1, 1)


def test_two_runs_at_once_send_nothing_twice(sending: House, sink: Sink) -> None:
    other = Tracker(sending.config)
    with sending.tracker.locks.lease("queue") or pytest.fail("nobody holds the queue"):
        second = Outgoing(other).work()
    other.close()
    assert (second.held_by_another, second.sent, second.remaining) == (True, 0, 2)


def test_a_limit_is_kept(sending: House, sink: Sink) -> None:
    assert Outgoing(sending.tracker).work(limit=1).remaining == 1
    assert len(sink.received) == 1


def test_the_pauses_grow_and_end_at_four_hours() -> None:
    pauses = [back_off(attempts) for attempts in range(1, 10)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (60, 14400)


def test_one_mail_that_we_stumble_over_stops_no_other(sending: House, sink: Sink) -> None:
    first = sending.queued()[0]
    # No address of ours is like this; whatever it brings about, the next mail goes.
    data = first.path.read_bytes()
    first.path.write_bytes(data.replace(b"X-Eventum-Queued: 2026", b"X-Eventum-Queued: 0001"))
    sink.at_rcpt[first.posting.recipient] = "451 4.3.0 later"
    sent = Outgoing(sending.tracker).work()
    assert sent.sent == 1
    assert sent.sent + sent.deferred + sent.failed == 2


def test_a_folder_that_is_missing_is_made_again_before_anything_is_sent(sending: House, sink: Sink) -> None:
    for name in ("sent/cur", "in/cur", "done", "failed"):
        shutil.rmtree(sending.tracker.layout.spool / name)
    with running(sending.tracker, "process-queue"):
        assert Outgoing(sending.tracker).work().sent == 2
        assert Outgoing(sending.tracker).work().sent == 0
    assert len(sink.received) == 2
