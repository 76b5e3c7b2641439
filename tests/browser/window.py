"""One window of a browser, and what goes wrong in it.

Flows in: who looks, how wide the window is. Flows out: pages, and the list of faults: errors and warnings on the
console, errors of scripts, breaches of the policy, requests to other hosts, answers that say the server failed,
what axe finds, pages that are wider than the window, and controls without a name.
"""

from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

from tests.browser.server import Server
from tests.browser.vendoring import AXE, VENDOR

WIDE, PHONE = 1280, 390
SCRIPTS = "\n".join(
    path.read_text(encoding="utf-8")
    for path in (VENDOR / "-".join(AXE) / "axe.min.js", Path(__file__).parent / "look.js")
)

_LISTEN = """document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});"""
# How a form is answered that is shown again; a page of its own may also be one that says there is nothing.
REFUSALS = (409, 422)
# What is looked for, and how it is called when it is found.
LOOKS = {
    "tooWide()": "wider than the window",
    "unnamed()": "no name",
    "lostPictures()": "no picture",
    "keepsOut({})": "axe",
}


class Window:
    """A window in which somebody is logged in, or nobody."""

    def __init__(
        self,
        browser: Browser,
        server: Server,
        email: str | None = None,
        *,
        width: int = WIDE,
        dark: bool = False,
        script: bool = True,
        language: str = "en-GB",
    ) -> None:
        self.server = server
        self._is_wide = width == WIDE
        self.faults: list[str] = []
        self._context = browser.new_context(
            base_url=server.address,
            viewport={"width": width, "height": 900 if width == WIDE else 844},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            locale=language,
            reduced_motion="reduce",
            has_touch=width == PHONE,
        )
        self._context.set_default_timeout(15_000)
        if email:
            cookie = {"name": "eventum", "value": server.cookie(email), "url": server.address}
            self._context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict of playwright
        if script:
            self._context.add_init_script(_LISTEN)
        self.page: Page = self._context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self._fault(f"script: {error}"))
        self.page.on("request", self._request)
        self.page.on("response", self._response)

    def go(self, path: str) -> Page:
        """Open a page."""
        self.page.goto(path)
        return self.page

    def close(self) -> None:
        """Close it."""
        self._context.close()

    def look(self) -> None:
        """Look at the page as it is for what would keep somebody from using it; in a wide window also in the dark."""
        self.page.evaluate(SCRIPTS)
        for call, what in LOOKS.items():
            self._ask(call, what)
        if not self._is_wide:
            return  # The colours are those of a wide window.
        # What is no colour is the same in both.
        self.page.emulate_media(color_scheme="dark")
        self._ask('keepsOut({ runOnly: ["color-contrast"] })', "axe, in the dark")
        self.page.emulate_media(color_scheme="light")

    def _ask(self, call: str, what: str) -> None:
        for found in self.page.evaluate(call):
            self._fault(f"{what}: {found}")

    def _fault(self, what: str) -> None:
        place = urlsplit(self.page.url)
        self.faults.append(f"{place.path}{'?' if place.query else ''}{place.query} {what}")

    def _console(self, message: ConsoleMessage) -> None:
        # What came with which status is looked at where it comes.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self._fault(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.server.address, "data:", "about:", "blob:")):
            self._fault(f"asked elsewhere: {request.url}")

    def _response(self, response: Response) -> None:
        is_page = response.request.resource_type == "document"
        if response.status >= 500 or (response.status >= 400 and not is_page and response.status not in REFUSALS):
            self._fault(f"{response.status} for {response.request.method} {response.url}")
