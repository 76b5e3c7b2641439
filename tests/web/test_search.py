import msgspec
import pytest

from eventum.tracker.correspond import Letter, note
from eventum.tracker.texts import AFTER_A_RUN, take_in
from tests.house import House, mail
from tests.web.browser import Site

DEV = "dev@example.org"


@pytest.fixture
def desk(house: House, site: Site) -> House:
    """Issue 1 with a mail, a blocked mail and a note; mail of no issue."""
    house.arrive(mail("Smoke", "The kettle boils <b>over</b>.", Message_ID="<1@x>"))
    house.arrive(mail("Me too", "A walrus sings.", From="Eve <eve@x.example>", In_Reply_To="<1@x>"))
    note(house.tracker, 1, DEV, Letter(text="Ask the plumber."))
    house.set_account(auto_create=msgspec.structs.replace(house.account.auto_create, enabled=False))
    house.arrive(mail("Stray", "A lonely penguin."))
    return house


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kettle", "The issue itself, from"),
        ("walrus", "A blocked mail from Eve"),
        ("plumber", "A note of Dev; only staff sees it"),
        ("penguin", "Unassociated mail"),
        ("zebra", "Nothing was found"),
        ("", "What are you looking for?"),
        ("%00%22%20zz%20OR%20(", "Nothing was found"),
    ],
)
def test_it_says_where_the_words_were_found(desk: House, site: Site, text: str, said: str) -> None:
    # As a run of cron does: a search itself takes texts in for half a second only, too short for a busy machine.
    assert take_in(desk.tracker, AFTER_A_RUN) == 0
    page = site.browser(DEV).get(f"/search?q={text}")
    assert page.status == 200 and said in page.text


def test_the_words_are_marked_and_the_text_around_them_is_text(desk: House, site: Site) -> None:
    page = site.browser(DEV).get("/search?q=kettle")
    assert "<mark>kettle</mark> boils &lt;b&gt;over" in page.html
    assert "/issues/1" in page.links


def test_mail_of_no_issue_leads_to_the_mail(desk: House, site: Site) -> None:
    page = site.browser(DEV).get("/search?q=penguin")
    (link,) = {link for link in page.links if link.startswith("/mails/")}
    assert len(link) == len("/mails/") + 64


@pytest.mark.parametrize("text", ["walrus", "plumber", "penguin"])
def test_who_is_not_staff_finds_nothing_of_it(desk: House, site: Site, text: str) -> None:
    desk.user("vera", "viewer")
    browser = site.browser("vera@example.org")
    assert "Nothing was found" in browser.get(f"/search?q={text}").text
    assert "radio" not in browser.get(f"/search/issues?q={text}").html


@pytest.mark.parametrize("text", ["1", "%231"])
def test_a_number_leads_to_its_issue(desk: House, site: Site, text: str) -> None:
    page = site.browser(DEV).get(f"/search?q={text}")
    assert "Go to issue #1 Smoke" in page.text and "Nothing was found" not in page.text


def test_issues_are_offered_to_choose_from(desk: House, site: Site) -> None:
    page = site.browser(DEV).get("/search/issues?q=smoke")
    radios = [given for tag, given in page.elements if tag == "input"]
    assert [(one["type"], one["name"], one["value"]) for one in radios] == [("radio", "issue", "1")]
    assert "#1 Smoke" in page.text and "<html" not in page.html
    assert 'name="target"' in site.browser(DEV).get("/search/issues?q=1&name=target").html
    assert 'name="issue"' in site.browser(DEV).get("/search/issues?q=1&name=%22x").html
    assert "No issue has this number" in site.browser(DEV).get("/search/issues?q=zebra").text


def test_mails_that_are_not_in_the_search_yet_are_counted(
    desk: House, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventum.tracker.search.BEFORE_AN_ANSWER", 0.0)
    assert "mails are still being added to the search" in site.browser(DEV).get("/search?q=kettle").text


def test_looking_changes_nothing_in_the_store(desk: House, site: Site) -> None:
    before = {path: path.read_bytes() for path in desk.config.data.rglob("*") if path.is_file()}
    browser = site.browser(DEV)
    for path in ("/search?q=kettle", "/search/issues?q=smoke", "/issues?q=kettle", "/issues.csv"):
        assert browser.get(path).status == 200
    assert {path: path.read_bytes() for path in desk.config.data.rglob("*") if path.is_file()} == before
