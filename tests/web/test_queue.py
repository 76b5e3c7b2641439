import re

import msgspec
import pytest

from eventum.issues.settings import Fuse
from tests.house import House, mail
from tests.tracker.test_queues import settle, status_of
from tests.web.browser import Browser, Site

REFUSED = "550 5.1.1 <ana@customer.example>: User unknown"


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser("admin@example.org")


@pytest.fixture
def key(house: House) -> str:
    """The key of the acknowledgement of issue 1."""
    house.arrive(mail())
    (entry,) = (entry for entry in house.queued() if entry.posting.type == "acknowledgement")
    return entry.id


def fail(house: House, key: str) -> None:
    outbox = house.tracker.outbox
    (entry,) = (entry for entry in outbox.due() if entry.key == key)
    claimed = outbox.claim(entry)
    assert claimed is not None
    outbox.failed(claimed, REFUSED)


def test_an_empty_queue_says_so(admin: Browser) -> None:
    assert "Everything was sent" in admin.get("/admin/queue").text
    for status, words in (("sent", "Nothing was sent yet"), ("failed", "Nothing failed"), ("held", "no such mail")):
        assert words in admin.get(f"/admin/queue?status={status}").text


@pytest.mark.parametrize("path", ["/admin/queue", "/admin/dead", "/admin/health", "/admin/queue/0123456789"])
@pytest.mark.parametrize(("who", "status"), [(None, 302), ("dev@example.org", 403)])
def test_only_an_administrator_sees_them(site: Site, path: str, who: str | None, status: int) -> None:
    assert site.browser(who).get(path).status == status


def test_what_waits_is_listed_with_notice_and_issue(admin: Browser, key: str) -> None:
    page = admin.get("/admin/queue")
    assert "Acknowledgement · #1" in page.text and "ana@customer.example" in page.text
    assert f"/admin/queue/{key}" in page.links and "/issues/1" in page.links
    counts = dict(re.findall(r"(Not sent yet|Failed|Pending|Sent) (\d+)", page.text))
    assert counts == {"Not sent yet": "2", "Failed": "0", "Pending": "2", "Sent": "0"}


def test_a_failure_shows_what_it_means_and_the_far_ends_own_words(house: House, admin: Browser, key: str) -> None:
    fail(house, key)
    page = admin.get("/admin/queue?status=failed")
    assert "The far end knows no such mailbox." in page.text and REFUSED in page.text
    assert REFUSED in admin.get(f"/admin/queue/{key}").text


def test_a_failure_is_tried_again(house: House, admin: Browser, key: str) -> None:
    fail(house, key)
    page = admin.submit("/admin/queue?status=failed", f"/admin/queue/{key}/retry")
    assert (page.status, page.location) == (303, "/admin/queue?status=failed")
    assert status_of(house, key) == "pending"
    assert "It waits for the next run." in admin.get("/admin/queue").text


def test_all_failures_are_tried_again(house: House, admin: Browser, key: str) -> None:
    fail(house, key)
    assert admin.submit("/admin/queue", "/admin/queue/retry-failed").status == 303
    assert status_of(house, key) == "pending"
    assert "1 mail waits for the next run." in admin.get("/admin/queue").text


def test_what_the_fuse_holds_says_why_and_is_sent_all_at_once(house: House, admin: Browser) -> None:
    general = house.tracker.settings.general()
    house.tracker.settings.save_general(msgspec.structs.replace(general, fuse=Fuse(address=2)))
    house.arrive(mail(Message_ID="<root@x>"))
    house.arrive(*(mail(f"Re: {n}", In_Reply_To="<root@x>", Message_ID=f"<{n}@x>") for n in range(4)))
    page = admin.get("/admin/queue?status=held")
    assert "Too many mails of ana@customer.example came into issue #1 within an hour." in page.text
    assert admin.submit(page, "/admin/queue/retry-failed").status == 303
    assert house.tracker.outbox.count()["held"] == 0
    assert "2 mails wait for the next run." in admin.get("/admin/queue").text


def test_deleting_asks_first(house: House, admin: Browser, key: str) -> None:
    asked = admin.get(f"/admin/queue/{key}/delete")
    assert "Delete the mail to ana@customer.example?" in asked.text
    assert status_of(house, key) == "pending"
    assert admin.submit(asked, f"/admin/queue/{key}/delete").status == 303
    assert status_of(house, key) is None
    assert admin.get(f"/admin/queue/{key}").status == 404


@pytest.mark.parametrize("verb", ["retry", "delete"])
def test_what_a_run_may_have_in_its_hand_is_left_alone_and_that_is_said(
    house: House, admin: Browser, key: str, verb: str
) -> None:
    lease = house.tracker.locks.lease("queue")
    assert lease is not None
    with lease:
        page = admin.post(f"/admin/queue/{key}/{verb}")
    assert (page.status, "A run is sending mail now" in page.text) == (503, True)
    assert status_of(house, key) == "pending"


def test_a_run_that_sends_now_is_told(house: House, admin: Browser, key: str) -> None:
    assert "A run is sending now" not in admin.get("/admin/queue").text
    assert house.tracker.outbox.claim(house.tracker.outbox.due()[0])
    assert "A run is sending now" in admin.get("/admin/queue").text


def test_what_was_sent_stays_sent(house: House, admin: Browser, key: str) -> None:
    settle(house, key, "sent")
    assert admin.post(f"/admin/queue/{key}/retry").status == 403
    assert "was sent; nobody gets a mail twice" in admin.post(f"/admin/queue/{key}/retry").text


@pytest.mark.parametrize("page", ["0", "-1", "99", "x", "１"])
def test_any_page_number_gives_a_page(admin: Browser, key: str, page: str) -> None:
    assert key in admin.get(f"/admin/queue?page={page}").html
    assert admin.get("/admin/queue?status=nonsense").status == 200
