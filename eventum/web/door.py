"""The door to the web interface: the screens are loaded when the first request comes.

Flows in: WSGI calls. Flows out: the same, on an application that has its screens. Commands use the same application
and never open this door: cron starts one every minute, which must not pay for forms, sessions and templates.
"""

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


class Door:
    """A WSGI application in front of Flask's own."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._inner = app.wsgi_app
        self._guard = threading.Lock()
        self._is_open = False

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """One request."""
        self.open()
        return self._inner(environ, start_response)

    def open(self) -> None:
        """Load the screens, once."""
        if not self._is_open:
            with self._guard:
                if not self._is_open:
                    from eventum.web.application import furnish

                    furnish(self._app)
                    self._is_open = True
