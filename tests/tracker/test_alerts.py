"""What administrators are told of troubles: when they begin, when they are over, once."""

import itertools
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from eventum.errors import Busy, Damaged
from eventum.runners.runner import running
from eventum.store import flush
from eventum.store.alerts import AlertState
from eventum.store.sendings import Queued
from eventum.tracker import alerts
from eventum.tracker.tracker import Tracker
from tests.house import House


def letters(house: House) -> list[Queued]:
    return [entry for entry in house.queued() if entry.posting.type == alerts.TYPE]


def subjects(house: House) -> list[str]:
    return sorted(entry.posting.subject for entry in letters(house))


def begin(house: House, name: str = "smtp", sentence: str = "The server takes no mail.") -> None:
    alerts.raised(house.tracker, name, sentence, hint="Look at the server.", line="flask status")


def end(house: House, name: str = "smtp") -> None:
    alerts.over(house.tracker, name, "The server takes mail again.")


def test_a_trouble_is_told_once_when_it_begins_and_once_when_it_is_over(house: House) -> None:
    for _ in range(5):
        begin(house)
        alerts.tell(house.tracker)
        house.now += timedelta(days=1)
    assert subjects(house) == ["Eventum: Trouble: The server takes no mail."]
    for _ in range(5):
        end(house)
        alerts.tell(house.tracker)
    assert subjects(house) == [
        "Eventum: Over: The server takes mail again.",
        "Eventum: Trouble: The server takes no mail.",
    ]
    assert house.tracker.alerts.load().alerts == ()


def test_the_letter_says_what_since_when_and_what_to_do_and_that_a_program_wrote_it(house: House) -> None:
    begin(house)
    alerts.tell(house.tracker)
    letter = house.sent_to("admin@example.org", "alert")
    for said in ("The server takes no mail.", "Since 2026-11-22 12:00 UTC.", "Look at the server.", "flask status"):
        assert said in letter.text
    assert letter.automatic and str(house.root / "data") in letter.text


def test_every_administrator_is_told_and_nobody_else(house: House) -> None:
    house.user("second", administrator=True)
    house.user("gone", administrator=True, active=False)
    begin(house)
    alerts.tell(house.tracker)
    assert [entry.posting.recipient for entry in letters(house)] == ["admin@example.org", "second@example.org"]


def test_what_is_over_before_anybody_was_told_is_told_to_nobody(house: House) -> None:
    begin(house)
    end(house)
    alerts.tell(house.tracker)
    assert letters(house) == []


def test_what_comes_back_before_its_end_was_told_goes_on(house: House) -> None:
    begin(house)
    alerts.tell(house.tracker)
    end(house)
    begin(house)
    alerts.tell(house.tracker)
    assert len(letters(house)) == 1
    assert [one.name for one in house.tracker.alerts.open()] == ["smtp"]


def test_many_troubles_at_once_are_one_letter(house: House) -> None:
    for number in range(40):
        begin(house, f"account-{number}", f"Account {number} cannot be fetched.")
    alerts.tell(house.tracker)
    assert subjects(house) == ["Eventum: 40 troubles began"]
    text = house.sent_to("admin@example.org", "alert").text
    assert "Account 0 cannot" in text and "And 10 more." in text


def test_there_are_so_many_letters_an_hour_and_the_rest_is_told_together_later(house: House) -> None:
    for number in range(25):
        begin(house, f"account-{number}")
        alerts.tell(house.tracker)
    assert len(letters(house)) == alerts.MOST_AN_HOUR
    house.now += timedelta(hours=1)
    alerts.tell(house.tracker)
    assert subjects(house)[-1] == "Eventum: Trouble: The server takes no mail." and len(letters(house)) == 11
    assert "Eventum: 15 troubles began" in subjects(house)


def test_a_run_tells_what_others_noted(house: House) -> None:
    begin(house)
    with running(house.tracker, "process-queue"):
        assert len(letters(house)) == 1
        begin(house, "disk")
    assert len(letters(house)) == 2


@pytest.mark.parametrize("queued", [False, True])
def test_a_run_that_dies_while_it_tells_is_taken_up_without_a_second_mail(house: House, queued: bool) -> None:
    house.user("second", administrator=True)
    begin(house)
    state = house.tracker.alerts.load()
    alerts.tell(house.tracker)
    told = house.tracker.alerts.load()
    if not queued:
        for entry in letters(house)[:1]:
            entry.path.unlink()
    died = AlertState(alerts=state.alerts, letters=told.letters, letter=alerts._letter(state, house.now))
    house.tracker.alerts.save(died)
    house.now += timedelta(minutes=1)
    with running(house.tracker, "process-queue"):
        pass
    assert len(letters(house)) == 2
    assert house.tracker.alerts.load().letter is None


def killed_at(house: House, place: int) -> bool:
    """Note a trouble and tell of it in a process that dies at that call that changes something; whether it did."""
    child = os.fork()
    if child == 0:
        flush._pool = None  # Its threads stayed with the parent.
        left = itertools.count(place, -1)

        def dying(call: Callable[..., Any]) -> Callable[..., Any]:
            def called(*values: Any, **named: Any) -> Any:
                if next(left) == 0:
                    os._exit(9)
                return call(*values, **named)

            return called

        for name in ("rename", "replace", "fsync", "unlink", "link", "write"):
            setattr(os, name, dying(getattr(os, name)))
        tracker = Tracker(house.config, clock=lambda: house.now)
        alerts.raised(tracker, "smtp", "The server takes no mail.")
        alerts.tell(tracker)
        alerts.over(tracker, "smtp", "The server takes mail again.")
        alerts.tell(tracker)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_wherever_a_run_is_killed_each_change_is_told_exactly_once(house: House) -> None:
    house.tracker.close()
    for place in itertools.count():
        was_killed = killed_at(house, place)
        house.now += timedelta(hours=2)
        with running(house.tracker, "process-queue"):
            begin(house)
        with running(house.tracker, "process-queue"):
            end(house)
        told = [subject.split(":")[1].strip() for subject in subjects(house)]
        # A run that died after it told of the end is followed by a trouble of its own.
        assert told in (["Over", "Trouble"], ["Over", "Over", "Trouble", "Trouble"]), place
        for entry in letters(house):
            entry.path.unlink()
        house.tracker.close()
        if not was_killed:
            break
    assert place > 20


def test_a_trouble_that_comes_back_while_a_dead_run_told_its_end_begins_anew(house: House) -> None:
    begin(house)
    alerts.tell(house.tracker)
    end(house)
    state = house.tracker.alerts.load()
    house.tracker.alerts.save(msgspec.structs.replace(state, letter=alerts._letter(state, house.now)))
    house.now += timedelta(minutes=1)
    begin(house)
    alerts.tell(house.tracker)
    assert [subject.split(":")[1].strip() for subject in subjects(house)] == ["Over", "Trouble", "Trouble"]


def test_an_error_is_kept_with_its_places_so_that_a_screen_can_say_it_in_another_language(house: House) -> None:
    alerts.raised(house.tracker, "disk", Busy("The disk of {path} is full.", path="/srv"))
    (one,) = house.tracker.alerts.open()
    assert (one.begun.message, one.begun.values, str(one.begun)) == (
        "The disk of {path} is full.",
        {"path": "/srv"},
        "The disk of /srv is full.",
    )


def test_a_file_that_cannot_be_used_fails_nobody_and_is_not_written_over(house: House) -> None:
    house.tracker.layout.alerts.write_text("{")
    begin(house)
    end(house)
    alerts.tell(house.tracker)
    assert house.tracker.layout.alerts.read_text() == "{"
    with pytest.raises(Damaged):
        house.tracker.alerts.load()


def test_who_only_looks_makes_no_file(house: House) -> None:
    end(house)
    alerts.tell(Tracker(house.config, clock=lambda: house.now))
    assert not house.tracker.layout.alerts.exists()
