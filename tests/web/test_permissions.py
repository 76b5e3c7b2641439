"""Who may do what is what docs/permissions.md says, and nothing else gets in: forms of others, odd addresses, GET."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from eventum.tracker import membership, opening
from eventum.tracker.membership import ProjectForm, UserForm
from eventum.tracker.opening import NewIssue
from eventum.web import access
from tests.web import permissions, scene
from tests.web.browser import Browser, Page, Site
from tests.web.permissions import Try
from tests.web.scene import Scene
from tests.web.walk import walked

# What would lead out of a folder, end a name early, or name a file of the machine.
ODD_IDS = (
    "..%2f..%2f..%2fetc%2fpasswd",
    "..%5c..%5csecret.json",
    "%2e%2e",
    "....%2f%2f....%2f%2fsecret.json",
    "%2fetc%2fpasswd",
    "%00",
    "1%00.json",
    "-1",
    "1e3",
    "9" * 30,
    "%ff%fe",
)
EXPRESSIONS = (
    "{{7331*7331}}",
    "${7331*7331}",
    "{% raise %}",
    "<script>alert(7)</script>",
    "%(name)s {name}",
    "'\"><img src=x>",
)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    stage = Scene(tmp_path_factory.mktemp("scene")).build()
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def tries(stage: Scene) -> list[Try]:
    found = permissions.Tries(stage)
    tries = list(found.all())
    found.close()
    return tries


@pytest.fixture(scope="module")
def site(stage: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The web interface of a copy of the scene, which nothing here changes but a login."""
    copy = stage.copied(tmp_path_factory.mktemp("copy"))
    site = Site(copy)  # type: ignore[arg-type]  # it needs of a house what a scene has as well
    yield site
    site.close()
    copy.close()


def content(site: Site) -> dict[str, str]:
    """The digest of every file of the store; what whoever opens it leaves behind is none of its content."""
    data = site.root / "data"
    return {path: hashlib.sha256((data / path).read_bytes()).hexdigest() for path, _, _ in permissions.contents(data)}


def test_every_route_says_whom_it_allows(site: Site) -> None:
    levels = {rule.rule: permissions.level_of(site, rule) for rule in permissions.rules(site)}
    assert "/issues" in levels
    assert not [rule for rule, level in levels.items() if level not in access.LEVELS]


def test_what_is_allowed_is_what_the_page_says(stage: Scene, tmp_path: Path) -> None:
    said = permissions.PAGE.read_text(encoding="utf-8").splitlines()
    found = permissions.table(stage, tmp_path)
    assert said == found.page.splitlines(), "look at what changed, then run `make permissions`"
    assert {"issues", "pool", "settings"} <= found.changed["administrator"]
    # His own name and wishes, letters about them, and what is noted of his logins.
    for who in ("nobody", "reporter elsewhere", "staff elsewhere", "viewer"):
        assert found.changed[who] <= {"people", "spool", "state"}, who


def test_what_is_only_opened_changes_nothing(site: Site) -> None:
    before = content(site)
    for who in (scene.ADA, scene.DANA, scene.RITA):
        opened = [path for path, _ in walked(site, site.browser(who), "/", "/issues/1", "/emails", same=3)]
        assert len(opened) > 3
    after = content(site)
    assert {path for path in before | after if before.get(path) != after.get(path)} == set()


def test_a_form_without_its_token_is_refused_and_changes_nothing(site: Site, tries: list[Try]) -> None:
    before = content(site)
    for one in tries:
        if one.method == "POST":
            page = Page(site.browser(scene.ADA).client.post(one.path, data=one.data))
            assert page.status == 400, one.path
    assert content(site) == before


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}], ids=str)
def test_a_form_of_another_site_is_refused_and_changes_nothing(
    site: Site, tries: list[Try], headers: dict[str, str]
) -> None:
    browser = site.browser(scene.ADA)
    before = content(site)
    token = browser.token()
    for one in tries:
        if one.method == "POST":
            sent = {**one.data, "csrf_token": token}
            assert Page(browser.client.post(one.path, data=sent, headers=headers)).status == 403, one.path
    assert content(site) == before


def test_the_token_of_another_session_is_refused(site: Site, tries: list[Try]) -> None:
    token = site.browser(scene.DANA).token()
    for one in tries:
        if one.method == "POST":
            sent = {**one.data, "csrf_token": token}
            assert Page(site.browser(scene.ADA).client.post(one.path, data=sent)).status == 400, one.path


@pytest.mark.parametrize("odd", ODD_IDS)
def test_an_address_with_an_odd_name_in_it_is_not_there(site: Site, odd: str) -> None:
    browser = site.browser(scene.ADA)
    before = content(site)
    for rule in permissions.rules(site):
        if not rule.arguments:
            continue
        path = "".join(odd if is_name else part for is_name, part in _parts(rule.rule))
        for method in permissions.METHODS:
            if method in (rule.methods or ()):
                page = _sent(browser, method, path)
                # A method that the shorter address does not take, or a path that is cleaned first.
                assert page.status in (404, 405, 308), f"{method} {path}: {page.status} {page.text[:200]}"
                assert "root:" not in page.text and "Traceback" not in page.text
    assert content(site) == before


def test_an_odd_name_of_a_static_file_is_not_there(site: Site) -> None:
    for path in ("../app.py", "..%2fapp.py", "%2e%2e/app.py", "....//app.py", "/etc/passwd", "%00", "..\\app.py"):
        assert site.browser().get(f"/static/{path}").status in (404, 308), path


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "///evil.example",
        "https:evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%09/evil.example",
        "/\t/evil.example",
        " //evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/..//evil.example",
        "/@evil.example//",
    ],
)
def test_after_logging_in_one_is_led_nowhere_else(site: Site, wanted: str) -> None:
    browser = site.browser()
    token = browser.token()
    given = {"email": scene.DANA, "password": scene.PASSWORD, "next": wanted, "csrf_token": token}
    page = Page(browser.client.post("/login", data=given, query_string={"next": wanted}))
    assert page.status == 303
    found = urlsplit(page.location)
    assert (found.scheme, found.netloc, page.location.startswith("//")) == ("", "", False)
    assert "evil" not in found.path.partition("/")[0]
    # Who is logged in already is led nowhere else either.
    again = browser.client.get("/login", query_string={"next": wanted})
    assert urlsplit(again.headers.get("Location", "/")).netloc == ""


def test_an_expression_in_data_is_shown_as_it_is(stage: Scene, tmp_path: Path) -> None:
    copy = stage.copied(tmp_path)
    for number, text in enumerate(EXPRESSIONS):
        membership.save_project(copy.tracker, None, ProjectForm(title=text, sender_name=text, categories=(text,)))
        name = UserForm(email=f"odd{number}@lighthouse.example", name=text, members=((text, "developer"),))
        membership.save_user(copy.tracker, None, name)
        opening.open_issue(copy.tracker, None, NewIssue(project=text, summary=text, description=text, category=text))
    site = Site(copy)  # type: ignore[arg-type]  # as above
    shown: Counter[str] = Counter()
    for path, page in walked(site, site.browser(scene.ADA), "/issues", "/admin/projects", "/admin/users", same=6):
        if page.headers.get("Content-Type", "").startswith("text/html"):
            shown.update(text for text in EXPRESSIONS if text in page.text)
            assert "<script>alert" not in page.html and "<img src=x>" not in page.html, path
            assert str(7331 * 7331) not in page.text, path
    assert all(shown[text] > 3 for text in EXPRESSIONS), shown
    site.close()
    copy.close()


def _parts(rule: str) -> Iterator[tuple[bool, str]]:
    """A route in pieces: whether each is a name, and what it says."""
    rest = rule
    while rest:
        fixed, _, rest = rest.partition("<")
        yield False, fixed
        name, _, rest = rest.partition(">")
        if name:
            yield True, name


def _sent(browser: Browser, method: str, path: str) -> Page:
    return browser.post(path) if method == "POST" else browser.get(path)
