"""A page of ours without the tracker: the same template, each time from the same values that it was made of once.

Flows in: EVENTUM_... as for the program, and CONSTANT_COOKIE, the session of who looks. Flows out: `app` for a WSGI
server. The first request of an address is answered by the program itself and its template and values are kept; every
later one renders that template with them and asks nobody anything. What a page costs above this, its tracker costs.
"""

import os
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Flask, g, template_rendered
from jinja2 import Template

from app import create_app

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

# What the program puts around the values by itself, each time anew.
OF_A_REQUEST = ("g", "request", "session")


class Kept(NamedTuple):
    """What a page was made of: also what the request had found out about who looks."""

    template: Template
    values: dict[str, Any]
    found: dict[str, Any]


class Constant:
    """The WSGI application."""

    def __init__(self, flask: Flask) -> None:
        self._flask = flask
        self._kept: dict[str, Kept] = {}
        self._guard = threading.Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """One request."""
        path = str(environ["PATH_INFO"])
        if path not in self._kept:
            with self._guard:
                self._keep(path)
        kept = self._kept[path]
        with self._flask.request_context(environ):
            for name, value in kept.found.items():
                setattr(g, name, value)
            body = kept.template.render(kept.values).encode()
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))])
        return [body]

    def _keep(self, path: str) -> None:
        made: list[Kept] = []

        def note(sender: Flask, template: Template, context: dict[str, Any], **more: object) -> None:
            values = {name: value for name, value in context.items() if name not in OF_A_REQUEST}
            made.append(Kept(template, values, dict(vars(g._get_current_object()))))  # type: ignore[attr-defined]

        client = self._flask.test_client()
        client.set_cookie("eventum", os.environ["CONSTANT_COOKIE"])
        with template_rendered.connected_to(note, self._flask):
            answer = client.get(path)
        assert answer.status_code == 200 and made, f"{path}: {answer.status_code}"
        self._kept[path] = made[-1]


app = Constant(create_app())
