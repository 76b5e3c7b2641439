"""A real Chromium and a real server on the scene; each is started once for a worker.

A browser of a test is a window of its own: nothing of one reaches another. Whatever goes wrong in it, from a word on
the console to a request to another host, fails the test that used it.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.server import Server
from tests.browser.window import Window
from tests.web.scene import Scene

# Whoever waits for something waits as long as a busy machine takes.
expect.set_options(timeout=15_000)

# Werkzeug lets a file lie open that the browser has already (304); the collector of garbage closes it.
UNCLOSED = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

# It must not ask anybody outside for anything.
FLAGS = """
    --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --disable-default-apps --no-default-browser-check
    --host-resolver-rules=MAP*~NOTFOUND,EXCLUDE127.0.0.1
""".split()
FLAGS[-1] = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(UNCLOSED)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser."""
    path = shutil.which("chromium")
    assert path, "Chromium is missing: tests/setup.sh installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The scene as it was made; who changes it takes `ours`."""
    scene = Scene(tmp_path_factory.mktemp("scene")).build()
    yield scene
    scene.close()


@pytest.fixture(scope="module")
def server(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The scene, served to tests that only look."""
    with Server(scene.copied(tmp_path_factory.mktemp("served"))) as server:
        yield server


@pytest.fixture
def ours(scene: Scene, tmp_path: Path) -> Iterator[Server]:
    """The scene, served to one test, which may change it."""
    with Server(scene.copied(tmp_path)) as server:
        yield server


OpenWindow = Callable[..., Window]


@pytest.fixture
def window(chromium: Browser) -> Iterator[OpenWindow]:
    """Opens windows: `window(server, email)`; what went wrong in one of them fails the test at its end."""
    opened: list[Window] = []

    def open_window(server: Server, email: str | None = None, **how: object) -> Window:
        opened.append(Window(chromium, server, email, **how))
        return opened[-1]

    yield open_window
    for one in opened:
        one.close()
    faults = [fault for one in opened for fault in one.faults]
    assert not faults, "\n".join(faults)
