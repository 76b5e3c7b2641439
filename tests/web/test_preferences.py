"""What somebody sets for himself, his address and his password."""

import re

import msgspec
import pytest

from eventum.tracker import membership
from eventum.tracker.membership import ProjectForm, UserForm
from tests.house import House
from tests.web.browser import Browser, Page, Site
from tests.web.entrance import PASSWORD, quick_hash, try_in

DEV = "dev@example.org"


@pytest.fixture
def mine(site: Site) -> Browser:
    return site.browser(DEV)


@pytest.fixture
def with_base_url(house: House) -> None:
    general = msgspec.structs.replace(house.tracker.settings.general(), base_url="https://issues.example.org")
    house.tracker.settings.save_general(general)


def save(mine: Browser, **fields: object) -> Page:
    return mine.submit("/preferences", "/preferences", **fields)


def link_to(house: House, address: str, letter: str) -> str:
    (found,) = re.findall(r"https://issues\.example\.org(/\S+)", house.sent_to(address, letter).text)
    return str(found)


def test_all_that_can_be_set_is_kept_and_shown(mine: Browser, house: House) -> None:
    project = house.project.id
    choices = {"language": "ja", "timezone": "Asia/Tokyo", "week_start": "sunday", "theme": "dark", "list_refresh": "5"}
    ticks = {"relative_dates": "y", "in_replies": None, "in_notes": "y"}
    asked = {f"all_new-{project}": "y", f"assigned-{project}": "", f"own_actions-{project}": "y"}
    page = save(mine, name="Dee", signature="Dee\r\nVelop\r\n", **choices, **ticks, **asked)
    assert (page.status, page.path) == (303, "/preferences")
    user = house.tracker.people.user(DEV)
    assert (user.name, user.language, user.timezone, user.week_start) == ("Dee", "ja", "Asia/Tokyo", "sunday")
    assert (user.theme, user.list_refresh, user.relative_dates) == ("dark", 5, True)
    assert (user.signature, user.signature_in) == ("Dee\nVelop", ("mails", "notes"))
    wanted = user.preferences[project]
    assert (wanted.all_new, wanted.assigned, wanted.own_actions) == (True, False, True)
    again = mine.get("/preferences").form("/preferences").values
    assert (again["theme"], again["timezone"], again[f"assigned-{project}"]) == (["dark"], ["Asia/Tokyo"], [""])
    assert again["signature"][0].split() == ["Dee", "Velop"]
    assert 'data-bs-theme="dark"' in mine.get("/preferences").html


def test_the_questions_are_asked_in_the_words_of_the_mission_for_each_project(site: Site, house: House) -> None:
    membership.save_project(house.tracker, None, ProjectForm(title="Sales"))
    membership.save_user(house.tracker, DEV, UserForm(members=(("Sales", "viewer"),)))
    mine = site.browser(DEV)
    text = mine.get("/preferences").text
    for question in (
        "Receive emails when all issues are created?",
        "Receive emails when new issues are assigned to you?",
        "Receive notifications for your own actions?",
    ):
        assert f"Help desk: {question}" in text and f"Sales: {question}" in text
    membership.save_project(house.tracker, "Sales", ProjectForm(archived=True))
    assert "Sales" not in mine.get("/preferences").text


def test_who_is_in_no_project_is_told_why_nothing_is_asked(site: Site) -> None:
    assert "You are a member of no project yet" in site.browser("admin@example.org").get("/preferences").text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": " "}, "Fill this in."),
        ({"name": "x" * 201}, "one line of 1 to 200 characters"),
        ({"email": "nonsense"}, "is not an e-mail address"),
        ({"timezone": "Moon/Base"}, "Not a valid choice"),
        ({"theme": "pink"}, "Not a valid choice"),
        ({"signature": "x" * 2001}, "at most 2000 characters"),
    ],
)
@pytest.mark.usefixtures("with_base_url")
def test_what_cannot_be_taken_is_said_at_its_field_and_nothing_is_lost(
    mine: Browser, house: House, fields: dict[str, str], said: str
) -> None:
    before = house.tracker.people.user(DEV)
    page = save(mine, **{"signature": "My words", **fields})
    assert page.status == 422
    assert said in page.text and "Nothing was saved" in page.text
    (name,) = fields
    assert any(name == given.get("name") and "aria-invalid" in given for _, given in page.elements)
    if name != "signature":
        assert page.form("/preferences").values["signature"][0].strip() == "My words"
    assert house.tracker.people.user(DEV) == before
    assert house.told() == []


def test_the_second_of_two_is_told_what_differs_and_chooses(site: Site, house: House) -> None:
    first, second = site.browser(DEV), site.browser(DEV)
    mine, theirs = first.get("/preferences"), second.get("/preferences")
    assert second.submit(theirs, "/preferences", name="Dee", theme="dark").status == 303
    page = first.submit(mine, "/preferences", name="Devon")
    assert page.status == 409
    assert "Name: it is “Dee” now, you typed “Devon”." in page.text
    assert "Theme: it is “Dark” now, you typed “As the system says”." in page.text
    assert house.tracker.people.user(DEV).name == "Dee"
    assert first.submit(page, "/preferences").status == 303
    user = house.tracker.people.user(DEV)
    assert (user.name, user.theme) == ("Devon", "")


@pytest.mark.usefixtures("with_base_url")
def test_a_new_address_counts_when_its_link_is_opened_and_confirmed(site: Site, mine: Browser, house: House) -> None:
    membership.save_user(house.tracker, DEV, UserForm(aliases=("dee@home.example",)))
    page = save(mine, email="Dee@Home.example", name="Dee")
    assert page.status == 303
    assert "Open the link we sent to dee@home.example" in mine.get("/preferences").text
    user = house.tracker.people.user(DEV)
    assert (user.email, user.name) == (DEV, "Dee")
    assert "dee@home.example" in house.sent_to(DEV, "address_change").text
    link = link_to(house, "dee@home.example", "confirm_address")
    anybody = site.browser()
    opened = anybody.get(link)
    assert opened.status == 200 and house.tracker.people.user(DEV).email == DEV
    assert anybody.submit(opened, link).path == "/login"
    user = house.tracker.people.user("dee@home.example")
    assert (user.email, user.aliases) == ("dee@home.example", (DEV,)), "what came from the old one stays his"
    assert anybody.get(link).status == 404
    assert mine.get("/preferences").status == 200


@pytest.mark.usefixtures("with_base_url")
def test_a_link_that_is_not_wanted_any_more_is_void(site: Site, mine: Browser, house: House) -> None:
    save(mine, email="new@example.org")
    link = link_to(house, "new@example.org", "confirm_address")
    assert mine.submit("/preferences", "/preferences/address").status == 303
    page = site.browser().get(link)
    assert page.status == 404 and "This link was used already" in page.text


@pytest.mark.usefixtures("with_base_url")
def test_nobody_can_be_pestered_with_links(mine: Browser, house: House) -> None:
    for number in range(5):
        assert save(mine, email=f"new-{number}@example.org").status == 303
    page = save(mine, email="new-6@example.org")
    assert page.status == 422 and "wait an hour" in page.text
    assert len(house.told()) == 10


def test_without_a_base_url_no_address_can_be_confirmed(mine: Browser, house: House) -> None:
    page = save(mine, email="new@example.org")
    assert page.status == 422 and "Nobody said yet how this installation is reached" in page.text
    assert house.told() == []


@pytest.mark.usefixtures("with_base_url")
def test_a_link_leads_to_where_the_installation_says_it_is_whatever_the_browser_asked_for(
    site: Site, house: House
) -> None:
    mine = site.browser(DEV)
    values = {**mine.get("/preferences").form("/preferences").values, "email": "new@example.org"}
    cookie = mine.client.get_cookie("eventum")
    assert cookie is not None
    mine.client.set_cookie("eventum", cookie.value, domain="evil.example")
    sent = mine.client.post("/preferences", data=values, base_url="http://evil.example")
    assert sent.status_code == 303
    assert link_to(house, "new@example.org", "confirm_address").startswith("/confirm/")
    assert all("evil.example" not in entry.path.read_text() for entry in house.queued())


def test_a_new_password_ends_all_sessions_but_this_one(site: Site, house: House) -> None:
    membership.save_user(house.tracker, DEV, UserForm(password=quick_hash(PASSWORD)))
    here, there = site.browser(), site.browser()
    assert try_in(here).status == try_in(there).status == 303
    before = here.client.get_cookie("eventum")
    typed = {"old": PASSWORD, "password": "battery staple", "again": "battery staple"}
    page = here.submit("/preferences/password", "/preferences/password", **typed)
    assert (page.status, page.path) == (303, "/preferences")
    assert here.get("/preferences").status == 200
    assert there.get("/preferences").status == 302
    assert before is not None
    here.client.set_cookie("eventum", before.value)
    assert here.get("/preferences").status == 302
    assert try_in(site.browser(), password="battery staple").status == 303
    assert try_in(site.browser()).status == 422


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"old": "wrong", "password": "battery staple", "again": "battery staple"}, "This is not your password"),
        ({"old": PASSWORD, "password": "short", "again": "short"}, "at least 8 characters"),
        ({"old": PASSWORD, "password": "battery staple", "again": "battery stable"}, "not the same as above"),
        ({"old": PASSWORD, "password": "", "again": ""}, "Fill this in."),
    ],
)
def test_a_password_that_is_refused_is_not_sent_back(
    site: Site, house: House, typed: dict[str, str], said: str
) -> None:
    user = membership.save_user(house.tracker, DEV, UserForm(password=quick_hash(PASSWORD)))
    page = site.browser(DEV).submit("/preferences/password", "/preferences/password", **typed)
    assert page.status == 422 and said in page.text
    assert "battery" not in page.html and "short" not in page.html and PASSWORD not in page.html
    assert house.tracker.people.user(DEV) == user


def test_who_is_logged_in_may_not_guess_the_password_either(site: Site, house: House) -> None:
    membership.save_user(house.tracker, DEV, UserForm(password=quick_hash(PASSWORD)))
    browser = site.browser(DEV)
    typed = {"old": "wrong", "password": "battery staple", "again": "battery staple"}
    for _ in range(5):
        assert browser.submit("/preferences/password", "/preferences/password", **typed).status == 422
    typed["old"] = PASSWORD
    assert browser.submit("/preferences/password", "/preferences/password", **typed).status == 429


@pytest.mark.usefixtures("with_base_url")
@pytest.mark.parametrize("address", ["admin@example.org", "help@example.org", "nobody@else.example"])
def test_nobody_learns_from_his_own_preferences_whose_an_address_is(site: Site, house: House, address: str) -> None:
    house.user("otto", role="reporter")
    page = site.browser("otto@example.org").submit("/preferences", "/preferences", email=address)
    assert page.status == 303
    told = [entry.posting.recipient for entry in house.tracker.outbox.entries()]
    assert ("otto@example.org" in told, address in told) == (True, address.startswith("nobody"))
