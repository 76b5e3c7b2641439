"""The first visit, from the code to the empty screens that wait for mail, on a desk and on a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenWindow
from tests.browser.server import Server
from tests.browser.window import PHONE, WIDE
from tests.web import scene as places
from tests.web.scene import PASSWORD, Bare

EMPTY = ("/", "/issues", "/emails", "/blocked", "/admin/accounts", "/admin/queue", "/admin/projects", "/admin/users")
EMPTY += ("/admin/responses", "/admin/dead", "/admin/health", "/search?q=nothing", "/preferences", "/issues/new")


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Server]:
    """A store that nobody has visited, served."""
    with Server(Bare(tmp_path)) as server:
        yield server


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_a_new_installation_is_set_up_step_by_step(bare: Server, window: OpenWindow, width: int) -> None:
    looking = window(bare, width=width)
    page = looking.go("/")
    looking.look()
    assert isinstance(bare.scene, Bare)
    page.get_by_label("Code").fill(bare.scene.code)
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("E-mail address").fill(places.ADA)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Begin").click()
    steps = page.get_by_role("list", name="Steps of the set-up")
    expect(steps).to_be_visible()
    heading = page.get_by_role("heading", level=1)
    for step in ("This installation", "First project", "First e-mail account", "Outgoing mail"):
        expect(heading).to_have_text(step)
        looking.look()
        if step == "First project":
            page.get_by_label("Title").fill("Help desk")
            page.get_by_role("button", name="Add project").click()
        else:
            page.get_by_role("button", name="Skip", exact=True).click()
    expect(heading).to_have_text("Dashboard")
    for path in EMPTY:
        looking.go(path)
        looking.look()
