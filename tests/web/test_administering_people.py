"""Who may send the forms about people and projects, from where, and that looking changes nothing (T19)."""

import hashlib

import pytest

from eventum.tracker import invitations
from eventum.tracker.responses import ResponseForm, save_response
from tests.house import House
from tests.web.browser import Browser, Page, Site
from tests.web.entrance import quick_hash

FORMS = (
    *("/logout", "/preferences", "/preferences/address", "/preferences/password"),
    *("/admin/users", "/admin/users/{user}", "/admin/users/{user}/active"),
    *("/admin/users/{user}/invitation", "/admin/users/{user}/revoke"),
    *("/admin/projects", "/admin/projects/{project}"),
    *("/admin/projects/{project}/members", "/admin/projects/{project}/archived"),
    *("/admin/responses", "/admin/responses/{response}"),
    *("/admin/responses/{response}/delete", "/admin/responses/{response}/restore"),
)
VALUES = {"name": "Eve", "title": "Eve", "text": "Eve", "active": "no", "archived": "yes", "statuses": "new"}


@pytest.fixture
def ids(house: House) -> dict[str, str]:
    response = save_response(house.tracker, None, ResponseForm(title="Thanks", text="Thank you."))
    invitations.invite(house.tracker, house.dev)
    return {"user": house.dev.id, "project": house.project.id, "response": response.id}


def store(house: House) -> str:
    """What people and settings are, as one number; state that every visit touches is left out."""
    digest = hashlib.sha256()
    for folder in ("people", "settings", "state/logins", "spool", "issues"):
        for path in sorted((house.root / "data" / folder).rglob("*")):
            digest.update(str(path).encode() + (path.read_bytes() if path.is_file() else b""))
    return digest.hexdigest()


@pytest.mark.parametrize("path", FORMS)
def test_a_form_is_taken_only_from_our_own_page_in_this_session(
    site: Site, house: House, ids: dict[str, str], path: str
) -> None:
    admin, other = site.browser("admin@example.org"), site.browser("admin@example.org")
    address, before = path.format(**ids), store(house)
    assert Page(admin.client.post(address, data=VALUES)).status == 400
    assert Page(admin.client.post(address, data={**VALUES, "csrf_token": other.token()})).status == 400
    values = {**VALUES, "csrf_token": admin.token()}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert Page(admin.client.post(address, data=values, headers=headers)).status == 403
    assert store(house) == before


@pytest.mark.parametrize("path", [path for path in FORMS if path.startswith("/admin")])
def test_only_administrators_may_send_what_changes_others(
    site: Site, house: House, ids: dict[str, str], path: str
) -> None:
    address, before = path.format(**ids), store(house)
    assert site.browser("dev@example.org").post(address, VALUES).status == 403
    assert site.browser().post(address, VALUES).path == "/login"
    assert store(house) == before


def test_looking_at_the_screens_changes_nothing(site: Site, house: House, ids: dict[str, str]) -> None:
    admin, seen, before = site.browser("admin@example.org"), set[str](), store(house)
    waiting = ["/preferences", "/admin/users", "/admin/projects", "/admin/responses"]
    while waiting:
        path = waiting.pop()
        if path not in seen and path.startswith(("/preferences", "/admin/users", "/admin/projects", "/admin/resp")):
            seen.add(path)
            page = admin.get(path.partition("#")[0])
            assert page.status == 200, path
            waiting += page.links
    assert len(seen) >= 10
    assert store(house) == before


def test_no_screen_shows_a_password_or_what_is_kept_of_it(site: Site, house: House) -> None:
    user = house.user("mia", password=quick_hash("battery staple"))
    admin: Browser = site.browser("admin@example.org")
    for path in ("/admin/users", f"/admin/users/{user.id}", f"/admin/projects/{house.project.id}", "/preferences"):
        html = admin.get(path).html
        assert "scrypt" not in html and user.password.rpartition("$")[2] not in html
