"""A blocked mail waits for a person, who lets it in, ignores it, or gives it an issue of its own."""

from datetime import timedelta

import msgspec
import pytest

from eventum.errors import NotFound, Refused
from eventum.issues.issue import messages
from eventum.issues.settings import AddressRouting
from eventum.store.index_texts import Scope
from eventum.store.verify import Verifier
from eventum.tracker import blocked, membership
from eventum.tracker.blocked import Place, accept, ignore, make_issue
from eventum.tracker.change import close
from eventum.tracker.membership import ProjectForm
from tests.house import House, mail

ROOT = {"In_Reply_To": "<root@customer.example>"}


@pytest.fixture
def place(house: House) -> Place:
    """A stranger's mail, blocked in issue 1; its notices forgotten."""
    house.arrive(mail(Message_ID="<root@customer.example>"))
    (found,) = house.arrive(mail("Re: fire", "It still drips.", From="Stefan <s@posta.example>", **ROOT))
    assert found.outcome == "blocked"
    for entry in house.queued():
        house.tracker.outbox.forget(entry.id)
    house.now += timedelta(minutes=1)
    return Place(1, found.key)


def waiting(house: House) -> int:
    house.tracker.index.catch_up()
    return house.tracker.index.waiting(Scope())


def is_whole(house: House) -> bool:
    tracker = house.tracker
    found = Verifier(tracker.layout, tracker.locks, tracker.index).verify().findings
    assert not found, found
    return True


def test_accepted_it_is_an_email_that_is_told_like_one_that_came(house: House, place: Place) -> None:
    assert waiting(house) == 1
    done = accept(house.tracker, "admin@example.org", place)
    kept = messages(house.issue(1).events)[-1]
    assert (kept.key, kept.kind, kept.blocked) == (place.key, "email", "")
    assert (done.issue.emails, done.issue.notes, done.issue.blocked, waiting(house)) == (2, 0, 0, 0)
    assert house.told() == [("email", "ana@customer.example"), ("email", "dev@example.org")]
    assert {entry.address for entry in done.issue.subscriptions} == {"ana@customer.example", "dev@example.org"}
    assert ("person", "accepted") in [(row.table, row.rule) for row in kept.trace]
    assert is_whole(house)


def test_accepted_once_its_sender_may_not_write_again_and_allowed_he_may(house: House, place: Place) -> None:
    accept(house.tracker, None, place)
    (again,) = house.arrive(mail("Re: 2", From="s@posta.example", **ROOT))
    assert again.outcome == "blocked"
    accept(house.tracker, None, Place(1, again.key), always=True)
    assert house.issue(1).repliers == ("s@posta.example",)
    assert house.issue(1).subscription("s@posta.example") is None
    assert [one.outcome for one in house.arrive(mail("Re: 3", From="s@posta.example", **ROOT))] == ["filed"]


def test_it_reopens_a_closed_issue_as_a_customers_mail_does(house: House, place: Place) -> None:
    close(house.tracker, 1, None)
    assert accept(house.tracker, None, place).issue.status == "open"


def test_accepting_twice_is_accepting_once(house: House, place: Place) -> None:
    first = accept(house.tracker, None, place, nonce="0" * 16)
    assert accept(house.tracker, None, place, nonce="0" * 16).issue.next_event == first.issue.next_event
    assert accept(house.tracker, None, place).issue.next_event == first.issue.next_event


def test_a_mail_to_the_address_for_notes_is_accepted_as_a_note(house: House, place: Place) -> None:
    house.set_account(routing=True, leave_copy=False)
    general = house.tracker.settings.general()
    routing = AddressRouting(enabled=True, prefix="note-", host="example.org")
    house.tracker.settings.save_general(msgspec.structs.replace(general, note_routing=routing))
    (note,) = house.arrive(mail("Secret", From="s@posta.example", To="note-1@example.org"))
    assert note.outcome == "blocked"
    for entry in house.queued():
        house.tracker.outbox.forget(entry.id)
    accept(house.tracker, None, Place(1, note.key))
    kept = messages(house.issue(1).events)[-1]
    assert (kept.kind, kept.blocked) == ("note", "")
    assert [notice for notice, _ in house.told()] == ["note"]


def test_ignored_it_waits_no_more_and_stays_a_blocked_note(house: House, place: Place) -> None:
    done = ignore(house.tracker, None, place)
    kept = messages(done.issue.events)[-1]
    assert (kept.kind, kept.blocked, kept.waits, kept.internal) == ("note", "not_entitled", False, True)
    assert (done.issue.notes, done.issue.blocked, waiting(house), house.told()) == (1, 0, 0, [])
    assert not ignore(house.tracker, None, place).changed
    assert accept(house.tracker, None, place).issue.emails == 2 and is_whole(house)


def test_moved_to_an_issue_of_its_own_it_is_in_that_one_only(house: House, place: Place) -> None:
    done = make_issue(house.tracker, "dev@example.org", place)
    assert [one.key for one in messages(done.issue.events)] == [place.key]
    assert (done.issue.reporter, done.issue.project) == ("s@posta.example", house.project.id)
    old = house.issue(1)
    assert (old.notes, old.blocked, [one.key for one in messages(old.events)].count(place.key)) == (0, 0, 0)
    assert ("acknowledgement", "s@posta.example") in house.told()
    assert waiting(house) == 0 and is_whole(house)


def test_a_second_click_makes_no_second_issue(house: House, place: Place) -> None:
    first = make_issue(house.tracker, None, place, nonce="a" * 16)
    assert make_issue(house.tracker, None, place, nonce="a" * 16).issue.number == first.issue.number
    with pytest.raises(NotFound, match=f"is in issue {first.issue.number} already"):
        make_issue(house.tracker, None, place)


def test_after_a_death_between_the_two_steps_it_waits_in_the_list_and_the_click_goes_on(
    house: House, place: Place
) -> None:
    def dying(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    whole, blocked.open_from_mails = blocked.open_from_mails, dying  # type: ignore[assignment]
    try:
        with pytest.raises(KeyboardInterrupt):
            make_issue(house.tracker, None, place)
    finally:
        blocked.open_from_mails = whole
    assert house.tracker.pool.outcome(house.account.id, place.key) == "unassociated" and is_whole(house)
    assert make_issue(house.tracker, None, place).issue.number == 2


def test_who_is_not_clear_can_be_accepted_once_only(house: House, place: Place) -> None:
    (odd,) = house.arrive(mail("Odd", From="a@x.example, b@x.example", **ROOT))
    with pytest.raises(Refused, match="not clear who sent"):
        accept(house.tracker, None, Place(1, odd.key), always=True)
    assert accept(house.tracker, None, Place(1, odd.key)).issue.emails == 2


def test_nobody_is_allowed_by_what_a_program_wrote(house: House, place: Place) -> None:
    (machine,) = house.arrive(mail("Away", From="m@x.example", Auto_Submitted="auto-replied", **ROOT))
    if machine.outcome == "blocked":
        with pytest.raises(Refused, match="A program wrote this mail"):
            accept(house.tracker, None, Place(1, machine.key), always=True)
    assert machine.outcome == "blocked"


@pytest.mark.parametrize("verb", [accept, ignore, make_issue])
def test_it_takes_staff_and_a_mail_that_is_there(house: House, place: Place, verb: object) -> None:
    assert callable(verb)
    house.user("rita", "reporter")
    with pytest.raises(Refused, match="does not work for"):
        verb(house.tracker, "rita@example.org", place)
    with pytest.raises(NotFound):
        verb(house.tracker, None, Place(1, "0" * 64))
    with pytest.raises(NotFound):
        verb(house.tracker, None, Place(9, place.key))


def test_who_may_not_do_both_steps_does_not_begin(house: House, place: Place) -> None:
    membership.save_project(house.tracker, None, ProjectForm(title="Sales"))
    sales = house.tracker.people.project("Sales").id
    house.set_account(project=sales)
    with pytest.raises(Refused, match="does not work for 'Sales'"):
        make_issue(house.tracker, "dev@example.org", place)
    assert messages(house.issue(1).events)[-1].waits
