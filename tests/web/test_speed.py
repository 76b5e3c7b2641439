"""What a page does not do again: read mails that were read before, or look at the whole of a long issue.

Times are measured by `make bench`; here files that are opened are counted, which is the same on every machine.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.web import scene as places
from tests.web.browser import Browser, Site
from tests.web.scene import Scene

_OPENED: list[str] = []
_LISTENING: list[bool] = []


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if _LISTENING and event == "open" and isinstance(arguments[0], str):
        _OPENED.append(arguments[0])


sys.addaudithook(_hear)


@contextmanager
def opened() -> Iterator[list[str]]:
    """The files that are opened meanwhile."""
    _OPENED.clear()
    _LISTENING.append(True)
    try:
        yield _OPENED
    finally:
        _LISTENING.pop()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    stage = Scene(tmp_path_factory.mktemp("scene")).build()
    stage.arrive(*thread("short", 20), *thread("long", 120))
    site = Site(stage)  # type: ignore[arg-type]  # it needs of a house what a scene has as well
    yield site
    site.close()
    stage.close()


def thread(name: str, count: int) -> Iterator[EmailMessage]:
    """Mails of which each answers the one before it."""
    for number in range(count):
        mail = EmailMessage()
        mail["From"] = places.ANA
        mail["To"] = places.HELP
        mail["Subject"] = f"The {name} one"
        mail["Message-ID"] = f"<{name}.{number}@costa.example>"
        mail["Date"] = f"Wed, 18 Nov 2026 {number // 60:02}:{number % 60:02}:00 +0000"
        if number:
            mail["In-Reply-To"] = f"<{name}.{number - 1}@costa.example>"
        mail.set_content(f"Mail {number} of the {name} issue.")
        yield mail


def numbers(site: Site) -> dict[str, int]:
    """The numbers of the two issues."""
    tracker = site.house.tracker
    found = {tracker.issues.load(number).summary: number for number in tracker.issues.numbers()}
    return {name: found[f"The {name} one"] for name in ("short", "long")}


def raw_mails(paths: list[str]) -> list[str]:
    """Those of the files that are mails as they came."""
    return [path for path in paths if {"mail", "pool", "cur"} & set(Path(path).parts) and not path.endswith(".json")]


@pytest.fixture
def browser(site: Site) -> Browser:
    return site.browser(places.ADA)


@pytest.mark.parametrize(
    "path", ["/", "/issues", "/issues/1", "/issues/{long}", "/emails", "/search?q=lens", "/blocked"]
)
def test_a_page_never_reads_a_mail_that_was_read_before(site: Site, browser: Browser, path: str) -> None:
    path = path.format(**numbers(site))
    browser.get(path)
    with opened() as files:
        assert browser.get(path).status == 200
    assert files
    assert raw_mails(files) == []


def test_a_long_issue_opens_no_more_files_than_a_short_one(site: Site, browser: Browser) -> None:
    counts = {}
    for name, number in numbers(site).items():
        browser.get(f"/issues/{number}")
        with opened() as files:
            page = browser.get(f"/issues/{number}")
        counts[name] = len(files)
        assert "Mail 19 of the short issue." in page.text or "Mail 119 of the long issue." in page.text
    assert counts["long"] <= counts["short"] + 5


def test_what_came_before_is_loaded_on_demand(site: Site, browser: Browser) -> None:
    number = numbers(site)["long"]
    page = browser.get(f"/issues/{number}")
    assert "Mail 3 of the long issue." not in page.text
    seen: set[str] = set()
    for _ in range(20):
        seen.update(word for word in page.text.split("Mail ") if "of the long issue" in word)
        earlier = [
            attributes.get("hx-get") or attributes.get("href", "")
            for _, attributes in page.elements
            if "before=" in (attributes.get("hx-get") or attributes.get("href", ""))
        ]
        if not earlier:
            break
        page = browser.get(earlier[0])
    assert any(word.startswith("0 of the long issue") for word in seen)


def test_a_list_opens_no_issue(site: Site, browser: Browser) -> None:
    browser.get("/issues?status=*")
    with opened() as files:
        page = browser.get("/issues?status=*")
    assert page.text.count("Help desk") > 10
    assert [path for path in files if path.endswith("issue.json")] == []
