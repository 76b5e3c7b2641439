"""Issues at rest: `issues/<shard>/<number>/` with `issue.json`, `history/` and the Maildir `mail/`.

Flows in: issue values and the paths of spooled mails. Flows out: issue values, bytes of mails. It decides nothing.

A new issue appears at once: a folder under `issues/.tmp`, durable, then renamed into place. A change is one replaced
`issue.json`; the mail is linked before. What belongs to an issue is what its record says; strangers' files in its
Maildir are tolerated.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.issues.events import Event
from eventum.issues.issue import Issue
from eventum.store import files, records
from eventum.store.flush import Flush
from eventum.store.layout import Layout, maildir
from eventum.store.locks import Locks
from eventum.store.maildir import search
from eventum.store.maker import Maker
from eventum.wording import N_

# The record keeps its newest KEEP events; when there are MOST of them, the others go to a file that never changes.
KEEP = 50
MOST = 100
TOO_HIGH = 10**9  # No issue has such a number; it becomes the name of a file.

Mails = Sequence[tuple[str, str]]  # (key, path)
Written = Sequence[tuple[str, bytes]]  # (key, content)


class Next(msgspec.Struct, frozen=True):
    """`state/number.json`: the number the next issue gets."""

    next: int


class History(msgspec.Struct, frozen=True):
    """`history/<from>.json`: older events of an issue, oldest first."""

    events: tuple[Event, ...]
    schema: int = 1


class IssueStore:
    """The issues of one store."""

    def __init__(self, layout: Layout, locks: Locks, maker: Callable[[], Maker]) -> None:
        self._layout = layout
        self._locks = locks
        self._maker = maker

    def load(self, number: int) -> Issue:
        """The issue. Raises `NotFound`, or `Damaged` when its file cannot be read."""
        return self.open(number).value

    def open(self, number: int) -> records.Stored[Issue]:
        """The issue with the bytes it came from, for whoever wants to change it. Raises as `load`."""
        missing = NotFound(N_("There is no issue {number}."), number=number)
        if not 0 < number < TOO_HIGH:
            raise missing
        try:
            return records.load(self._layout.issue(number) / "issue.json", Issue)
        except NotFound as error:
            folder = self._layout.issue(number)
            if folder.is_dir():  # An issue appears whole: its record was lost.
                raise Damaged(f"{folder / 'issue.json'} is missing: put back a copy from a backup.") from error
            raise missing from error

    def exists(self, number: int) -> bool:
        """Whether there is an issue of that number."""
        return 0 < number < TOO_HIGH and (self._layout.issue(number) / "issue.json").exists()

    def modified(self, number: int) -> int:
        """When the issue's record was written last, in nanoseconds since 1970; 0 without one."""
        return files.modified_ns(self._layout.issue(number) / "issue.json")

    def numbers(self) -> Iterator[int]:
        """The numbers of all issues, in no order."""
        for shard in files.listing(self._layout.issues):
            if shard.name.isdigit():
                for entry in files.listing(shard.path):
                    if entry.name.isdigit():
                        yield int(entry.name)

    def reserve(self, count: int) -> range:
        """So many numbers that nobody had or will have; durable. Numbers that are not used stay gaps."""
        with self._locks.record("number"):
            try:
                first = records.load(self._layout.number, Next).value.next
            except (NotFound, Damaged):  # A new store, or the file was lost: go on after the highest number there is.
                first = max(self.numbers(), default=0) + 1
            # A file that is older than the issues, as after a restore, must not stop every new issue.
            while taken := [one for one in range(first, first + count) if files.exists(self._layout.issue(one))]:
                first = taken[-1] + 1
            self._maker().replace(self._layout.number, records.encode(Next(first + count)))
        return range(first, first + count)

    def release(self, numbers: range) -> None:
        """Give back the last numbers of a reservation when nobody reserved any since; else they stay gaps."""
        with self._locks.record("number"), contextlib.suppress(NotFound, Damaged):
            if records.load(self._layout.number, Next).value.next == numbers.stop:
                self._maker().replace(self._layout.number, records.encode(Next(numbers.start)), durable=False)

    def build(self, flush: Flush, issue: Issue, mails: Mails, written: Written = ()) -> Path:
        """Write a new issue under a temporary name; what to give to `publish`.

        `mails` are linked from where they lie, `written` are mails of our own making.
        """
        folder = self._layout.issues_tmp / f"{self._maker().name()}"
        mail = folder / "mail"
        for path in (folder, mail, *maildir(mail)):
            files.make_folder(path)
        flush.write(folder / "issue.json", records.encode(issue))
        _link(maildir(mail)[2], mails)
        for key, data in written:
            flush.write(maildir(mail)[2] / f"{key}:2,S", data)
        for path in (maildir(mail)[2], mail, folder):
            flush.folder(path)
        return folder

    def publish(self, flush: Flush, folder: Path, number: int) -> None:
        """Give a built issue its place. Raises `Damaged` when that number is taken."""
        shard = self._layout.shard(number)
        if files.make_folder(shard):
            flush.folder(self._layout.issues)
        if not files.publish(folder, shard / str(number)):
            raise Damaged(f"Issue {number} is there already although its number was reserved; run `flask verify`.")
        flush.folder(shard)

    def add(self, flush: Flush, number: int, mails: Mails, written: Written = ()) -> None:
        """Put mails into an issue, as `build` does; they belong to it once its record says so."""
        if mails or written:
            cur = maildir(self._layout.issue(number) / "mail")[2]
            _link(cur, mails)
            for key, data in written:
                flush.write_whole(self._layout.issues_tmp / self._maker().name(), cur / f"{key}:2,S", data)
            flush.folder(cur)

    def prepare(self, flush: Flush, issue: Issue, before: records.Stored[Issue]) -> tuple[Issue, str]:
        """Write the next state of an existing issue under a temporary name; what to give to `replace`."""
        issue = self._rotate(flush, issue)
        temporary = f"{self._layout.issues_tmp}/{self._maker().name()}"
        flush.write(temporary, records.encode(issue, before))
        return issue, temporary

    def replace(self, flush: Flush, issue: Issue, temporary: str) -> None:
        """Let a prepared state be the issue's state, all at once."""
        folder = self._layout.issue(issue.number)
        files.move(temporary, folder / "issue.json")
        flush.folder(folder)

    def drop(self, temporaries: Iterable[str | Path]) -> None:
        """Forget what was built or prepared and never shown."""
        for temporary in map(Path, temporaries):
            if temporary.is_dir():
                files.remove_tree(temporary)
            else:
                files.remove(temporary)

    def _rotate(self, flush: Flush, issue: Issue) -> Issue:
        """Move the oldest announced events to history when the record has grown long."""
        if len(issue.events) < MOST:
            return issue
        older, newest = issue.events[:-KEEP], issue.events[-KEEP:]
        folder = self._layout.issue(issue.number) / "history"
        if files.make_folder(folder):
            flush.folder(folder.parent)
        path = folder / f"{issue.first_event}.json"  # May be there: of a run that died before its record was replaced.
        flush.write_whole(self._layout.issues_tmp / self._maker().name(), path, records.encode(History(older)))
        flush.folder(folder)
        return msgspec.structs.replace(issue, events=newest, first_event=newest[0].number)

    def events(self, issue: Issue, since: int = 1) -> tuple[Event, ...]:
        """The events of an issue from this number on, oldest first, and some before; of its history no file is read
        that has none of them. Raises `Damaged`.
        """
        older: list[Event] = []
        if since >= issue.first_event:
            return issue.events
        names = sorted(
            int(entry.name[:-5])
            for entry in files.listing(self._layout.issue(issue.number) / "history")
            if entry.name.endswith(".json") and entry.name[:-5].isdigit()
        )
        if not names or names[0] > since:
            lost = self._layout.issue(issue.number) / "history" / f"{since if names else 1}.json"
            raise Damaged(f"{lost} is missing, with older events of the issue: put back a copy from a backup.")
        # A file is named after its first event; the next file says where it ends.
        for name in (one for one, after in zip(names, [*names[1:], issue.first_event], strict=True) if after > since):
            path = self._layout.issue(issue.number) / "history" / f"{name}.json"
            moved = records.load(path, History).value.events
            older.extend(event for event in moved if event.number < issue.first_event)
        return (*older, *issue.events)

    def mail_path(self, number: int, key: str) -> Path:
        """Where a mail of an issue lies. Raises `NotFound`."""
        path = search(self._layout.issue(number) / "mail", key)
        if path is None:
            raise NotFound(f"Issue {number} has no mail {key[:12]}.")
        return path

    def take_out(self, number: int, key: str) -> None:
        """Remove a mail that the issue's record does not name, durable; the caller holds the issue's lock.

        Again: no change.
        """
        path = search(self._layout.issue(number) / "mail", key)
        if path is not None:
            files.remove(path)
            files.sync_path(str(path.parent))

    def leftovers(self) -> Sequence[Path]:
        """All that lies under a temporary name."""
        return [Path(entry.path) for entry in files.listing(self._layout.issues_tmp)]


def _link(cur: Path, mails: Mails) -> None:
    for key, path in mails:
        files.link(path, f"{cur}/{key}:2,S")


class Numbers:
    """The numbers a run gives to its new issues, reserved some at a time."""

    def __init__(self, issues: IssueStore) -> None:
        self._issues = issues
        self._free = range(0)
        self.wanted = 1  # How many to reserve at once: what the batch may need.

    def take(self) -> int:
        """The next number."""
        if not self._free:
            self._free = self._issues.reserve(max(1, self.wanted))
        number, self._free = self._free[0], self._free[1:]
        return number

    def give_back(self) -> None:
        """The run ends."""
        if self._free:
            self._issues.release(self._free)
            self._free = range(0)
