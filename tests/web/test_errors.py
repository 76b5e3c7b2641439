"""What goes wrong, as a page; and what another site sends."""

import pytest
from flask import Blueprint

from eventum.errors import Busy, Conflict, Damaged, EventumError, NotFound, Refused
from eventum.web.access import allows
from tests.web.browser import Site

ERRORS: dict[str, Exception] = {
    "refused": Refused("Project {title!r} is archived.", title="Help"),
    "notfound": NotFound("There is no issue 7."),
    "conflict": Conflict("Issue 7 was changed."),
    "busy": Busy("Try later."),
    "damaged": Damaged("/srv/secret/path.json is damaged."),
    "full": OSError(28, "No space left on device"),
    "unforeseen": ZeroDivisionError("a detail"),
}


@pytest.fixture
def failing(site: Site) -> Site:
    """A site with routes that fail."""
    bp = Blueprint("failing", __name__)

    @bp.route("/fail/<how>", methods=["GET", "POST"])
    @allows("anybody")
    def fail(how: str) -> str:
        raise ERRORS[how]

    @bp.route("/unmarked")
    def unmarked() -> str:
        return "seen"

    site.app.register_blueprint(bp)
    site.app.config["PROPAGATE_EXCEPTIONS"] = False
    return site


@pytest.mark.parametrize(
    ("how", "status", "says"),
    [
        ("refused", 403, "Project 'Help' is archived."),
        ("notfound", 404, "There is no issue 7."),
        ("conflict", 409, "Issue 7 was changed."),
        ("busy", 503, "Try later."),
        ("damaged", 500, "Something is wrong on our side"),
        ("full", 503, "Not now"),
        ("unforeseen", 500, "Something is wrong on our side"),
    ],
)
def test_every_error_is_a_page_that_says_what_to_do(failing: Site, how: str, status: int, says: str) -> None:
    for who in (None, "admin@example.org"):
        page = failing.browser(who).get(f"/fail/{how}")
        assert (page.status, says in page.text) == (status, True)
        assert "secret" not in page.text and "detail" not in page.text.replace("The details", "")


def test_a_route_that_does_not_say_whom_it_allows_is_nobodys(failing: Site) -> None:
    assert failing.browser("admin@example.org").get("/unmarked").status == 500


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused_with_any_token(failing: Site, headers: dict[str, str]) -> None:
    browser = failing.browser("admin@example.org")
    page = browser.post("/fail/refused", headers=headers)
    assert page.status == 403 and "archived" not in page.text


def test_a_form_without_its_token_is_refused(failing: Site) -> None:
    browser = failing.browser("admin@example.org")
    assert browser.client.post("/fail/refused").status_code == 400
    other = failing.browser("dev@example.org").token()
    assert browser.client.post("/fail/refused", data={"csrf_token": other}).status_code == 400


def test_an_error_carries_its_values_apart() -> None:
    error = EventumError("Project {title!r} is archived.", title="{Help}")
    assert (str(error), error.message) == ("Project '{Help}' is archived.", "Project {title!r} is archived.")
    assert str(EventumError("a {brace} as it stands")) == "a {brace} as it stands"


def test_a_store_that_cannot_be_used_is_a_page_too(failing: Site) -> None:
    (failing.house.config.data / "state" / "store.json").write_text("{")
    assert failing.browser().get("/issues").path == "/login"
    page = failing.browser().get("/login")
    assert page.status == 500 and "Something is wrong on our side" in page.text
    assert str(failing.root) not in page.text


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("state/tries.json", "/login"),
        ("settings/general.json", "/admin/projects"),
        ("state/filters/{dev}.json", "/issues"),
        ("people/projects/{project}.json", "/admin/users"),
        ("people/users/{dev}.json", "/admin/users"),
        ("state/logins/{dev}.json", "/admin/users"),
    ],
)
def test_one_damaged_file_closes_no_other_screen(failing: Site, path: str, page: str) -> None:
    house = failing.house
    names = {"dev": house.dev.id, "project": house.project.id}
    who = {"/issues": "dev@example.org", "/login": None}.get(page, "admin@example.org")
    browser = failing.browser(who)
    assert browser.get(page).status == 200
    damaged = house.config.data / path.format(**names)
    damaged.parent.mkdir(exist_ok=True)
    damaged.write_text("")
    assert browser.get(page).status == 200


def test_who_cannot_be_known_is_nobody_and_is_told_so_by_a_page(failing: Site) -> None:
    dev = failing.browser("dev@example.org")
    place = failing.house.config.data / "state" / "logins" / f"{failing.house.dev.id}.json"
    place.parent.mkdir(exist_ok=True)
    place.write_text("")
    assert dev.get("/issues").path == "/login"
    assert dev.get("/login").status == 200


@pytest.mark.parametrize("how", ["busy", "full", "unforeseen", "conflict"])
def test_what_was_typed_is_still_there_and_can_be_sent_again(failing: Site, how: str) -> None:
    browser = failing.browser("admin@example.org")
    page = browser.post(f"/fail/{how}", {"text": "Two\nlines & more", "nonce": "0123456789abcdef", "send": ["a", "b"]})
    form = page.form(f"/fail/{how}")
    assert form.values["text"][0].strip() == "Two\nlines & more"
    assert form.values["nonce"] == ["0123456789abcdef"] and form.values["send"] == ["a", "b"]
    assert page.html.count("csrf_token") == len([one for one in page.forms if one.method == "post"])


def test_no_password_comes_back_with_an_error(failing: Site) -> None:
    page = failing.browser("admin@example.org").post("/fail/busy", {"text": "Some", "new_password": "secret words"})
    assert "secret words" not in page.html and "Some" not in page.text
