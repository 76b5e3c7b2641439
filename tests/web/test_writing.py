"""Writing to an issue in a browser: who gets it, once, with what was typed kept whatever happens."""

import io
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import stream_encode_multipart

from eventum.issues.events import Closed, Filed
from eventum.issues.issue import messages
from eventum.mail.message import part_bytes
from eventum.tracker import change, correspond, membership, responses, subscribe
from eventum.tracker.correspond import Letter
from eventum.tracker.membership import UserForm
from eventum.tracker.reading import raw_bytes
from eventum.tracker.responses import ResponseForm
from tests.house import House, mail
from tests.web.browser import Page, Site

WRITE = "/issues/1/write#reply"  # A page that comes back with the form shows the form.


@pytest.fixture
def opened(house: House) -> House:
    """With issue 1 of Ana, assigned to dev, and its notices forgotten."""
    house.arrive(mail(Message_ID="<root@customer.example>"))
    for entry in house.queued():
        house.tracker.outbox.forget(entry.id)
    return house


def ticked(page: Page) -> list[str]:
    return page.form(WRITE).values.get("send", [])


def test_who_gets_a_reply_stands_there_before_it_is_sent(opened: House, site: Site) -> None:
    page = site.browser("admin@example.org").get("/issues/1")
    assert set(ticked(page)) == {"ana@customer.example", "dev@example.org"}
    assert "Send to 2 people" in page.text
    assert "ana@customer.example reporter" in page.text and "Dev assignee" in page.text


def test_a_reply_goes_to_those_who_are_ticked_and_to_nobody_else(opened: House, site: Site) -> None:
    admin = site.browser("admin@example.org")
    answer = admin.submit("/issues/1", WRITE, text="We come.", send=["ana@customer.example"])
    assert (answer.status, answer.path) == (303, "/issues/1")
    assert opened.told() == [("email", "ana@customer.example")]
    assert "Sent to 1 person." in admin.get("/issues/1").text
    filed = [event.what for event in opened.issue(1).events if isinstance(event.what, Filed)][-1]
    assert filed.left_out == ("dev@example.org",)


def test_the_reporter_can_be_left_out_and_others_named(opened: House, site: Site) -> None:
    admin = site.browser("admin@example.org")
    fields: dict[str, Any] = {"text": "x", "send": ["dev@example.org"], "to": "Bo@x.example; cy@x.example"}
    assert admin.submit("/issues/1", WRITE, **fields).status == 303
    assert {who for _, who in opened.told()} == {"dev@example.org", "bo@x.example", "cy@x.example"}


def test_a_reply_to_nobody_is_refused_and_kept(opened: House, site: Site) -> None:
    page = site.browser("admin@example.org").submit("/issues/1", WRITE, text="Dear nobody", send=None)
    assert page.status == 422 and "Nobody would get this reply" in page.text
    assert page.form(WRITE).values["text"] == ["\nDear nobody"] and ticked(page) == []
    assert opened.told() == []


def test_a_double_click_sends_one_reply(opened: House, site: Site) -> None:
    admin = site.browser("admin@example.org")
    form = admin.get("/issues/1").form(WRITE)
    data = {**form.values, "text": "We come."}
    first, second = admin.post(WRITE, data), admin.post(WRITE, data)
    assert (first.status, first.location) == (second.status, second.location)
    assert opened.issue(1).emails == 2 and len(opened.told()) == 2


def test_who_answers_is_told_what_changed_meanwhile_and_loses_nothing(opened: House, site: Site) -> None:
    admin = site.browser("admin@example.org")
    page = admin.get("/issues/1")
    change.close(opened.tracker, 1, "dev@example.org", "Done by phone.")
    for entry in opened.queued():
        opened.tracker.outbox.forget(entry.id)
    refused = admin.submit(page, WRITE, text="We come.")
    assert refused.status == 409 and opened.told() == []
    assert "Dev changed this while you were writing." in refused.text and "Closed: Done by phone." in refused.text
    assert admin.submit(refused, WRITE).status == 303
    assert ("email", "ana@customer.example") in opened.told()


def test_who_came_onto_the_list_meanwhile_is_named_before_he_gets_it(opened: House, site: Site) -> None:
    admin = site.browser("admin@example.org")
    page = admin.get("/issues/1")
    change.assign(opened.tracker, 1, None, [opened.user("sue").email])
    refused = admin.submit(page, WRITE, text="We come.")
    assert refused.status == 409 and "Sue gets it now, too." in refused.text
    assert "sue@example.org" in refused.form(WRITE).values["send"]


def test_files_go_with_a_reply_and_are_sent_on(opened: House, site: Site) -> None:
    admin = site.browser("admin@example.org")
    values = {**admin.get("/issues/1").form(WRITE).values, "text": "See here."}
    values["files"] = [
        (io.BytesIO(b"\x89PNG"), "../漏れ.png", "image/png"),
        (io.BytesIO(b"one"), "a.txt", "multipart/mixed"),
    ]
    assert admin.post(WRITE, values, content_type="multipart/form-data").status == 303
    kept = messages(opened.issue(1).events)[-1]
    assert [(one.name, one.type, one.size) for one in kept.attachments] == [
        ("漏れ.png", "image/png", 4),
        ("a.txt", "application/octet-stream", 3),
    ]
    entry = opened.queued()[0]
    assert part_bytes(raw_bytes(entry.path), kept.attachments[0].part) == b"\x89PNG"
    page = admin.get("/issues/1")
    assert "漏れ.png" in page.text and any(link.endswith(f"/parts/{kept.attachments[0].part}") for link in page.links)


@pytest.mark.parametrize(
    ("files", "said"),
    [([b"x"] * 21, "21 files, and 20 go"), ([b"x" * 7_000_000] * 3, "21.0 MB together, and 20 MB go")],
)
def test_too_many_or_too_large_files_are_refused_with_the_text_kept(
    opened: House, site: Site, files: list[bytes], said: str
) -> None:
    admin = site.browser("admin@example.org")
    values = {**admin.get("/issues/1").form(WRITE).values, "text": "See here."}
    values["files"] = [FileStorage(io.BytesIO(data), f"{place}.bin") for place, data in enumerate(files)]
    # Encoded here: Werkzeug's own client leaves the file open in which it keeps what is large.
    stream, _, boundary = stream_encode_multipart(values, use_tempfile=False)
    kind = f"multipart/form-data; boundary={boundary}"
    page = Page(admin.client.post(WRITE, data=stream.read(), content_type=kind))
    assert page.status == 422 and said in page.text and "Choose other files" in page.text
    assert page.form(WRITE).values["text"][0].strip() == "See here."
    assert opened.issue(1).emails == 1


def test_files_need_not_be_chosen_again_after_a_refusal(opened: House, site: Site) -> None:
    admin = site.browser("admin@example.org")
    values = {**admin.get("/issues/1").form(WRITE).values, "text": "See here.", "to": "nonsense"}
    values["files"] = [(io.BytesIO(b"\x89PNG"), "a.png"), (io.BytesIO(b"two"), "b.txt")]
    page = admin.post(WRITE, values, content_type="multipart/form-data")
    assert page.status == 422 and "a.png 4 B" in page.text
    keys = page.form(WRITE).values["keep"]
    assert len(keys) == 2 and "a.png 4 B" in admin.get("/issues/1").text
    assert admin.submit(page, WRITE, to="", keep=keys[1:]).status == 303
    (attachment,) = messages(opened.issue(1).events)[-1].attachments
    assert (attachment.name, attachment.size) == ("b.txt", 3)
    assert "b.txt 3 B" not in str(admin.get("/issues/1").form(WRITE).values)
    assert not list((opened.root / "data/state/drafts").iterdir())


def test_a_draft_that_colleagues_see_keeps_its_files(opened: House, site: Site) -> None:
    admin, dev = site.browser("admin@example.org"), site.browser("dev@example.org")
    values = {**admin.get("/issues/1").form(WRITE).values, "text": "See here.", "do": "draft"}
    values["files"] = [(io.BytesIO(b"one"), "a.txt")]
    assert admin.post(WRITE, values, content_type="multipart/form-data").status == 303
    link = next(one for one in dev.get("/issues/1").links if "draft=" in one)
    assert dev.submit(dev.get(link), WRITE).status == 303
    (attachment,) = messages(opened.issue(1).events)[-1].attachments
    assert (attachment.name, attachment.size) == ("a.txt", 3)


def test_a_note_is_for_staff_and_tells_no_customer(opened: House, site: Site) -> None:
    admin = site.browser("admin@example.org")
    page = admin.get("/issues/1?write=note")
    assert ticked(page) == ["dev@example.org"] and "Only staff see this." in page.text
    assert admin.submit(page, WRITE, text="The fuser is dead.").status == 303
    assert opened.told() == [("note", "dev@example.org")] and opened.issue(1).notes == 1


def test_the_status_is_set_with_the_reply(opened: House, site: Site) -> None:
    assert site.browser("admin@example.org").submit("/issues/1", WRITE, text="x", status="closed").status == 303
    assert opened.issue(1).status == "closed"
    assert ("closed", "ana@customer.example") in opened.told()


def test_who_is_left_out_of_a_reply_is_left_out_of_the_closing_with_it(opened: House, site: Site) -> None:
    admin = site.browser("admin@example.org")
    fields: dict[str, Any] = {"text": "x", "status": "closed", "send": ["dev@example.org"]}
    assert admin.submit("/issues/1", WRITE, **fields).status == 303
    assert opened.told() and {who for _, who in opened.told()} == {"dev@example.org"}
    closed = [event.what for event in opened.issue(1).events if isinstance(event.what, Closed)][-1]
    assert closed.left_out == ("ana@customer.example",)
    assert "Sent to 1 person." in admin.get("/issues/1").text


def test_who_is_told_of_the_closing_only_is_among_the_recipients(opened: House, site: Site) -> None:
    subscribe.subscribe(opened.tracker, 1, None, "cy@x.example", actions=("closed",))
    admin = site.browser("admin@example.org")
    page = admin.get("/issues/1")
    values = {**page.form(WRITE).values, "status": "closed", "text": "x"}
    assert "cy@x.example" not in ticked(page)
    part = admin.post("/issues/1/recipients", values)
    assert "cy@x.example told of the closing" in part.text and "Send to 3 people" in part.text
    refused = admin.post(WRITE, values)  # Without a script he was not shown.
    assert refused.status == 409 and "cy@x.example gets it now, too." in refused.text and opened.told() == []
    assert admin.submit(refused, WRITE).status == 303
    assert ("closed", "cy@x.example") in opened.told() and "Sent to 3 people." in admin.get("/issues/1").text


def test_a_conflict_names_nobody_twice(opened: House, site: Site) -> None:
    admin = site.browser("admin@example.org")
    page = admin.get("/issues/1")
    correspond.reply(opened.tracker, 1, "dev@example.org", Letter(text="We come."))
    refused = admin.submit(page, WRITE, text="We come.")
    assert refused.status == 409 and "Dev wrote to ana@customer.example: Re:" in refused.text
    assert "dev@example.org wrote" not in refused.text and "Dev: " not in refused.text


def test_the_fields_for_others_say_that_they_stay(opened: House, site: Site) -> None:
    assert site.browser("admin@example.org").get("/issues/1").text.count("They also get the later mails") == 2


def test_what_is_typed_is_kept_until_it_is_sent(opened: House, site: Site) -> None:
    admin = site.browser("admin@example.org")
    values = {**admin.get("/issues/1").form(WRITE).values, "text": "Half a sen", "send": ["ana@customer.example"]}
    assert "Draft saved 12:00" in admin.post("/issues/1/draft", values).text
    page = admin.get("/issues/1")
    assert page.form(WRITE).values["text"][0].strip() == "Half a sen" and ticked(page) == ["ana@customer.example"]
    assert "Draft saved 12:00" in page.text
    assert site.browser("dev@example.org").get("/issues/1").form(WRITE).values["text"][0].strip() == ""
    assert admin.submit(page, WRITE, text="Half a sentence.").status == 303
    assert admin.get("/issues/1").form(WRITE).values["text"][0].strip() == ""


def test_what_was_sent_is_not_kept_by_a_page_that_comes_late(opened: House, site: Site) -> None:
    admin = site.browser("admin@example.org")
    values = {**admin.get("/issues/1").form(WRITE).values, "text": "Answer once only", "do": "send"}
    assert admin.post(WRITE, values).status == 303
    assert "Draft saved" not in admin.post("/issues/1/draft", values).text
    page = admin.get("/issues/1")
    assert page.form(WRITE).values["text"][0].strip() == "" and page.form(WRITE).values["nonce"] != values["nonce"]
    fresh = {**page.form(WRITE).values, "text": "Another"}
    assert "Draft saved" in admin.post("/issues/1/draft", fresh).text
    admin.post("/issues/1/draft", values)
    assert admin.get("/issues/1").form(WRITE).values["text"][0].strip() == "Another"


def test_what_is_typed_keeps_the_nonce_of_its_form(opened: House, site: Site) -> None:
    admin = site.browser("admin@example.org")
    values = {**admin.get("/issues/1").form(WRITE).values, "text": "Answer once only"}
    admin.post("/issues/1/draft", values)
    again = admin.get("/issues/1").form(WRITE).values
    assert again["nonce"] == values["nonce"]
    assert [admin.post(WRITE, {**one, "do": "send"}).status for one in (values, again)] == [303, 303]
    assert opened.issue(1).emails == 2


@pytest.mark.parametrize(
    "other",
    [
        {"text": "We come later!"},
        {"text": "We come", "to": "bo@x.example"},
        {"text": "We come", "send": ["ana@customer.example"]},
        {"text": "We come", "status": "closed"},
        {"text": "We come", "files": [(io.BytesIO(b"x"), "forgotten.txt")]},
    ],
)
@pytest.mark.parametrize("do", ["send", "draft"])
def test_a_form_that_was_sent_loses_nothing_else_that_is_typed_into_it(
    opened: House, site: Site, do: str, other: dict[str, Any]
) -> None:
    admin = site.browser("admin@example.org")
    values = {**admin.get("/issues/1").form(WRITE).values, "text": "We come", "do": do}
    assert admin.post(WRITE, values).status == 303
    before = len(messages(opened.issue(1).events))
    for part in other.get("files", ()):
        part[0].seek(0)
        other = {**other, "files": [(io.BytesIO(b"x"), part[1])]}
    if do == "draft" and "status" in other:
        return  # A draft for all has no status.
    page = admin.post(WRITE, {**values, **other}, content_type="multipart/form-data")
    assert page.status == 409 and "This form was sent before" in page.text
    assert len(messages(opened.issue(1).events)) == before
    assert page.form(WRITE).values["text"][0].strip() == other["text"]
    assert admin.submit(page, WRITE).status == 303
    assert len(messages(opened.issue(1).events)) == before + 1


def test_a_draft_can_be_thrown_away(opened: House, site: Site) -> None:
    admin = site.browser("admin@example.org")
    admin.post("/issues/1/draft", {**admin.get("/issues/1").form(WRITE).values, "text": "Half"})
    assert admin.submit("/issues/1", "/issues/1/draft/discard").status == 303
    assert admin.get("/issues/1").form(WRITE).values["text"][0].strip() == ""


def test_a_draft_that_colleagues_see_is_gone_on_with_by_one_of_them(opened: House, site: Site) -> None:
    admin, dev = site.browser("admin@example.org"), site.browser("dev@example.org")
    assert admin.submit("/issues/1", WRITE, text="Dear Ana", do="draft").status == 303
    assert opened.told() == []
    page = dev.get("/issues/1")
    assert "Nothing was sent yet." in page.text
    link = next(one for one in page.links if "draft=" in one)
    form = dev.get(link)
    assert form.form(WRITE).values["text"][0].strip() == "Dear Ana"
    assert dev.submit(form, WRITE, text="Dear Ana, we come.").status == 303
    assert [one.kind for one in messages(opened.issue(1).events)] == ["email", "email"]
    assert dev.get(link).status == 404


def test_a_draft_that_colleagues_see_is_deleted_with_its_file(opened: House, site: Site) -> None:
    admin = site.browser("admin@example.org")
    admin.submit("/issues/1", WRITE, text="Dear Ana", do="draft")
    (key,) = [one.key for one in messages(opened.issue(1).events) if one.kind == "draft"]
    assert admin.submit("/issues/1", f"/issues/1/drafts/{key}/delete").status == 303
    assert [one.kind for one in messages(opened.issue(1).events)] == ["email"]
    names = [path.name for path in (opened.root / "data/issues/0/1/mail/cur").iterdir()]
    assert not any(name.startswith(key) for name in names)


def test_a_canned_response_is_put_below_what_is_typed(opened: House, site: Site) -> None:
    made = responses.save_response(opened.tracker, None, ResponseForm(title="Thanks", text="Thank you."))
    admin = site.browser("admin@example.org")
    page = admin.submit("/issues/1", WRITE, text="Dear Ana", response=made.id, do="insert")
    assert page.status == 200 and page.form(WRITE).values["text"][0].strip() == "Dear Ana\n\nThank you."
    assert opened.issue(1).emails == 1
    values = {**page.form(WRITE).values, "text": "", "response": made.id}
    assert "Thank you." in admin.post("/issues/1/insert", values).text


def test_the_signature_goes_below_replies_and_not_below_notes(opened: House, site: Site) -> None:
    membership.save_user(
        opened.tracker, "admin@example.org", UserForm(signature="Ada\nHelp desk", signature_in=("replies",))
    )
    admin = site.browser("admin@example.org")
    assert admin.submit("/issues/1", WRITE, text="We come.").status == 303
    assert "We come.\n\n-- \nAda\nHelp desk" in opened.sent_to("ana@customer.example", "email").text
    admin.submit("/issues/1?write=note", WRITE, text="Secret.")
    assert "Ada\nHelp desk" not in opened.sent_to("dev@example.org", "note").text


def test_who_is_writing_right_now_is_shown_to_the_others(opened: House, site: Site) -> None:
    admin, dev = site.browser("admin@example.org"), site.browser("dev@example.org")
    assert "writing" not in dev.get("/issues/1/writers").text
    admin.post("/issues/1/writers?focus=1")
    assert "Ada is writing to this issue right now." in dev.get("/issues/1").text
    assert "right now" not in admin.get("/issues/1/writers").text
    opened.now += timedelta(seconds=80)
    assert "right now" not in dev.get("/issues/1/writers").text
    admin.post("/issues/1/writers")  # A page that is open is not somebody who types.
    assert "right now" not in dev.get("/issues/1/writers").text
    admin.post("/issues/1/draft", {**admin.get("/issues/1").form(WRITE).values, "text": "Half"})
    assert "right now" in dev.get("/issues/1/writers").text
    admin.submit("/issues/1", WRITE)
    assert "right now" not in dev.get("/issues/1/writers").text


def test_the_recipients_follow_the_form_without_a_reload(opened: House, site: Site) -> None:
    admin = site.browser("admin@example.org")
    values = {**admin.get("/issues/1").form(WRITE).values, "to": "bo@x.example"}
    part = admin.post("/issues/1/recipients", values)
    assert "<html" not in part.html and "bo@x.example named here" in part.text and "Send to 3 people" in part.text
    wrong = admin.post("/issues/1/recipients", {**values, "to": "nonsense"})
    assert wrong.status == 200 and "is not an e-mail address" in wrong.text


def test_a_reporter_replies_as_himself_and_reaches_the_staff(opened: House, site: Site) -> None:
    rep = opened.user("rep", role="reporter")
    opened.arrive(mail("Mine", text="Mine", From="Rep <rep@example.org>", Message_ID="<mine@example.org>"))
    for entry in opened.queued():
        opened.tracker.outbox.forget(entry.id)
    browser = site.browser(rep.email)
    page = browser.get("/issues/2")
    assert "It goes to the people who work on this issue." in page.text and "dev@example.org" not in page.text
    correspond.note(opened.tracker, 2, None, Letter(text="Secret."))
    answer = browser.submit(page, "/issues/2/write#reply", text="Any news?")
    assert answer.status == 303
    assert ("email", "dev@example.org") in opened.told()
    assert messages(opened.issue(2).events)[-1].from_.address == rep.email


def test_who_may_only_read_has_no_form_and_is_refused(opened: House, site: Site) -> None:
    viewer = site.browser(opened.user("vi", role="viewer").email)
    page = viewer.get("/issues/1")
    assert page.status == 200 and not [form for form in page.forms if form.action == WRITE]
    assert viewer.post(WRITE, {"text": "x"}).status == 403
    assert viewer.get("/issues/1/writers").status == 403
    assert opened.issue(1).emails == 1
