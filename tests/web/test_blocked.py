"""The desk of blocked mail, and the buttons that are on the issue's page too."""

from datetime import timedelta

import pytest

from eventum.issues.issue import messages
from eventum.tracker import membership
from eventum.tracker.membership import ProjectForm
from tests.house import House, mail
from tests.web.browser import Browser, Site


@pytest.fixture
def key(house: House) -> str:
    """The key of a stranger's mail that is blocked in issue 1; nobody waits to be told."""
    house.arrive(mail(Message_ID="<root@customer.example>"))
    stranger = mail(
        "Re: fire", "It still drips.", From="Stefan <s@posta.example>", In_Reply_To="<root@customer.example>"
    )
    (found,) = house.arrive(stranger)
    for entry in house.queued():
        house.tracker.outbox.forget(entry.id)
    house.now += timedelta(minutes=1)
    return found.key


@pytest.fixture
def dev(site: Site) -> Browser:
    return site.browser("dev@example.org")


def kept(house: House, key: str) -> tuple[str, bool]:
    (found,) = [one for one in messages(house.issue(1).events) if one.key == key]
    return found.kind, found.waits


def test_the_desk_shows_who_may_not_write_where_and_what_he_wrote(key: str, dev: Browser) -> None:
    page = dev.get("/blocked")
    for words in ("s@posta.example may not write to this issue.", "It still drips.", "#1 The printer is on fire"):
        assert words in page.text
    assert page.elements.count(("article", {})) == 0 and "/issues/1" in page.links


def test_an_empty_desk_says_what_would_be_here(dev: Browser) -> None:
    assert "No blocked mail waits" in dev.get("/blocked").text


def test_a_mail_is_accepted_once_and_taken_back(house: House, key: str, dev: Browser) -> None:
    assert dev.submit("/blocked", f"/issues/1/blocked/{key}/accept").path == "/blocked"
    assert kept(house, key) == ("email", False) and house.issue(1).repliers == ()
    page = dev.get("/blocked")
    once = "Nobody is put on the notification list, and the next mail of this sender is blocked again."
    assert f"The mail of Stefan is accepted in #1. {once} ana@customer.example is told in 60 seconds." in page.text
    assert house.issue(1).subscription("s@posta.example") is None
    assert "s@posta.example" not in [
        value for one in dev.get("/issues/1").forms for value in one.values.get("send", [])
    ]
    assert dev.submit(page, "/emails/undo").path == "/blocked"
    assert "Taken back: the mail of Stefan is blocked in #1 again." in dev.get("/blocked").text
    assert kept(house, key) == ("note", True) and house.told() == []


def test_its_sender_is_accepted_from_now_on(house: House, key: str, dev: Browser) -> None:
    dev.submit("/blocked", f"/issues/1/blocked/{key}/allow")
    assert house.issue(1).repliers == ("s@posta.example",)


def test_it_gets_an_issue_of_its_own_once(house: House, key: str, dev: Browser) -> None:
    page = dev.get("/blocked")
    for _ in range(2):
        assert dev.submit(page, f"/issues/1/blocked/{key}/new-issue").status == 303
    assert [one.key for one in messages(house.issue(2).events)] == [key]
    assert not house.tracker.issues.exists(3)


def test_ignored_it_is_not_on_the_desk_any_more_and_undo_brings_it_back(house: House, key: str, dev: Browser) -> None:
    dev.submit("/blocked", f"/issues/1/blocked/{key}/ignore")
    page = dev.get("/blocked")
    assert "No blocked mail waits" in page.text and kept(house, key) == ("note", False)
    dev.submit(page, "/emails/undo")
    assert kept(house, key) == ("note", True) and "It still drips." in dev.get("/blocked").text


def test_a_sender_who_is_not_clear_cannot_be_allowed(house: House, key: str, dev: Browser) -> None:
    (odd,) = house.arrive(mail("Odd", From="a@x.example, b@x.example", In_Reply_To="<root@customer.example>"))
    actions = [form.action for form in dev.get("/blocked").forms]
    assert f"/issues/1/blocked/{odd.key}/accept" in actions and f"/issues/1/blocked/{odd.key}/allow" not in actions
    assert dev.post(f"/issues/1/blocked/{odd.key}/allow").status == 303
    assert "It is not clear who sent this mail" in dev.get("/blocked").text and house.issue(1).repliers == ()


def test_what_a_program_wrote_is_to_be_ignored_and_nobody_is_allowed_by_it(
    house: House, key: str, dev: Browser
) -> None:
    bounce = mail("Away", From="m@x.example", Auto_Submitted="auto-replied", In_Reply_To="<root@customer.example>")
    (machine,) = house.arrive(bounce)
    assert machine.outcome == "blocked"
    for path in ("/blocked", "/issues/1", f"/mails/{machine.key}"):
        actions = [one.action for one in dev.get(path).forms if one.action and machine.key in one.action]
        assert [one.rpartition("/")[2] for one in actions] == ["ignore", "accept", "new-issue"]


def test_a_new_issue_from_it_is_taken_back_to_where_it_was_blocked(house: House, key: str, dev: Browser) -> None:
    dev.submit("/blocked", f"/issues/1/blocked/{key}/new-issue")
    page = dev.get("/blocked")
    assert "Issue #2 is opened for the mail of Stefan." in page.text and "Done lately" in page.text
    assert dev.submit(page, "/emails/undo").path == "/blocked"
    page = dev.get("/blocked")
    assert "Taken back: the mail of Stefan is blocked in #1 again. Issue #2 is closed and empty." in page.text
    assert "It still drips." in page.text and kept(house, key) == ("note", True)


def test_ignored_it_is_no_alarm_any_more_and_says_who_let_it_be(house: House, key: str, dev: Browser) -> None:
    dev.submit("/blocked", f"/issues/1/blocked/{key}/ignore")
    page = dev.get("/issues/1")
    assert "Dev: The blocked mail of Stefan was ignored." in page.text
    assert "Blocked, ignored by Dev" in page.text and "it is kept for staff only" not in page.text


def test_what_was_taken_back_or_decided_by_another_is_said_and_not_done(
    house: House, key: str, dev: Browser, site: Site
) -> None:
    before = dev.get("/blocked")
    dev.submit(before, f"/issues/1/blocked/{key}/accept")
    dev.submit("/blocked", "/emails/undo")
    dev.submit(before, f"/issues/1/blocked/{key}/accept")
    assert "taken back since; choose it again" in dev.get("/blocked").text and kept(house, key) == ("note", True)
    house.now += timedelta(minutes=1)
    dev.submit(before, f"/issues/1/blocked/{key}/ignore")
    assert kept(house, key) == ("note", False)
    house.user("kim", "standard")
    kim = site.browser("kim@example.org")
    kim.post(f"/issues/1/blocked/{key}/accept")
    dev.submit(before, f"/issues/1/blocked/{key}/new-issue")
    assert "not blocked any more" in dev.get("/blocked").text and not house.tracker.issues.exists(2)
    kim.post(f"/issues/1/blocked/{key}/ignore")
    assert "Somebody decided about the mail of Stefan before." in kim.get("/blocked").text


def test_others_find_nothing(house: House, key: str, site: Site) -> None:
    membership.save_project(house.tracker, None, ProjectForm(title="Sales"))
    house.user("sam", "")
    membership.save_user(house.tracker, "sam@example.org", membership.UserForm(members=(("Sales", "manager"),)))
    sam = site.browser("sam@example.org")
    assert "drips" not in sam.get("/blocked").text
    for verb in ("accept", "allow", "new-issue", "ignore"):
        assert sam.post(f"/issues/1/blocked/{key}/{verb}").status == 404
        assert sam.post(f"/issues/1/blocked/{'0' * 64}/{verb}").status == 404
        assert sam.get(f"/issues/1/blocked/{key}/{verb}").status == 405
    house.user("rita", "reporter")
    assert site.browser("rita@example.org").post(f"/issues/1/blocked/{key}/accept").status == 403
    assert kept(house, key) == ("note", True)


@pytest.mark.parametrize("place", ["1/blocked/..%2f..%2fx", "1/blocked/%00", "2/blocked/KEY", "0/blocked/KEY"])
def test_a_place_that_is_none_is_not_found(house: House, key: str, dev: Browser, place: str) -> None:
    assert dev.post(f"/issues/{place.replace('KEY', key)}/accept").status == 404
