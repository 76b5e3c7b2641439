import os

import pytest

from eventum.errors import Busy, NotFound, Refused
from eventum.mail.envelope import Posting
from eventum.mail.message import parse
from eventum.store.flush import Flush
from eventum.store.outbox import key_of
from eventum.tracker import queues
from eventum.tracker.queues import STATUSES, delete, part, queue_entry, queued, retry, retry_all_failed
from tests.house import House, mail


@pytest.fixture
def key(house: House) -> str:
    """The key of the acknowledgement of issue 1."""
    house.arrive(mail())
    (entry,) = (entry for entry in house.queued() if entry.posting.type == "acknowledgement")
    return entry.id


def settle(house: House, key: str, status: str) -> None:
    """What a run does with an entry."""
    outbox = house.tracker.outbox
    (entry,) = (entry for entry in outbox.due() if entry.key == key)
    claimed = outbox.claim(entry)
    assert claimed is not None
    {"sent": outbox.sent, "failed": outbox.failed, "deferred": outbox.defer}[status](
        claimed, f"{status}: said the server"
    )


def status_of(house: House, key: str) -> str | None:
    return house.tracker.outbox.states([key]).get(key)


def test_an_entry_is_listed(house: House, key: str) -> None:
    (row,) = (row for row in queued(house.tracker) if row["id"] == key)
    assert row == {
        "id": key,
        "status": "pending",
        "recipient": "ana@customer.example",
        "sender": "",
        "subject": "[#1] Issue Created: The printer is on fire",
        "message_id": row["message_id"],
        "type": "acknowledgement",
        "issue": 1,
        "attempts": 0,
        "next_attempt": None,
        "last_reply": None,
        "queued": house.now,
        "hold": None,
        "reported": None,
        "reason": None,
    }


@pytest.mark.parametrize("status", ["sent", "failed", "deferred"])
def test_the_list_can_be_of_one_status(house: House, key: str, status: str) -> None:
    settle(house, key, status)
    for wanted in STATUSES:
        ids = [row["id"] for row in queued(house.tracker, wanted)]
        assert (key in ids) is (wanted == status)
        assert len(ids) == {status: 1, "pending": 1}.get(wanted, 0)
    (row,) = queued(house.tracker, status)
    assert (row["attempts"], row["last_reply"]) == (1, f"{status}: said the server")
    assert (row["next_attempt"] is not None) is (status == "deferred")


@pytest.mark.parametrize("status", ["pending", "sent", "failed", "deferred"])
def test_an_entry_is_shown_with_its_log_and_mail(house: House, key: str, status: str) -> None:
    if status != "pending":
        settle(house, key, status)
    row = queue_entry(house.tracker, key[:9])
    assert (row["id"], row["status"]) == (key, status)
    assert [line["status"] for line in row["log"]] == ([] if status == "pending" else [status])
    assert "Subject: [#1] Issue Created" in row["headers"] and "X-Eventum-Trace" not in row["headers"]
    assert "Thank you for writing" in row["text"]
    assert parse(row["headers"].encode()).message_id == row["message_id"]


@pytest.mark.parametrize("status", ["failed", "deferred"])
def test_what_failed_or_was_put_off_is_tried_again_at_once(house: House, key: str, status: str) -> None:
    settle(house, key, status)
    assert key not in [entry.key for entry in house.tracker.outbox.due()]
    assert retry(house.tracker, key) == key
    assert key in [entry.key for entry in house.tracker.outbox.due()]
    assert queue_entry(house.tracker, key)["attempts"] == 1


def test_what_was_sent_is_not_sent_again(house: House, key: str) -> None:
    settle(house, key, "sent")
    with pytest.raises(Refused, match="nobody gets a mail twice"):
        retry(house.tracker, key)
    assert status_of(house, key) == "sent"


def test_all_that_failed_is_tried_again(house: House, key: str) -> None:
    settle(house, key, "failed")
    assert retry_all_failed(house.tracker) == [key]
    assert retry_all_failed(house.tracker) == []
    assert status_of(house, key) == "pending"


@pytest.mark.parametrize("verb", [retry, delete])
def test_what_a_run_may_have_in_its_hand_is_left_alone(house: House, key: str, verb: object) -> None:
    assert callable(verb)
    lease = house.tracker.locks.lease("queue")
    assert lease is not None
    with lease, pytest.raises(Busy, match="A run is sending"):
        verb(house.tracker, key)
    assert status_of(house, key) == "pending"
    verb(house.tracker, key)


@pytest.mark.parametrize("status", ["pending", "failed", "sent"])
def test_an_entry_can_be_deleted(house: House, key: str, status: str) -> None:
    if status != "pending":
        settle(house, key, status)
    assert delete(house.tracker, key) == key
    assert status_of(house, key) is None
    with pytest.raises(NotFound, match="There is no entry .* in the queue; `flask queue list`"):
        delete(house.tracker, key)


def test_the_lease_is_given_back(house: House, key: str) -> None:
    retry(house.tracker, key)
    lease = house.tracker.locks.lease("queue")
    assert lease is not None
    lease.release()


def put(house: House, event: int, status: str) -> str:
    """The key of an entry in this state."""
    outbox, to = house.tracker.outbox, "ana@customer.example"
    posting = Posting(
        key=key_of(1, event, to),
        recipient=to,
        sender="",
        type="email",
        issue=1,
        event=event,
        queued=house.now,
        message_id=f"<{event}@example.org>",
        subject=f"Mail {event}",
    )
    with Flush() as flush:
        prepared = outbox.prepare(flush, posting, b"Subject: x\r\n\r\nx\r\n")
    outbox.publish([prepared])
    if status != "pending":
        settle(house, posting.key, status)
    return posting.key


def test_a_page_shows_what_is_not_sent_and_what_needs_a_person_first(house: House) -> None:
    keys = [put(house, number, status) for number, status in enumerate(("pending", "sent", "deferred", "failed"), 1)]
    shown = part(house.tracker)
    assert [row["id"] for row in shown.rows] == [keys[3], keys[2], keys[0]]
    assert shown.counts == {"held": 0, "pending": 1, "deferred": 1, "sent": 1, "failed": 1}
    assert (shown.number, shown.last, shown.sending) == (1, 1, False)


def test_what_was_sent_is_shown_newest_first_a_page_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "PAGE", 2)
    keys = [put(house, number, "sent") for number in range(1, 6)]
    for number, wanted in ((1, keys[4:2:-1]), (2, keys[2:0:-1]), (3, keys[:1]), (9, keys[:1]), (-1, keys[4:2:-1])):
        shown = part(house.tracker, "sent", number)
        assert ([row["id"] for row in shown.rows], shown.last) == (wanted, 3)


def test_of_a_page_only_what_it_shows_is_read(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "PAGE", 1)
    keys = [put(house, number, "sent") for number in range(1, 4)]
    for path in (house.tracker.layout.sent / "cur").iterdir():
        if path.name.startswith(keys[2]):
            os.utime(path, (2**31, 2**31))
        else:
            # A link in a circle: whoever reads it passes it over.
            path.unlink()
            path.symlink_to(path.name)
    (row,) = part(house.tracker, "sent").rows
    assert (row["id"], row["subject"]) == (keys[2], "Mail 3")
    assert [entry.id for entry in house.tracker.outbox.entries("sent")] == [keys[2]]


def test_a_run_that_sends_now_is_seen(house: House, key: str) -> None:
    assert not part(house.tracker).sending
    assert house.tracker.outbox.claim(house.tracker.outbox.due()[0])
    assert part(house.tracker).sending
