"""Which pages there are for whom, and looking at each of them as it is for him.

Flows in: a server, who looks, how wide his window is. Flows out: nothing; the window has the faults. Each route is
opened once: who sees more sees it first, and for the others only what looks different is looked at again.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from eventum.issues.issue import messages
from tests.browser.server import Server
from tests.browser.window import Window
from tests.web import scene as places
from tests.web.scene import Scene
from tests.web.walk import endpoint_of, walked

WHO = {"administrator": places.ADA, "standard user": places.DANA, "reporter": places.RITA, "nobody": None}
# What no page can lead to: pieces for scripts, an answer for machines, what is there only once, and the addresses of
# forms, which lead back to their page.
NOT_LED_TO = {
    "account_runs.progress",
    "first_fetch.counted",
    "first_visit.welcome",
    "health.monitor",
    "issue.left",
    "issues.left",
    "metrics.shown",
}


def begins(scene: Scene) -> list[str]:
    """The first pages of a walk: those whose content is the richest of their kind, and those of a link in a letter."""
    shutter = scene.issue("The shutter does not open")
    scratch = scene.issue("A scratch, or dust?")
    (html,) = (one.key for one in messages(scratch.events))
    waiting = "&".join(f"key={key}" for key, _ in scene.pool()[:2])
    return [
        "/",
        "/issues",
        f"/issues/{shutter.number}",
        f"/issues/{shutter.number}?write=note",
        f"/mails/{html}",
        f"/emails/together?{waiting}",
        "/search?q=lens",
        "/login",
        f"/invitation/{scene.token('invitation', places.IRIS)}",
        f"/confirm/{scene.token('confirm', places.VERAS_NEXT)}",
        "/no/such/page",
    ]


def pages_of(server: Server, who: str) -> Iterator[tuple[str, str]]:
    """One address of every route that gives a page to this person, with the route."""
    site = server.site
    seen: set[tuple[str, str]] = set()
    for path, page in walked(site, site.browser(WHO[who]), *begins(server.scene), same=1):
        # A piece that a script puts into a page is seen there, and so is a mail's own HTML, in its frame.
        is_whole = page.data.lstrip().startswith(b"<!doctype html>")
        if page.status in (200, 404) and is_whole and "sandbox" not in page.headers["Content-Security-Policy"]:
            endpoint = endpoint_of(site, path) if page.status == 200 else "nowhere"
            kind = (endpoint, urlsplit(path).query.partition("=")[0])
            if kind not in seen:
                seen.add(kind)
                yield endpoint, path


def look_around(server: Server, window: Window, who: str) -> None:
    """Look at every page there is for somebody."""
    for _, path in list(pages_of(server, who)):
        window.go(path)
        window.look()
