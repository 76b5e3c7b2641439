import pytest

from eventum.mail.envelope import Envelope
from tests.house import House, mail
from tests.web.browser import Browser, Site


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser("admin@example.org")


@pytest.fixture
def key(house: House) -> str:
    """The key of a mail that was buried."""
    spool = house.tracker.spool
    envelope = Envelope(destination=house.account.id, received=house.now, sender="ana@customer.example")
    (key,) = spool.accept([(envelope, mail(text="<script>alert(1)</script>"))])
    (entry,) = spool.claim(spool.waiting())
    spool.bury(entry, "the run that read it died, three times", 3)
    return key


def test_without_dead_mail_the_page_says_what_would_be_here(admin: Browser) -> None:
    assert "Every mail that came in could be handled." in admin.get("/admin/dead").text


def test_a_dead_mail_is_listed_with_its_reason_and_opened(admin: Browser, key: str) -> None:
    page = admin.get("/admin/dead")
    assert "the run that read it died, three times" in page.text and "ana@customer.example" in page.text
    assert f"/admin/dead/{key}" in page.links
    opened = admin.get(f"/admin/dead/{key}")
    assert "Subject: The printer is on fire" in opened.html
    assert "<script>alert" not in opened.html and "alert(1)" in opened.html


def test_it_is_downloaded_as_it_came_and_never_shown_as_a_page(admin: Browser, key: str) -> None:
    page = admin.get(f"/admin/dead/{key}/raw")
    assert page.data == mail(text="<script>alert(1)</script>")
    assert page.headers["Content-Type"] == "message/rfc822"
    assert page.headers["Content-Disposition"] == f'attachment; filename="{key[:16]}.eml"'
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_it_is_tried_again(house: House, admin: Browser, key: str) -> None:
    assert admin.submit("/admin/dead", f"/admin/dead/{key}/retry").path == "/admin/dead"
    assert "The next run tries it again." in admin.get("/admin/dead").text
    house.arrive()
    assert house.issue(1).summary == "The printer is on fire"


def test_deleting_asks_first(house: House, admin: Browser, key: str) -> None:
    asked = admin.get(f"/admin/dead/{key}/delete")
    assert "Delete this mail for good?" in asked.text and len(house.tracker.spool.dead()) == 1
    assert admin.submit(asked, f"/admin/dead/{key}/delete").status == 303
    assert house.tracker.spool.dead() == []
    for path in ("", "/raw", "/delete"):
        assert admin.get(f"/admin/dead/{key}{path}").status == 404
