"""Every text of the web interface can be said in other languages, and is in Japanese."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eventum.tracker import membership
from eventum.tracker.membership import ProjectForm, UserForm
from eventum.web import l10n
from tests import catalogues
from tests.house import House
from tests.web import pseudo, scene
from tests.web.browser import Browser, Site
from tests.web.scene import Bare, Scene
from tests.web.walk import walked

ALL = catalogues.extracted()


@pytest.fixture(scope="module")
def greek(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose data has no Latin letter, in a language of nobody."""
    stage = Scene(tmp_path_factory.mktemp("greek"), scene.in_greek).build()
    site = Site(stage)  # type: ignore[arg-type]  # it needs of a house what a scene has as well
    yield site
    site.close()
    stage.close()


@pytest.fixture
def nobodys(greek: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The same in a language of nobody."""
    pseudo.make(tmp_path)
    monkeypatch.setattr(l10n, "FOLDER", tmp_path)
    return greek


def left_out(site: Site, browser: Browser, *begins: str) -> list[str]:
    """The texts without brackets on all pages somebody can get to, with one page each."""
    found: dict[str, str] = {}
    for path, page in walked(site, browser, *begins):
        if page.headers.get("Content-Type", "").startswith("text/html") and not page.location:
            for text in pseudo.forgotten(page.html):
                found.setdefault(text, path)
    return [f"{path}: {text}" for text, path in found.items()]


@pytest.mark.parametrize("who", [scene.ADA, scene.DANA, scene.RITA, None])
def test_no_text_of_a_page_is_left_out_of_the_catalogue(nobodys: Site, who: str | None) -> None:
    begins = ("/", "/issues/1", "/issues/1?write=note", "/emails", "/search?q=λενσ", "/login", "/no/such")
    assert not left_out(nobodys, nobodys.browser(who), *begins)


def test_no_text_of_the_first_visit_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pseudo.make(tmp_path / "translations")
    monkeypatch.setattr(l10n, "FOLDER", tmp_path / "translations")
    bare = Bare(tmp_path / "bare")
    site = Site(bare)  # type: ignore[arg-type]  # it needs of a house what this has as well
    browser = site.browser()
    assert not left_out(site, browser, "/welcome")
    secret = {"password": scene.PASSWORD, "again": scene.PASSWORD}
    page = browser.submit("/welcome", "/welcome", code=bare.code, name="Αδα", email=scene.ADA, **secret)
    assert page.path == "/welcome"
    # Each step, and then the screens that wait for mail.
    steps = (f"/welcome?step={step}" for step in ("project", "account", "smtp"))
    assert not left_out(site, browser, *steps, "/", "/emails", "/search?q=λενσ")
    site.close()
    bare.close()


def test_a_name_that_people_gave_is_the_same_in_every_language(site: Site, house: House) -> None:
    membership.save_project(house.tracker, None, ProjectForm(title="Issues", sender_email="issues@example.org"))
    membership.save_user(house.tracker, "admin@example.org", UserForm(language="ja"))
    page = site.browser("admin@example.org").get(f"/admin/users/{house.dev.id}")
    labels = [attributes.get("for", "") for tag, attributes in page.elements if tag == "label"]
    project = house.tracker.people.project("Issues")
    assert f"role-{project.id}" in labels
    # The menu says it in Japanese, the label as it was given.
    assert "案件" in page.text and ">Issues</label>" in page.html


def test_a_refusal_is_said_in_the_readers_language(nobodys: Site) -> None:
    browser = nobodys.browser(scene.ADA)
    refused = [
        browser.submit("/admin/users/new", "/admin/users", email="nowhere"),
        browser.submit("/admin/projects/new", "/admin/projects", title=""),
        browser.submit("/preferences", "/preferences", email="nowhere", timezone="Mars/Phobos"),
        browser.submit("/admin/accounts/new", "/admin/accounts/new", type="imap/ssl", host="", port="x"),
        browser.submit("/issues/new", "/issues/new", summary=""),
        browser.post("/login", {"email": "", "password": ""}),
    ]
    for page in refused:
        assert page.status == 422, page.text
        assert not list(pseudo.forgotten(page.html))


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("<p>Forgotten</p>", ["Forgotten"]),
        ("<p>⟦Sáíd⟧ and not</p>", ["⟦Sáíd⟧ and not"]),
        ('<input placeholder="Search">', ["placeholder: Search"]),
        ("<p>⟦Sáíd óf ana@costa.example⟧ <b>λενσ</b> ana@costa.example, 4.2 MB</p>", []),
        ("<p>⟦óñé ⟦ín⟧ Another⟧</p>", []),
        ("<code>flask init</code><p translate='no'>imap/ssl</p>", []),
    ],
)
def test_a_text_that_was_forgotten_is_found(html: str, found: list[str]) -> None:
    assert list(pseudo.forgotten(html)) == found


def test_places_for_values_stay_in_every_language() -> None:
    assert pseudo.strange("%(who)s wrote {count:d} 100%%") == "⟦%(who)s wróté {count:d} 100%%⟧"


def test_the_template_holds_the_texts_of_the_source() -> None:
    kept = {message.id for message in catalogues.texts_of(catalogues.read(catalogues.FOLDER / "messages.pot"))}
    assert kept == {message.id for message in catalogues.texts_of(ALL)}, "run `make translations`"


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
class TestLanguage:
    """What a catalogue has to be."""

    def test_nothing_is_missing(self, language: str) -> None:
        texts = catalogues.texts_of(catalogues.read(catalogues.po_of(language), language))
        assert {message.id for message in texts} == {message.id for message in catalogues.texts_of(ALL)}
        assert not [message.id for message in texts if not catalogues.is_said(message)]

    def test_places_for_values_are_those_of_the_source(self, language: str) -> None:
        for message in catalogues.texts_of(catalogues.read(catalogues.po_of(language), language)):
            if isinstance(message.id, str):
                assert catalogues.places(str(message.string)) == catalogues.places(message.id), message.id
            else:
                # One form serves for one and many; it may say the number where English does not.
                known = set(catalogues.places("".join(message.id)))
                for string in message.string:
                    assert set(catalogues.places(string)) == known, message.id

    def test_what_the_program_reads_is_made_of_what_people_write(self, language: str) -> None:
        catalogue = catalogues.read(catalogues.po_of(language), language)
        assert catalogues.mo_of(language).read_bytes() == catalogues.compiled(catalogue), "run `make translations`"

    def test_the_program_knows_it(self, language: str) -> None:
        assert language in l10n.LANGUAGES
        assert Path(l10n.FOLDER) == catalogues.FOLDER
