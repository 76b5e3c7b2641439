"""Canned responses: written, changed, deleted and brought back."""

import pytest

from eventum.tracker import membership, responses
from eventum.tracker.membership import ProjectForm
from eventum.tracker.responses import ResponseForm, save_response
from tests.house import House
from tests.web.browser import Browser, Page, Site


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser("admin@example.org")


def add(admin: Browser, **fields: object) -> Page:
    return admin.submit("/admin/responses/new", "/admin/responses", **fields)


def test_a_response_is_added_for_the_projects_that_are_ticked(admin: Browser, house: House) -> None:
    assert "No canned response yet" in admin.get("/admin/responses").text
    sales = membership.save_project(house.tracker, None, ProjectForm(title="Sales"))
    text = "Dear {{ reporter_name }},\r\n\r\nhave patience."
    assert add(admin, title="Patience", text=text, projects=[sales.id]).path == "/admin/responses"
    assert add(admin, title="Thanks", text="Thank you.").status == 303
    known = {one.title: one for one in responses.all_responses(house.tracker)}
    assert known["Patience"].text == "Dear {{ reporter_name }},\n\nhave patience."
    assert known["Patience"].projects == (sales.id,) and known["Thanks"].projects == ()
    listed = admin.get("/admin/responses")
    assert "“Thanks” is saved." in listed.text and "Sales" in listed.text
    opened = admin.get(f"/admin/responses/{known['Patience'].id}")
    assert opened.form(f"/admin/responses/{known['Patience'].id}").values["projects"] == [sales.id]


def test_a_form_that_is_sent_twice_adds_one(admin: Browser, house: House) -> None:
    opened = admin.get("/admin/responses/new")
    for _ in range(2):
        assert admin.submit(opened, "/admin/responses", title="Thanks", text="Thank you.").status == 303
    assert len(responses.all_responses(house.tracker)) == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"title": ""}, "Fill this in."),
        ({"title": "x" * 65}, "1 to 64 characters"),
        ({"title": "THANKS"}, "There is a canned response 'Thanks' already"),
        ({"text": " "}, "Fill this in."),
        ({"text": "x" * 20_001}, "1 to 20000 characters"),
    ],
)
def test_what_cannot_be_taken_is_said_and_nothing_is_lost(
    admin: Browser, house: House, fields: dict[str, str], said: str
) -> None:
    save_response(house.tracker, None, ResponseForm(title="Thanks", text="Thank you."))
    page = add(admin, **{"title": "Patience", "text": "Have it.", "projects": [house.project.id], **fields})
    assert page.status == 422 and said in page.text
    assert page.form("/admin/responses").values["projects"] == [house.project.id]
    assert len(responses.all_responses(house.tracker)) == 1


def test_a_deleted_response_is_offered_to_nobody_and_can_be_brought_back(admin: Browser, house: House) -> None:
    known = save_response(house.tracker, None, ResponseForm(title="Thanks", text="Thank you."))
    here = f"/admin/responses/{known.id}"
    assert admin.submit(here, f"{here}/delete").path == "/admin/responses"
    assert responses.responses(house.tracker, house.project.id) == ()
    listed = admin.get("/admin/responses")
    assert admin.get(here).status == 404
    assert "Undo" in listed.text and admin.submit(listed, f"{here}/restore").status == 303
    assert [one.title for one in responses.responses(house.tracker, house.project.id)] == ["Thanks"]


def test_the_second_of_two_is_told_what_differs(admin: Browser, house: House) -> None:
    known = save_response(house.tracker, None, ResponseForm(title="Thanks", text="Thank you."))
    here = f"/admin/responses/{known.id}"
    mine = admin.get(here)
    theirs = ResponseForm(title="Thanks", text="Thanks.\nBye.", projects=(house.project.id,))
    save_response(house.tracker, known.id, theirs)
    page = admin.submit(mine, here, text="Thank you so much.")
    assert page.status == 409
    assert "Text: it is “Thanks. / Bye.” now, you typed “Thank you so much.”." in page.text
    assert "Projects: it is “Help desk” now, you typed “”." in page.text
    assert admin.submit(page, here).status == 303
    assert responses.response_by_id(house.tracker, known.id).text == "Thank you so much."


def test_a_place_that_is_none_is_named_before_it_goes_to_a_customer(site: Site) -> None:
    text = "Dear {{ custmer }},"
    page = site.browser("admin@example.org").submit(
        "/admin/responses/new", "/admin/responses", title="Hello", text=text
    )
    assert page.status == 422 and "There is no place custmer; there are reporter_name" in page.text
