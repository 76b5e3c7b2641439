"""A browser for tests: it follows what a page offers, so a test cannot send a form that no page has.

Flows in: paths, and what a person changes in a form. Flows out: pages with their text, links and forms. Cookies are
kept; redirects are shown, not followed. Nothing of the product is replaced.
"""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from eventum.web import access, trackers
from tests.house import House

VOID = {"input", "br", "img", "meta", "link", "hr", "use", "path", "source", "wbr"}


class SentForm:
    """A form of a page: where it goes, and the values it would send as it stands."""

    def __init__(self, attributes: Mapping[str, str]) -> None:
        self.action = attributes.get("action", "")
        self.method = attributes.get("method", "get").lower()
        self.values: dict[str, list[str]] = {}
        self.names: set[str] = set()
        self.buttons: list[tuple[str, str]] = []


class Page(HTMLParser):
    """A page that came back."""

    def __init__(self, response: TestResponse) -> None:
        super().__init__()
        self.status = response.status_code
        self.headers = response.headers
        self.data = response.get_data()
        self.location = response.headers.get("Location", "")
        self.links: list[str] = []
        self.forms: list[SentForm] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._words: list[str] = []
        self._select: tuple[str, bool] | None = None
        self._area: str | None = None
        self._option: tuple[str, bool] | None = None
        response.close()
        if response.mimetype == "text/html":
            self.feed(self.data.decode())

    @property
    def html(self) -> str:
        """Its source."""
        return self.data.decode()

    @property
    def text(self) -> str:
        """All words of it, with single blanks between them."""
        return " ".join(" ".join(self._words).split())

    @property
    def path(self) -> str:
        """The path it redirects to."""
        return urlsplit(self.location).path

    def form(self, action: str, number: int = 0) -> SentForm:
        """Its form with this action ("" stands for the page's own address)."""
        found = [form for form in self.forms if form.action == action and form.method == "post"]
        assert found, f"no form posts to {action!r}, only to {[form.action for form in self.forms]}"
        return found[number]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of links, forms and their fields."""
        given = {name: value or "" for name, value in attrs}
        self.elements.append((tag, given))
        form = self.forms[-1] if self.forms else None
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "form":
            self.forms.append(SentForm(given))
        elif tag == "input" and form is not None and given.get("name"):
            form.names.add(given["name"])
            kind = given.get("type", "text")
            if kind not in ("checkbox", "radio", "submit", "file") or "checked" in given:
                default = "on" if kind in ("checkbox", "radio") else ""
                form.values.setdefault(given["name"], []).append(given.get("value", default))
        elif tag == "select" and form is not None:
            form.names.add(given.get("name", ""))
            self._select = given.get("name", ""), False
        elif tag == "option" and self._select and form is not None:
            name, has_one = self._select
            if "selected" in given or not has_one:
                if not has_one:
                    form.values[name] = []
                if "selected" in given and has_one and form.values[name] and self._option:
                    form.values[name].clear()
                form.values[name].append(given.get("value", ""))
                self._option = (name, True) if "selected" not in given else None
                self._select = name, True
        elif tag == "textarea" and form is not None:
            form.names.add(given.get("name", ""))
            self._area = given.get("name", "")
            form.values[self._area] = [""]
        elif tag == "button" and form is not None:
            form.buttons.append((given.get("name", ""), given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        """The end of a field."""
        if tag == "select":
            self._select = None
            self._option = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        """Words, or what stands in a text field."""
        if self._area is not None and self.forms:
            self.forms[-1].values[self._area] = [self.forms[-1].values[self._area][0] + data]
        self._words.append(data)


class Browser:
    """One person's browser."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **more: Any) -> Page:
        """Open a page."""
        return Page(self.client.get(path, **more))

    def post(self, path: str, data: Mapping[str, Any] | None = None, **more: Any) -> Page:
        """Send values with a token that a page of this session gave."""
        return Page(self.client.post(path, data={"csrf_token": self.token(), **(data or {})}, **more))

    def token(self) -> str:
        """The token against forms of other sites, as a page of this session has it."""
        for path in ("/preferences", "/login", "/"):
            found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get(path).get_data(as_text=True))
            if found:
                return found[1]
        raise AssertionError("no page gives a token")

    def submit(self, page: str | Page, action: str, **fields: Any) -> Page:
        """Fill in the form of a page that goes to `action`, and send it; a field given as None is left out.

        A field the form does not have is a mistake of the test, unless it is the name of one of its buttons.
        """
        opened = self.get(page) if isinstance(page, str) else page
        assert opened.status in (200, 409, 422), opened.text[:500]
        form = opened.form(action)
        data: dict[str, Any] = dict(form.values)
        for name, value in fields.items():
            assert name in form.names or name in [button for button, _ in form.buttons], f"no field {name} in {action}"
            if value is None:
                data.pop(name, None)
            else:
                data[name] = value
        path = action or (page if isinstance(page, str) else "")
        return Page(self.client.post(path, data=data))


class Site:
    """The web interface of a store."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.app = create_app(house.config)
        self.app.extensions["eventum"].clock = lambda: house.now
        self.app.extensions["eventum"].disk = house.tracker.disk
        self.app.wsgi_app.open()  # type: ignore[attr-defined]  # the door
        self.app.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=True)

    def browser(self, email: str | None = None) -> Browser:
        """A new browser, logged in as this user or as nobody."""
        client = self.app.test_client()
        if email is not None:
            with self.app.test_request_context("/"):
                from flask import session

                access.enter(trackers.tracker().people.user(email))
                serializer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
                cookie = serializer.dumps(dict(session))
            client.set_cookie("eventum", cookie)
        return Browser(client)

    def close(self) -> None:
        """Let go of the trackers."""
        self.app.extensions[trackers.KEY].close()
        self.app.extensions["eventum"].close()

    @property
    def root(self) -> Path:
        """Where the store lies."""
        return self.house.root
