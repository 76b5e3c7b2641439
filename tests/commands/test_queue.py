import pytest

from tests.commands.called import asked, called, refused
from tests.house import House, mail

FIELDS = ["id", "status", "recipient", "sender", "subject", "message_id", "type", "issue", "attempts", "next_attempt"]
FIELDS += ["last_reply", "queued", "hold", "reported", "reason"]


@pytest.fixture
def key(house: House) -> str:
    """The key of the acknowledgement of issue 1, which failed."""
    house.arrive(mail())
    outbox = house.tracker.outbox
    (entry,) = (one for one in outbox.due() if outbox.read(one)[0].type == "acknowledgement")
    claimed = outbox.claim(entry)
    assert claimed is not None
    outbox.failed(claimed, "550 5.1.1 no such user")
    return entry.key


def test_the_list_as_json(house: House, key: str) -> None:
    rows = asked(house, "queue", "list")
    assert [list(row) for row in rows] == [FIELDS] * 2
    (row,) = asked(house, "queue", "list", "--status", "failed")
    assert (row["id"], row["type"], row["issue"], row["attempts"]) == (key, "acknowledgement", 1, 1)
    assert (row["last_reply"], row["queued"]) == ("550 5.1.1 no such user", "2026-11-22T12:00:00+00:00")


def test_an_entry_for_people(house: House, key: str) -> None:
    shown = called(house, "queue", "show", key[:8]).stdout
    assert "failed: 550 5.1.1 no such user" in shown
    assert "    Subject: [#1] Issue Created: The printer is on fire\n" in shown
    assert "    Thank you for writing to Help desk." in shown
    assert key[:12] in called(house, "queue", "list").stdout


def test_an_entry_is_tried_again_or_deleted(house: House, key: str) -> None:
    assert called(house, "queue", "retry", key[:8]).stdout == "1 waits for the next `flask process-queue`.\n"
    assert asked(house, "queue", "show", key)["status"] == "pending"
    assert asked(house, "queue", "retry", "--all-failed") == {"retried": []}
    assert called(house, "queue", "delete", key).stdout == f"The entry {key[:12]} is deleted.\n"
    assert refused(house, "queue", "show", key)[0] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "0123456789"), 1, "There is no entry 0123456789 in the queue; `flask queue list` shows all."),
        (("retry",), 2, "Give an ID, or --all-failed, or --all-held."),
        (("retry", "KEY", "--all-failed"), 2, "Give an ID, or --all-failed, or --all-held."),
        (("retry", "--all-held", "--all-failed"), 2, "Give an ID, or --all-failed, or --all-held."),
        (("list", "--status", "lost"), 2, "'lost' is not one of"),
    ],
)
def test_wrong_input_is_one_line(house: House, key: str, arguments: tuple[str, ...], code: int, said: str) -> None:
    given = [key if argument == "KEY" else argument for argument in arguments]
    failed, line = refused(house, "queue", *given)
    assert (failed, said in line) == (code, True), line


def test_while_a_run_sends_what_waits_is_left_to_it(house: House, key: str) -> None:
    called(house, "queue", "retry", key)
    lease = house.tracker.locks.lease("queue")
    assert lease is not None
    with lease:
        code, line = refused(house, "queue", "delete", key)
    assert (code, "A run is sending" in line) == (75, True)
