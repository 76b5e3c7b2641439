"""The first visit: a stranger needs the code, each step can be skipped, and afterwards there is no such page."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from eventum.config import Config
from eventum.tracker import first_visit, founding
from eventum.tracker.membership import UserForm
from eventum.tracker.tracker import Tracker
from tests.house import House
from tests.servers.smtp_sink import Sink
from tests.web.browser import Browser, Page, Site

ADA = {"name": "Ada", "email": "ada@example.org", "password": "correct horse", "again": "correct horse"}


class Fresh:
    """A store that was just made, as `flask init` without an address leaves it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")
        self.tracker = Tracker(self.config)
        founding.found(self.tracker, None)
        self.code = first_visit.new_code(self.tracker)

    @property
    def now(self) -> object:
        return self.tracker.clock()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Fresh]:
    fresh = Fresh(tmp_path)
    yield fresh
    fresh.tracker.close()


@pytest.fixture
def site(fresh: Fresh) -> Iterator[Site]:
    site = Site(fresh)  # type: ignore[arg-type]  # all it asks of a house
    yield site
    site.close()


def begun(fresh: Fresh, site: Site) -> Browser:
    """The browser of who has shown the code."""
    browser = site.browser()
    page = browser.submit("/welcome", "/welcome", **ADA, code=fresh.code)
    assert (page.status, page.path) == (303, "/welcome"), page.text
    return browser


def test_all_ways_lead_to_the_set_up_while_nobody_can_log_in(site: Site) -> None:
    browser = site.browser()
    assert browser.get("/login").path == "/welcome"
    assert browser.get("/").path in ("/welcome", "/login")
    assert "waits for its administrator" in browser.get("/welcome").text


@pytest.mark.parametrize("code", ["", "00000-00000-00000-00000", "x"])
def test_without_the_code_a_stranger_gets_nothing(fresh: Fresh, site: Site, code: str) -> None:
    page = site.browser().submit("/welcome", "/welcome", **ADA, code=code)
    assert page.status == 422 and "correct horse" not in page.html
    assert fresh.tracker.people.users() == ()


def test_with_the_code_he_is_the_administrator_and_logged_in(fresh: Fresh, site: Site) -> None:
    browser = begun(fresh, site)
    (user,) = fresh.tracker.people.users()
    assert (user.email, user.administrator) == ("ada@example.org", True)
    assert "This installation" in browser.get("/welcome").text


def test_the_code_is_good_once_and_nobody_else_finds_the_page_again(fresh: Fresh, site: Site) -> None:
    other = site.browser()
    page = other.get("/welcome")
    begun(fresh, site)
    assert other.submit(page, "/welcome", **ADA, code=fresh.code).status == 404
    assert other.get("/welcome").status == 404 and other.get("/login").status == 200


@pytest.mark.parametrize(
    "written", [str.upper, lambda code: code.replace("-", " "), lambda code: code.replace("0", "O")]
)
def test_the_code_may_be_written_as_people_write(fresh: Fresh, site: Site, written: object) -> None:
    code = written(fresh.code)  # type: ignore[operator]  # a function of a string
    assert site.browser().submit("/welcome", "/welcome", **ADA, code=code).status == 303


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"email": ""}, "Give the address"),
        ({"email": "ada"}, "is not an e-mail address"),
        ({"password": "short", "again": "short"}, "at least 8 characters"),
        ({"again": "else"}, "not the same"),
    ],
)
def test_what_cannot_be_taken_is_said_and_the_code_stays_good(
    fresh: Fresh, site: Site, fields: dict[str, str], words: str
) -> None:
    browser = site.browser()
    page = browser.submit("/welcome", "/welcome", **{**ADA, **fields}, code=fresh.code)
    assert page.status == 422 and words in page.text
    assert browser.submit(page, "/welcome", **ADA, code=fresh.code).status == 303


def test_who_was_named_by_init_sets_his_password_and_no_stranger_learns_his_name(tmp_path: Path) -> None:
    fresh = Fresh(tmp_path)
    founding.found(fresh.tracker, UserForm(email="root@example.org", name="Root"))
    site = Site(fresh)  # type: ignore[arg-type]  # all it asks of a house
    browser = site.browser()
    page = browser.get("/welcome")
    assert "root@example.org" not in page.html and "Root" not in page.text
    given = {"password": "correct horse", "again": "correct horse"}
    assert browser.submit(page, "/welcome", **given, code=fresh.code).status == 303
    (user,) = fresh.tracker.people.users()
    assert user.email == "root@example.org" and user.password
    site.close()


def test_a_whole_set_up(fresh: Fresh, site: Site, sink: Sink) -> None:
    browser = begun(fresh, site)
    page = browser.submit("/welcome", "/welcome/installation", general_base_url="https://issues.example.org")
    assert page.status == 303, page.text
    assert browser.submit("/welcome", "/welcome/project", title="Shop").status == 303
    page = browser.get("/welcome")
    assert "First e-mail account" in page.text
    fields = {"host": "mail.example.org", "username": "shop", "password": "staple"}
    assert browser.submit(page, "/welcome/account", **fields).status == 303
    (account,) = fresh.tracker.settings.accounts()
    assert account.auto_create.enabled and fresh.tracker.settings.account_password(account) == "staple"
    general = fresh.tracker.settings.general()
    network = msgspec.structs.replace(general.network, allowed_hosts=("127.0.0.1",), allowed_ports=(sink.port,))
    fresh.tracker.settings.save_general(msgspec.structs.replace(general, network=network))
    page = browser.get("/welcome")
    server = {"smtp_host": "127.0.0.1", "smtp_port": str(sink.port), "smtp_from": "shop@example.org"}
    tried: Page = browser.post("/welcome/smtp/test", {**page.form("/welcome/smtp").values, **server})
    assert tried.status == 200 and "Mail accepted" in tried.text, tried.text
    assert sink.received[-1].sender == "shop@example.org", "the sender as it was typed"
    assert browser.submit(tried, "/welcome/smtp", **server).path == "/"
    assert fresh.tracker.settings.general().smtp.from_ == "shop@example.org"
    assert browser.get("/welcome").status == 404


def test_each_step_can_be_skipped_and_taken_up_later(fresh: Fresh, site: Site) -> None:
    browser = begun(fresh, site)
    page = browser.get("/welcome")
    token = {"csrf_token": page.form("/welcome/installation").values["csrf_token"][0]}
    assert browser.client.post("/welcome/skip", data={**token, "step": "smtp"}).status_code == 303
    assert first_visit.left(fresh.tracker) == ("installation", "project", "account")
    text = browser.get("/welcome").text
    assert "This installation" in text and "Outgoing mail (skipped)" in text.replace(" )", ")").replace("( ", "(")
    assert "First project" in browser.get("/welcome?step=project").text
    assert "First project" in browser.get("/welcome?step=account").text, "an account needs a project"
    assert browser.submit("/welcome", "/welcome/skip").path == "/"
    assert browser.get("/welcome").status == 404


def test_a_store_whose_administrator_has_a_password_never_had_such_a_page(house: House) -> None:
    site = Site(house)
    assert site.browser().get("/welcome").status == 404
    assert site.browser("admin@example.org").get("/welcome").status == 404
    assert site.browser().get("/login").status == 200
    site.close()


@pytest.mark.parametrize("step", ["account", "smtp"])
def test_with_htmx_a_test_of_the_set_up_answers_with_the_steps_alone(fresh: Fresh, site: Site, step: str) -> None:
    browser = begun(fresh, site)
    browser.submit("/welcome?step=project", "/welcome/project", title="Shop")
    page = browser.get(f"/welcome?step={step}")
    given = {"host": "10.0.0.1", "username": "u", "password": "p"}
    given |= {"smtp_host": "10.0.0.1", "smtp_from": "shop@example.org"}
    form = {**page.form(f"/welcome/{step}").values, **given}
    answer = browser.post(f"/welcome/{step}/test", form, headers={"HX-Request": "true"})
    assert answer.status == 200 and "<html" not in answer.html and "<nav" not in answer.html
    assert "Allow 10.0.0.1" in answer.text and f'formaction="/welcome/{step}/test"' in answer.html


def test_the_address_is_asked_for_and_what_users_begin_with(fresh: Fresh, site: Site) -> None:
    browser = begun(fresh, site)
    page = browser.get("/welcome")
    assert page.form("/welcome/installation").values["general_base_url"] == ["http://localhost"]
    assert fresh.tracker.settings.general().base_url == ""
    bad = browser.submit(page, "/welcome/installation", general_base_url="issues")
    assert bad.status == 422 and "http or https" in bad.text
    given = {"general_base_url": "https://issues.example.org", "defaults_timezone": "Europe/Berlin"}
    assert browser.submit(bad, "/welcome/installation", **given).status == 303
    general = fresh.tracker.settings.general()
    assert (general.base_url, general.defaults.timezone) == ("https://issues.example.org", "Europe/Berlin")
    (user,) = fresh.tracker.people.users()
    assert user.timezone == "Europe/Berlin", "who set it up was made before"


def test_who_came_in_by_the_code_has_logged_in(fresh: Fresh, site: Site) -> None:
    browser = begun(fresh, site)
    assert "Last" in browser.get("/admin/users").text and "Not yet" not in browser.get("/admin/users").text
