"""Pictures of the main screens for the documentation: `python -m tests.browser.pictures` (make screenshots).

Flows in: the scene, whose clock stands still. Flows out: docs/pictures/*.png, the same for the same screens but for
ids that are drawn by lot.
"""

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS
from tests.browser.server import Server
from tests.browser.window import PHONE, WIDE, Window
from tests.web import scene as places
from tests.web.scene import Scene

PICTURES = Path(__file__).parent.parent.parent / "docs" / "pictures"
MOST_BYTES = 2_000_000  # Of all of them together: who clones this takes them along.


class Picture(NamedTuple):
    """One picture: who looks at what, how wide, in the dark or not."""

    name: str
    path: str
    who: str = places.DANA
    width: int = WIDE
    dark: bool = False


ALL = (
    Picture("dashboard", "/", places.ADA),
    Picture("dashboard-dark", "/", places.ADA, dark=True),
    Picture("dashboard-phone", "/", places.ADA, PHONE),
    Picture("issues", "/issues", places.ADA),
    Picture("issue", "/issues/1"),
    Picture("issue-dark", "/issues/1", dark=True),
    Picture("issue-phone", "/issues/1", width=PHONE),
    Picture("associate-emails", "/emails", places.YUKI),
    Picture("accounts", "/admin/accounts", places.ADA),
    Picture("queue", "/admin/queue", places.ADA),
    Picture("preferences", "/preferences"),
    Picture("search", "/search?q=%E6%B3%A8%E6%96%87", places.ADA),
)


def main() -> int:
    """Take all of them; 1 when they take too much room."""
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is missing: tests/setup.sh installs it"
    PICTURES.mkdir(exist_ok=True)
    # Its name is seen, where accounts are folders of this machine.
    place = Path(tempfile.gettempdir()) / "lighthouse"
    place.mkdir()
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, place)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        scene = Scene(place).build()
        with Server(scene) as server:
            for one in ALL:
                window = Window(browser, server, one.who, width=one.width, dark=one.dark)
                window.go(one.path).wait_for_load_state("networkidle")
                window.page.screenshot(path=str(PICTURES / f"{one.name}.png"), animations="disabled", caret="hide")
                window.close()
                for fault in window.faults:
                    print(fault)
        browser.close()
    size = sum(path.stat().st_size for path in PICTURES.glob("*.png"))
    print(f"{len(ALL)} pictures, {size / 1_000_000:.1f} MB")
    return 1 if size > MOST_BYTES else 0


if __name__ == "__main__":
    sys.exit(main())
