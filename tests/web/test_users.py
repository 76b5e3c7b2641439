"""Users: invited, changed, deactivated, and the link they set their password with."""

import re
from datetime import timedelta

import msgspec
import pytest

from eventum.tracker import membership
from eventum.tracker.membership import UserForm
from tests.house import House
from tests.web.browser import Browser, Page, Site
from tests.web.entrance import PASSWORD, quick_hash, try_in

ADMIN = "admin@example.org"


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser(ADMIN)


@pytest.fixture
def with_base_url(house: House) -> None:
    general = msgspec.structs.replace(house.tracker.settings.general(), base_url="https://issues.example.org")
    house.tracker.settings.save_general(general)


def page_of(house: House, email: str) -> str:
    return f"/admin/users/{house.tracker.people.user(email).id}"


def invited(admin: Browser, email: str = "mia@example.org", **fields: object) -> Page:
    return admin.submit("/admin/users/new", "/admin/users", **{"name": "Mia", "email": email, **fields})


def mailed_link(house: House, email: str, letter: str = "invitation") -> str:
    (found,) = re.findall(r"https://issues\.example\.org(/invitation/\S+)", house.sent_to(email, letter).text)
    return str(found)


@pytest.mark.usefixtures("with_base_url")
def test_who_is_invited_chooses_a_password_once_and_is_in(site: Site, admin: Browser, house: House) -> None:
    role = f"role-{house.project.id}"
    page = invited(admin, aliases="m@example.net\r\nM2@example.net", language="ja", **{role: "reporter"})
    assert (page.status, page.path) == (303, page_of(house, "mia@example.org"))
    assert "on its way to mia@example.org" in admin.get(page.path).text
    user = house.tracker.people.user("mia@example.org")
    assert (user.name, user.aliases, user.language) == ("Mia", ("m@example.net", "m2@example.net"), "ja")
    assert (user.password, user.roles[house.project.id].name) == ("", "reporter")
    letter = house.sent_to("mia@example.org", "invitation")
    assert letter.subject == "Your account at Eventum" and "Ada has made an account for you" in letter.text

    link, mia = mailed_link(house, "mia@example.org"), site.browser()
    for _ in range(2):  # Programs that look at every link of a mail use none up.
        assert "mia@example.org" in mia.get(link).text
    done = mia.submit(link, link, password=PASSWORD, again=PASSWORD)
    assert (done.status, done.path) == (303, "/")
    assert mia.get("/preferences").status == 200
    assert site.browser().get(link).status == 404
    assert try_in(site.browser(), "mia@example.org").status == 303


@pytest.mark.parametrize(
    ("typed", "said"),
    [(("short", "short"), "at least 8"), ((PASSWORD, "other"), "not the same"), (("", ""), "Fill this in")],
)
@pytest.mark.usefixtures("with_base_url")
def test_a_password_that_cannot_be_taken_leaves_the_link_as_it_was(
    site: Site, admin: Browser, house: House, typed: tuple[str, str], said: str
) -> None:
    invited(admin)
    link = mailed_link(house, "mia@example.org")
    page = site.browser().submit(link, link, password=typed[0], again=typed[1])
    assert page.status == 422 and said in page.text and PASSWORD not in page.html
    assert site.browser().get(link).status == 200


@pytest.mark.usefixtures("with_base_url")
def test_a_link_dies_of_age_of_a_newer_one_and_of_everything_that_ends_its_reason(
    site: Site, admin: Browser, house: House
) -> None:
    invited(admin)
    here, link = page_of(house, "mia@example.org"), mailed_link(house, "mia@example.org")
    house.now += timedelta(days=7)
    assert site.browser().get(link).status == 404
    house.now -= timedelta(minutes=1)
    assert site.browser().get(link).status == 200
    admin.submit(here, f"{here}/invitation")
    assert site.browser().get(link).status == 404

    for form in (UserForm(password=quick_hash(PASSWORD)), UserForm(active=False), UserForm(email="mim@example.org")):
        (shown,) = re.findall(r"(/invitation/[\w.-]+)<", admin.get(here).html)
        assert site.browser().get(shown).status == 200
        before = house.tracker.people.user(here.rpartition("/")[2])
        membership.save_user(house.tracker, before.id, form)
        assert site.browser().get(shown).status == 404
        back = UserForm(password="", active=True, email=before.email)
        membership.save_user(house.tracker, before.id, back)

    admin.submit(here, f"{here}/revoke")
    assert site.browser().get(shown).status == 404
    assert "no link to set one" in admin.get(here).text


@pytest.mark.parametrize("change", ["kind", "user", "bit", "none"])
@pytest.mark.usefixtures("with_base_url")
def test_a_link_of_another_kind_or_user_or_with_one_letter_changed_opens_nothing(
    site: Site, admin: Browser, house: House, change: str
) -> None:
    invited(admin)
    link = mailed_link(house, "mia@example.org")
    user, _, secret = link.rpartition("/")[2].partition(".")
    other = {
        "kind": f"/confirm/{user}.{secret}",
        "user": f"/invitation/{house.dev.id}.{secret}",
        "bit": f"/invitation/{user}.{secret[:-2]}{'A' if secret[-2] != 'A' else 'B'}{secret[-1]}",
        "none": f"/invitation/{user}",
    }[change]
    assert len(secret) == 43
    page = site.browser().get(other)
    assert page.status == 404 and "This link was used already" in page.text
    posted = site.browser().post(other, {"password": PASSWORD, "again": PASSWORD})
    assert posted.status == 404
    assert house.tracker.people.user("mia@example.org").password == ""


@pytest.mark.usefixtures("with_base_url")
def test_who_forgot_his_password_gets_a_link_for_an_hour_and_loses_his_sessions_with_it(
    site: Site, admin: Browser, house: House
) -> None:
    membership.save_user(house.tracker, "dev@example.org", UserForm(password=quick_hash("forgotten one")))
    dev, here = site.browser("dev@example.org"), page_of(house, "dev@example.org")
    admin.submit(here, f"{here}/invitation")
    link = mailed_link(house, "dev@example.org", "new_password")
    house.now += timedelta(minutes=59)
    assert dev.get("/preferences").status == 200
    fresh = site.browser()
    fresh.submit(link, link, password=PASSWORD, again=PASSWORD)
    assert (fresh.get("/preferences").status, dev.get("/preferences").status) == (200, 302)
    house.now += timedelta(minutes=1)
    admin.submit(here, f"{here}/invitation")
    house.now += timedelta(hours=1)
    assert "waits to be opened" not in admin.get(here).text


def test_where_nothing_can_be_sent_the_link_is_handed_over(site: Site, admin: Browser, house: House) -> None:
    assert "Nobody said yet" in admin.get("/admin/users").text
    assert "You get a link to hand over" in admin.get("/admin/users/new").text
    page = admin.get(invited(admin).path)
    assert "hand it over, it was not sent" in page.text and "/admin/general#installation" in page.links
    assert "Make a new link" in page.text and "Send a" not in page.text
    assert house.told() == []
    (link,) = re.findall(r"<code[^>]*>http://localhost(/invitation/[^<]+)</code>", page.html)
    assert site.browser().get(link).status == 200


@pytest.mark.usefixtures("with_base_url")
def test_the_store_alone_gives_no_link_away(admin: Browser, house: House) -> None:
    invited(admin)
    secret = mailed_link(house, "mia@example.org").partition(".")[2]
    for path in (house.root / "data").rglob("*"):
        if path.is_file() and "spool" not in path.parts:
            assert secret.encode() not in path.read_bytes(), path


@pytest.mark.usefixtures("with_base_url")
def test_a_form_that_is_sent_twice_invites_once(admin: Browser, house: House) -> None:
    opened = admin.get("/admin/users/new")
    first = admin.submit(opened, "/admin/users", name="Mia", email="mia@example.org")
    again = admin.submit(opened, "/admin/users", name="Mia", email="mia@example.org")
    assert (first.status, first.location) == (again.status, again.location)
    assert house.told() == [("invitation", "mia@example.org")]


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"name": ""}, "name", "Fill this in."),
        ({"email": "mia"}, "email", "is not an e-mail address"),
        ({"email": "DEV@example.org"}, "email", "belongs to user dev@example.org"),
        ({"aliases": "dev@example.org"}, "aliases", "belongs to user dev@example.org"),
        ({"aliases": "help@example.org"}, "aliases", "belongs to project"),
        ({"name": "a\x07b"}, "name", "one line"),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field(
    admin: Browser, house: House, fields: dict[str, str], field: str, said: str
) -> None:
    page = invited(admin, **{"aliases": "kept@example.net", **fields})
    assert page.status == 422 and said in page.text
    assert any(given.get("name") == field and "aria-invalid" in given for _, given in page.elements)
    if "aliases" not in fields:
        assert page.form("/admin/users").values["aliases"][0].strip() == "kept@example.net"
    assert len(house.tracker.people.users()) == 2


def test_everything_about_a_user_can_be_changed(site: Site, admin: Browser, house: House) -> None:
    here, dev = page_of(house, "dev@example.org"), site.browser("dev@example.org")
    role = f"role-{house.project.id}"
    fields = {"name": "Dee", "email": "dee@example.org", "timezone": "Asia/Tokyo", "aliases": "d@home.example"}
    page = admin.submit(here, here, administrator="y", **{role: "manager"}, **fields)
    assert (page.status, page.path) == (303, "/admin/users")
    user = house.tracker.people.user("dee@example.org")
    assert (user.name, user.timezone, user.aliases) == ("Dee", "Asia/Tokyo", ("d@home.example",))
    assert user.administrator and user.roles[house.project.id].name == "manager"
    assert dev.get("/preferences").status == 302
    text = admin.get("/admin/users").text
    assert "Dee" in text and "Help desk: Manager" in text and "d@home.example" in text


def test_the_last_administrator_stays_one(admin: Browser, house: House) -> None:
    here = page_of(house, ADMIN)
    page = admin.submit(here, here, administrator=None)
    assert page.status == 422 and "the last administrator" in page.text
    assert admin.submit(here, f"{here}/active").status == 403
    assert house.tracker.people.user(ADMIN).administrator and house.tracker.people.user(ADMIN).active


def test_who_gives_up_his_right_goes_on_without_it(site: Site, admin: Browser, house: House) -> None:
    membership.save_user(house.tracker, "dev@example.org", UserForm(administrator=True))
    here = page_of(house, ADMIN)
    assert admin.submit(here, here, administrator=None).path == "/"
    assert admin.get("/preferences").status == 200
    assert admin.get("/admin/users").status == 403


def test_who_changes_his_own_role_stays_logged_in_and_no_longer_than_before(admin: Browser, house: House) -> None:
    here, role = page_of(house, ADMIN), f"role-{house.project.id}"
    house.now += timedelta(days=13)
    assert admin.submit(here, here, **{role: "manager"}).path == "/admin/users"
    assert "Ada is saved." in admin.get("/admin/users").text
    house.now += timedelta(days=1)
    assert admin.get("/admin/users").status == 302


def test_a_deactivated_user_is_out_and_can_be_brought_back(site: Site, admin: Browser, house: House) -> None:
    here, dev = page_of(house, "dev@example.org"), site.browser("dev@example.org")
    assert admin.submit(here, f"{here}/active").path == "/admin/users"
    assert dev.get("/preferences").status == 302
    listed = admin.get("/admin/users")
    assert "may no longer log in" in listed.text and "Deactivated" in listed.text
    assert admin.submit(listed, f"{here}/active").status == 303
    assert house.tracker.people.user("dev@example.org").active


def test_the_second_of_two_administrators_is_told_what_differs(site: Site, admin: Browser, house: House) -> None:
    here, role = page_of(house, "dev@example.org"), f"role-{house.project.id}"
    mine = admin.get(here)
    membership.save_user(house.tracker, "dev@example.org", UserForm(name="Dee", members=(("Help desk", "manager"),)))
    page = admin.submit(mine, here, name="Devon")
    assert page.status == 409
    assert "Name: it is “Dee” now, you typed “Devon”." in page.text
    assert "Help desk: it is “Manager” now, you typed “Developer”." in page.text
    assert house.tracker.people.user("dev@example.org").name == "Dee"
    assert admin.submit(page, here, **{role: "manager"}).status == 303
    assert house.tracker.people.user("dev@example.org").name == "Devon"


def test_the_list_says_who_cannot_log_in_and_who_did(site: Site, admin: Browser, house: House) -> None:
    membership.save_user(house.tracker, "dev@example.org", UserForm(password=quick_hash(PASSWORD)))
    text = admin.get("/admin/users").text
    assert "No password" in text and "Not yet" in text
    try_in(site.browser())
    assert "Last 12:00" in admin.get("/admin/users").text


@pytest.mark.parametrize("name", ["..%2f..%2fetc%2fpasswd", "%00", "dev@example.org", "....//", "0" * 16])
def test_an_id_that_is_none_is_not_found(admin: Browser, name: str) -> None:
    for folder in ("users", "projects", "responses"):
        assert admin.get(f"/admin/{folder}/{name}").status in (404, 308)


@pytest.mark.usefixtures("with_base_url")
def test_who_logs_in_by_password_or_by_a_link_has_logged_in(site: Site, admin: Browser, house: House) -> None:
    invited(admin)
    given = {"password": "correct horse", "again": "correct horse"}
    link = mailed_link(house, "mia@example.org")
    assert site.browser().submit(link, link, **given).status == 303
    user = house.tracker.people.user("mia@example.org")
    assert house.tracker.logins.of(user.id).last_login == house.now
    house.now += timedelta(hours=1)
    who = {"email": "mia@example.org", "password": "correct horse"}
    assert site.browser().submit("/login", "/login", **who).status == 303
    assert house.tracker.logins.of(user.id).last_login == house.now
    assert "Logged in last" in admin.get(f"/admin/users/{user.id}").text


def test_a_form_that_comes_back_with_another_in_it_says_so_and_makes_it_when_sent_again(site: Site) -> None:
    admin = site.browser("admin@example.org")
    opened = admin.get("/admin/users/new")
    assert admin.submit(opened, "/admin/users", email="one@example.org", name="One").status == 303
    again = admin.submit(opened, "/admin/users", email="two@example.org", name="Two")
    assert again.status == 422 and "This form made one@example.org already" in again.text
    assert admin.submit(again, "/admin/users").status == 303
    assert "two@example.org" in admin.get("/admin/users").text
