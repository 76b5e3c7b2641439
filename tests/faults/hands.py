"""One person who changes issues as fast as he can: by the verbs, or in a browser that is logged in.

In flow a store, the issues and how many changes, out flows what was acknowledged. Every change carries a serial number
that its place in the history has too: the nonce of its form, or the address it puts on a list. What is refused because
somebody was faster is looked at and sent again, as a person would; who has tried often enough gives it up.
"""

import html
import json
import random
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults import office

TRIES = 25  # How often a change is sent before it is given up; it must not be in the history then.
# Fields that are set in place, and the rest; the summary is every hand's, so that they clash.
VERBS = ("summary", "status", "priority", "category", "note", "reply", "list", "assign")
OLD = re.compile(r'name="field" value="(\w+)"><input type="hidden" name="old" value="([^"]*)"')


class Task(NamedTuple):
    """What one hand does in one trial."""

    run: int
    hand: int
    count: int
    issues: Sequence[int]


class Change(NamedTuple):
    """One change: of which issue, what, its serial number, and what it sets."""

    issue: int
    verb: str
    serial: str
    value: str


class Refusal(Exception):  # noqa: N818 - it is no error: somebody else was faster.
    """Somebody was faster, or something is not there now."""


class Hand(ABC):
    """What both kinds have in common: what to do next, and what came of it."""

    def __init__(self, root: Path, task: Task) -> None:
        self.root = root
        self.task = task
        self.actor = office.ACTORS[task.hand % len(office.ACTORS)]
        self.faults: list[str] = []
        self._chance = random.Random(task.run * 100 + task.hand)

    def work(self) -> dict[str, Any]:
        """Do them all; what was acknowledged, what was given up, and how often one had to be sent again."""
        done: list[Change] = []
        left: list[Change] = []
        again = at = 0
        while len(done) < self.task.count and not self.faults:
            change, at = self._next(at), at + 1
            for _ in range(TRIES):
                try:
                    if self.send(change):
                        done.append(change)
                    break
                except Refusal:
                    again += 1
            else:
                left.append(change)
        return {"done": done, "left": left, "again": again, "faults": self.faults}

    def _next(self, at: int) -> Change:
        verb = self._chance.choice(VERBS)
        serial = f"{self.task.run:04x}{self.task.hand:02x}{at:010x}"
        value = {"summary": f"Question {serial}", "list": f"s{serial}@list.example", "assign": office.ACTORS[at % 2]}
        if verb in ("status", "priority", "category"):
            value[verb] = office.values(verb, self.task.hand)[at % office.VALUES]
        return Change(self._chance.choice(self.task.issues), verb, serial, value.get(verb, f"This is {serial}."))

    @abstractmethod
    def send(self, change: Change) -> bool:
        """Send it; False when it changed nothing. Raises `Refusal`."""


class Verbs(Hand):
    """By the verbs that the screens call."""

    def __init__(self, root: Path, task: Task) -> None:
        super().__init__(root, task)
        from eventum.config import Config
        from eventum.tracker.tracker import Tracker

        config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")
        self.tracker = Tracker(config).open()

    def work(self) -> dict[str, Any]:
        try:
            return super().work()
        finally:
            self.tracker.close()

    def send(self, change: Change) -> bool:
        from eventum.errors import Busy, Conflict

        try:
            return self._send(change)
        except (Busy, Conflict) as error:
            raise Refusal(str(error)) from error

    def _send(self, wanted: Change) -> bool:
        from eventum.tracker import change, correspond, subscribe
        from eventum.tracker.change import Edit
        from eventum.tracker.correspond import Letter, Once

        tracker, number, nonce = self.tracker, wanted.issue, wanted.serial
        issue = tracker.issues.load(number)
        match wanted.verb:
            case "note" | "reply":
                letter, form = Letter(text=wanted.value, to=("c1@customer.example",)), Once(nonce=nonce)
                if wanted.verb == "note":
                    return correspond.note(tracker, number, self.actor, Letter(text=wanted.value), form=form)[0].changed
                form = Once(nonce=nonce, seen=issue.next_event)
                return correspond.reply(tracker, number, self.actor, letter, form=form)[0].changed
            case "list":
                return subscribe.subscribe(tracker, number, self.actor, wanted.value, actions=["files"]).changed
            case "assign":
                users = {tracker.people.user(name).id: name for name in office.ACTORS}
                off = [users[one] for one in issue.assignees if one in users and users[one] == wanted.value]
                names = ((), off) if off else ((wanted.value,), ())
                return change.reassign(tracker, number, self.actor, names, nonce=nonce).changed
        field = change.check_field(wanted.verb)
        edit = Edit(field, getattr(issue, field), wanted.value)
        return change.edit(tracker, number, self.actor, edit, nonce=nonce).changed


class Browser(Hand):
    """Through the WSGI application, with a session and its token."""

    def __init__(self, root: Path, task: Task, *, cookie: str = "") -> None:
        super().__init__(root, task)
        from app import create_app
        from eventum.config import Config

        config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")
        self._app = create_app(config)
        self._client = self._app.test_client()
        if cookie:
            self._client.set_cookie("eventum", cookie)
        else:
            self._log_in()
        self._pages: dict[int, str] = {}
        people = [json.loads(path.read_bytes()) for path in (root / "data/people/users").glob("*.json")]
        self._users: dict[str, str] = {user["email"]: user["id"] for user in people}

    def _log_in(self) -> None:
        token = self._token(self._client.get("/login").get_data(as_text=True))
        typed = {"csrf_token": token, "email": self.actor, "password": office.PASSWORD}
        answer = self._client.post("/login", data=typed)
        if answer.status_code != 302 and answer.status_code != 303:
            raise RuntimeError(f"the login was answered with {answer.status_code}")

    def status(self, number: int) -> int:
        """How the page of an issue is answered."""
        return self._client.get(f"/issues/{number}").status_code

    def cookie(self) -> str:
        """The session as the browser keeps it."""
        found = self._client.get_cookie("eventum")
        return found.value if found else ""

    def work(self) -> dict[str, Any]:
        try:
            return super().work()
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the store."""
        from eventum.web import trackers

        self._app.extensions[trackers.KEY].close()

    def _token(self, page: str) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        if found is None:
            raise RuntimeError(f"a page without a token: {page[:500]}")
        return found[1]

    def _page(self, number: int) -> str:
        if number not in self._pages:
            self._pages[number] = self._client.get(f"/issues/{number}").get_data(as_text=True)
        return self._pages[number]

    def send(self, change: Change) -> bool:
        page = self._page(change.issue)
        path, fields = self._form(change, page)
        typed = {"csrf_token": self._token(page), "nonce": change.serial, **fields}
        answer = self._client.post(f"/issues/{change.issue}/{path}", data=typed)
        said = answer.get_data(as_text=True)
        if answer.status_code == 303 and "/login" not in answer.headers["Location"]:
            # He is shown the issue, with the sentence that says what he did.
            del self._pages[change.issue]
            return 'class="told' in self._page(change.issue) or "Saved." in self._page(change.issue)
        if answer.status_code not in (409, 503):
            self.faults.append(f"other: {change} was answered with {answer.status_code}")
        elif change.verb in ("note", "reply", "summary") and change.value not in html.unescape(said):
            self.faults.append(f"lost: {change} was refused with {answer.status_code}, and what was typed is gone")
        self._pages[change.issue] = said
        if answer.status_code == 503:
            del self._pages[change.issue]
        raise Refusal(str(answer.status_code))

    def _form(self, change: Change, page: str) -> tuple[str, dict[str, Any]]:
        if change.verb in ("note", "reply"):
            known = list(dict.fromkeys(re.findall(r'name="known" value="([^"]+)"', page)))
            seen = re.search(r'name="seen" value="(\d*)"', page)
            fields = {"form": change.verb, "text": change.value, "known": known, "send": known, "do": "send"}
            fields |= {"to": "c1@customer.example" if change.verb == "reply" else "", "seen": seen[1] if seen else ""}
            return "write", fields
        if change.verb == "list":
            return "list", {"address": change.value, "action": ["files"]}
        if change.verb == "assign":
            old = re.search(r'/assignees">.*?name="old" value="([^"]*)"', page, re.DOTALL)
            before, who = old[1].split() if old else [], self._users[change.value]
            user = [one for one in before if one != who] if who in before else [*before, who]
            return "assignees", {"old": " ".join(before), "user": user}
        said = {name: html.unescape(value) for name, value in OLD.findall(page)}
        return "edit", {"field": change.verb, "old": said.get(change.verb, ""), "new": change.value}


KINDS: dict[str, type[Hand]] = {"verbs": Verbs, "web": Browser}


def work(kind: str, root: Path, task: Task) -> dict[str, Any]:
    """All of one hand's work, in this process."""
    return KINDS[kind](root, task).work()
