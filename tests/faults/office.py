"""A prepared store in which people work: issues that are open, staff who can log in, and one who is told of everything.

In flow a folder, out flow copies of the store with mail that waits to be fetched. The people are few, so that an edit
makes few mails: what many edits at once do to the record is looked at, not how long a list may be.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.faults import trials
from tests.faults.trials import Scene

PASSWORD = "correct horse battery"
ACTORS = ("dev@example.org", "all@example.org")
WATCH = "watch@example.org"
PROJECT = "Help desk"
HANDS = 8  # Each has values of its own for the fields that take one of a list, so that every edit changes something.
VALUES = 3
OPENED = 10  # Mails of each mailbox that are decided when the work begins; the others come meanwhile.
KINDS = ("new", "answer", "staff", "answer")


def values(field: str, hand: int) -> list[str]:
    """The values of a field that only this hand sets."""
    return [f"{field} {hand}.{at}" for at in range(VALUES)]


class Office(Scene):
    """The prepared store. `issues` are those there are when a trial begins."""

    def __init__(self, folder: Path, count: int = 60, kinds: Sequence[str] = KINDS) -> None:
        super().__init__(folder, count, kinds)
        done = trials.forked(self._open, self.prepared)
        if done.code != 0:
            raise RuntimeError((self.prepared / "output.txt").read_text())
        self.issues: list[int] = done.result

    def _open(self) -> list[int]:
        from eventum.config import Config
        from eventum.tracker import membership, subscribe
        from eventum.tracker.membership import ProjectForm, UserForm
        from eventum.tracker.tracker import Tracker

        root = self.prepared
        # How much room must be left is another trial's affair.
        done = trials.flask(root, "settings", "set", "disk.min_free", "0")
        assert done["code"] == 0, done
        tracker = Tracker(Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")).open()
        try:
            kept = _cheap_hash()
            for name in ("admin@example.org", *ACTORS):
                membership.save_user(tracker, name, UserForm(password=kept))
            members = ((PROJECT, "developer"),)
            membership.save_user(tracker, None, UserForm(email=WATCH, name="Wanda", members=members))
            own = {
                field: tuple(value for hand in range(HANDS) for value in values(field, hand))
                for field in ("status", "priority", "category")
            }
            project = tracker.people.project(PROJECT)
            form = ProjectForm(
                statuses=(*project.statuses, *own["status"]),
                priorities=(*project.priorities, *own["priority"]),
                categories=own["category"],
            )
            membership.save_project(tracker, PROJECT, form)
        finally:
            tracker.close()
        done = trials.flask(root, "download-emails", "--limit", str(OPENED), "--json")
        assert done["code"] == 0, done
        (root / "data/spool/out/log").mkdir(exist_ok=True)
        numbers = sorted(int(path.name) for path in (root / "data").glob("issues/*/*") if path.name.isdigit())
        tracker = Tracker(Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")).open()
        try:
            for number in numbers:
                subscribe.subscribe(tracker, number, ACTORS[0], WATCH)
        finally:
            tracker.close()
        return numbers


def _cheap_hash() -> str:
    """The password as the store keeps it, made with so little work that a trial can log in for real."""
    salt = b"office"
    key = hashlib.scrypt(PASSWORD.encode(), salt=salt, n=1024, r=8, p=1)
    return f"scrypt:1024:8:1${salt.decode()}${key.hex()}"


@contextmanager
def folder() -> Iterator[Path]:
    """A folder in memory where there is room, else where temporary files go."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30
    made = Path(tempfile.mkdtemp(prefix="faults-", dir=memory if roomy else None))
    try:
        yield made
    finally:
        shutil.rmtree(made)


@contextmanager
def office(count: int = 60) -> Iterator[Office]:
    """A prepared office."""
    with folder() as place:
        made = Office(place, count)
        try:
            yield made
        finally:
            made.close()
