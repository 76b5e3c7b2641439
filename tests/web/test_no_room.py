"""What people see and may still do while the disk is nearly full, or full."""

import pytest

from eventum.store.room import Room
from tests.house import House, mail
from tests.web.browser import Browser, Site

WRITE = "/issues/1/write#reply"
NEARLY = Room(free=150_000_000, total=10**12, files=10**6, all_files=10**7)
FULL = Room(free=15_000_000, total=10**12, files=10**6, all_files=10**7)


@pytest.fixture
def dev(house: House, site: Site) -> Browser:
    house.arrive(mail())
    return site.browser("dev@example.org")


def test_a_disk_that_is_nearly_full_is_said_on_every_page_to_staff_and_stops_no_work(
    house: House, site: Site, dev: Browser
) -> None:
    assert "nearly full" not in dev.get("/issues").text
    house.room = NEARLY
    page = dev.get("/issues")
    assert "The disk is nearly full. No mail is fetched until there is room." in page.text
    assert "disk.min_free" not in page.text
    admin = site.browser("admin@example.org").get("/")
    assert "less than disk.min_free (200 MB)" in admin.text and "/admin/health" in admin.links
    sent = dev.submit("/issues/1", WRITE, text="Still possible.")
    assert sent.status == 303, sent.text


def test_on_a_full_disk_a_post_is_refused_and_its_text_is_kept(house: House, site: Site, dev: Browser) -> None:
    house.room = FULL
    page = dev.submit("/issues/1", WRITE, text="Very important words.")
    assert page.status == 503 and "The disk is full" in page.text and "Very important words." in page.html
    page = dev.submit("/issues/new", "/issues/new", summary="A summary", text="More words.")
    assert page.status == 503 and "The disk is full" in page.text and "More words." in page.html
    assert len(list(house.tracker.issues.numbers())) == 1
