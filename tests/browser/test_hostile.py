"""Mails that want out of their frame: nothing is asked of anybody, no dialog, no window, the page around is as it was.

Two shields hold them, the cleaning and the frame; each is taken away in turn, and with both away the same look finds
what gets through, so that it can be believed when it finds nothing.
"""

import contextlib
import itertools
import shutil
import threading
from collections.abc import Collection, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Error, Page

from eventum.issues.issue import messages
from eventum.mail.html.markup import cleaned
from eventum.web.mail import FRAME
from tests.browser.conftest import FLAGS
from tests.browser.hostile import DEEP, HUGE, LINKS, LOUD, NEVER, OUTSIDE, WANTED, WAYS, mail
from tests.browser.outside import Outside
from tests.browser.server import Server
from tests.browser.window import Window
from tests.web import scene as places
from tests.web.scene import Scene

# A page without its frames: what it says, and each element with its place.
AROUND = """() => [location.href, document.title, document.body.innerText,
  ...[...document.querySelectorAll("body *:not(iframe)")].map((one) => {
    const { x, y, width, height } = one.getBoundingClientRect();
    return [one.localName, one.className.baseVal ?? one.className, x, y, width, height].join(" ");
  })].join("\\n")"""
# Ways and headings that something else lies over.
COVERED = """() => [...document.querySelectorAll("nav a, h1")].filter((one) => {
  const { x, y, width, height } = one.getBoundingClientRect();
  const there = width && height && y > 0 && y + height < innerHeight;
  return there && !one.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}).map((one) => one.textContent)"""
# More frames like the one there is, for the mails of these addresses.
MORE = """(addresses) => Promise.all(addresses.map((address) => new Promise((loaded) => {
  const like = document.querySelector(".mail-frame iframe");
  const frame = like.cloneNode();
  frame.loading = "eager";
  frame.onload = loaded;
  frame.src = address;
  like.after(frame);
})))"""
FRAMES = """([count, sandbox, waits]) => {
const all = Promise.all([...Array(count).keys()].map((number) => new Promise((loaded) => {
  const frame = document.createElement("iframe");
  if (sandbox) frame.setAttribute("sandbox", sandbox);
  frame.onload = loaded;
  frame.src = `/${number}`;
  document.querySelector("main").append(frame);
}))); return waits ? all.then(() => null) : null }"""
BARRIERS = itertools.count()
SANDBOX = "allow-popups allow-popups-to-escape-sandbox"


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    outside = Outside()
    yield outside
    outside.close()


@pytest.fixture(scope="module")
def open_chromium(chromium: Browser, outside: Outside) -> Iterator[Browser]:
    """A Chromium for which there is a world outside."""
    flags = [flag for flag in FLAGS if not flag.startswith("--host-resolver-rules")]
    browser = chromium.browser_type.launch(executable_path=shutil.which("chromium"), args=[*flags, outside.flags])
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def mails(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, str]]]:
    """A server, and the address of each hostile mail."""
    with Server(scene.copied(tmp_path_factory.mktemp("hostile"))) as server:
        ours = {**WAYS, "deep": DEEP, "huge": HUGE, "links": "".join(LINKS.values()), "wanted": WANTED}
        server.scene.arrive(*(mail(name, html) for name, html in ours.items()))
        tracker, found = server.scene.tracker, {}
        for number in tracker.issues.numbers():
            issue = tracker.issues.load(number)
            for one in messages(tracker.issues.events(issue)):
                if one.subject.startswith("Way "):
                    found[one.subject.removeprefix("Way ")] = f"/mails/{one.key}"
        assert found.keys() == ours.keys()
        yield server, found


@pytest.fixture
def looking(mails: tuple[Server, dict[str, str]], open_chromium: Browser) -> Iterator[tuple[Window, dict[str, str]]]:
    """A window, and the hostile mails; what opens by itself is a fault of it."""
    server, found = mails
    window = Window(open_chromium, server, places.ADA)
    window.page.on("dialog", lambda dialog: (window.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    window.page.on("popup", lambda page: window.faults.append(f"opened: {page.url}"))
    yield window, found
    window.close()


def heard(page: Page, outside: Outside) -> set[str]:
    """What the outside heard by now: what was asked before is heard before what is asked now."""
    # Each time by another name: a browser that got no answer asks again, later.
    barrier = f"barrier-{next(BARRIERS)}"
    asking = page.context.new_page()
    with contextlib.suppress(Error):  # Nobody answers there.
        asking.goto(f"http://{barrier}.{OUTSIDE}/")
    found = outside.heard(barrier)
    asking.close()
    return {name for name in found if not name.startswith("barrier-")}


def test_no_mail_gets_out_of_its_frame(looking: tuple[Window, dict[str, str]], outside: Outside) -> None:
    window, found = looking
    page = window.go(found["cover"])
    # A mail that is too deep has no frame, so it is looked at on its own.
    others = [f"{address}/html" for name, address in found.items() if name != "cover"]
    page.evaluate(
        """() => { const around = document.querySelector(".mail-frame");
        around.style.height = `${around.offsetHeight}px`; around.style.overflow = "hidden" }"""
    )
    before = page.evaluate(AROUND)
    page.evaluate(MORE, others)
    assert page.evaluate(AROUND) == before
    assert page.evaluate(COVERED) == []
    assert len(page.frames) == len(found) + 1
    assert window.faults == []
    assert heard(page, outside) == set()


def test_what_is_too_deep_or_too_large_is_a_text(looking: tuple[Window, dict[str, str]]) -> None:
    window, found = looking
    for name, why in (("deep", "too deeply nested"), ("huge", "too large")):
        page = window.go(found[name])
        assert len(page.frames) == 1 and why in page.inner_text("main")
    assert window.faults == []


class _Frames(BaseHTTPRequestHandler):
    """A page to put frames into, and in them a hostile HTML each."""

    ways: list[str]
    headers_too: bool

    def do_GET(self) -> None:
        name = self.path.strip("/")
        body = b"<!doctype html><title>Around</title><h1>Around</h1><main></main>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if name.isdigit():
            body = f"<!doctype html><html><head></head><body>{self.ways[int(name)]}</body></html>".encode()
            if self.headers_too:
                self.send_header("Content-Security-Policy", FRAME)
                self.send_header("Referrer-Policy", "no-referrer")
                self.send_header("X-DNS-Prefetch-Control", "off")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Found:
    """What came of all ways at once: who was heard of outside, what opened, what changed around."""

    def __init__(
        self,
        chromium: Browser,
        outside: Outside,
        *,
        cleans: bool,
        frames: bool,
        ways: Mapping[str, str] = WAYS,
        until: Collection[str] = (),
    ) -> None:
        kind = type(
            "Frames", (_Frames,), {"ways": [_way(html, cleans) for html in ways.values()], "headers_too": frames}
        )
        server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        context = chromium.new_context()
        page = context.new_page()
        self.opened: list[str] = []
        page.on("dialog", lambda dialog: (self.opened.append("dialog"), dialog.dismiss()))
        page.on("popup", lambda _: self.opened.append("window"))
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        before = page.inner_text("body")
        page.evaluate(FRAMES, [len(ways), SANDBOX if frames else "", not until])
        self.heard = outside.heard(*until) if until else set()
        self.is_touched = page.inner_text("body") != before
        self.heard |= heard(page, outside)

        context.close()
        server.shutdown()
        thread.join()
        server.server_close()


def _way(html: str, cleans: bool) -> str:
    found = cleaned(html)
    return f"<style>{found.sheet}</style>{found.html}" if cleans else html


def test_the_cleaning_alone_holds_all_of_them(open_chromium: Browser, outside: Outside) -> None:
    found = Found(open_chromium, outside, cleans=True, frames=False)
    assert (found.heard, found.opened, found.is_touched) == (set(), [], False)


def test_the_frame_alone_holds_all_of_them(open_chromium: Browser, outside: Outside) -> None:
    found = Found(open_chromium, outside, cleans=False, frames=True)
    assert (found.heard, found.opened, found.is_touched) == (set(), [], False)


def test_without_both_they_get_out_and_that_is_found(open_chromium: Browser, outside: Outside) -> None:
    # A dialog holds up all frames, so it has a page of its own.
    others = {name: html for name, html in WAYS.items() if name != "dialog"}
    found = Found(open_chromium, outside, cleans=False, frames=False, ways=others, until=LOUD)
    assert found.heard >= LOUD and found.is_touched
    dialog = {"dialog": WAYS["dialog"]}
    assert "dialog" in Found(open_chromium, outside, cleans=False, frames=False, ways=dialog).opened


def test_a_link_that_is_clicked_opens_a_window_of_its_own_or_nothing(
    looking: tuple[Window, dict[str, str]], outside: Outside
) -> None:
    window, found = looking
    page = window.go(found["links"])
    before = page.evaluate(AROUND)
    frame = page.frame_locator(".mail-frame iframe")
    for way in LINKS:
        frame.get_by_text(way, exact=True).click()
    assert page.evaluate(AROUND) == before
    # Who clicks on a link goes where it leads, in a window of its own.
    assert {fault for fault in window.faults if not fault.startswith("opened: ")} == set()
    assert outside.heard("top", "kept") == {"top", "kept"}


def test_pictures_that_somebody_wants_are_asked_for_and_nothing_is_told_besides(
    looking: tuple[Window, dict[str, str]], outside: Outside
) -> None:
    window, found = looking
    page = window.go(found["wanted"])
    assert "1 remote image not shown" in page.inner_text("main")
    assert not heard(page, outside) & {"wanted", *NEVER}
    with page.expect_request(f"https://wanted.{OUTSIDE}/*") as asked:
        page.get_by_role("button", name="Show for this mail").click()
    assert not asked.value.headers.get("referer") and "cookie" not in asked.value.headers
    assert not outside.heard("wanted") & NEVER
