"""The web interface of a scene on a port of this machine, for real browsers.

Flows in: a scene. Flows out: an address, and cookies of people who are logged in. The clock stands where the scene
ends, so every page says the same on every day.
"""

import threading
from types import TracebackType

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.web.browser import Site
from tests.web.scene import Bare, Scene


class _Silent(WSGIRequestHandler):
    """Says nothing of single requests."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


class Server:
    """A server in threads of this process."""

    def __init__(self, scene: Scene | Bare) -> None:
        self.scene = scene
        self.site = Site(scene)  # type: ignore[arg-type]  # it needs of a house what a scene has as well
        self._server = make_server("127.0.0.1", 0, self.site.app, threaded=True, request_handler=_Silent)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="web")

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.site.close()
        self.scene.close()

    def cookie(self, email: str) -> str:
        """The cookie of somebody who is logged in."""
        cookie = self.site.browser(email).client.get_cookie("eventum")
        assert cookie is not None
        return cookie.value
