import pytest

from eventum.mail.envelope import Envelope
from tests.commands.called import asked, called, refused
from tests.house import House, mail


@pytest.fixture
def key(house: House) -> str:
    """The key of a mail that was buried."""
    spool = house.tracker.spool
    (key,) = spool.accept([(Envelope(destination=house.account.id, received=house.now), mail())])
    (entry,) = spool.claim(spool.waiting())
    spool.bury(entry, "the run that read it died, three times", 3)
    return key


def test_a_dead_mail_is_listed_and_shown(house: House, key: str) -> None:
    (row,) = asked(house, "dead", "list")
    assert (row["id"], row["reason"]) == (key, "the run that read it died, three times")
    assert key[:12] in called(house, "dead", "list").stdout
    shown = called(house, "dead", "show", key[:8]).stdout
    assert "three times" in shown and "    Please come.\n" in shown
    assert asked(house, "dead", "show", key)["text"] == "Please come."


def test_a_dead_mail_is_tried_again(house: House, key: str) -> None:
    assert "waits for the next `flask download-emails`" in called(house, "dead", "retry", key).stdout
    assert asked(house, "dead", "list") == []
    called(house, "process-queue")
    assert asked(house, "issues", "show", "1")["summary"] == "The printer is on fire"


def test_a_dead_mail_is_deleted(house: House, key: str) -> None:
    assert asked(house, "dead", "delete", key) == {"deleted": key}
    assert called(house, "dead", "list").stdout == "None.\n"


@pytest.mark.parametrize("verb", ["show", "retry", "delete"])
def test_an_unknown_id_is_one_line(house: House, key: str, verb: str) -> None:
    assert refused(house, "dead", verb, "0123456789") == (
        1,
        "Error: There is no dead mail 0123456789; `flask dead list` shows all.\n",
    )
