"""What an administrator does when Eventum is set up, by clicking: menus, tests that are refused, runs that end."""

import msgspec
import pytest
from playwright.sync_api import expect

from eventum.store.downloads import Progress
from eventum.store.first_visit import FirstVisit
from tests.browser.conftest import OpenWindow
from tests.browser.server import Server
from tests.browser.window import PHONE, WIDE
from tests.web import scene as places

BOTH = pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without"])


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_the_menu_of_the_last_account_opens_over_its_card(ours: Server, window: OpenWindow, width: int) -> None:
    shown = window(ours, places.ADA, width=width)
    page = shown.go("/admin/accounts")
    row = page.locator("tbody tr").filter(has=page.get_by_role("button", name="Test")).last
    name = row.get_by_role("link").first.inner_text()
    row.locator("summary").click()
    expect(row.get_by_role("button", name="Download now")).to_be_visible()
    # A click reaches what is not covered or cut off, or fails.
    row.get_by_role("link", name="Delete").click(trial=True)
    shown.look()
    row.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status").filter(has_text=f"{name} is paused")).to_be_visible()


@BOTH
def test_a_place_that_a_test_may_not_reach_is_allowed_under_the_step(
    ours: Server, window: OpenWindow, script: bool
) -> None:
    page = window(ours, places.ADA, script=script).go("/admin/accounts/new")
    page.get_by_label("Type").select_option("imap/ssl")
    page.get_by_role("textbox", name="Server").fill("127.0.0.1")
    page.get_by_label("Port").fill("1")
    page.get_by_label("User name").fill("sales")
    page.get_by_label("Password").fill("not a secret")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator("#test")).to_contain_text("Port 1 is no port of mail servers")
    page.get_by_role("button", name="Allow 127.0.0.1 (port 1) and test again").click()
    expect(page.locator("#test")).to_contain_text("Tests may reach 127.0.0.1, port 1 from now on.")
    expect(page.get_by_label("User name")).to_have_value("sales")
    if script:
        expect(page.locator("#test")).to_contain_text("refuses connections")
        expect(page.get_by_label("Password")).to_have_value("not a secret")
    network = ours.scene.tracker.settings.general().network
    assert "127.0.0.1" in network.allowed_hosts and 1 in network.allowed_ports


def test_enter_in_a_field_saves_and_allows_nothing(ours: Server, window: OpenWindow) -> None:
    page = window(ours, places.ADA).go("/admin/accounts/new")
    page.get_by_role("textbox", name="Server").fill("10.0.0.1")
    page.get_by_label("User name").fill("sales")
    page.get_by_label("Password").fill("not a secret")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_role("button", name="Allow 10.0.0.1 (port 993) and test again")).to_be_visible()
    page.get_by_label("User name").press("Enter")
    expect(page.get_by_role("status").filter(has_text="is added")).to_be_visible()
    assert "10.0.0.1" not in ours.scene.tracker.settings.general().network.allowed_hosts


@BOTH
def test_a_test_mail_at_the_first_visit_shows_its_steps_and_no_second_page(
    ours: Server, window: OpenWindow, script: bool
) -> None:
    ours.scene.tracker.first_visits.save(FirstVisit(left=("smtp",)))
    page = window(ours, places.ADA, script=script).go("/welcome")
    page.get_by_role("textbox", name="Server").fill("10.0.0.1")
    page.get_by_label("Port").fill("25")
    page.get_by_role("textbox", name="Sender").fill("help@lighthouse.example")
    page.get_by_role("button", name="Send a test mail").click()
    expect(page.locator("#test")).to_contain_text("not an address of the public internet")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("textbox", name="Server")).to_have_value("10.0.0.1")
    expect(page.get_by_role("button", name="Allow 10.0.0.1")).to_be_visible()


def test_the_state_of_an_account_changes_when_its_run_ends(ours: Server, window: OpenWindow) -> None:
    scene = ours.scene
    account = scene.account(places.HELP)
    running = Progress(maker=scene.tracker.maker.id, started=scene.now, waiting=3, fetched=1)
    scene.tracker.downloads.note(account.id, running)
    state = scene.tracker.state.fetch(account.id)
    scene.tracker.state.save_fetch(
        account.id, msgspec.structs.replace(state, error="It said no.", error_since=scene.now)
    )
    page = window(ours, places.ADA).go(f"/admin/accounts/{account.id}")
    expect(page.locator("#account-state")).to_contain_text("Failing")
    scene.tracker.state.save_fetch(
        account.id, msgspec.structs.replace(state, error="", error_since=None, last_success=scene.now)
    )
    done = msgspec.structs.replace(running, fetched=3, ended=scene.now, outcomes={"unassociated": 3})
    scene.tracker.downloads.note(account.id, done)
    expect(page.locator("#account-state")).to_contain_text("Working")
    page.get_by_role("link", name="3 unassociated").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Associate Emails")
