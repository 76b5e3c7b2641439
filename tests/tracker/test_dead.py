import pytest

from eventum.errors import NotFound
from eventum.mail.envelope import Envelope
from eventum.tracker.dead import dead_mail, dead_mails, delete, retry
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
    house.tracker.reader = Reader(house.tracker.cache, time_limit=0.0)
    row = dead_mail(house.tracker, key)
    assert "longer than 0 s" in str(row["error"]) and row["text"] is None
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
