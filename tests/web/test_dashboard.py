import re
from datetime import timedelta

import msgspec
import pytest

from eventum.issues.events import Event, Undone
from eventum.store import records
from eventum.tracker import blocked, correspond
from eventum.tracker.lines import lines
from eventum.tracker.writing import Letter
from tests.house import House, mail
from tests.tracker.test_health import ran
from tests.web.browser import Browser, Page, Site


def tiles(page: Page) -> list[tuple[str, str]]:
    """The number and words of each tile."""
    return re.findall(r'<b class="num">(\d+)</b>([^<]+)</a>', page.html)


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser("admin@example.org")


@pytest.fixture
def dev(site: Site) -> Browser:
    return site.browser("dev@example.org")


def test_who_is_not_logged_in_is_asked_to(site: Site) -> None:
    assert site.browser().get("/").path == "/login"


def test_what_waits_comes_first_and_each_number_is_a_link(house: House, dev: Browser) -> None:
    house.arrive(mail("One"), mail("Two", From="Ben <ben@customer.example>"))
    house.set_account(auto_create=type(house.account.auto_create)())
    house.arrive(mail("Three"))
    page = dev.get("/")
    assert tiles(page) == [
        ("2", "issues wait for you"),
        *(("2", "new since yesterday"), ("1", "unassociated mail"), ("0", "blocked mails")),
    ]
    assert {"/issues?assignee=me", "#news", "/emails", "/blocked"} <= set(page.links)


def test_my_issues_are_those_assigned_to_me(house: House, site: Site, dev: Browser) -> None:
    house.arrive(mail("One"))
    assert "#1 · Ana · New" in dev.get("/").text
    other = house.user("other")
    assert "No open issue is yours" in site.browser(other.email).get("/").text


def test_what_others_did_is_told_and_what_i_did_is_not(house: House, dev: Browser, admin: Browser) -> None:
    house.arrive(mail("One"))
    notice = house.sent_to("dev@example.org", "new_issue_assigned").message_id
    house.arrive(mail("Re: One", In_Reply_To=notice, From="dev@example.org"))
    assert "Ana opened #1 One" in dev.get("/").text
    assert "Dev answered #1 One" in admin.get("/").text
    assert "Dev answered" not in dev.get("/").text


def test_what_happened_before_yesterday_is_no_news(house: House, dev: Browser) -> None:
    house.arrive(mail("One"))
    house.now += timedelta(days=1, hours=11)
    assert "Ana opened" in dev.get("/").text
    house.now += timedelta(hours=2)
    assert "Nothing new" in dev.get("/").text


def test_mail_that_waits_is_shown_with_why(house: House, dev: Browser) -> None:
    house.arrive(mail("One"))
    (sent,) = (entry for entry in house.queued() if entry.posting.type == "acknowledgement")
    reply = mail("Re: One", From="eve@elsewhere.example", In_Reply_To=sent.posting.message_id)
    house.arrive(reply)
    house.set_account(auto_create=type(house.account.auto_create)())
    house.arrive(mail("An order"))
    page = dev.get("/")
    assert "Blocked in #1: the sender may not mail this issue" in page.text
    assert "Unassociated: Auto-Creation is off for its account" in page.text


def test_a_reporter_sees_his_own_issues_and_nothing_of_the_desk(house: House, site: Site) -> None:
    reporter = house.user("ana", "reporter", aliases=("ana@customer.example",))
    house.arrive(mail("One"), mail("Two", From="ben@customer.example"))
    page = site.browser(reporter.email).get("/")
    assert "#1 · Ana · New" in page.text and "Two" not in page.text
    assert tiles(page) == [] and "/issues/new" in page.links
    for words in ("Waiting mail", "Accounts", "Queue", "last 14 days"):
        assert words not in page.text


def test_staff_sees_the_accounts_of_its_projects_and_no_ways_of_administrators(house: House, dev: Browser) -> None:
    page = dev.get("/")
    assert "help@example.org" in page.text and "never fetched" in page.text
    assert not [link for link in page.links if link.startswith("/admin")]
    assert "crontab" not in page.text


@pytest.mark.parametrize(
    ("fetched", "sent", "command", "words"),
    [
        (None, None, "download-emails", "No mail has ever been fetched here."),
        (90, 1, "download-emails", "No mail has been fetched since"),
        (1, 30, "process-queue", "No mail has been sent since"),
        (30, 90, "process-queue", "No mail has been sent since"),
        (1, None, "process-queue", "No mail has ever been sent from here."),
    ],
)
def test_a_run_that_does_not_come_is_told_with_the_line_to_copy(
    house: House, admin: Browser, fetched: int | None, sent: int | None, command: str, words: str
) -> None:
    for name, minutes in (("download-emails", fetched), ("process-queue", sent)):
        if minutes is not None:
            ran(house, name, minutes)
    page = admin.get("/")
    assert words in page.text and lines(house.config)[command] in page.text
    assert page.text.count("crontab -e") == 1


def test_the_banner_goes_when_the_runs_come(house: House, admin: Browser) -> None:
    ran(house, "download-emails")
    ran(house, "process-queue")
    assert "crontab" not in admin.get("/").text


def test_the_chart_reads_its_essence_aloud_and_has_its_figures(house: House, dev: Browser) -> None:
    assert "No mail yet" in dev.get("/").text
    for back, came in ((13, 4), (2, 9), (0, 3)):
        house.tracker.daily.add("in", came, house.now - timedelta(days=back))
    house.tracker.daily.add("in", 50, house.now - timedelta(days=14))
    page = dev.get("/")
    (label,) = [given["aria-label"] for tag, given in page.elements if tag == "svg" and given.get("class") == "bars"]
    assert label == (
        "Mails received and sent on each of the last 14 days. The busiest day was Fri 20 Nov with 9 in and 0 out; "
        "today 3 in and 0 out."
    )
    assert "In 16" in page.text and "style=" not in page.html
    assert len([1 for tag, given in page.elements if tag == "rect"]) == 3


def test_a_fresh_installation_says_the_next_step(house: House, site: Site, admin: Browser) -> None:
    assert "No account yet" not in admin.get("/").text
    house.tracker.settings.delete_account(house.account)
    assert "No account yet" in admin.get("/").text
    assert "No account yet" not in site.browser("dev@example.org").get("/").text


def test_a_damaged_issue_does_not_take_the_dashboard_with_it(house: House, dev: Browser) -> None:
    house.arrive(mail("One"), mail("Two", From="ben@customer.example"))
    assert dev.get("/").status == 200
    (house.tracker.layout.issue(1) / "issue.json").write_bytes(b"{")
    page = dev.get("/")
    assert (page.status, "Ben" in page.text or "ben@customer.example" in page.text) == (200, True)


def test_a_mail_that_staff_put_into_an_issue_is_its_senders(house: House, dev: Browser, admin: Browser) -> None:
    house.arrive(mail("One"))
    (sent,) = (entry for entry in house.queued() if entry.posting.type == "acknowledgement")
    (told,) = house.arrive(mail("Re: One", From="Eve <eve@elsewhere.example>", In_Reply_To=sent.posting.message_id))
    assert "A mail from Eve was blocked in #1 One" in admin.get("/").text
    blocked.accept(house.tracker, house.dev.id, blocked.Place(1, told.key))
    page = admin.get("/")
    assert "Eve answered #1 One" in page.text and "Dev answered" not in page.text
    assert "Eve answered" not in dev.get("/").text  # He let it in himself.


def test_what_was_taken_back_is_no_news(house: House, dev: Browser) -> None:
    house.arrive(mail("One"))
    issue = house.issue(1)
    undone = Event(number=issue.next_event, when=house.now, who=house.dev.id, what=Undone(since=1))
    changed = msgspec.structs.replace(issue, events=(*issue.events, undone), next_event=issue.next_event + 1)
    path = house.tracker.layout.issue(1) / "issue.json"
    path.write_bytes(records.encode(changed))
    assert "Nothing new" in dev.get("/").text


def test_a_reporter_hears_of_no_note_and_of_no_blocked_mail(house: House, site: Site) -> None:
    reporter = house.user("ana", "reporter", aliases=("ana@customer.example",))
    house.arrive(mail("One"))
    (sent,) = (entry for entry in house.queued() if entry.posting.type == "acknowledgement")
    house.arrive(mail("Re: One", From="Eve <eve@elsewhere.example>", In_Reply_To=sent.posting.message_id))
    correspond.note(house.tracker, 1, house.dev.email, Letter(text="Between us."))
    notice = house.sent_to("dev@example.org", "new_issue_assigned").message_id
    house.arrive(mail("Re: One", "We come.", From="dev@example.org", In_Reply_To=notice))
    text = site.browser(reporter.email).get("/").text
    assert "Dev answered #1 One" in text
    assert "A mail from" not in text and "note" not in text and "blocked" not in text
