import csv
import io

import msgspec
import pytest

from eventum.tracker.change import close
from eventum.tracker.correspond import Letter, note
from eventum.tracker.listing import PAGE
from eventum.tracker.membership import ProjectForm, save_project
from eventum.tracker.opening import NewIssue, open_issue
from eventum.web.spreadsheet import csv_file
from tests.house import House, mail
from tests.web.browser import Browser, Page, Site

DEV = "dev@example.org"


@pytest.fixture
def desk(house: House, site: Site) -> House:
    """1 of Ana and assigned to dev; 2 of nobody, closed."""
    house.arrive(mail())
    open_issue(house.tracker, None, NewIssue(project="Help desk", summary="Empty shelf", priority="Low"))
    close(house.tracker, 2, None)
    return house


def numbers(page: Page) -> list[int]:
    """The issues of the list on a page."""
    links = (link.removeprefix("/issues/") for link in page.links)
    return [int(link) for link in links if link.isdigit()]


def rows(browser: Browser, path: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(browser.get(path).data.decode("utf-8-sig"))))


def test_the_list_shows_open_issues_with_their_people(desk: House, site: Site) -> None:
    page = site.browser(DEV).get("/issues")
    assert page.status == 200 and numbers(page) == [1]
    assert "The printer is on fire" in page.text and "Ana · Help desk · 1 mail" in page.text
    assert "Dev" in page.text and "1 issue." in page.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?status=*", [2, 1]),
        ("?status=-", [2]),
        ("?assignee=me", [1]),
        ("?assignee=nobody", []),
        ("?q=printer", [1]),
        ("?priority=Low&status=*", [2]),
        ("?sort=number&order=asc&status=*", [1, 2]),
        ("?page=99&status=*", [2, 1]),
        ("?page=x&sort=%00&project=../..&q=%00%22", []),
        ("?q=%22%20zz%20OR%20*&status=*", []),
    ],
)
def test_the_address_says_what_is_shown(desk: House, site: Site, query: str, found: list[int]) -> None:
    page = site.browser(DEV).get(f"/issues{query}")
    assert page.status == 200 and numbers(page) == found


def test_the_filters_keep_what_was_chosen(desk: House, site: Site) -> None:
    page = site.browser(DEV).get("/issues?status=*&assignee=me&q=fire&priority=High&sort=summary&order=desc")
    form = next(form for form in page.forms if form.action == "/issues" and form.method == "get")
    assert {name: form.values[name][-1] for name in ("q", "status", "assignee", "priority", "sort", "order")} == {
        "q": "fire",
        "status": "*",
        "assignee": "me",
        "priority": "High",
        "sort": "summary",
        "order": "desc",
    }


def test_heads_sort_and_say_how_it_is_sorted(desk: House, site: Site) -> None:
    page = site.browser(DEV).get("/issues?sort=summary")
    heads = [given for tag, given in page.elements if tag == "th" and "aria-sort" in given]
    assert [head["aria-sort"] for head in heads] == ["ascending"]
    assert "/issues?sort=summary&order=desc" in page.links and "/issues?sort=priority" in page.links


def test_a_long_list_has_pages_that_keep_the_filters(house: House, site: Site) -> None:
    for number in range(PAGE + 1):
        open_issue(house.tracker, None, NewIssue(project="Help desk", summary=f"Issue {number}"))
    page = site.browser(DEV).get("/issues?sort=number&order=asc")
    assert len(numbers(page)) == PAGE and "Page 1 of 2" in page.text
    (following,) = (link for link in page.links if "page=2" in link)
    assert numbers(site.browser(DEV).get(following)) == [PAGE + 1]


def test_ticked_issues_are_assigned_closed_and_given_a_status(desk: House, site: Site) -> None:
    browser = site.browser("admin@example.org")
    open_issue(desk.tracker, None, NewIssue(project="Help desk", summary="Third"))
    here = "/issues?sort=number"
    sent = browser.submit(here, "/issues/bulk", number=["1", "3"], do="assign", assignee=desk.dev.id)
    assert (sent.status, sent.location) == (303, here)
    assert "Assigned to Dev: #3. 1 person is told. Was so already: #1." in browser.get(here).text
    assert desk.issue(3).assignees == (desk.dev.id,)
    browser.submit(here, "/issues/bulk", number=["1", "3"], do="status", status="waiting")
    assert {desk.issue(number).status for number in (1, 3)} == {"waiting"}
    browser.submit(here, "/issues/bulk", number=["1"], do="close")
    assert desk.issue(1).closed is not None and desk.issue(3).closed is None


def test_an_issue_that_cannot_be_changed_is_told_and_stays_ticked(desk: House, site: Site) -> None:
    save_project(desk.tracker, None, ProjectForm(title="Secret"))
    open_issue(desk.tracker, None, NewIssue(project="Secret", summary="Hidden"))
    open_issue(desk.tracker, None, NewIssue(project="Help desk", summary="Fourth"))
    browser = site.browser(DEV)
    sent = browser.submit("/issues", "/issues/bulk", number=["3", "4", "77"], do="close")
    assert sent.status == 422
    assert "2 issues could not be changed" in sent.text and "There is no issue 3." in sent.text
    assert "Closed: #4." in sent.text and desk.issue(4).closed is not None and desk.issue(3).closed is None
    (desk.config.data / "issues/0/1/issue.json").write_text("{")
    sent = browser.submit("/issues", "/issues/bulk", number=["1"], do="close")
    assert sent.status == 422 and "Its record cannot be read now." in sent.text and str(desk.root) not in sent.text
    ticked = [given["value"] for tag, given in sent.elements if given.get("name") == "number" and "checked" in given]
    assert ticked == ["1"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"do": "close"}, "Tick the issues first."),
        ({"do": "assign", "number": "1", "assignee": ""}, "Choose somebody"),
        ({"do": "status", "number": "1", "status": ""}, "Choose what is to be done"),
        ({"do": "status", "number": "1", "status": "odd"}, "has no status"),
        ({"number": "1"}, "Choose what is to be done"),
        ({"do": "close", "number": "../1"}, "Tick the issues first."),
    ],
)
def test_what_is_not_clear_is_asked_for(desk: House, site: Site, fields: dict[str, str], said: str) -> None:
    browser = site.browser(DEV)
    sent = browser.post("/issues/bulk", {"next": "/issues?q=printer", **fields})
    assert sent.status == 422 and said in sent.text and numbers(sent)[-1] == 1
    assert desk.issue(1).closed is None


def test_who_is_not_staff_sees_the_list_without_what_is_for_staff(desk: House, site: Site) -> None:
    note(desk.tracker, 1, DEV, Letter(text="For us."))
    desk.user("vera", "viewer")
    browser = site.browser("vera@example.org")
    page = browser.get("/issues")
    assert numbers(page) == [1] and not [form for form in page.forms if form.action == "/issues/bulk"]
    assert "/issues/new" not in page.links
    assert browser.post("/issues/bulk", {"number": "1", "do": "close"}).status == 403
    assert rows(browser, "/issues.csv")[1][-2:] == ["1", ""]


def test_a_filter_is_saved_used_and_deleted_with_a_way_back(desk: House, site: Site) -> None:
    browser = site.browser(DEV)
    here = "/issues?status=-&sort=created"
    assert browser.submit(here, "/issues/filters", name="Old <b>ones</b>").location == here
    page = browser.get(here)
    assert "The filter is saved." in page.text and "Old <b>ones</b>" in page.text and "<b>ones" not in page.html
    assert here in page.links
    gone = browser.submit("/issues", "/issues/filters/delete")
    assert gone.status == 303
    page = browser.get("/issues")
    assert "Old" not in page.text.replace("The filter is deleted.", "")
    assert browser.submit(page, "/issues/filters").status == 303
    assert here in browser.get("/issues").links


def test_a_filter_without_a_name_is_refused_and_the_list_stays(desk: House, site: Site) -> None:
    sent = site.browser(DEV).submit("/issues?q=printer", "/issues/filters", name=" \t ")
    assert sent.status == 422 and "one line of 1 to 60" in sent.text and numbers(sent) == [1]


def test_a_filter_that_is_gone_is_not_found(desk: House, site: Site) -> None:
    assert site.browser(DEV).post("/issues/filters/delete", {"name": "Nothing"}).status == 404


def test_the_list_goes_into_a_spreadsheet_as_it_is_filtered(desk: House, site: Site) -> None:
    browser = site.browser(DEV)
    page = browser.get("/issues.csv?status=*&sort=number&order=asc")
    assert page.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert page.headers["Content-Disposition"] == 'attachment; filename="issues-2026-11-22.csv"'
    assert page.data.startswith(b"\xef\xbb\xbfid,project,summary,status,")
    _, first, second = rows(browser, "/issues.csv?status=*&sort=number&order=asc")
    assert first == [
        *("1", "Help desk", "The printer is on fire", "new", "High", "", "ana@customer.example", "Dev"),
        *("2026-11-22T12:00:00+00:00", "2026-11-22T12:00:00+00:00", "", "1", "0"),
    ]
    assert second[0] == "2"
    assert len(rows(browser, "/issues.csv")) == 2


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    (line,) = csv.reader(io.StringIO(csv_file([text], []).decode("utf-8-sig"), newline=""))
    assert line == [f"'{text}"]


def test_cells_keep_their_text(desk: House) -> None:
    values = ['a "quoted" one, and\na line', "請求書", "", None, 5, "\ud800"]
    (_, line) = csv.reader(io.StringIO(csv_file(["x"], [values]).decode("utf-8-sig"), newline=""))
    assert line == ['a "quoted" one, and\na line', "請求書", "", "", "5", "?"]


def test_the_rows_are_loaded_again_by_themselves_for_who_wants_that(desk: House, site: Site) -> None:
    browser = site.browser(DEV)
    assert not [given for _, given in browser.get("/issues").elements if "every" in given.get("hx-trigger", "")]
    dev = desk.tracker.people.user(DEV)
    desk.tracker.people.save_user(msgspec.structs.replace(dev, list_refresh=5))
    (given,) = (given for _, given in browser.get("/issues?status=*").elements if given.get("id") == "rows")
    assert given["hx-trigger"] == "every 5m"
    rows_only = browser.get(given["hx-get"], headers={"HX-Request": "true"})
    assert numbers(rows_only) == [2, 1] and "<html" not in rows_only.html and "Export CSV" not in rows_only.text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/issues", "There are no issues yet"),
        ("/issues?assignee=me", "Nothing is assigned to you"),
        ("/issues?q=x", "No issue fits these filters"),
    ],
)
def test_an_empty_list_says_what_to_do_next(house: House, site: Site, path: str, said: str) -> None:
    assert said in site.browser(DEV).get(path).text


def test_when_everything_is_closed_that_is_said(desk: House, site: Site) -> None:
    close(desk.tracker, 1, None)
    page = site.browser(DEV).get("/issues")
    assert "Everything is closed" in page.text and "/issues?status=-" in page.links


def test_who_is_in_no_project_is_told_so(house: House, site: Site) -> None:
    house.user("pat", "")
    assert "You are in no project yet" in site.browser("pat@example.org").get("/issues").text


def test_a_subject_from_outside_stays_text(house: House, site: Site) -> None:
    house.arrive(mail('<script>alert(1)</script>"><img src=x>', From='"<i>Ana" <ana@customer.example>'))
    page = site.browser(DEV).get("/issues")
    assert "<script>alert" not in page.html and "<img src=x" not in page.html and "<i>Ana" not in page.html


def test_nobody_sees_the_list_without_logging_in(site: Site) -> None:
    for path in ("/issues", "/issues.csv", "/search", "/search/issues?q=x"):
        assert site.browser().get(path).path == "/login"
