"""What the program notes for itself, not what people set: intents, fetch positions, last runs.

Flows in and out: small records under `state/`, replaced all at once. Losing one costs a second look at mail that is
known already; for an account that starts with new or unread mail its start is applied again. POP3 has no number to
remember, so the ids of fetched mails are lines of a file of their own, appended per batch and made anew when most of
them are gone from the server.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.store import files, records
from eventum.store.layout import Layout
from eventum.store.maker import Maker
from eventum.store.said import Said

CUT = "\t"  # Ends a line of the fetched ids that is no id; no id holds a tabulator (RFC 1939 section 7).


class Move(msgspec.Struct, frozen=True):
    """A mail on its way from an account's pool into an issue, or back."""

    account: str
    key: str
    issue: int


class Shift(msgspec.Struct, frozen=True):
    """A mail of an account's pool on its way to another outcome."""

    account: str
    key: str
    outcome: str


class Intent(msgspec.Struct, frozen=True):
    """What a run is about to do: which spooled mail goes into which issue, and which mail leaves the pool for one."""

    maker: str
    filings: tuple[tuple[str, int], ...]  # (key, issue)
    moves: tuple[Move, ...] = ()
    returns: tuple[Move, ...] = ()  # mail that goes back from its issue into the pool
    shifts: tuple[Shift, ...] = ()


class FetchState(msgspec.Struct, frozen=True, kw_only=True):
    """How far one account is fetched, and how its last runs went."""

    schema: int = 1
    mailbox: str = ""  # Which mailbox this is about; an account that is pointed at another one begins anew.
    validity: str = ""  # IMAP: UIDVALIDITY. Another value means that all uids are new.
    last: int = 0  # IMAP: every uid up to this one was looked at
    todo: tuple[str, ...] = ()  # uids up to `last` still to be fetched (an account that starts with unread mail)
    owed: tuple[str, ...] = ()  # uids we have durably and the server was, or was about to be, told to delete
    removed: tuple[str, ...] = ()  # POP3: uids the server confirmed as deleted last, which later sessions look for
    first_fetch: datetime | None = None
    last_run: datetime | None = None
    last_success: datetime | None = None
    error: str = ""
    why: Said = Said()  # the error, as a screen can say it in another language
    error_since: datetime | None = None
    failures: int = 0  # tries in a row that failed
    next_try: datetime | None = None  # before it the account is left alone, unless somebody asks for it
    tried: int = 0  # revision of the account that was tried: a changed one is tried at once
    started: bool = False  # whether `--start` was applied
    only_since: datetime | None = None  # mail the server had before is passed over: its numbers changed, see `--start`
    passed_over: tuple[str, ...] = ()  # mails the server could not give, with the reason
    again: datetime | None = None  # when those are asked for once more; None for the next run
    again_asked: int = 0  # how often they were


class SendState(msgspec.Struct, frozen=True, kw_only=True):
    """How sending goes: what is wrong with the server, and how much was sent since the store was made."""

    schema: int = 1
    last_success: datetime | None = None  # when the server answered for a mail
    error: str = ""
    why: Said = Said()
    error_since: datetime | None = None
    failures: int = 0  # tries in a row that failed
    next_try: datetime | None = None
    tried: int = 0  # revision of the General Setup that was tried
    sent: int = 0
    deferred: int = 0
    failed: int = 0


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """The last run of one command."""

    schema: int = 1
    command: str
    started: datetime
    ended: datetime
    ok: bool
    summary: str
    looks: tuple[float, ...] = ()  # of `prune`: when it looked, in seconds since 1970; see `age`


class State:
    """The notes of one store."""

    def __init__(self, layout: Layout, maker: Callable[[], Maker]) -> None:
        self._layout = layout
        self._maker = maker

    # Intents

    def intend(self, intent: Intent) -> None:
        """Note what this run is about to do; durable when this returns."""
        self._maker().replace(self._layout.intents / f"{self._maker().id}.json", msgspec.json.encode(intent))

    def fulfilled(self, maker: str) -> None:
        """The run did what it intended."""
        files.remove(self._layout.intents / f"{maker}.json")

    def intents(self) -> Iterator[Intent]:
        """What runs, dead or alive, are about to do."""
        for entry in files.listing(self._layout.intents):
            # Fulfilled meanwhile; or damaged, which `verify` names: the run's mail is recognised without it.
            with contextlib.suppress(NotFound, Damaged):
                yield records.load(Path(entry.path), Intent).value

    # Fetch positions

    def fetch(self, account: str) -> FetchState:
        """How far an account is fetched; that of a new account when nothing is noted. Raises `Damaged`."""
        try:
            return records.load(self._layout.fetch_of(account), FetchState).value
        except NotFound:
            return FetchState()

    def save_fetch(self, account: str, state: FetchState) -> None:
        """Note how far an account is fetched; durable."""
        self._maker().replace(self._layout.fetch_of(account), records.encode(state))

    def sending(self) -> SendState:
        """How sending goes. Raises `Damaged`."""
        try:
            return records.load(self._layout.sending, SendState).value
        except NotFound:
            return SendState()

    def save_sending(self, state: SendState) -> None:
        """Note how sending goes; the caller holds the lease `queue`."""
        self._maker().replace(self._layout.sending, records.encode(state), durable=False)

    def fetched_ids(self, account: str) -> set[str]:
        """The POP3 ids (UIDL) of the mails that were fetched."""
        try:
            data = files.read(self._layout.fetch_of(account).with_suffix(".uidl"))
        except NotFound:
            return set()
        # A line cut short by a crash names no mail; that one is fetched again and recognised by its bytes.
        lines = data.decode("utf-8", "replace").split("\n")[:-1]
        return {one for one in lines if one and not one.endswith(CUT)}

    def add_fetched_ids(self, account: str, ids: Iterable[str]) -> None:
        """Note POP3 ids as fetched; durable."""
        path = self._layout.fetch_of(account).with_suffix(".uidl")
        lines = "".join(f"{one}\n" for one in ids)
        if not files.ends_with(path, b"\n"):
            # Cut short by a crash; half an id could be the whole id of another mail, which then was never fetched.
            lines = f"{CUT}\n{lines}"
        files.append(path, lines.encode(), durable=True)

    def set_fetched_ids(self, account: str, ids: Iterable[str]) -> None:
        """Note these POP3 ids as the fetched ones, and no others; durable."""
        path = self._layout.fetch_of(account).with_suffix(".uidl")
        self._maker().replace(path, "".join(f"{one}\n" for one in sorted(ids)).encode())

    # Runs

    def save_run(self, run: Run) -> None:
        """Note how a command's run went."""
        self._maker().replace(self._layout.runs / f"{run.command}.json", records.encode(run), durable=False)

    def run(self, command: str) -> Run | None:
        """How the last run of a command went; None when it never ran, or its note cannot be used.

        Every run writes it anew, and `verify` names it until then: it must stop nothing.
        """
        with contextlib.suppress(Damaged):
            return self.noted_run(command)
        return None

    def noted_run(self, command: str) -> Run | None:
        """As `run`, for who looks after it. Raises `Damaged`."""
        try:
            return records.load(self._layout.runs / f"{command}.json", Run).value
        except NotFound:
            return None
