from datetime import timedelta

import pytest

from eventum.store.state import FetchState
from eventum.tracker.lines import lines
from eventum.web.health import MONITOR
from tests.house import House, mail
from tests.tracker.test_health import ran
from tests.web.browser import Browser, Site


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser("admin@example.org")


@pytest.fixture
def well(house: House) -> House:
    """A store whose runs come and whose account is fetched."""
    ran(house, "download-emails")
    ran(house, "process-queue")
    house.tracker.state.save_fetch(house.account.id, FetchState(last_success=house.now - timedelta(minutes=1)))
    return house


def test_a_healthy_store_says_so_with_each_check(well: House, admin: Browser) -> None:
    page = admin.get("/admin/health")
    assert "Mail flows, and nothing needs a person." in page.text
    for words in ("Data folder", "Fetching mail", "Sending mail", "help@example.org", "Disk", "0 mails due"):
        assert words in page.text
    assert "Look at it" not in page.text and "Broken" not in page.text


def test_a_run_that_does_not_come_shows_the_line_to_copy(well: House, admin: Browser) -> None:
    ran(well, "process-queue", 90)
    page = admin.get("/admin/health")
    line = lines(well.config)["process-queue"]
    assert line in page.text and any(given.get("data-copy") == line for tag, given in page.elements if tag == "button")
    assert "Something is broken and needs a person." in page.text


def test_each_row_leads_to_where_it_is_mended(well: House, admin: Browser) -> None:
    state = FetchState(error="The server refused the password.", error_since=well.now, failures=3)
    well.tracker.state.save_fetch(well.account.id, state)
    page = admin.get("/admin/health")
    assert "The server refused the password." in page.text
    assert "flask accounts test" not in page.text  # There is a link.
    for path in (f"/admin/accounts/{well.account.id}", "/admin/queue", "/admin/queue?status=failed", "/admin/dead"):
        assert path in page.links


@pytest.mark.parametrize(("minutes", "status", "word"), [(1, 200, "ok\n"), (15, 200, "ok\n"), (90, 503, "not ok\n")])
def test_a_monitor_hears_one_word_and_no_detail(well: House, site: Site, minutes: int, status: int, word: str) -> None:
    ran(well, "process-queue", minutes)
    page = site.browser().get("/healthz")
    assert (page.status, page.data.decode(), page.headers["Content-Type"]) == (
        *(status, word),
        "text/plain; charset=utf-8",
    )
    assert "Set-Cookie" not in page.headers


def test_a_monitor_that_asks_often_does_not_let_us_look_each_time(well: House, site: Site) -> None:
    assert site.browser().get("/healthz").status == 200
    ran(well, "process-queue", 90)
    assert site.browser().get("/healthz").status == 200
    site.app.extensions[MONITOR]._looked = 0.0
    assert site.browser().get("/healthz").status == 503


def test_a_store_that_cannot_be_used_is_not_ok(house: House, site: Site) -> None:
    store = house.tracker.layout.store
    store.rename(store.with_suffix(".away"))
    page = site.browser().get("/healthz")
    assert (page.status, page.data) == (503, b"not ok\n")


def test_mail_that_failed_is_a_warning_with_a_way_to_it(well: House, admin: Browser) -> None:
    well.arrive(mail())
    entry = well.tracker.outbox.claim(well.tracker.outbox.due()[0])
    assert entry is not None
    well.tracker.outbox.failed(entry, "550 no")
    page = admin.get("/admin/health")
    assert "1 mail was refused for good" in page.text and "Show failed mail" in page.text
