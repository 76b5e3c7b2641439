import pytest

from eventum.errors import NotFound
from eventum.mail.envelope import Envelope
from eventum.tracker.dead import dead_mail, dead_mails, delete, field, retry
from eventum.tracker.limits import Limits
from eventum.tracker.reading import Reader
from tests.house import House, mail


@pytest.fixture
def key(house: House) -> str:
    """The key of a mail that was buried."""
    spool = house.tracker.spool
    envelope = Envelope(destination=house.account.id, received=house.now, sender="ana@customer.example")
    (key,) = spool.accept([(envelope, mail())])
    (entry,) = spool.claim(spool.waiting())
    spool.bury(entry, "the run that read it died, three times", 3)
    return key


def test_a_dead_mail_is_listed_with_its_reason(house: House, key: str) -> None:
    (row,) = dead_mails(house.tracker)
    assert (row["id"], row["reason"], row["attempts"]) == (key, "the run that read it died, three times", 3)
    assert (row["account"], row["received"], row["sender"]) == (house.account.id, house.now, "ana@customer.example")


def test_a_dead_mail_is_read_by_the_guarded_child(house: House, key: str) -> None:
    row = dead_mail(house.tracker, key[:8])
    assert "Subject: The printer is on fire" in row["headers"] and "X-Eventum" not in row["headers"]
    assert (row["text"], row["error"]) == ("Please come.", None)


def test_one_that_kills_its_reader_is_shown_all_the_same(house: House, key: str) -> None:
    house.tracker.reader = Reader(house.tracker.cache, Limits(answer=1))
    row = dead_mail(house.tracker, key)
    assert "gave an answer of" in str(row["error"]) and row["text"] is None
    assert "Subject: The printer is on fire" in str(row["headers"])


def test_a_dead_mail_can_be_tried_again(house: House, key: str) -> None:
    assert retry(house.tracker, key) == key
    assert dead_mails(house.tracker) == []
    house.arrive()
    assert house.issue(1).summary == "The printer is on fire"


def test_a_dead_mail_can_be_deleted(house: House, key: str) -> None:
    assert delete(house.tracker, key) == key
    with pytest.raises(NotFound, match="There is no dead mail .*; `flask dead list` shows all"):
        delete(house.tracker, key)
    assert list((house.config.data / "spool" / "dead").rglob("*.json")) == []


@pytest.mark.parametrize(
    ("head", "sender", "subject"),
    [
        (b"From: ana@x.example\r\nSubject: Fire\r\n\r\nSubject: no\r\n", "ana@x.example", "Fire"),
        (b"from:ana@x.example\nSUBJECT:\tFire\n\n", "ana@x.example", "Fire"),
        (b"Subject: =?utf-8?b?5pel5pys?= =?utf-8?q?=E8=AA=9E?=\r\n\r\n", "", "日本語"),
        (b"Subject: =?utf-8?b?%%%?= =?nowhere?q?x?=\r\n\r\n", "", "x"),
        (b"Subject: " + b"\xff\x00\x1b[31m" + b"a" * 10**6, "", None),
        (b"\r\nSubject: a body\r\n", "", ""),
        (b"", "", ""),
    ],
)
def test_from_and_subject_are_read_by_hand(head: bytes, sender: str, subject: str | None) -> None:
    assert field(head, b"from") == sender
    found = field(head, b"subject")
    assert found.isprintable() and len(found) <= 400
    assert subject is None or found == subject


def test_the_list_says_whose_mail_it_is(house: House, key: str) -> None:
    (row,) = dead_mails(house.tracker)
    assert (row["from"], row["subject"]) == ("Ana <ana@customer.example>", "The printer is on fire")
