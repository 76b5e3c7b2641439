"""What people do in the tracker, done as they do it: by clicking and typing, with scripts and without.

Each test has a store of its own, and looks afterwards at what is in it, not only at what the page says.
"""

from email.message import EmailMessage

import pytest
from playwright.sync_api import Page, expect

from eventum.issues.issue import messages
from eventum.tracker import subscribe
from tests.browser.conftest import OpenWindow
from tests.browser.server import Server
from tests.web import scene as places

SHUTTER = "The shutter does not open"
BOTH = pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without"])


def told(page: Page, words: str) -> None:
    """The next page says so."""
    expect(page.get_by_role("status").filter(has_text=words)).to_be_visible()


@BOTH
def test_somebody_logs_in_and_out(ours: Server, window: OpenWindow, script: bool) -> None:
    page = window(ours, script=script).go("/issues")
    page.get_by_label("E-mail address").fill(places.DANA)
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    expect(page.get_by_label("E-mail address")).to_have_value(places.DANA)
    page.get_by_label("Password").fill(places.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    # Where he wanted to go.
    expect(page.get_by_role("heading", level=1)).to_have_text("Issues")
    page.get_by_role("button", name="Log out").first.click()
    expect(page.get_by_label("Password")).to_be_visible()


@BOTH
def test_a_reply_goes_to_whom_its_writer_leaves_ticked(ours: Server, window: OpenWindow, script: bool) -> None:
    issue = ours.scene.issue(SHUTTER)
    page = window(ours, places.DANA, script=script).go(f"/issues/{issue.number}")
    page.get_by_label("Message").fill("Hello Ana,\n\nit is repaired.")
    page.get_by_role("checkbox", name="Yuki Tanaka").last.uncheck()
    if script:
        expect(page.locator("#send-button")).to_contain_text("1")
    page.locator("#send-button").click()
    told(page, "sent")
    expect(page.locator("article").filter(has_text="it is repaired.")).to_have_count(1)
    waiting = {entry.posting.recipient for entry in ours.scene.tracker.outbox.entries("pending")}
    assert places.ANA in waiting and places.YUKI not in waiting


def test_who_is_told_of_the_closing_shows_as_soon_as_it_is_chosen(ours: Server, window: OpenWindow) -> None:
    tracker, number = ours.scene.tracker, ours.scene.issue(SHUTTER).number
    subscribe.subscribe(tracker, number, places.ADA, "cy@elsewhere.example", actions=("closed",))
    page = window(ours, places.DANA).go(f"/issues/{number}")
    recipients = page.locator("#recipients")
    expect(recipients).not_to_contain_text("cy@elsewhere.example")
    status = page.locator("#status")
    for value, is_there in (("closed", True), ("", False), ("closed", True)):
        status.select_option(value)
        expect(recipients.get_by_text("told of the closing")).to_have_count(int(is_there))
    page.locator("label").filter(has_text="cy@elsewhere.example").get_by_role("checkbox").uncheck()
    page.get_by_label("Message").fill("It is done.")
    page.locator("#send-button").click()
    told(page, "sent")
    assert "cy@elsewhere.example" not in {one.posting.recipient for one in tracker.outbox.entries("pending")}


def test_the_key_for_a_note_lets_one_write_it(ours: Server, window: OpenWindow) -> None:
    page = window(ours, places.DANA).go(f"/issues/{ours.scene.issue(SHUTTER).number}")
    page.keyboard.press("n")
    expect(page.get_by_text("Only staff see this.").last).to_be_visible()
    expect(page.get_by_label("Message")).to_be_focused()


@BOTH
def test_a_note_is_seen_by_staff_and_not_by_the_reporter(ours: Server, window: OpenWindow, script: bool) -> None:
    issue = ours.scene.issue("My own lens")
    page = window(ours, places.DANA, script=script).go(f"/issues/{issue.number}")
    page.get_by_role("link", name="Internal note").click()
    page.get_by_label("Message").fill("She is the director's sister.")
    page.locator("#send-button").click()
    expect(page.locator("article").filter(has_text="director")).to_contain_text("Only staff see this.")
    reporter = window(ours, places.RITA).go(f"/issues/{issue.number}")
    expect(reporter.get_by_role("heading", level=1)).to_have_text("My own lens")
    expect(reporter.get_by_text("director")).to_have_count(0)


@BOTH
def test_somebody_is_assigned_in_place(ours: Server, window: OpenWindow, script: bool) -> None:
    issue = ours.scene.issue("Invoice 2026-118")
    page = window(ours, places.YUKI, script=script).go(f"/issues/{issue.number}")
    page.locator("details.pick-people summary").click()
    page.get_by_role("checkbox", name="Sam Okafor").check()
    page.get_by_role("button", name="Assign").click()
    expect(page.locator("dd").filter(has_text="Sam Okafor").first).to_be_visible()
    assert ours.scene.user(places.SAM).id in ours.scene.issue("Invoice 2026-118").assignees


@BOTH
def test_a_status_is_set_in_place(ours: Server, window: OpenWindow, script: bool) -> None:
    issue = ours.scene.issue("My own lens")
    page = window(ours, places.DANA, script=script).go(f"/issues/{issue.number}")
    status = page.get_by_label("Status", exact=True)
    status.select_option("waiting")
    if not script:
        page.locator("form.in-place").filter(has=status).get_by_role("button").click()
    told(page, "Saved")
    assert ours.scene.issue("My own lens").status == "waiting"


@BOTH
def test_a_mail_is_associated_and_that_is_undone(ours: Server, window: OpenWindow, script: bool) -> None:
    issue = ours.scene.issue(SHUTTER)
    before = len(list(messages(issue.events)))
    page = window(ours, places.YUKI, script=script).go("/emails")
    page.get_by_role("link", name="Ben Howe").first.click()
    expect(page.get_by_text("I left a lens there.")).to_be_visible()
    page.get_by_label("Issue", exact=True).fill(str(issue.number))
    if script:
        expect(page.get_by_role("radio", name=SHUTTER)).to_be_visible()
        page.get_by_role("radio", name=SHUTTER).check()
    # With scripts the button names the issue as soon as one is chosen; it is another one then.
    button = f"Associate with #{issue.number}" if script else "Associate"
    page.locator("main").get_by_role("button", name=button, exact=True).click()
    told(page, f"#{issue.number}")
    assert len(list(messages(ours.scene.issue(SHUTTER).events))) == before + 1
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Ben Howe").first).to_be_visible()
    assert len(list(messages(ours.scene.issue(SHUTTER).events))) == before


@BOTH
def test_several_issues_are_closed_at_once(ours: Server, window: OpenWindow, script: bool) -> None:
    page = window(ours, places.DANA, script=script).go("/issues")
    for subject in ("Repair estimate", "Battery empties overnight"):
        page.get_by_role("row").filter(has_text=subject).get_by_role("checkbox").check()
    page.locator("[data-bulk]").get_by_role("button", name="Close", exact=True).click()
    told(page, "Closed: #")
    expect(page.get_by_role("link", name="Repair estimate")).to_have_count(0)
    assert ours.scene.issue("Repair estimate").status == "closed"
    assert ours.scene.issue("Battery empties overnight").status == "closed"


@BOTH
def test_an_account_is_tested_step_by_step_and_added(ours: Server, window: OpenWindow, script: bool) -> None:
    page = window(ours, places.ADA, script=script).go("/admin/accounts")
    page.get_by_role("link", name="Add account").first.click()
    page.get_by_label("Type").select_option("imap/ssl")
    page.get_by_role("textbox", name="Server").fill("127.0.0.1")
    page.get_by_label("Port").fill("1")
    page.get_by_label("User name").fill("sales")
    page.get_by_label("Password").fill("not a secret")
    page.get_by_role("textbox", name="Addresses").fill("sales@lighthouse.example")
    page.get_by_role("button", name="Test", exact=True).click()
    steps = page.locator("#test li")
    expect(steps.first).to_contain_text("Name found")
    expect(page.locator("#test")).to_contain_text("failed")
    # What was typed is still there, the password without a script excepted.
    expect(page.get_by_label("User name")).to_have_value("sales")
    page.get_by_label("Password").fill("not a secret")
    page.get_by_role("button", name="Add account").click()
    expect(page.get_by_text("sales@lighthouse.example").first).to_be_visible()
    assert ours.scene.account("sales@lighthouse.example").host == "127.0.0.1"


@BOTH
def test_somebody_says_what_he_wants_to_be_told(ours: Server, window: OpenWindow, script: bool) -> None:
    page = window(ours, places.DANA, script=script).go("/preferences")
    group = page.get_by_role("group", name="Help desk: Receive emails when all issues are created?")
    group.get_by_label("Yes").check()
    page.get_by_label("Signature", exact=True).fill("Dana")
    page.get_by_role("button", name="Save preferences").click()
    told(page, "saved")
    dana = ours.scene.user(places.DANA)
    assert dana.preferences[ours.scene.project("Help desk").id].all_new
    assert dana.signature == "Dana"


def test_a_form_that_is_refused_keeps_what_was_typed(ours: Server, window: OpenWindow) -> None:
    page = window(ours, places.DANA).go("/preferences")
    page.get_by_label("Signature", exact=True).fill("A new signature")
    page.get_by_label("E-mail address").evaluate("(field) => field.form.noValidate = true")
    page.get_by_label("E-mail address").fill("nowhere")
    page.get_by_role("button", name="Save preferences").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
    expect(page.get_by_label("E-mail address")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Signature", exact=True)).to_have_value("A new signature")
    assert ours.scene.user(places.DANA).signature != "A new signature"


@pytest.mark.parametrize("words", ["注文", "確認", "ファームウェア"])
def test_japanese_words_are_found(ours: Server, window: OpenWindow, words: str) -> None:
    page = window(ours, places.ADA).go("/")
    page.get_by_label("Search issues and mails").fill(words)
    page.get_by_label("Search issues and mails").press("Enter")
    expect(page.locator("main")).to_contain_text(words)
    expect(page.locator("main a").filter(has_text=words).first).to_be_visible()


@BOTH
def test_an_issue_is_opened_by_hand(ours: Server, window: OpenWindow, script: bool) -> None:
    page = window(ours, places.DANA, script=script).go("/issues")
    page.get_by_role("link", name="New issue").click()
    page.get_by_label("Summary").fill("The lamp flickers")
    page.get_by_role("textbox", name="Text").fill("In the morning.")
    page.get_by_role("button", name="Open issue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The lamp flickers")
    assert ours.scene.issue("The lamp flickers").project == ours.scene.project("Help desk").id


def test_a_draft_is_kept_while_somebody_types(ours: Server, window: OpenWindow) -> None:
    number = ours.scene.issue("My own lens").number
    page = window(ours, places.DANA).go(f"/issues/{number}")
    page.get_by_label("Message").press_sequentially("Half a sen")
    expect(page.locator("#saved")).to_contain_text("Draft saved")
    again = window(ours, places.DANA).go(f"/issues/{number}")
    expect(again.get_by_label("Message")).to_have_value("Half a sen")


def test_a_form_that_is_sent_twice_makes_one_thing(ours: Server, window: OpenWindow) -> None:
    number = ours.scene.issue("My own lens").number
    page = window(ours, places.DANA).go(f"/issues/{number}")
    page.get_by_label("Message").fill("Only once.")
    page.locator("#send-button").dblclick()
    expect(page.locator("article").filter(has_text="Only once.")).to_have_count(1)
    page.reload()
    expect(page.locator("article").filter(has_text="Only once.")).to_have_count(1)


def test_keys_move_through_the_list_and_open_an_issue(ours: Server, window: OpenWindow) -> None:
    page = window(ours, places.DANA).go("/issues")
    second = page.locator("[data-line] a[href^='/issues/']").nth(1)
    wanted = second.inner_text()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(wanted)
    page.keyboard.press("/")
    expect(page.get_by_label("Search issues and mails")).to_be_focused()
    # While somebody types, a letter is a letter.
    page.keyboard.type("jn/")
    expect(page.get_by_label("Search issues and mails")).to_have_value("jn/")


def test_the_menu_of_a_phone_opens_without_a_script(ours: Server, window: OpenWindow) -> None:
    page = window(ours, places.DANA, width=390, script=False).go("/")
    page.locator("details.menu summary").click()
    page.locator("details.menu").get_by_role("link", name="Preferences").or_(
        page.locator("details.menu").get_by_role("link", name="Dana Reyes")
    ).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Preferences")


def test_a_folded_quote_opens_by_a_key_and_is_printed_open(ours: Server, window: OpenWindow) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = places.ANA, places.HELP, "Re: A tripod"
    quoted = "On Mon, 16 Nov 2026 at 09:00, Support <help@lighthouse.example> wrote:\n> Which one?\n"
    mail.set_content(f"The tall one.\n\n{quoted}\n-- \nAna\n")
    ours.scene.arrive(mail)
    page = window(ours, places.DANA).go(f"/issues/{ours.scene.issue('Re: A tripod').number}")
    quote, signature = page.get_by_text("> Which one?"), page.locator("details.quote").filter(has_text="Ana")
    expect(quote).to_be_hidden()
    page.get_by_text("Quoted text, 2 lines").focus()
    page.keyboard.press("Enter")
    expect(quote).to_be_visible()
    expect(signature.locator("blockquote")).to_be_hidden()
    page.emulate_media(media="print")
    expect(signature.locator("blockquote")).to_be_visible()
