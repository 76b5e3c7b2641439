import pytest

from eventum.errors import Busy, NotFound, Refused
from eventum.mail.message import parse
from eventum.tracker.queues import STATUSES, delete, queue_entry, queued, retry, retry_all_failed
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
