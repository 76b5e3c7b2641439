"""What the three kinds of mailbox have in common: where it is, how far we have come, what was fetched.

In flows a `Server`, out comes an open `Mailbox`. It must not decide what is new beyond the position it is given: the
`\\Seen` flag, dates and sequence numbers are other people's, only the unique ids tell what we have.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import msgspec

from eventum.errors import Damaged
from eventum.transport.reachable import Reach
from eventum.wording import N_

MAX_BYTES = 8_000_000
MAX_COUNT = 100

# A mail above this is left on the server and named in `passed_over`: a size that a server merely claims must not
# decide how much memory is taken.
LARGEST_MAIL = 256 * 1024 * 1024


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """One mailbox and how to reach it; for `maildir` the folder is a path and the rest is empty.

    `security` is `ssl` (TLS from the first byte), `starttls` (or failure), `starttls-if-offered` (else a password
    goes to a loopback address only) or `none` (the password is sent as it is). With a `reach` only what it allows is
    connected to; without one, anything.
    """

    protocol: str
    host: str = ""
    port: int = 0
    security: str = "ssl"
    verify: bool = True
    username: str = ""
    password: str = ""
    folder: str = "INBOX"
    reach: Reach | None = None


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds that are borne. `connect`, `command` and `ending` (after the mail was sent) are of silence.

    A far end that says a byte now and then is never silent, so an answer may also take only `answer` seconds and
    what its bytes need at a thousand a second, and the talk ends `whole` seconds after connecting: what was fetched
    and sent until then is done, and the next run goes on.
    """

    connect: float = 20.0
    command: float = 60.0
    ending: float = 300.0
    answer: float = 300.0
    whole: float = 4 * 3600.0


# What every fetch and every sending keeps to that is not told otherwise.
USUAL = Timeouts()


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far a mailbox has been fetched: IMAP by UIDVALIDITY and the highest UID, the others by the set of ids."""

    validity: str = ""
    uid: int = 0
    known: frozenset[str] = frozenset()


class Fetched(msgspec.Struct, frozen=True):
    """One mail as the server gave it; `date` is IMAP's INTERNALDATE or a file's time in UTC, None for POP3."""

    uid: str
    raw: bytes
    date: datetime | None = None


class Dated:
    """A mailbox whose server keeps the time at which each mail came, and no sum of their sizes."""

    size: int | None = None
    knows_dates = True

    def heads(self, count: int) -> list[bytes]:
        """None: see `Mailbox.heads`."""
        return []


class Mailbox(Protocol):
    """An open folder. Every method raises Busy, Refused or NotFound, with one sentence that names the server."""

    validity: str
    count: int
    size: int | None
    knows_dates: bool
    secured: str
    passed_over: list[tuple[str, str]]
    shared: frozenset[str]  # ids that stand for more than one mail: they say nothing in the next session

    def new(self, after: Position) -> tuple[str, ...]:
        """The unique ids beyond a position, in order of arrival; all of them when UIDVALIDITY is another one."""

    def unseen(self) -> tuple[str, ...]:
        """The unique ids nobody has read yet, up to `newest()`; POP3 does not know and names all."""

    def since(self, moment: datetime) -> tuple[str, ...]:
        """The unique ids of what came at that moment or later by the server's own clock, in order of arrival.

        IMAP knows days only, and a mail of the day before may be among them; POP3 knows nothing and names all.
        """

    def heads(self, count: int) -> list[bytes]:
        """The headers of so many mails, spread evenly over all: of a server that knows no dates; else none."""

    def newest(self) -> Position:
        """The position that makes everything that is in the folder now old."""

    def advanced(self, position: Position, done: Iterable[str]) -> Position:
        """The position after these mails are safe; ids that the server no longer has are forgotten."""

    def still(self, uids: Sequence[str]) -> set[str]:
        """Those of these that the folder still holds."""

    def fetch(
        self, uids: Sequence[str], max_bytes: int = MAX_BYTES, max_count: int = MAX_COUNT
    ) -> Iterator[list[Fetched]]:
        """The mails, in batches of at most so many bytes (but at least one mail) and so many mails.

        A mail that vanished meanwhile is left out. One that the server cannot give is left out as well, and stands
        in `passed_over` with its reason.
        """

    def remove(self, uids: Sequence[str]) -> None:
        """Takes exactly these from the server; needs `removing=True` at opening. For POP3 it holds from `commit`."""

    def commit(self) -> bool:
        """Ends the session; True when the server confirmed that what was to be removed is gone."""


class OnStep(Protocol):
    """Hears of a step as it begins, and what the one before it found: an address, or what protects the connection."""

    def __call__(self, step: str, found: str = "", /) -> None:
        """The step begins."""


def silent(step: str, found: str = "", /) -> None:
    """Hears of a step and does nothing with it."""


def open_mailbox(
    server: Server, *, removing: bool = False, on_step: OnStep = silent, timeouts: Timeouts | None = None
) -> AbstractContextManager[Mailbox]:
    """The folder of this server, opened for reading only unless mails are to be removed.

    `on_step` hears the name of each step as it begins: `name`, `connection`, `certificate`, `login`, `folder`;
    and what the one before it found. Leaving the context without `commit` removes nothing from a POP3 server.
    """
    limits = timeouts or USUAL
    if server.protocol == "imap":
        from eventum.transport import imap

        return imap.open_mailbox(server, removing=removing, on_step=on_step, timeouts=limits)
    if server.protocol == "pop3":
        from eventum.transport import pop3

        return pop3.open_mailbox(server, removing=removing, on_step=on_step, timeouts=limits)
    if server.protocol == "maildir":
        from eventum.transport import maildir

        return maildir.open_mailbox(server, removing=removing, on_step=on_step, timeouts=limits)
    raise Damaged(
        N_('There is no protocol "{protocol}"; an account speaks imap, pop3 or maildir.'), protocol=server.protocol
    )
