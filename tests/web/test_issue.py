"""The page of an issue in a browser: what is shown to whom, and what is changed in place."""

import pytest

from eventum.errors import NotFound
from eventum.tracker import change, correspond, subscribe
from eventum.tracker.correspond import Letter
from tests.house import House, mail
from tests.web.browser import Site


@pytest.fixture
def opened(house: House) -> House:
    house.arrive(
        mail(
            text="It burns.\n\nOn 12 May, Dev <dev@example.org> wrote:\n> You said it would not.\n",
            Message_ID="<root@customer.example>",
        )
    )
    return house


def test_the_page_shows_the_mail_who_sent_it_and_why_it_is_here(opened: House, site: Site) -> None:
    page = site.browser("dev@example.org").get("/issues/1")
    assert page.status == 200
    for words in ("The printer is on fire", "It burns.", "ana@customer.example", "unverified", "Why it is here:"):
        assert words in page.text
    assert "Quoted text, 2 lines" in page.text and "You said it would not." in page.text


def test_what_a_mail_sends_on_stands_open_under_its_sender(house: House, site: Site) -> None:
    head = "---------- Forwarded message ---------\nFrom: Julia <julia@x.example>\nDate: Tue\nSubject: <b>Leak</b>"
    house.arrive(mail("Fwd: Leak", text=f"Look.\n\n{head}\n\n  It leaks.\n\n-- \nJulia\nBrandt\n"))
    page = site.browser("dev@example.org").get("/issues/1")
    assert "Forwarded message from Julia <julia@x.example>" in page.text
    assert "<b>Leak</b> · Tue" in page.text and "Signature, 3 lines" in page.text
    assert "<p>  It leaks.</p>" in page.html and "Quoted text" not in page.text


def test_who_may_not_see_it_finds_nothing(opened: House, site: Site) -> None:
    opened.user("eve", role="")
    eve = site.browser("eve@example.org")
    assert eve.get("/issues/1").status == 404
    assert eve.get("/issues/9").status == 404
    for path in ("edit", "assignees", "close", "reopen", "list", "repliers", "write", "draft", "draft/discard"):
        assert eve.post(f"/issues/1/{path}", {"field": "status", "new": "open"}).status == 404, path
    assert opened.issue(1).status == "new"


def test_a_reporter_reads_what_is_public_and_changes_nothing(opened: House, site: Site) -> None:
    opened.user("rep", role="reporter")
    correspond.note(opened.tracker, 1, "dev@example.org", Letter(text="Secret."))
    rep = site.browser("rep@example.org")
    page = rep.get("/issues/1")
    assert "It burns." in page.text and "Secret." not in page.text and "Notification list" not in page.text
    for path, data in (
        ("edit", {"field": "status", "old": "new", "new": "open"}),
        ("list", {"address": "x@y.example"}),
    ):
        assert rep.post(f"/issues/1/{path}", data).status == 403
    assert opened.issue(1).status == "new" and opened.issue(1).subscription("x@y.example") is None


@pytest.mark.parametrize(("field", "new"), [("status", "open"), ("priority", "Low"), ("summary", "The fuser is dead")])
def test_a_field_is_changed_in_place(opened: House, site: Site, field: str, new: str) -> None:
    dev = site.browser("dev@example.org")
    page = dev.get("/issues/1")
    number = next(
        place
        for place, form in enumerate(one for one in page.forms if one.action == "/issues/1/edit")
        if form.values["field"] == [field]
    )
    values = page.form("/issues/1/edit", number).values
    answer = dev.post("/issues/1/edit", {**{name: value[0] for name, value in values.items()}, "new": new})
    assert (answer.status, answer.path) == (303, "/issues/1")
    assert getattr(opened.issue(1), field) == new
    assert opened.issue(1).events[-1].who == opened.dev.id


def test_a_field_that_somebody_else_set_meanwhile_is_told_and_mine_can_be_set_over_it(
    opened: House, site: Site
) -> None:
    dev = site.browser("dev@example.org")
    dev.get("/issues/1")
    change.edit(opened.tracker, 1, "admin@example.org", change.Edit("priority", "High", "Medium"))
    clash = dev.post("/issues/1/edit", {"field": "priority", "old": "High", "new": "Low"})
    assert clash.status == 409 and "Ada changed this issue" in clash.text and "“Medium” now" in clash.text
    assert opened.issue(1).priority == "Medium"
    mine = next(one for one in clash.forms if one.values.get("new") == ["Low"] and one.values.get("old") == ["Medium"])
    assert dev.post("/issues/1/edit", mine.values).status == 303
    assert opened.issue(1).priority == "Low"


def test_assignees_are_ticked_and_who_was_assigned_meanwhile_stays(opened: House, site: Site) -> None:
    sue = opened.user("sue")
    dev = site.browser("dev@example.org")
    page = dev.get("/issues/1")
    change.assign(opened.tracker, 1, None, ["admin@example.org"])
    assert dev.submit(page, "/issues/1/assignees", user=[sue.id]).status == 303
    names = {opened.tracker.people.load_all().user(one).name for one in opened.issue(1).assignees}  # type: ignore[union-attr]
    assert names == {"Sue", "Ada"}


def test_what_was_done_is_said_where_the_page_begins(opened: House, site: Site) -> None:
    dev = site.browser("dev@example.org")
    for path, data in (
        ("edit", {"field": "priority", "old": "High", "new": "Low"}),
        ("list", {"address": "bo@x.example", "action": ["emails"], "do": "add"}),
        ("repliers", {"address": "bo@x.example"}),
    ):
        assert dev.post(f"/issues/1/{path}", data).location == "/issues/1", path


def test_the_address_of_a_form_that_came_back_leads_to_the_issue(opened: House, site: Site) -> None:
    dev = site.browser("dev@example.org")
    for way in ("edit", "write", "close", "reopen", "assignees", "list", "repliers", "retry"):
        assert (dev.get(f"/issues/1/{way}").status, dev.get(f"/issues/1/{way}").location) == (303, "/issues/1"), way
        assert dev.get(f"/issues/9/{way}").status == 404
    assert dev.get("/issues/bulk").location == "/issues"


@pytest.mark.parametrize("number", ["0", "1" * 10, "9" * 4000])
def test_a_number_that_no_issue_can_have_is_not_found(opened: House, site: Site, number: str) -> None:
    dev = site.browser("dev@example.org")
    assert dev.get(f"/issues/{number}").status == 404 and dev.get(f"/issues/{number}/edit").status == 404
    with pytest.raises(NotFound, match="There is no issue"):
        opened.tracker.issues.load(int(number))


def test_a_status_that_somebody_else_set_is_told_in_words(opened: House, site: Site) -> None:
    change.edit(opened.tracker, 1, "admin@example.org", change.Edit("status", "new", "open"))
    clash = site.browser("dev@example.org").post("/issues/1/edit", {"field": "status", "old": "new", "new": "waiting"})
    assert "Status is “Open” now; you chose “Waiting”." in clash.text


def test_who_closes_is_shown_who_will_be_told(opened: House, site: Site) -> None:
    admin = site.browser("admin@example.org")
    page = admin.get("/issues/1")
    assert "Told of it: Dev, ana@customer.example." in page.text and "Close and tell 2 people" in page.text
    for address in ("ana@customer.example", "dev@example.org"):
        subscribe.unsubscribe(opened.tracker, 1, None, address)
    page = admin.get("/issues/1")
    assert "Nobody is told: nobody on the list asked for it." in page.text and "Close issue" in page.text
    assert admin.submit(page, "/issues/1/close").status == 303
    assert "Close and tell" not in admin.get("/issues/1").text


def test_a_notice_that_waits_is_not_called_sent(opened: House, site: Site) -> None:
    opened.arrive(mail("Re", text="More", In_Reply_To="<root@customer.example>"))
    dev = site.browser("admin@example.org")
    assert "Will be sent on to 1 person by the next run" in dev.get("/issues/1").text
    outbox = opened.tracker.outbox
    for entry in outbox.due():
        claimed = outbox.claim(entry)
        assert claimed
        outbox.sent(claimed, "250 ok")
    page = dev.get("/issues/1")
    assert "Sent on to 1 person" in page.text and "Accepted for dev@example.org, " in page.text


def test_the_list_and_its_history_call_actions_the_same(opened: House, site: Site) -> None:
    subscribe.subscribe(opened.tracker, 1, None, "bo@x.example")
    text = site.browser("dev@example.org").get("/issues/1").text
    assert "bo@x.example is on the notification list, for: updates, closing, e-mails, files." in text
    assert "bo@x.example updates, closing, e-mails, files" in text


def test_closing_with_a_reason_and_opening_again(opened: House, site: Site) -> None:
    dev = site.browser("dev@example.org")
    assert dev.submit("/issues/1", "/issues/1/close", reason="It was the fuser.").status == 303
    page = dev.get("/issues/1")
    assert "The issue is closed." in page.text and "Closed: It was the fuser." in page.text
    assert dev.submit(page, "/issues/1/reopen").status == 303
    assert opened.issue(1).closed is None


def test_the_notification_list_is_edited_in_place(opened: House, site: Site) -> None:
    dev = site.browser("dev@example.org")
    page = dev.get("/issues/1")
    last = sum(1 for form in page.forms if form.action == "/issues/1/list") - 1
    form = page.form("/issues/1/list", last)
    assert form.values["action"] == ["updated", "closed", "emails", "files"]
    answer = dev.post("/issues/1/list", {"address": "Bo@x.example", "action": ["emails"], "do": "add"})
    assert answer.status == 303
    entry = opened.issue(1).subscription("bo@x.example")
    assert entry and entry.actions == ("emails",)
    dev.post("/issues/1/list", {"address": "bo@x.example", "action": ["closed", "files"], "do": "set"})
    entry = opened.issue(1).subscription("bo@x.example")
    assert entry and entry.actions == ("closed", "files")
    dev.post("/issues/1/list", {"address": "bo@x.example", "do": "remove"})
    assert opened.issue(1).subscription("bo@x.example") is None
    refused = dev.post("/issues/1/list", {"address": "help@example.org", "action": ["emails"]})
    assert refused.status == 422 and "address of our own" in refused.text


def test_authorised_repliers_are_edited_in_place(opened: House, site: Site) -> None:
    dev = site.browser("dev@example.org")
    assert dev.submit("/issues/1", "/issues/1/repliers", address="Bo@x.example").status == 303
    assert opened.issue(1).repliers == ("bo@x.example",)
    assert dev.submit("/issues/1", "/issues/1/repliers").status == 303
    assert opened.issue(1).repliers == ()


def test_a_double_click_changes_once(opened: House, site: Site) -> None:
    dev = site.browser("dev@example.org")
    data = {"field": "priority", "old": "High", "new": "Low", "nonce": "0123456789abcdef"}
    assert [dev.post("/issues/1/edit", data).status for _ in range(2)] == [303, 303]
    assert sum(event.nonce == data["nonce"] for event in opened.issue(1).events) == 1


def test_a_mail_that_did_not_arrive_is_tried_again_from_its_line(opened: House, site: Site) -> None:
    correspond.reply(opened.tracker, 1, "admin@example.org", Letter(text="We come."))
    outbox = opened.tracker.outbox
    for entry in outbox.due():
        claimed = outbox.claim(entry)
        assert claimed
        outbox.failed(claimed, "550 5.1.1 no such user")
    dev = site.browser("dev@example.org")
    page = dev.get("/issues/1")
    assert "Not delivered to ana@customer.example: no such mailbox The far end knows no such mailbox." in page.text
    assert "550 5.1.1 no such user" in page.text
    key = next(form.values["entry"][0] for form in page.forms if form.action == "/issues/1/retry")
    assert dev.post("/issues/1/retry", {"entry": key}).status == 303
    assert outbox.states([key])[key] == "pending"
    opened.arrive(mail("Another", text="other"))
    assert dev.post("/issues/2/retry", {"entry": key}).status == 409


def test_earlier_messages_come_when_they_are_asked_for(house: House, site: Site) -> None:
    house.arrive(mail("first", text="number 0", Message_ID="<root@customer.example>"))
    for first in (1, 31):
        house.arrive(
            *(
                mail(f"Re {one}", text=f"number {one} of many", In_Reply_To="<root@customer.example>")
                for one in range(first, first + 30)
            )
        )
    dev = site.browser("dev@example.org")
    page = dev.get("/issues/1")
    assert "number 60 of many" in page.text and "number 30 of many" not in page.text
    link = next(one for one in page.links if "before=" in one)
    part = dev.get(link, headers={"HX-Request": "true"})
    assert part.status == 200 and "<html" not in part.html and "number 30 of many" in part.text
    whole = dev.get(link)
    assert "<html" in whole.html and "Show the newest" in whole.text


def test_subscriptions_of_a_user_without_access_are_refused(opened: House, site: Site) -> None:
    opened.user("eve", role="")
    page = site.browser("dev@example.org").post("/issues/1/list", {"address": "eve@example.org", "action": ["emails"]})
    assert page.status == 422 and "may not see issue 1" in page.text
