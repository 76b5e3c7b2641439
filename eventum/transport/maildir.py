"""A local Maildir as a mailbox: mail that another program on this machine delivers or downloads.

In flows a folder's path, out flow raw mails by the unique part of their file names. It never renames a file, never
marks one as read, and follows no link out of the folder.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from eventum.errors import Busy, NotFound, Refused
from eventum.transport.mailbox import (
    LARGEST_MAIL,
    MAX_BYTES,
    MAX_COUNT,
    Dated,
    Fetched,
    OnStep,
    Position,
    Server,
    Timeouts,
)
from eventum.wording import N_

# What is wrong with this machine just now, and not with the mail.
HINDRANCES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ESTALE)


class Maildir(Dated):
    """An open Maildir; see `mailbox.Mailbox`. A unique id is a file's name up to its colon."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.validity = ""
        self.secured = ""
        self.passed_over: list[tuple[str, str]] = []
        self.unread: list[str] = []
        self.hindered = ""
        self.shared: frozenset[str] = frozenset()
        self.paths = self.listing()
        self.count = len(self.paths)

    def listing(self) -> dict[str, str]:
        """Unique id -> path in order of arrival: by the file's time, then by its name. Raises NotFound, Refused."""
        found: list[tuple[int, str, str]] = []
        try:
            for part in ("new", "cur"):
                with os.scandir(os.path.join(self.folder, part)) as entries:
                    for entry in entries:
                        # A mail that is moved or taken away between listing and looking is simply not there.
                        with suppress(FileNotFoundError):
                            if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                                arrived = entry.stat(follow_symlinks=False).st_mtime_ns
                                found.append((arrived, unique(entry.name), entry.path))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFound(
                N_('There is no Maildir at "{folder}" (it needs the folders new and cur); check the path.'),
                folder=self.folder,
            ) from error
        except PermissionError as error:
            raise Refused(
                N_('The Maildir "{folder}" cannot be read by this user; let the user of this program read it.'),
                folder=self.folder,
            ) from error
        return {uid: path for _, uid, path in sorted(found)}

    def new(self, after: Position) -> tuple[str, ...]:
        return tuple(uid for uid in self.paths if uid not in after.known)

    def unseen(self) -> tuple[str, ...]:
        return tuple(
            uid for uid, path in self.paths.items() if "S" not in path.rpartition(":2,")[2] or ":2," not in path
        )

    def since(self, moment: datetime) -> tuple[str, ...]:
        found = []
        for uid, path in self.paths.items():
            with suppress(FileNotFoundError):
                if os.lstat(path).st_mtime >= moment.timestamp():
                    found.append(uid)
        return tuple(found)

    def newest(self) -> Position:
        return Position(known=frozenset(self.paths))

    def advanced(self, position: Position, done: Iterable[str]) -> Position:
        return Position(known=(position.known & self.paths.keys()) | frozenset(done))

    def still(self, uids: Sequence[str]) -> set[str]:
        return self.paths.keys() & set(uids)

    def fetch(
        self, uids: Sequence[str], max_bytes: int = MAX_BYTES, max_count: int = MAX_COUNT
    ) -> Iterator[list[Fetched]]:
        batch: list[Fetched] = []
        size = 0
        for uid in uids:
            mail = self.read(uid)
            if mail is None and self.hindered:
                break  # What comes later would overtake it, an answer its question.
            if mail is None:
                continue
            if batch and (len(batch) >= max_count or size + len(mail.raw) > max_bytes):
                yield batch
                batch, size = [], 0
            batch.append(mail)
            size += len(mail.raw)
        if batch:
            yield batch
        for why in (self.hindered, *self.unread):
            if why:
                raise Busy(N_("Mail waits for the next run: {why}"), why=why)

    def read(self, uid: str) -> Fetched | None:
        """One mail; None when it has gone or cannot be read, which then stands in `passed_over`."""
        path = self.path(uid)
        if path is None:
            return None
        try:
            # Without O_NONBLOCK a pipe put in place of a mail would stop the run for ever.
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb") as file:
                about = os.fstat(descriptor)
                if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST_MAIL:
                    self.passed_over.append((uid, f'"{path}" is no file, or larger than {LARGEST_MAIL} bytes.'))
                    return None
                return Fetched(uid, file.read(), datetime.fromtimestamp(about.st_mtime, UTC))
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in HINDRANCES:
                self.hindered = f'"{path}" cannot be opened now: {error.strerror}.'
                return None
            if error.errno == errno.EIO:
                # Perhaps the disk of another machine is away for a moment; tried at every run, and the others go on.
                self.unread.append(f'"{path}" cannot be read: {error.strerror}.')
                return None
            self.passed_over.append((uid, f'"{path}" cannot be read: {error.strerror}.'))
            return None

    def path(self, uid: str) -> str | None:
        """Where the mail is now; another program may have renamed it since the listing. None when it is nowhere."""
        known = self.paths.get(uid)
        if known is not None and not os.path.lexists(known):
            self.paths = self.listing()
            known = self.paths.get(uid)
        return known

    def remove(self, uids: Sequence[str]) -> None:
        for uid in uids:
            path = self.path(uid)
            if path is None:
                continue
            try:
                os.unlink(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise Busy(
                    N_('"{path}" cannot be deleted ({reason}); let this user write there, or leave a copy.'),
                    path=path,
                    reason=error.strerror,
                ) from error

    def commit(self) -> bool:
        """Files are gone at once: there is nothing left to confirm."""
        return True


def unique(name: str) -> str:
    """The part of a Maildir file's name that stays when its flags change."""
    return name.partition(":")[0]


@contextmanager
def open_mailbox(server: Server, *, removing: bool, on_step: OnStep, timeouts: Timeouts) -> Iterator[Maildir]:
    """See `mailbox.open_mailbox`; only `server.folder` matters. Raises NotFound or Refused."""
    on_step("folder")
    if removing and not os.access(server.folder, os.W_OK | os.X_OK):
        raise_unless_readable(server.folder)
        raise Refused(
            N_('The Maildir "{folder}" cannot be written by this user; leave a copy, or change its owner.'),
            folder=server.folder,
        )
    yield Maildir(server.folder)


def raise_unless_readable(folder: str) -> None:
    """A missing folder is named as missing before anything is said about rights. Raises NotFound or Refused."""
    Maildir(folder)
