"""Logging in and out, and all that may end a session (reliability T19 to T23)."""

import time
from datetime import timedelta

import msgspec
import pytest

from eventum.tracker import membership
from eventum.tracker.membership import UserForm
from tests.house import House
from tests.web.browser import Browser, Page, Site
from tests.web.entrance import PASSWORD, quick_hash, try_in

ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture(autouse=True)
def dev(house: House) -> None:
    form = UserForm(password=quick_hash(PASSWORD), aliases=("d@example.org",))
    membership.save_user(house.tracker, "dev@example.org", form)


def cookie(browser: Browser) -> str:
    found = browser.client.get_cookie("eventum")
    return found.value if found else ""


def logged_in(site: Site) -> Browser:
    browser = site.browser()
    assert try_in(browser).status == 303
    return browser


def is_in(browser: Browser) -> bool:
    page = browser.get("/preferences")
    assert page.status in (200, 302)
    return page.status == 200


@pytest.mark.parametrize("name", ["dev@example.org", " DEV@Example.org ", "d@example.org"])
def test_who_knows_the_password_is_let_in_by_address_or_alias(site: Site, name: str) -> None:
    browser = site.browser()
    page = browser.submit("/login", "/login", email=name, password=PASSWORD)
    assert (page.status, page.path) == (303, "/")
    assert is_in(browser)
    assert browser.get("/login").path == "/"


@pytest.mark.parametrize(
    ("email", "password"),
    [("dev@example.org", "battery staple"), ("nobody@example.org", PASSWORD), ("gone@example.org", PASSWORD)],
)
def test_who_does_not_know_it_is_told_the_same_whoever_he_says_he_is(
    site: Site, house: House, email: str, password: str
) -> None:
    house.user("gone", password=quick_hash(PASSWORD), active=False)
    browser = site.browser()
    page = browser.submit("/login", "/login", email=email, password=password)
    assert page.status == 422
    assert "The e-mail address or the password is wrong." in page.text
    assert page.form("/login").values["email"] == [email]
    assert password not in page.html
    assert not is_in(browser)


def test_a_user_without_a_password_cannot_log_in(site: Site) -> None:
    assert try_in(site.browser(), "admin@example.org", "").status == 422
    assert try_in(site.browser(), "admin@example.org", "x").status == 422


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}],
)
def test_a_form_of_another_site_logs_nobody_in(site: Site, headers: dict[str, str]) -> None:
    browser = site.browser()
    assert try_in(browser, headers=headers).status == 403
    assert not is_in(browser)


def test_without_the_token_of_this_session_nobody_is_logged_in(site: Site) -> None:
    browser, other = site.browser(), site.browser()
    values = {"email": "dev@example.org", "password": PASSWORD}
    assert Page(browser.client.post("/login", data=values)).status == 400
    assert Page(browser.client.post("/login", data={**values, "csrf_token": other.token()})).status == 400
    assert not is_in(browser)


def test_a_session_begins_with_a_cookie_of_its_own(site: Site) -> None:
    browser = site.browser()
    browser.get("/login")
    before = cookie(browser)
    page = try_in(browser)
    assert cookie(browser) != before
    browser.client.set_cookie("eventum", before)
    assert not is_in(browser)
    line = page.headers["Set-Cookie"]
    assert "HttpOnly" in line and "SameSite=Lax" in line


def test_logging_out_ends_the_sessions_of_all_browsers(site: Site) -> None:
    here, there = logged_in(site), logged_in(site)
    before = cookie(here)
    page = here.post("/logout")
    assert (page.status, page.path) == (303, "/login")
    assert "logged out" in here.get("/login").text
    assert not is_in(there)
    here.client.set_cookie("eventum", before)
    assert not is_in(here)


@pytest.mark.parametrize(
    "form",
    [
        UserForm(password=quick_hash("battery staple")),
        UserForm(members=(("Help desk", "manager"),)),
        UserForm(members=(("Help desk", "none"),)),
        UserForm(administrator=True),
        UserForm(active=False),
    ],
)
def test_what_changes_the_rights_of_a_user_ends_his_sessions(site: Site, house: House, form: UserForm) -> None:
    browser = logged_in(site)
    membership.save_user(house.tracker, "dev@example.org", form)
    assert not is_in(browser)


def test_what_changes_no_right_ends_no_session(site: Site, house: House) -> None:
    browser = logged_in(site)
    membership.save_user(house.tracker, "dev@example.org", UserForm(name="Dee", email="dee@example.org"))
    assert is_in(browser)


def test_a_session_ends_after_two_weeks_however_busy_it_is(site: Site, house: House) -> None:
    browser = logged_in(site)
    house.now += timedelta(days=13)
    assert is_in(browser)
    house.now += timedelta(days=1)
    assert not is_in(browser)


@pytest.mark.parametrize(
    "wanted",
    [
        *("//e", "https:e", "/\\e", "\\\\e", "/%09/e", "/\t/e", " //e", "javascript:alert(1)", "https://e", "///e"),
        *("/ /e", "/%2f/e//", "http:/e", "/\r\n/e", "/issues//evil", "e.example", "/" + "a" * 2000),
    ],
)
def test_nobody_is_led_to_another_site(site: Site, wanted: str) -> None:
    browser = site.browser()
    opened = browser.get("/login", query_string={"next": wanted})
    assert "next" not in opened.form("/login").values
    page = browser.post("/login", {"email": "dev@example.org", "password": PASSWORD, "next": wanted})
    assert (page.status, page.location) == (303, "/")


def test_who_wanted_a_page_gets_there(site: Site) -> None:
    browser = site.browser()
    asked = browser.get("/preferences/password")
    assert (asked.status, asked.path) == (302, "/login")
    page = browser.submit(asked.location, "/login", email="dev@example.org", password=PASSWORD)
    assert page.location == "/preferences/password"


def test_what_was_sent_before_logging_in_is_not_done_after(site: Site, house: House) -> None:
    browser = site.browser()
    lost = browser.post("/preferences", {"name": "Eve"})
    assert (lost.status, lost.location) == (302, "/login")
    assert browser.submit("/login", "/login", email="dev@example.org", password=PASSWORD).location == "/"
    assert house.tracker.people.user("dev@example.org").name == "Dev"


def test_the_sixth_try_for_an_address_has_to_wait(site: Site, house: House) -> None:
    browser = site.browser()
    for number in range(5):
        where = {"REMOTE_ADDR": f"192.0.2.{number}"}
        assert (
            try_in(browser, "DEV@example.org" if number % 2 else "d@example.org", "w", environ_base=where).status == 422
        )
    page = try_in(browser, environ_base=ELSEWHERE)
    assert page.status == 429
    assert page.headers["Retry-After"] == "900"
    assert "Try again after 12:15 UTC." in page.text
    house.now += timedelta(minutes=15)
    assert try_in(browser).status == 303


def test_the_sixth_try_from_a_client_has_to_wait_whatever_he_writes_into_a_header(site: Site, house: House) -> None:
    house.user("mia", password=quick_hash(PASSWORD))
    browser = site.browser()
    for number in range(5):
        forged = {"X-Forwarded-For": f"198.51.100.{number}"}
        assert try_in(browser, f"nobody-{number}@example.org", headers=forged).status == 422
    assert try_in(browser, headers={"X-Forwarded-For": "203.0.113.9"}).status == 429
    assert try_in(browser, environ_base=ELSEWHERE).status == 303


def test_a_neighbour_in_the_same_network_of_ipv6_is_the_same_client(site: Site) -> None:
    browser = site.browser()
    for number in range(5):
        where = {"REMOTE_ADDR": f"2001:db8:1:2::{number}"}
        assert try_in(browser, f"nobody-{number}@example.org", environ_base=where).status == 422
    assert try_in(browser, environ_base={"REMOTE_ADDR": "2001:db8:1:2:ffff::1"}).status == 429
    assert try_in(browser, environ_base={"REMOTE_ADDR": "2001:db8:1:3::1"}).status == 303


def test_a_proxy_we_were_told_of_is_believed_and_nobody_before_it(house: House) -> None:
    house.config = msgspec.structs.replace(house.config, trusted_proxies=1)
    site = Site(house)
    browser = site.browser()
    for number in range(5):
        forged = {"X-Forwarded-For": f"203.0.113.{number}, 198.51.100.1"}
        assert try_in(browser, f"nobody-{number}@example.org", headers=forged).status == 422
    assert try_in(browser, headers={"X-Forwarded-For": "203.0.113.99, 198.51.100.1"}).status == 429
    assert try_in(browser, headers={"X-Forwarded-For": "198.51.100.1, 198.51.100.2"}).status == 303
    site.close()


def test_a_good_login_forgives_the_bad_ones(site: Site, house: House) -> None:
    browser = site.browser()
    for _ in range(3):
        for _ in range(4):
            assert try_in(browser, password="w", environ_base=ELSEWHERE).status == 422
            house.now += timedelta(minutes=4)
        assert try_in(browser).status == 303
        browser = site.browser()


def test_no_password_is_written_down(site: Site, house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    try_in(site.browser(), "dev@example.org", "battery staple")
    try_in(site.browser(), "battery staple", "battery staple")
    try_in(site.browser())
    assert "battery" not in caplog.text and "horse" not in caplog.text and "scrypt" not in caplog.text
    kept = b"".join(path.read_bytes() for path in (house.root / "data").rglob("*") if path.is_file())
    assert b"battery" not in kept and b"horse" not in kept


def test_a_session_does_not_live_again_with_the_rights_it_ended_with(site: Site, house: House) -> None:
    for ended, again in (
        (UserForm(active=False), UserForm(active=True)),
        (UserForm(members=(("Help desk", "viewer"),)), UserForm(members=(("Help desk", "developer"),))),
    ):
        dev = site.browser("dev@example.org")
        assert dev.get("/issues").status == 200
        membership.save_user(house.tracker, "dev@example.org", ended)
        membership.save_user(house.tracker, "dev@example.org", again)
        assert dev.get("/issues").path == "/login"


def test_a_piece_of_a_page_that_comes_late_puts_no_older_session_over_a_newer(site: Site) -> None:
    dev = site.browser("dev@example.org")
    assert dev.get("/issues").headers.getlist("Set-Cookie")
    assert not dev.get("/issues?rows=1", headers={"HX-Request": "true"}).headers.getlist("Set-Cookie")


def test_a_piece_of_a_page_leads_whose_session_ended_to_the_login(site: Site) -> None:
    piece = site.browser().get("/issues", headers={"HX-Request": "true", "HX-Current-URL": "http://localhost/issues"})
    assert (piece.status, piece.headers["HX-Redirect"]) == (401, "/login?next=/issues")


@pytest.mark.parametrize(("back", "stays"), [(timedelta(hours=1), True), (timedelta(days=300), False)])
def test_a_clock_that_is_set_back_a_little_ends_no_session(
    house: House, site: Site, monkeypatch: pytest.MonkeyPatch, back: timedelta, stays: bool
) -> None:
    browser = logged_in(site)
    begun = time.time()
    house.now -= back
    monkeypatch.setattr(time, "time", lambda: begun - back.total_seconds())
    assert is_in(browser) == stays


def test_a_session_ends_when_it_was_not_used_for_long(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = logged_in(site)
    later = time.time() + 13 * 3600
    monkeypatch.setattr(time, "time", lambda: later)
    assert not is_in(browser)
