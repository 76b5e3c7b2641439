"""Projects: their words, their addresses, their members."""

import pytest

from eventum.tracker import membership
from eventum.tracker.membership import ProjectForm
from tests.house import House, mail
from tests.web.browser import Browser, Site


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser("admin@example.org")


@pytest.fixture
def here(house: House) -> str:
    return f"/admin/projects/{house.project.id}"


def test_a_project_is_added_with_all_that_belongs_to_it(admin: Browser, house: House) -> None:
    fields = {
        "title": "Sales",
        "sender_name": "Sales team",
        "sender_email": "Sales@example.org",
        "aliases": "shop@example.org\r\nbuy@example.org",
        "categories": "Quote\r\n\r\n Order \r\nQuote",
        "staff_may_mail": "y",
        "mail_charset": "iso-2022-jp",
    }
    page = admin.submit("/admin/projects/new", "/admin/projects", **fields)
    project = house.tracker.people.project("Sales")
    assert (page.status, page.path) == (303, f"/admin/projects/{project.id}")
    assert (project.sender_name, project.sender_email) == ("Sales team", "sales@example.org")
    assert project.aliases == ("shop@example.org", "buy@example.org")
    assert project.categories == ("Quote", "Order") and project.staff_may_mail
    assert project.statuses == ("new", "open", "waiting", "closed")
    assert project.mail_charset == "iso-2022-jp"
    assert "Say below who works in it" in admin.get(page.path).text
    assert "Sales team" in admin.get("/admin/projects").text


def test_a_form_that_is_sent_twice_adds_one_project(admin: Browser, house: House) -> None:
    opened = admin.get("/admin/projects/new")
    first, again = (admin.submit(opened, "/admin/projects", title="Sales") for _ in range(2))
    assert first.location == again.location
    assert len(house.tracker.people.projects()) == 2


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"title": ""}, "title", "Fill this in."),
        ({"title": "help DESK"}, "title", "There is a project 'Help desk' already"),
        ({"sender_email": "sales"}, "sender_email", "is not an e-mail address"),
        ({"sender_email": "dev@example.org"}, "sender_email", "belongs to user dev@example.org"),
        ({"aliases": "dev@example.org"}, "aliases", "belongs to user dev@example.org"),
        ({"statuses": ""}, "statuses", "Fill this in."),
        ({"statuses": "new\r\nopen"}, "statuses", "uses the status 'closed' has to have it"),
        ({"initial_status": "fresh"}, "statuses", "uses the status 'fresh' has to have it"),
        ({"categories": "x" * 201}, "categories", "one line of 1 to 200"),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field(
    admin: Browser, house: House, fields: dict[str, str], field: str, said: str
) -> None:
    page = admin.submit("/admin/projects/new", "/admin/projects", **{"title": "Sales", "priorities": "Now", **fields})
    assert page.status == 422 and said in page.text
    assert any(given.get("name") == field and "aria-invalid" in given for _, given in page.elements)
    assert page.form("/admin/projects").values["priorities"][0].strip() == "Now"
    assert len(house.tracker.people.projects()) == 1


def test_what_becomes_of_words_that_are_taken_away_is_told(admin: Browser, house: House, here: str) -> None:
    membership.save_project(house.tracker, "Help desk", ProjectForm(categories=("Printer", "Network")))
    house.set_account(
        auto_create=house.account.auto_create.__class__(enabled=True, category="Printer", priority="High")
    )
    house.arrive(mail(), mail("Another one"))
    words = {"categories": "Network", "priorities": "Medium\r\nLow", "statuses": "fresh\r\nopen\r\nclosed"}
    assert admin.submit(here, here, initial_status="fresh", **words).status == 303
    text = admin.get("/admin/projects").text
    for word in ("category “Printer”", "priority “High”", "status “new”"):
        assert f"2 issues keep the {word} until somebody gives them another." in text
    assert "waiting" not in text
    assert (house.issue(1).category, house.issue(1).status) == ("Printer", "new")


def test_the_second_of_two_is_told_what_differs(admin: Browser, house: House, here: str) -> None:
    mine = admin.get(here)
    membership.save_project(house.tracker, "Help desk", ProjectForm(sender_name="Desk", staff_may_mail=True))
    page = admin.submit(mine, here, title="Front desk")
    assert page.status == 409
    assert "Title: it is “Help desk” now, you typed “Front desk”." in page.text
    assert "Sender name: it is “Desk” now, you typed “”." in page.text
    assert "it is “Yes” now, you typed “No”." in page.text
    assert house.tracker.people.project("Help desk").sender_name == "Desk"
    assert admin.submit(page, here).status == 303
    assert house.tracker.people.project("Front desk").sender_name == ""


def test_members_get_the_roles_that_were_changed_and_no_others(
    site: Site, admin: Browser, house: House, here: str
) -> None:
    mia = house.user("mia", role="")
    opened = admin.get(here)
    membership.save_user(house.tracker, "dev@example.org", membership.UserForm(members=(("Help desk", "manager"),)))
    page = admin.submit(opened, f"{here}/members", **{f"role-{mia.id}": "reporter"})
    assert (page.status, page.path) == (303, here)
    assert "Changed in Help desk: Mia. They have to log in again." in admin.get(here).text
    project = house.project.id
    assert house.tracker.people.user("mia@example.org").roles[project].name == "reporter"
    assert house.tracker.people.user("dev@example.org").roles[project].name == "manager"
    assert admin.submit(here, f"{here}/members", **{f"role-{mia.id}": "none"}).status == 303
    assert house.tracker.people.user("mia@example.org").roles == {}
    assert admin.submit(here, f"{here}/members").status == 303
    assert "Nobody's role was changed." in admin.get(here).text


def test_an_administrator_who_makes_himself_a_member_stays_logged_in(admin: Browser, house: House, here: str) -> None:
    me = house.tracker.people.user("admin@example.org")
    assert admin.submit(here, f"{here}/members", **{f"role-{me.id}": "manager"}).path == here
    assert admin.get(here).status == 200


def test_a_project_is_archived_and_taken_back(admin: Browser, house: House, here: str) -> None:
    assert admin.submit(here, f"{here}/archived").path == "/admin/projects"
    assert house.tracker.people.project("Help desk").archived
    listed = admin.get("/admin/projects")
    assert "takes no new issues" in listed.text and "Archived" in listed.text
    assert admin.submit(listed, f"{here}/archived").status == 303
    assert not house.tracker.people.project("Help desk").archived


def test_where_there_is_no_project_the_next_step_is_said(admin: Browser, house: House) -> None:
    next((house.root / "data" / "people" / "projects").glob("*.json")).unlink()
    page = admin.get("/admin/projects")
    assert "No project yet" in page.text and "/admin/projects/new" in page.links
    assert "There is no project yet." in admin.get("/admin/users/new").text
