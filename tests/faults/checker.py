"""Looks at a store from outside after a trial, and says what is wrong with it.

In flow the folder and the mails that were given to it, out flow sentences, none when all is well; each begins with its
kind (`record.KINDS`). It reads files only and shares no code with the product: it knows the format from data/README.md.
What a store says can also be compared with that of an undisturbed run.
"""

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

END = b"\r\nX-Eventum-End: mail follows\r\n"
OUTCOMES = ("unassociated", "removed", "refused", "ignored", "duplicate")
# What a message of a story is, beside its key: that of one that people wrote is another in every run.
FILED = ("subject", "kind", "blocked", "parent", "outgoing", "destination")
OURS = re.compile(r"^<eventum\.[0-9]+\.([0-9]+)\..*")  # one of our Message-IDs: issue, event, and a digest of them
# Leases that are no run's: their files stay.
STANDING = ("account-", "watch-", "import", "journal-", "queue")


NO_EVENTS: dict[str, Any] = {"events": []}


class Notice(NamedTuple):
    """One entry of the queue, in whatever state."""

    state: str
    type: str
    issue: int
    event: int
    recipient: str
    message_id: str


class Looked:
    """A store as its files say it is."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.problems: list[str] = []
        self.issues = {int(path.name): self._issue(path) for path in data.glob("issues/*/*") if path.name.isdigit()}
        self.pool = {path: self._json(path) for path in data.glob("pool/*/*.json")}
        self.notices = [notice for state in ("out", "sent", "held", "failed") for notice in self._notices(state)]

    def _json(self, path: Path) -> Any:
        try:
            return json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            self.problems.append(f"half: {path.relative_to(self.data)} cannot be read: {error}")
            return {}

    def _issue(self, folder: Path) -> dict[str, Any]:
        issue: dict[str, Any] = self._json(folder / "issue.json")
        older = sorted(folder.glob("history/*.json"), key=lambda path: int(path.stem))
        events = [event for path in older for event in self._json(path)["events"]]
        issue["events"] = [event for event in events if event["number"] < issue["first_event"]] + issue["events"]
        return issue

    def _notices(self, state: str) -> Iterator[Notice]:
        for path in (*self.data.glob(f"spool/{state}/new/*"), *self.data.glob(f"spool/{state}/cur/*")):
            head = path.read_bytes().partition(END)[0].decode().replace("\r\n ", " ")
            said = dict(line.removeprefix("X-Eventum-").split(": ", 1) for line in head.split("\r\n"))
            key = path.name.partition(":")[0].partition(",")[0]
            if key != said["Key"]:
                self.problems.append(f"other: {path.name} in {state} is the entry {said['Key']}")
            yield Notice(
                state, said["Type"], int(said["Issue"]), int(said["Event"]), said["Recipient"], said["Message-Id"]
            )

    def filings(self) -> Iterator[tuple[str, int, int]]:
        """(key, issue, event) of every message the records name."""
        for number, issue in self.issues.items():
            for event in issue["events"]:
                if is_filed(event):
                    yield event["what"]["message"]["key"], number, event["number"]

    def root(self, number: int) -> str:
        """The first message of an issue: its name in a comparison, since numbers may have gaps."""
        filed = (event["what"]["message"] for event in self.issues.get(number, NO_EVENTS)["events"] if is_filed(event))
        first = next(filed, None)
        if first is None or not first.get("destination"):  # What people write has another key in every run.
            return f"ours: {self.issues[number]['summary']}" if number in self.issues else ""
        return str(first["key"])


def is_filed(event: dict[str, Any]) -> bool:
    """Whether the event put a message into the issue."""
    return bool(event["what"]["type"] == "filed")


def raw_of(data: bytes) -> bytes:
    """A stored mail without our trace headers."""
    return data.partition(END)[2] if data.startswith(b"X-Eventum-Trace: ") else data


def bytes_of_all(data: Path) -> Iterator[bytes]:
    """Every mail in the store, without trace headers, wherever it lies under a final name."""
    folders = [*data.glob("spool/*/new"), *data.glob("spool/*/cur"), *data.glob("issues/*/*/mail/*")]
    for folder in (*folders, *data.glob("pool/*/*/new"), *data.glob("pool/*/*/cur")):
        if folder.name != "tmp":
            for path in folder.iterdir():
                yield raw_of(path.read_bytes())


def key_of(destination: str, raw: bytes) -> str:
    """The key a mail has by the format."""
    return hashlib.sha256(destination.encode() + b"\0" + raw).hexdigest()


def faults(data: Path, given: dict[str, bytes] | None) -> list[str]:
    """What is wrong; `given` are the mails by their keys, None when people wrote some of their own."""
    store = Looked(data)
    mails = [] if given is None else [*_places(store, given), *_bytes(store, given), *_spool(data, given)]
    return [*store.problems, *mails, *_told(store), *_leftovers(data)]


def _places(store: Looked, given: dict[str, bytes]) -> Iterator[str]:
    """By what the records say: each mail in one place."""
    places = Counter(key for key, _, _ in store.filings())
    places.update(record["mail"]["key"] for record in store.pool.values() if record)
    for key in given:
        if places[key] != 1:
            where = [number for found, number, _ in store.filings() if found == key]
            kind = "doubled" if places[key] else "lost"
            yield f"{kind}: mail {key[:12]} has {places[key]} places (issues {where})"
    for key in places.keys() - given.keys():
        yield f"other: mail {key[:12]} was never given to us"


def _bytes(store: Looked, given: dict[str, bytes]) -> Iterator[str]:
    """By the bytes: each mail is whole, and there once."""
    copies: Counter[str] = Counter()
    for path in (*store.data.glob("issues/*/*/mail/*/*"), *store.data.glob("pool/*/*/*/*")):
        key, raw = path.name.partition(":")[0], raw_of(path.read_bytes())
        copies[key] += 1
        if raw != given.get(key):
            yield f"half: {path.relative_to(store.data)} is not the mail it should be"
    for key in given:
        if copies[key] != 1:
            kind = "doubled" if copies[key] else "lost"
            yield f"{kind}: mail {key[:12]} lies in {copies[key]} files"


def _spool(data: Path, given: dict[str, bytes]) -> Iterator[str]:
    for folder in ("in/new", "in/cur", "dead/new", "dead/cur"):
        for path in (data / "spool" / folder).iterdir():
            yield f"stuck: spool/{folder} holds {path.name[:40]}"
    done = {path.name.partition(":")[0] for path in (data / "spool/done/cur").iterdir()}
    for key in given.keys() - done:
        yield f"other: mail {key[:12]} is not in done"


def _told(store: Looked) -> Iterator[str]:
    """Nobody is told twice of one event, of nothing that is not there, and each acknowledgement is."""
    # A letter that is of no issue has no event; alerts are counted by whoever raises them.
    for what, count in Counter((one.issue, one.event, one.recipient) for one in store.notices if one.issue).items():
        if count > 1:
            yield f"doubled: {what} is told {count} times"
    for number, issue in store.issues.items():
        if issue["announced"] != issue["next_event"] - 1:
            yield f"silent: issue {number} announced {issue['announced']} of {issue['next_event'] - 1} events"
        for event in issue["events"]:
            thanked = event["what"].get("acknowledge")
            if any(later["what"].get("since", event["number"] + 1) <= event["number"] for later in issue["events"]):
                continue  # What was undone before it was told is told to nobody.
            if thanked and not any(
                (notice.issue, notice.event, notice.recipient) == (number, event["number"], thanked)
                for notice in store.notices
            ):
                yield f"silent: issue {number}: {thanked} is not acknowledged"
    for notice in store.notices:
        if notice.issue and not any(
            event["number"] == notice.event for event in store.issues.get(notice.issue, NO_EVENTS)["events"]
        ):
            yield f"other: {notice} tells of an event that is not there"


def _leftovers(data: Path) -> Iterator[str]:
    folders = [*data.glob("spool/*/tmp"), *data.glob("issues/*/*/mail/tmp"), *data.glob("pool/*/*/tmp")]
    folders += [data / name for name in ("issues/.tmp", "state/.tmp", "state/intents", "state/hands")]
    for folder in folders:
        for path in folder.iterdir():
            yield f"other: {path.relative_to(data)} was left behind"
    for path in (data / "locks/leases").iterdir():
        if not path.name.startswith(STANDING):
            yield f"other: {path.relative_to(data)} was left behind"


def in_order(data: Path, parents: dict[str, str]) -> list[str]:
    """Answers stand behind their questions, in the same issue; `parents` are keys of answers to those of questions."""
    places = {key: (number, event) for key, number, event in Looked(data).filings()}
    wrong = []
    for key, parent in parents.items():
        if key in places and (parent not in places or places[parent][0] != places[key][0]):
            wrong.append(
                f"other: the answer {key[:12]} is in issue {places[key][0]}, its question is {places.get(parent)}"
            )
        elif key in places and places[parent] > places[key]:
            wrong.append(f"other: the answer {key[:12]} stands before its question")
    return wrong


def story(data: Path) -> dict[str, Any]:
    """What a store tells, without numbers of issues and times: equal for two runs that did the same."""
    store = Looked(data)
    issues = {}
    for number, issue in store.issues.items():
        events = [
            {name: value for name, value in event.items() if name not in ("when", "number")}
            for event in issue["events"]
        ]
        for event in events:
            if is_filed(event):
                message = event["what"]["message"]
                event["what"] = {name: message.get(name, "") for name in FILED}
                event["what"]["parent"] = OURS.sub(r"ours \1", message.get("parent", ""))
                event["what"]["key"] = message["key"] if message.get("destination") else ""
        fields = ("summary", "status", "reporter", "assignees", "emails", "notes", "blocked")
        issues[store.root(number)] = [{name: issue[name] for name in fields}, events]
    pool = {
        record["mail"]["key"]: next(
            (outcome for outcome in OUTCOMES if list(path.parent.glob(f"{outcome}/*/{path.stem}*"))), "nowhere"
        )
        for path, record in store.pool.items()
        if record
    }
    told = Counter(f"{store.root(n.issue)} {n.event} {n.type} {n.recipient}" for n in store.notices)
    return {"issues": issues, "pool": pool, "told": dict(told)}


def differences(ours: dict[str, Any], golden: dict[str, Any]) -> Iterator[str]:
    """Where a run's story is another than the undisturbed one."""
    for part, wanted in golden.items():
        for name in wanted.keys() | ours[part].keys():
            if wanted.get(name) != ours[part].get(name):
                one, other = ours[part].get(name), wanted.get(name)
                said = f"{part} {name[:60]}: {_around(one, other)}, undisturbed {_around(other, one)}"
                yield f"{_kind(part, one, other)}: {said}"


def _kind(part: str, ours: Any, wanted: Any) -> str:
    """A notice too few is one that nobody hears of."""
    if part == "told":
        return "silent" if (ours or 0) < (wanted or 0) else "doubled"
    return "other" if ours is not None else "lost"


def _around(value: object, other: object) -> str:
    """What stands there where it is another than the other."""
    text = json.dumps(value)
    at = max(0, len(os.path.commonprefix([text, json.dumps(other)])) - 60)
    return ("..." if at else "") + text[at : at + 200]


def deliveries(data: Path, log: Iterable[str], refused: str) -> tuple[list[str], list[str]]:
    """What is wrong with what was sent, and the Message-IDs that were delivered more than once.

    All went out but what is for the `refused` recipient, which lies in `failed`, and its issue says so once.
    """
    store, count, wrong = Looked(data), Counter(log), []
    said = Counter(
        (number, event["what"]["message_id"])
        for number, issue in store.issues.items()
        for event in issue["events"]
        if event["what"]["type"] == "delivery_failed"
    )
    for notice in store.notices:
        wanted = "failed" if notice.recipient == refused else "sent"
        if notice.state != wanted:
            wrong.append(f"stuck: {notice} is not {wanted}")
        if (notice.message_id in count) != (wanted == "sent"):
            wrong.append(f"lost: {notice} was delivered {count[notice.message_id]} times")
        times = said[notice.issue, notice.message_id]
        if times != (wanted == "failed"):
            wrong.append(f"silent: issue {notice.issue} says {times} times that {notice} failed")
    return wrong, sorted(one for one, times in count.items() if times > 1)
