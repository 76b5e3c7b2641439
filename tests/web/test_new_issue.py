"""A new issue in a browser."""

import io
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from eventum.tracker import membership
from eventum.tracker.membership import ProjectForm
from tests.house import House
from tests.web.browser import Site

NEW = "/issues/new"


def test_an_issue_is_opened_once_however_often_the_button_is_pressed(house: House, site: Site) -> None:
    dev = site.browser("dev@example.org")
    form = dev.get(NEW).form(NEW)
    data = {**form.values, "summary": "The fuser is dead", "text": "It smells.", "priority": "High"}
    first, second = dev.post(NEW, data), dev.post(NEW, data)
    assert (first.status, first.path, second.path) == (303, "/issues/1", "/issues/1")
    assert list(house.tracker.issues.numbers()) == [1]
    issue = house.issue(1)
    assert (issue.summary, issue.description, issue.priority, issue.reporter) == (
        "The fuser is dead",
        "It smells.",
        "High",
        "dev@example.org",
    )


def test_a_new_mail_to_a_customer_opens_the_issue_and_is_sent(house: House, site: Site) -> None:
    dev = site.browser("dev@example.org")
    fields = {"summary": "Your printer", "how": "mail", "reporter": "Ana@customer.example", "text": "It is ready."}
    assert dev.submit(NEW, NEW, **fields).status == 303
    assert ("email", "ana@customer.example") in house.told()
    assert not [kind for kind, _ in house.told() if kind == "acknowledgement"]
    sent = house.sent_to("ana@customer.example", "email")
    assert sent.subject == "[#1] Your printer" and sent.text.strip() == "It is ready."
    issue = house.issue(1)
    assert (issue.reporter, issue.emails, issue.description) == ("ana@customer.example", 1, "")


def test_a_refused_form_keeps_what_was_typed(house: House, site: Site) -> None:
    dev = site.browser("dev@example.org")
    page = dev.submit(NEW, NEW, summary="", text="It smells.")
    assert page.status == 422 and "Fill this in." in page.text
    assert page.form(NEW).values["text"][0].strip() == "It smells."
    page = dev.submit(NEW, NEW, summary="x", reporter="nonsense", text="It smells.")
    assert page.status == 422 and "is not an e-mail address" in page.text
    page = dev.submit(NEW, NEW, summary="x", reporter="ana@customer.example", how="mail", text=" ")
    assert page.status == 422 and "empty" in page.text
    values = {**dev.get(NEW).form(NEW).values, "summary": "x", "files": [(io.BytesIO(b"x"), "a.txt")]}
    page = dev.post(NEW, values, content_type="multipart/form-data")
    assert page.status == 422 and "Files go with a mail" in page.text
    assert list(house.tracker.issues.numbers()) == []


def test_another_project_has_other_choices(house: House, site: Site) -> None:
    membership.save_project(house.tracker, None, ProjectForm(title="Sales", categories=("Leads",)))
    sales = house.tracker.people.project("Sales")
    admin = site.browser("admin@example.org")
    page = admin.submit(NEW, NEW, project=sales.id, summary="Typed", do="project")
    assert page.status == 200 and "Leads" in page.text and page.form(NEW).values["summary"] == ["Typed"]


def test_what_is_typed_is_kept_until_the_issue_is_open(house: House, site: Site) -> None:
    dev = site.browser("dev@example.org")
    values = {**dev.get(NEW).form(NEW).values, "summary": "Half", "text": "It sm", "how": "mail"}
    assert "Draft saved 12:00" in dev.post("/issues/new/draft", values).text
    page = dev.get(NEW)
    found = page.form(NEW).values
    assert (found["summary"], found["text"][0].strip(), found["how"]) == (["Half"], "It sm", ["mail"])
    assert dev.submit(page, NEW, summary="Whole", how="note").status == 303
    assert dev.get(NEW).form(NEW).values["summary"] == [""]


def test_a_reporter_opens_his_own_and_nobody_elses(house: House, site: Site) -> None:
    rep = house.user("rep", role="reporter")
    browser = site.browser(rep.email)
    page = browser.get(NEW)
    assert "reporter" not in page.form(NEW).names and "assign" not in page.form(NEW).names
    assert browser.post(NEW, {**page.form(NEW).values, "summary": "Mine", "reporter": "x@y.example"}).status == 303
    assert house.issue(1).reporter == rep.email


def test_a_viewer_opens_none(house: House, site: Site) -> None:
    assert site.browser(house.user("vi", role="viewer").email).get(NEW).status == 403


def test_what_was_opened_is_not_kept_by_a_page_that_comes_late(house: House, site: Site) -> None:
    dev = site.browser("dev@example.org")
    values = {**dev.get(NEW).form(NEW).values, "summary": "Once only", "text": "It smells."}
    assert dev.post("/issues/new/draft", values).status == 200
    assert dev.get(NEW).form(NEW).values["nonce"] == values["nonce"]
    assert dev.post(NEW, values).status == 303
    assert "Draft saved" not in dev.post("/issues/new/draft", values).text
    assert dev.get(NEW).form(NEW).values["summary"] == [""]


def test_a_form_that_opened_an_issue_loses_nothing_else_that_is_typed_into_it(house: House, site: Site) -> None:
    dev = site.browser("dev@example.org")
    values = {**dev.get(NEW).form(NEW).values, "summary": "One"}
    assert dev.post(NEW, values).status == 303
    page = dev.post(NEW, {**values, "summary": "Two"})
    assert page.status == 409 and "This form was sent before" in page.text
    assert dev.submit(page, NEW).path == "/issues/2"
    page = dev.get("/issues/2")
    assert "The issue is opened." in page.text and "/issues/2" in page.links


def test_a_new_mail_is_a_way_of_its_own(house: House, site: Site) -> None:
    dev = site.browser("dev@example.org")
    way = "/issues/new?how=mail"
    assert way in dev.get("/issues").links
    values = {**dev.get(way).form(way).values, "summary": "Ready", "text": "It is."}
    page = dev.post(way, {**values, "do": "open"})
    assert page.status == 422 and "Say whom you write to." in page.text and "New mail" in page.text
    dev.post("/issues/new/draft", values)
    assert dev.get(way).form(way).values["summary"] == ["Ready"]
    assert dev.get("/issues/new?how=note").form("/issues/new").values["summary"] == [""]
    assert dev.submit(page, way, reporter="ana@customer.example").path == "/issues/1"
    assert ("email", "ana@customer.example") in house.told()


def test_a_mail_to_nobody_is_refused_before_anything_is_made(house: House, site: Site) -> None:
    page = site.browser("dev@example.org").submit(NEW, NEW, summary="x", how="mail", text="Hello")
    assert page.status == 422 and "Say whom you write to." in page.text
    assert house.tracker.numbers.take() == 1


def test_of_many_clicks_at_once_one_opens_the_issue_and_the_others_are_led_to_it(house: House, site: Site) -> None:
    dev = site.browser("dev@example.org")
    data = {**dev.get(NEW).form(NEW).values, "summary": "The fuser is dead", "text": "It smells."}
    data |= {"csrf_token": dev.token()}
    cookie = dev.client.get_cookie("eventum")
    assert cookie is not None

    def click(_: int) -> str:
        client = site.app.test_client()
        client.set_cookie("eventum", cookie.value)
        return str(client.post(NEW, data=data).headers["Location"])

    with ThreadPoolExecutor(6) as pool:
        places = list(pool.map(click, range(6)))
    (number,) = house.tracker.issues.numbers()
    assert {urlsplit(place).path for place in places} == {f"/issues/{number}"}
