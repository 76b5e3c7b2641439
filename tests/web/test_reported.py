"""Reports of mails we sent, as people see them: on the issue, in the queue, on the dashboard, on the mail's page."""

import pytest

from eventum.tracker import membership
from eventum.tracker.correspond import Letter, reply
from tests.house import House, mail
from tests.tracker.test_reported import dsn, group, receipt
from tests.web.browser import Browser, Site

ANA = "ana@customer.example"
NOT_DELIVERED = f"Not delivered to {ANA}: mailbox full"


@pytest.fixture
def about(house: House) -> str:
    """The Message-ID of Dev's answer to Ana, which the mail server took."""
    house.arrive(mail(Message_ID="<root@x>"))
    reply(house.tracker, 1, "dev@example.org", Letter(text="Dear Ana"))
    about = house.sent_to(ANA, "email").message_id
    for entry in house.tracker.outbox.due():
        claimed = house.tracker.outbox.claim(entry)
        assert claimed is not None
        house.tracker.outbox.sent(claimed, "250 2.0.0 Ok: queued as 4AB12")
    return about


@pytest.fixture
def dev(site: Site) -> Browser:
    return site.browser("dev@example.org")


def test_who_wrote_an_answer_that_came_back_sees_it_on_the_issue_and_on_the_dashboard(
    house: House, about: str, dev: Browser
) -> None:
    (report,) = house.arrive(dsn(about, group()))
    page = dev.get("/issues/1")
    assert NOT_DELIVERED in page.text and "552 mailbox full" in page.text
    assert f"/mails/{report.key}" in page.links
    assert f"Delivery failure for {ANA}" in page.text and "A report about a mail of this issue." in page.text
    assert "A mail to ana@customer.example was not delivered in #1" in dev.get("/").text
    # Nothing is left to be decided.
    assert report.key not in dev.get("/blocked").html


def test_the_customer_sees_nothing_of_it(house: House, about: str, site: Site) -> None:
    house.user("ana", role="reporter")
    membership.save_user(house.tracker, "ana@example.org", membership.UserForm(email="ana@example.org", aliases=(ANA,)))
    (report,) = house.arrive(dsn(about, group()))
    ana = site.browser("ana@example.org")
    page = ana.get("/issues/1")
    assert page.status == 200 and "Dear Ana" in page.text
    assert "Not delivered" not in page.text and "Delivery failure" not in page.text
    assert "was not delivered" not in ana.get("/").text
    assert ana.get(f"/mails/{report.key}").status == 404


def test_the_queue_says_why_and_links_the_report(house: House, about: str, site: Site) -> None:
    (report,) = house.arrive(dsn(about, group()))
    admin = site.browser("admin@example.org")
    page = admin.get("/admin/queue?status=failed")
    assert NOT_DELIVERED in page.text and "It came back." in page.text
    (entry,) = (one for one in house.tracker.outbox.entries("failed"))
    page = admin.get(f"/admin/queue/{entry.id}")
    assert NOT_DELIVERED in page.text and f"/mails/{report.key}" in page.links
    assert "250 2.0.0 Ok: queued as 4AB12" in page.text


def test_a_delay_says_what_is_wrong_and_how_long_it_is_tried(house: House, about: str, dev: Browser) -> None:
    until = "Will-Retry-Until: Fri, 27 Nov 2026 11:00:00 +0000"
    house.arrive(dsn(about, f"{group(action='delayed', status='4.4.1', words='timed out')}\r\n{until}"))
    page = dev.get("/issues/1")
    assert f"Delayed on its way to {ANA}" in page.text and "The far end could not be reached" in page.text
    assert "The far end tries until" in page.text and "27" in page.text


def test_a_receipt_shows_at_the_answer(house: House, about: str, dev: Browser) -> None:
    house.arrive(receipt(about))
    page = dev.get("/issues/1")
    assert f"Read by {ANA}" in page.text and f"Read receipt of {ANA}" in page.text


def test_the_page_of_a_report_says_what_it_is_and_of_which_mail(house: House, about: str, dev: Browser) -> None:
    (report,) = house.arrive(dsn(about, group()))
    page = dev.get(f"/mails/{report.key}")
    assert f"Delivery failure for {ANA}" in page.text and "The mailbox is full. 552 mailbox full" in page.text
    assert any(link.startswith("/issues/1#m") for link in page.links)
    assert "Blocked, ignored" not in page.text


def test_an_absence_notice_is_called_one(house: House, about: str, dev: Browser) -> None:
    away = mail("Away", "I am out of the office.", Auto_Submitted="auto-replied", In_Reply_To=about, Message_ID="<v@x>")
    (found,) = house.arrive(away)
    for path in ("/issues/1", f"/mails/{found.key}"):
        assert "Automatic reply (absence)" in dev.get(path).text


def test_what_a_report_says_is_text_and_nothing_else(house: House, about: str, dev: Browser) -> None:
    evil = "<script>alert(1)</script> {{ 7*7 }}"
    (report,) = house.arrive(dsn(about, group(words=f"550 {evil}", status="5.0.0")))
    for path in ("/issues/1", f"/mails/{report.key}", "/"):
        assert "<script>alert" not in dev.get(path).html
    assert evil in dev.get("/issues/1").text
