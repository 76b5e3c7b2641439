"""Associate Emails as people use it."""

from datetime import timedelta

import pytest

from eventum.issues.accounts import AutoCreation
from eventum.issues.issue import messages
from eventum.tracker import membership
from eventum.tracker.membership import ProjectForm
from tests.house import House, mail
from tests.web.browser import Browser, Site

EVE = mail("Loose", "What about me?", From="Eve <eve@x.example>", Message_ID="<loose@x.example>")
BOB = mail("Delivery window", "Friday?", From="Bob <bob@y.example>", Message_ID="<bob@y.example>")


@pytest.fixture
def keys(house: House) -> list[str]:
    """Two mails in the pool; issue 1 is Ana's, assigned to dev, its notices forgotten."""
    house.arrive(mail(Message_ID="<root@customer.example>"))
    house.set_account(auto_create=AutoCreation(enabled=False))
    found = [one.key for one in house.arrive(EVE)]
    house.now += timedelta(minutes=1)
    found += [one.key for one in house.arrive(BOB)]
    for entry in house.queued():
        house.tracker.outbox.forget(entry.id)
    house.now += timedelta(minutes=1)
    return found


@pytest.fixture
def dev(site: Site) -> Browser:
    return site.browser("dev@example.org")


def outcome(house: House, key: str) -> str | None:
    return house.tracker.pool.outcome(house.account.id, key)


def test_the_list_shows_what_waits_the_newest_first_and_the_chosen_mail_beside(
    house: House, keys: list[str], dev: Browser
) -> None:
    page = dev.get("/emails")
    assert page.status == 200
    assert page.text.index("Delivery window") < page.text.index("Loose")
    assert "Friday?" in page.text and "What about me?" not in page.text
    assert "What about me?" in dev.get(f"/emails?mail={keys[0]}").text
    assert "This account opens no issues by itself" in page.text


def test_the_filter_looks_at_senders_and_subjects(keys: list[str], dev: Browser) -> None:
    page = dev.get("/emails?q=delivery")
    assert "Bob" in page.text and "Loose" not in page.text
    assert "Nothing in this list fits" in dev.get("/emails?q=100%").text


def test_the_empty_list_says_what_will_be_here(dev: Browser) -> None:
    assert "Mail that belongs to none will wait here" in dev.get("/emails").text


def test_a_list_there_is_not_is_not_found(dev: Browser) -> None:
    assert dev.get("/emails?list=nowhere").status == 404
    assert dev.get("/emails?page=9999").status == 200


def test_a_mail_is_put_into_an_issue_and_taken_back(house: House, keys: list[str], dev: Browser) -> None:
    sent = dev.submit(f"/emails?mail={keys[0]}", "/emails/associate", q="#1")
    assert (sent.status, sent.path) == (303, "/emails")
    assert messages(house.issue(1).events)[-1].key == keys[0]
    assert house.tracker.outbox.due() == []
    page = dev.get("/emails")
    assert "The mail of Eve is now in #1, as e-mail. ana@customer.example is told in 60 seconds." in page.text
    assert "/issues/1" in page.links
    assert dev.submit(page, "/emails/undo").status == 303
    assert outcome(house, keys[0]) == "unassociated" and house.told() == []
    assert "Taken back: the mail of Eve waits in Associate Emails again." in dev.get("/emails").text


def test_a_double_click_on_associate_or_undo_does_one_thing(house: House, keys: list[str], dev: Browser) -> None:
    form = dev.get(f"/emails?mail={keys[0]}")
    for _ in range(2):
        assert dev.submit(form, "/emails/associate", q="1").status in (303, 404)
    assert [one.key for one in messages(house.issue(1).events)].count(keys[0]) == 1
    undo = dev.get("/emails")
    revisions = []
    for _ in range(2):
        assert dev.submit(undo, "/emails/undo").status == 303
        revisions.append(house.issue(1).revision)
    assert revisions[0] == revisions[1]


def test_words_that_are_no_number_offer_issues_without_a_script(keys: list[str], dev: Browser) -> None:
    page = dev.submit(f"/emails?mail={keys[0]}", "/emails/associate", q="printer fire", way="note")
    assert page.status == 422 and "Choose one of these issues." in page.text
    assert page.form("/emails/associate").values["issue"] == ["1"]
    assert page.form("/emails/associate").values["way"] == ["note"]
    assert dev.submit(page, "/emails/associate").status == 303


@pytest.mark.parametrize("typed", ["", "99", "nothing like that"])
def test_an_issue_there_is_not_is_told_and_the_typing_kept(keys: list[str], dev: Browser, typed: str) -> None:
    page = dev.submit(f"/emails?mail={keys[0]}", "/emails/associate", q=typed)
    assert page.status == 422
    assert page.form("/emails/associate").values["q"] == [typed]


def test_who_will_be_told_is_said_before(keys: list[str], dev: Browser) -> None:
    assert "ana@customer.example will receive it" in dev.get(f"/emails/told?key={keys[0]}&q=1&way=email").text
    assert "eve@x.example will be on the notification list" in dev.get(f"/emails/told?key={keys[0]}&q=1").text
    assert "Associate with #1" in dev.get(f"/emails/told?key={keys[0]}&q=1").text
    reference = dev.get(f"/emails/told?key={keys[0]}&q=1&way=reference").text
    assert "Nobody will be told" in reference and "notification list" not in reference
    assert "There is no issue 77" in dev.get(f"/emails/told?key={keys[0]}&issue=77").text


def test_several_mails_become_one_issue_and_wait_again_after_undo(house: House, keys: list[str], dev: Browser) -> None:
    chosen = dev.submit("/emails", "/emails/choose", key=keys)
    assert chosen.status == 303
    page = dev.get(chosen.location)
    assert "2 mails together" in page.text
    assert dev.submit(page, "/emails/new-issue", priority="High", assign="dev@example.org").status == 303
    issue = house.issue(2)
    assert (issue.summary, issue.priority, issue.assignees) == ("Loose", "High", (house.dev.id,))
    assert [one.key for one in messages(issue.events)] == keys
    dev.submit("/emails", "/emails/undo")
    assert [outcome(house, key) for key in keys] == ["unassociated"] * 2 and house.issue(2).closed


def test_what_i_did_lately_can_be_taken_back_from_the_desk_when_the_line_is_gone(
    house: House, keys: list[str], dev: Browser, site: Site
) -> None:
    dev.submit(f"/emails?mail={keys[0]}", "/emails/associate", q="#1")
    dev.get("/")
    page = dev.get("/emails")
    assert "Done lately" in page.text and "The mail of Eve is now in #1, as e-mail." in page.text
    house.user("kim", "standard")
    assert "Done lately" not in site.browser("kim@example.org").get("/emails").text
    assert dev.submit(page, "/emails/undo").path == "/emails"
    assert outcome(house, keys[0]) == "unassociated"
    assert "Done lately" not in dev.get("/emails").text


def test_a_mail_is_taken_out_of_the_issue_it_was_put_into(
    house: House, keys: list[str], dev: Browser, site: Site
) -> None:
    dev.submit(f"/emails?mail={keys[0]}", "/emails/associate", q="#1")
    house.now += timedelta(minutes=20)
    assert "Done lately" not in dev.get("/emails").text
    where = f"/issues/1/mails/{keys[0]}/take-out"
    house.user("rita", "reporter")
    assert site.browser("rita@example.org").post(where).status == 403
    assert "Take out of #1" in dev.get("/issues/1").text
    assert dev.submit("/issues/1", where).path == "/issues/1"
    page = dev.get("/issues/1")
    assert "The mail of Eve is out of #1 and waits in Associate Emails." in page.text
    assert f"/emails?mail={keys[0]}" in page.links and where not in [one.action for one in page.forms]
    assert outcome(house, keys[0]) == "unassociated"
    assert dev.post(where).status == 404


def test_what_opened_the_issue_is_not_taken_out(house: House, keys: list[str], dev: Browser) -> None:
    (root,) = messages(house.issue(1).events)
    assert "Take out of" not in dev.get("/issues/1").text
    dev.post(f"/issues/1/mails/{root.key}/take-out")
    assert "cannot be taken out" in dev.get("/issues/1").text and messages(house.issue(1).events) == (root,)


def test_what_was_taken_back_is_one_line_of_the_history(house: House, keys: list[str], dev: Browser) -> None:
    dev.submit(f"/emails?mail={keys[0]}", "/emails/associate", q="#1")
    house.now += timedelta(minutes=1)
    dev.submit("/emails", "/emails/undo")
    page = dev.get("/issues/1")
    assert "a mail put in and taken back" in page.text and "Dev: A mail was put into the issue" in page.text
    assert "message taken out" not in page.text and "eve@x.example" not in page.text


def test_an_issue_that_was_taken_back_says_so_and_cannot_be_answered(
    house: House, keys: list[str], dev: Browser
) -> None:
    dev.submit(f"/emails?mail={keys[0]}", "/emails/new-issue")
    assert "Issue #2 is opened for the mail of Eve." in dev.get("/issues/2").text
    dev.submit("/emails", "/emails/undo")
    page = dev.get("/emails")
    assert "waits in Associate Emails again. Issue #2 is closed and empty." in page.text
    page = dev.get("/issues/2")
    assert "This issue was taken back." in page.text
    assert not [one for one in page.forms if one.action and one.action.endswith("/write")]


def test_assignees_of_a_new_issue_are_those_of_its_project(
    house: House, keys: list[str], dev: Browser, site: Site
) -> None:
    membership.save_project(house.tracker, None, ProjectForm(title="Sales"))
    sales = house.tracker.people.project("Sales").id
    house.user("sam", "")
    membership.save_user(house.tracker, "sam@example.org", membership.UserForm(members=(("Sales", "manager"),)))
    assert "Sam" not in dev.get(f"/emails?mail={keys[0]}").text
    assert dev.get(f"/emails/fields?project={sales}").text.strip() == ""
    admin = site.browser("admin@example.org")
    first = admin.get(f"/emails?mail={keys[0]}")
    assert "Sam" not in first.text and first.form("/emails/new-issue").values["project"] == [house.project.id]
    fields = admin.get(f"/emails/fields?project={sales}").text
    assert "Sam" in fields and "Dev" not in fields
    again = admin.submit(first, "/emails/new-issue", do="project", project=sales)
    assert again.status == 200 and "Sam" in again.text and not house.tracker.issues.exists(2)
    assert admin.submit(again, "/emails/new-issue", assign=["sam@example.org"]).status == 303
    assert house.issue(2).project == sales


def test_each_list_says_what_it_would_hold(keys: list[str], dev: Browser) -> None:
    for name, words in (("removed", "No mail was removed"), ("refused", "No mail was refused")):
        assert words in dev.get(f"/emails?list={name}").text


def test_what_is_removed_can_be_restored_and_undone(house: House, keys: list[str], dev: Browser) -> None:
    dev.post("/emails/remove", {"key": keys})
    assert [outcome(house, key) for key in keys] == ["removed"] * 2
    dev.submit("/emails", "/emails/move-back")
    assert [outcome(house, key) for key in keys] == ["unassociated"] * 2
    dev.post("/emails/remove", {"key": keys[0]})
    assert "Loose" in dev.get("/emails?list=removed").text
    dev.submit(f"/emails?list=removed&mail={keys[0]}", "/emails/restore")
    assert "The mail of Eve waits again." in dev.get("/emails").text
    assert outcome(house, keys[0]) == "unassociated"


def test_mail_of_another_project_is_not_there(house: House, keys: list[str], site: Site) -> None:
    membership.save_project(house.tracker, None, ProjectForm(title="Sales"))
    house.user("sam", "")
    membership.save_user(house.tracker, "sam@example.org", membership.UserForm(members=(("Sales", "manager"),)))
    sam = site.browser("sam@example.org")
    assert "Loose" not in sam.get("/emails").text
    for path in (f"/mails/{keys[0]}", f"/mails/{keys[0]}/raw", f"/emails/together?key={keys[0]}"):
        assert sam.get(path).status == 404
    for path in ("associate", "new-issue", "remove", "restore"):
        assert sam.post(f"/emails/{path}", {"key": keys[0], "q": "1"}).status == 404
    assert outcome(house, keys[0]) == "unassociated"


def test_who_is_no_staff_gets_nothing(house: House, keys: list[str], site: Site) -> None:
    house.user("rita", "reporter")
    rita = site.browser("rita@example.org")
    for path in ("/emails", "/emails/together", "/emails/told", "/blocked"):
        assert rita.get(path).status == 403
    assert rita.post("/emails/remove", {"key": keys[0]}).status == 403
    assert site.browser().get("/emails").status == 302


def test_without_a_token_nothing_is_done(house: House, keys: list[str], dev: Browser) -> None:
    for path in ("associate", "new-issue", "remove", "restore", "undo", "move-back", "choose"):
        assert dev.client.post(f"/emails/{path}", data={"key": keys[0]}).status_code == 400
    assert outcome(house, keys[0]) == "unassociated"


@pytest.mark.parametrize("step", [{}, {"issue": "1"}, {"issue": "x", "since": "-1"}, {"issue": "1", "outcome": "../x"}])
def test_an_undo_of_nothing_says_so(house: House, keys: list[str], dev: Browser, step: dict[str, str]) -> None:
    before = house.issue(1)
    assert dev.post("/emails/undo", step).status == 303
    assert house.issue(1) == before


def test_nothing_ticked_is_told(house: House, keys: list[str], dev: Browser) -> None:
    for path in ("choose", "remove", "restore"):
        assert dev.post(f"/emails/{path}").path == "/emails"
        assert "No mail is chosen" in dev.get("/emails").text


def test_more_than_a_page_at_once_is_refused(house: House, keys: list[str], dev: Browser) -> None:
    dev.post("/emails/remove", {"key": [f"{n:064x}" for n in range(51)]})
    assert "50 mails at once are the most" in dev.get("/emails").text


@pytest.mark.parametrize("ident", ["x" * 8, "../../../etc", "%00", "0" * 64])
def test_an_id_that_is_none_is_not_found(house: House, keys: list[str], dev: Browser, ident: str) -> None:
    assert dev.get(f"/emails/together?key={ident}").status in (403, 404)
    assert dev.get(f"/emails?mail={ident}").status == 200
    for path in ("associate", "new-issue", "remove"):
        assert dev.post(f"/emails/{path}", {"key": [ident, keys[0]], "q": "1"}).status in (303, 403, 404)
    assert outcome(house, keys[1]) == "unassociated" and house.issue(1).emails == 1


def test_a_form_sent_again_after_undo_does_not_say_that_it_did_something(
    house: House, keys: list[str], dev: Browser
) -> None:
    form = dev.get(f"/emails?mail={keys[0]}")
    dev.submit(form, "/emails/associate", q="1")
    dev.submit("/emails", "/emails/undo")
    dev.submit(form, "/emails/associate", q="1")
    page = dev.get("/emails")
    assert "taken back since" in page.text and "/emails/undo" not in [one.action for one in page.forms]
    assert outcome(house, keys[0]) == "unassociated"
