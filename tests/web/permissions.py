"""Who may do what, found by doing it: every route, by every method it takes, by everybody, on real objects.

Flows in: the scene. Flows out: the table that `docs/permissions.md` holds; `python -m tests.web.permissions` writes it
anew. A form is sent as a page of the administrator's shows it, so that what refuses is the right and not the form.
"""

import os
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from flask import url_for
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from eventum.issues.issue import messages
from tests.web import scene as places
from tests.web.browser import Page, Site
from tests.web.scene import Scene
from tests.web.walk import walked

PAGE = Path(__file__).parent.parent.parent / "docs" / "permissions.md"
HEAD = """# Who may do what

Every address of the web interface, by everybody: what the row says is what happens. `tests/web/permissions.py` makes
this page by trying each of them on real objects of one project, "Help desk", and a test compares.

- **yes**: done or shown, or, where what was typed cannot be taken, said so.
- **login**: to the login page, from there on to where one wanted.
- **403**: one may see it and not do that. **404**: for whom it is not there, as if it were not there for anybody.

Who is "elsewhere" has his role in another project only. /welcome is there as long as nobody can log in.
/metrics is for who asks from this very machine, or with the token of the setting `metrics.token`; 403 for others.

Besides: a form without its token is answered with 400, one that another site sent with 403, and neither changes
anything. What is opened (GET) never changes anything.

"""
# Everybody, by the least right first: what somebody does must not lie in the way of the next.
WHO: Mapping[str, str | None] = {
    "nobody": None,
    "reporter elsewhere": places.OTTO,
    "staff elsewhere": places.OLU,
    "viewer": places.VERA,
    "reporter": places.RITA,
    "standard": places.SAM,
    "manager": places.YUKI,
    "administrator": places.ADA,
}
METHODS = ("GET", "POST")


# Screens whose rows depend on what they show.
MAILS = ("an e-mail", "a note", "a blocked mail", "a mail of no issue")
ISSUES = ("a customer's", "the reporter's own")
KINDS: Mapping[str, tuple[str, ...]] = {
    "mail.html": ("an e-mail",),
    "mail.part": MAILS,
    "mail.pictures": MAILS,
    "mail.raw": MAILS,
    "mail.shown": MAILS,
    "mail.source": MAILS,
    "issue.shown": ISSUES,
    "writing.write": ISSUES,
}


class Try(NamedTuple):
    """One way to use one route: where, with what."""

    rule: str
    kind: str
    method: str
    path: str
    data: Mapping[str, object]


def level_of(site: Site, rule: Rule) -> str:
    """What its view demands; "" when it does not say."""
    return str(getattr(site.app.view_functions[rule.endpoint], "level", ""))


def rules(site: Site) -> list[Rule]:
    """All routes but the one of the files that pages are made of."""
    return sorted(
        (rule for rule in site.app.url_map.iter_rules() if rule.endpoint != "static"), key=lambda rule: rule.rule
    )


class Tries:
    """How each route is tried: the objects in its address, and the fields of its form."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._objects = Objects(scene)
        site = Site(scene)  # type: ignore[arg-type]  # it needs of a house what a scene has as well
        self._forms: dict[str, list[tuple[str, Mapping[str, object]]]] = {}
        paths = site.app.url_map.bind("localhost")
        begins = ("/", "/issues/1", "/emails", "/search?q=lens")
        for path, page in walked(site, site.browser(places.ADA), *begins):
            for action, values in sent_by(page):
                action = urlsplit(action or path).path
                try:
                    endpoint, _ = paths.match(action, method="POST")
                except HTTPException:
                    raise AssertionError(f"{path} has a form that goes nowhere: {action}") from None
                self._forms.setdefault(endpoint, []).append((action, values))
        self._site = site

    def all(self) -> Iterator[Try]:
        """One for each route and method, and for each kind of thing it can be about."""
        for rule in rules(self._site):
            kinds = KINDS.get(rule.endpoint, ("",))
            about = rule.endpoint
            if "inside" in rule.arguments:
                # One mail of the scene holds another.
                kinds, about = kinds[:1], "mail.inner"
            for kind in kinds:
                values = {name: self._objects.of(about, name, kind) for name in rule.arguments}
                path = self._path(rule.endpoint, values)
                for method in METHODS:
                    if method in (rule.methods or ()):
                        data = self._form(rule.endpoint, path) if method == "POST" else {}
                        query = self._objects.asked(rule.endpoint) if method == "GET" else ""
                        yield Try(rule.rule, kind, method, path + query, data)

    def close(self) -> None:
        """Let go of the site."""
        self._site.close()

    def _path(self, endpoint: str, values: Mapping[str, object]) -> str:
        with self._site.app.test_request_context("/"):
            return url_for(endpoint, **values)  # type: ignore[arg-type]  # names of the route

    def _form(self, endpoint: str, path: str) -> Mapping[str, object]:
        forms = self._forms.get(endpoint, [])
        ours = [values for action, values in forms if action == path] or [values for _, values in forms]
        return {**(filled(ours[0]) if ours else {}), **self._objects.sent(endpoint)}


def sent_by(page: Page) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Where the forms of a page go, by themselves, by one of their buttons or by a script, and what they send."""
    forms = iter(page.forms)
    values: Mapping[str, object] = {}
    for tag, attributes in page.elements:
        if tag == "form":
            form = next(forms)
            values = form.values
            if form.method == "post":
                yield form.action, values
        for name in ("formaction", "hx-post"):
            if attributes.get(name):
                yield attributes[name], values


def filled(values: Mapping[str, object]) -> dict[str, object]:
    """The values of a form with something in the fields that are free for words."""
    done = {name: value for name, value in values.items() if name != "csrf_token"}
    for name, text in FREE.items():
        if name in done and done[name] in ("", [""]):
            done[name] = text
    return done


FREE = {
    "text": "Some words.",
    "summary": "A summary",
    "title": "A title",
    "name": "A name",
    "email": "new@lighthouse.example",
    "address": "new@lighthouse.example",
    "to": "ana@costa.example",
    "reason": "Done.",
    "number": "1",
    "issue": "1",
}


class Objects:
    """What stands for the names in addresses: things of the project Help desk."""

    def __init__(self, scene: Scene) -> None:
        tracker = scene.tracker
        shutter = scene.issue("The shutter does not open")
        mails = list(messages(tracker.issues.events(shutter)))
        waiting = next(key for key, subject in scene.pool() if subject == scene.words("Left at your desk"))
        scratch = list(messages(scene.issue("A scratch, or dust?").events))
        ((dead, _),) = tracker.spool.dead()
        self._waiting = waiting
        self._mails = {
            "an e-mail": next(one for one in mails if one.attachments).key,
            "a note": next(one for one in mails if one.kind == "note" and not one.blocked).key,
            "a blocked mail": next(one for one in mails if one.blocked).key,
            "a mail of no issue": waiting,
        }
        self._known: dict[tuple[str, str], object] = {
            **{(kind, "key"): key for kind, key in self._mails.items()},
            ("", "number"): shutter.number,
            ("the reporter's own", "number"): scene.issue("My own lens").number,
            **{(f"mail.{name}", "key"): scratch[0].key for name in ("html", "inner")},
            ("mail", "inside"): next(one.part for one in scratch[0].attachments if one.kind == "mail"),
            ("", "project_id"): scene.project("Help desk").id,
            ("", "user_id"): scene.user(places.IRIS).id,
            ("", "response_id"): tracker.responses.usable()[0].id,
            ("accounts", "ident"): scene.account(places.HELP).id,
            ("account_runs", "ident"): scene.account(places.HELP).id,
            ("first_fetch", "ident"): scene.account(places.HELP).id,
            ("first_fetch.undo", "ident"): places.IMPORT,
            ("blocked", "key"): self._mails["a blocked mail"],
            ("dead", "ident"): dead.key,
            ("emails", "key"): waiting,
            ("general", "name"): "smtp",
            ("login", "token"): scene.token("confirm", places.VERAS_NEXT),
            ("login.accept", "token"): scene.token("invitation", places.IRIS),
            ("login.invitation", "token"): scene.token("invitation", places.IRIS),
            ("issue", "way"): "edit",
            ("issues", "way"): "bulk",
            ("mail", "part"): "1",
            ("queue", "ident"): next(one.id for one in tracker.outbox.entries() if one.status == "failed"),
            ("taking_back", "key"): next(one for one in mails[1:] if one.kind == "email" and not one.outgoing).key,
            ("writing", "key"): next(one for one in mails if one.kind == "draft").key,
        }

    def of(self, endpoint: str, name: str, kind: str) -> object:
        """The value of a name in the address of a route."""
        for place in (endpoint, kind, endpoint.partition(".")[0], ""):
            if (place, name) in self._known:
                return self._known[place, name]
        raise AssertionError(f"say in tests/web/permissions.py what <{name}> of {endpoint} stands for")

    def sent(self, endpoint: str) -> Mapping[str, object]:
        """What is sent besides what the form of a page has, where it is about some thing or other."""
        match endpoint:
            case "taking_back.move_back":
                return {"keys": self._waiting, "outcome": "removed"}
            case "issues.change":
                return {"number": "1", "do": "close"}
            case "issues.forget":
                return {"name": places.FILTER}
            case "preferences.pictures":
                return {"sender": places.BEN}
        return {"key": self._waiting} if endpoint.startswith("emails.") else {}

    def asked(self, endpoint: str) -> str:
        """What stands behind the address of a page that is about some thing or other."""
        return f"?key={self._waiting}" if endpoint == "emails.together" else ""


def answer(one: Try, who: str, page: Page) -> str:
    """What an answer means for who asked."""
    if page.path == "/login" and who == "nobody":
        return "login"
    if page.status in (403, 404):
        return str(page.status)
    fine = (200, 204, 302, 303, 304, 409, 422, 429, *((503,) if one.rule == "/healthz" else ()))
    assert page.status in fine, f"{one.method} {one.path}: {page.status}: {page.text[:300]}"
    return "yes"


class Found(NamedTuple):
    """The whole page; and by who, which folders of the store he changed."""

    page: str
    changed: Mapping[str, set[str]]


def table(scene: Scene, folder: Path) -> Found:
    """Try everything as everybody."""
    found = Tries(scene)
    tries = list(found.all())
    found.close()
    cells: dict[tuple[str, str, str], dict[str, str]] = {one[:3]: {} for one in tries}
    changed: dict[str, set[str]] = {who: set() for who in WHO}
    stage = _Stage(scene, folder)
    for one in tries:
        for who, email in WHO.items():
            cells[one[:3]][who] = answer(one, who, stage.tried(one, email))
            if one.method == "POST":
                changed[who] |= {path.partition("/")[0] for path in stage.set_back()}
    stage.close()
    lines = ["| address | method | " + " | ".join(WHO) + " |", "|---" * (2 + len(WHO)) + "|"]
    for (rule, kind, method), row in cells.items():
        shown = "`" + re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"<\1>", rule) + "`" + (f", {kind}" if kind else "")
        lines.append(f"| {shown} | {method} | " + " | ".join(row.values()) + " |")
    return Found(HEAD + "\n".join(lines) + "\n", changed)


class _Stage:
    """A copy of the scene and its site, on which everybody finds everything as it was."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self._scene = scene
        self._visits: dict[str | None, tuple[str, str]] = {}
        self._place = tempfile.TemporaryDirectory(dir=folder)
        self._copy = scene.copied(Path(self._place.name))
        self._data, self._all = contents(self._copy.config.data), contents(self._copy.root, ())
        self.site = Site(self._copy)  # type: ignore[arg-type]  # as above

    def tried(self, one: Try, email: str | None) -> Page:
        """The answer that somebody gets; he has the cookie and the token of his first visit."""
        client = self.site.app.test_client()
        if email not in self._visits:
            browser = self.site.browser(email)
            token = browser.token()
            cookie = browser.client.get_cookie("eventum")
            assert cookie is not None
            self._visits[email] = cookie.value, token
        cookie_value, token = self._visits[email]
        client.set_cookie("eventum", cookie_value)
        if one.method == "POST":
            return Page(client.post(one.path, data={**one.data, "csrf_token": token}))
        return Page(client.get(one.path))

    def set_back(self) -> set[str]:
        """Undo what was done, when something was; the files that were changed."""
        # "Download now" and the undoing of an import work in processes of their own; what they do belongs to who began.
        for thread in threading.enumerate():
            if thread.name.startswith("run-"):
                thread.join()
        changed = {path for path, *_ in contents(self._copy.config.data) ^ self._data}
        if not changed:
            return changed
        self.site.close()
        self._copy.close()
        there = contents(self._copy.root, ())
        for path in {path for path, *_ in there ^ self._all}:
            if (self._scene.root / path).exists():
                (self._copy.root / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self._scene.root / path, self._copy.root / path)
            else:
                (self._copy.root / path).unlink()
        self._copy = Scene(self._copy.root, self._scene.words)
        self.site = Site(self._copy)  # type: ignore[arg-type]  # as above
        return changed

    def close(self) -> None:
        """Remove it."""
        self.site.close()
        self._copy.close()
        self._place.cleanup()


# Whoever opens a store takes leases, and may begin a journal.
LEFT_BEHIND = ("locks", "journal")


def contents(root: Path, but: tuple[str, ...] = LEFT_BEHIND) -> set[tuple[str, int, int]]:
    """What lies under a folder: paths, sizes and times of change."""
    found = set()
    for folder, _, names in os.walk(root):
        if os.path.relpath(folder, root).partition("/")[0] not in but:
            for name in names:
                known = os.stat(f"{folder}/{name}")
                found.add((os.path.relpath(f"{folder}/{name}", root), known.st_size, known.st_mtime_ns))
    return found


def main() -> None:
    """Write the page anew."""
    with tempfile.TemporaryDirectory() as name:
        scene = Scene(Path(name) / "scene").build()
        PAGE.write_text(table(scene, Path(name)).page, encoding="utf-8")
        scene.close()


if __name__ == "__main__":
    sys.exit(main())
