"""The notification list and the authorised repliers, edited by people."""

import pytest

from eventum.errors import NotFound, Refused
from eventum.issues.events import Subscribed
from eventum.tracker.subscribe import authorise, subscribe, unsubscribe, withdraw
from tests.house import House, mail

DEV = "dev@example.org"


@pytest.fixture
def opened(house: House) -> House:
    house.arrive(mail())
    return house


def test_an_address_is_put_on_the_list_with_its_actions_and_no_others(opened: House) -> None:
    done = subscribe(opened.tracker, 1, DEV, " Bo@X.example ", actions=("files", "emails"))
    entry = done.issue.subscription("bo@x.example")
    assert entry and entry.actions == ("emails", "files") and done.changed
    done = subscribe(opened.tracker, 1, DEV, "bo@x.example", actions=("closed",))
    entry = done.issue.subscription("bo@x.example")
    assert entry and entry.actions == ("closed",)
    assert done.issue.events[-1].what == Subscribed("bo@x.example", ("closed",))
    assert not subscribe(opened.tracker, 1, DEV, "bo@x.example", actions=("closed",)).changed


def test_a_user_has_one_entry_whichever_of_his_addresses_is_typed(opened: House) -> None:
    sue = opened.user("sue", aliases=("susan@home.example",))
    subscribe(opened.tracker, 1, DEV, "susan@home.example")
    done = subscribe(opened.tracker, 1, DEV, "sue@example.org", actions=("emails",))
    assert [entry.actions for entry in done.issue.subscriptions if entry.user == sue.id] == [("emails",)]


def test_what_cannot_be_told_is_refused(opened: House) -> None:
    opened.user("eve", role="")
    opened.user("rep", role="reporter")
    for address, said in (
        ("nonsense", "is not an e-mail address"),
        ("help@example.org", "address of our own"),
        ("eve@example.org", "may not see issue 1"),
    ):
        with pytest.raises(Refused, match=said):
            subscribe(opened.tracker, 1, DEV, address)
    with pytest.raises(Refused, match="Say what bo@x.example is to be told of"):
        subscribe(opened.tracker, 1, DEV, "bo@x.example", actions=())
    with pytest.raises(Refused, match="does not work for"):
        subscribe(opened.tracker, 1, "rep@example.org", "bo@x.example")
    with pytest.raises(NotFound):
        subscribe(opened.tracker, 7, DEV, "bo@x.example")
    assert opened.issue(1).subscription("bo@x.example") is None


def test_who_is_taken_off_the_list_hears_no_more(opened: House) -> None:
    done = unsubscribe(opened.tracker, 1, DEV, "ana@customer.example")
    assert done.changed and done.issue.subscription("ana@customer.example") is None
    assert not unsubscribe(opened.tracker, 1, DEV, "ana@customer.example").changed


def test_an_authorised_replier_may_mail_the_issue_until_he_may_not(opened: House) -> None:
    assert authorise(opened.tracker, 1, DEV, "Bo@x.example").issue.repliers == ("bo@x.example",)
    assert not authorise(opened.tracker, 1, DEV, "bo@x.example").changed
    with pytest.raises(Refused, match="address of our own"):
        authorise(opened.tracker, 1, DEV, "help@example.org")
    assert withdraw(opened.tracker, 1, DEV, "bo@x.example").issue.repliers == ()
