"""Mail of no issue: `pool/<account>/<outcome>/`, a Maildir an outcome, and `<key>.json` with its trace.

Flows in: spooled mails with what was decided. Flows out: the same for lists, and moves between outcomes. The place of
the mail is its state; its record says when it came, by which account, and why it is where it is.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from eventum.errors import NotFound
from eventum.issues.events import Filing
from eventum.issues.trace import Row
from eventum.store import files, kept, records
from eventum.store.flush import Flush
from eventum.store.layout import POOLS, Layout, checked, maildir
from eventum.store.maildir import entry_of, find, is_mail, search
from eventum.store.maker import Maker


class Pooled(msgspec.Struct, frozen=True, kw_only=True):
    """The record of one mail of no issue."""

    schema: int = 1
    account: str
    project: str
    when: datetime
    mail: Filing
    trace: tuple[Row, ...] = ()


def record_of(account: str, key: str) -> str:
    """How the journal names one mail of the pool."""
    return f"pool/{account}/{key}"


class Pool:
    """The mail of no issue of one store."""

    def __init__(self, layout: Layout, maker: Callable[[], Maker]) -> None:
        self._layout = layout
        self._maker = maker

    def put(self, flush: Flush, pooled: Pooled, outcome: str, path: str) -> None:
        """Keep a spooled mail under an outcome; durable when the flush ends. Again: no change."""
        if self.outcome(pooled.account, pooled.mail.key) is not None:
            return
        root = self._layout.pool_of(pooled.account, outcome)
        self._folders(root)
        record = self._record(pooled.account, pooled.mail.key)
        flush.write_whole(self._layout.state_tmp / self._maker().name(), record, records.encode(pooled))
        flush.folder(record.parent)
        cur = maildir(root)[2]
        files.link(path, cur / f"{pooled.mail.key}:2,")
        flush.folder(cur)
        if kept.keep(self._layout, path, pooled.mail.key):  # What comes back out of an issue lost it long ago.
            flush.folder(maildir(self._layout.kept)[2])

    def _record(self, account: str, key: str) -> Path:
        return self._layout.pool / checked(account) / f"{key}.json"

    def has_record(self, account: str, key: str) -> bool:
        """Whether there is a record of the mail, with or without the mail itself."""
        return files.exists(self._record(account, key))

    def _folders(self, root: Path) -> None:
        """A Maildir appears at once, with all its folders: a run that dies leaves none that lacks one."""
        if maildir(root)[2].is_dir():
            return
        files.make_folders([root.parent])
        temporary = self._layout.state_tmp / self._maker().name()
        files.make_folders([*maildir(temporary)])
        if files.publish(temporary, root):
            files.sync_path(str(root.parent))
        else:  # Another made it just now, or one that died before all this.
            files.remove_tree(temporary)
            files.make_folders(maildir(root))

    def outcome(self, account: str, key: str) -> str | None:
        """Under which outcome the mail lies; None when the pool has it not or no more."""
        if not files.exists(self._record(account, key)):
            return None
        place = self._place(account, key)
        return place[0] if place else None

    def _place(self, account: str, key: str) -> tuple[str, Path] | None:
        # Listing is for the rare name that a mail reader changed: all the usual ones are looked at first.
        for look in (find, search):
            for outcome in POOLS:
                path = look(self._layout.pool_of(account, outcome), key)
                if path is not None:
                    return outcome, path
        return None

    def path(self, account: str, key: str) -> Path:
        """Where the mail lies. Raises `NotFound`."""
        place = self._place(account, key)
        if place is None:
            raise NotFound(f"The mail {key[:12]} is not in the list any more.")
        return place[1]

    def load(self, account: str, key: str) -> Pooled:
        """The record of one mail. Raises `NotFound` or `Damaged`."""
        return records.load(self._record(account, key), Pooled).value

    def move(self, account: str, key: str, outcome: str) -> None:
        """Put a mail under another outcome; durable. Raises `NotFound`."""
        path = self.path(account, key)
        root = self._layout.pool_of(account, outcome)
        self._folders(root)
        files.rename(path, maildir(root)[2] / f"{key}:2,")
        with Flush() as flush:
            flush.folder(maildir(root)[2])
            flush.folder(path.parent)

    def shifted(self, account: str, key: str, outcome: str) -> None:
        """Bring a move to its end whose run died: a mail that came to that outcome lies under no other."""
        if find(self._layout.pool_of(account, outcome), key) is None:
            return
        with Flush() as flush:
            for other in POOLS:
                if other != outcome and (path := find(self._layout.pool_of(account, other), key)):
                    files.remove(path)
                    flush.folder(path.parent)

    def take(self, account: str, key: str) -> None:
        """Forget a mail that an issue has now; durable. Again: no change."""
        record = self._record(account, key)
        with Flush() as flush:
            if place := self._place(account, key):
                files.remove(place[1])
                flush.folder(place[1].parent)
            # Whoever takes it removes his intent next: a record that came back after that would stay.
            if files.remove(record):
                flush.folder(record.parent)

    def accounts(self) -> list[str]:
        """The ids of all accounts that have mail here, deleted accounts included."""
        return sorted(entry.name for entry in files.listing(self._layout.pool) if entry.is_dir())

    def entries(self, account: str) -> Iterator[tuple[str, str]]:
        """(key, outcome) of each mail of an account, in no order."""
        for outcome in POOLS:
            _, new, cur = maildir(self._layout.pool_of(account, outcome))
            for folder in (new, cur):
                for entry in files.listing(folder):
                    if is_mail(entry):
                        yield entry_of(entry.path).key, outcome
