"""The demo's screens: a small web server on loopback, for as long as the demo runs.

Flows in: the demo's place, and a port. Flows out: where it answers. Requests are not logged: what
happens is told by the demo itself.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from flask import Flask, current_app
from werkzeug.serving import WSGIRequestHandler, make_server

from eventum.demo.place import Place
from eventum.errors import Busy

POOL = "eventum.web.trackers"  # Where the screens keep the trackers that no request has in hand.


class _Handler(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        """Not a word."""


@contextmanager
def served(place: Place, port: int) -> Iterator[str]:
    """The screens of a demo, at the address that is given; `port` 0 takes any that is free. Raises `Busy`."""
    try:
        listening = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise Busy(
            f"127.0.0.1:{port} cannot be listened on ({os.strerror(error.errno or 0)}); name another --port."
        ) from error
    with listening:
        app: Flask = import_module(current_app.import_name).create_app(place.config)
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Handler, fd=listening.fileno())
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            if POOL in app.extensions:
                app.extensions[POOL].close()
