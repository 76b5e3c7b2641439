"""A folder on an IMAP server (RFC 3501, UIDPLUS of RFC 4315).

In flows a Server, out flow raw mails by UID. It never looks at `\\Seen`, never asks about mails before the position,
and never expunges a mail that is not ours. Bodies are taken as imaplib's bare byte strings: a parser of whole
answers would cost fifteen times the download.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone

from eventum.errors import Busy
from eventum.transport import dialling, imap_dialogue
from eventum.transport.imap_dialogue import ANSWER, PASSING, Dialogue, talking, words
from eventum.transport.mailbox import LARGEST_MAIL, MAX_BYTES, MAX_COUNT, Fetched, OnStep, Position, Server, Timeouts
from eventum.wording import N_

WINDOW = 500

UID = re.compile(rb"\bUID (\d{1,10})\b")
SIZE = re.compile(rb"\bRFC822\.SIZE (\d{1,12})\b")
QUOTED = re.compile(rb'BODY\[\] (?:NIL|"([^"\\]*)")')
ARRIVED = re.compile(
    rb"""INTERNALDATE\ "
    (?P<day>[ \d]\d)-(?P<month>[A-Z][a-z]{2})-(?P<year>\d{4})\    # 17-Jul-1996, the day padded with a blank
    (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)\             # local time of the server
    (?P<sign>[+-])(?P<hours>\d\d)(?P<minutes>\d\d)"               # its offset from UTC
    """,
    re.VERBOSE,
)
MONTHS = {month: n for n, month in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}


class ImapFolder:
    """An open IMAP folder; see `mailbox.Mailbox`."""

    def __init__(self, imap: Dialogue, server: Server, exists: int) -> None:
        self.imap = imap
        self.server = server
        self.where = dialling.named(server.host, server.port)
        self.validity = self.noted("UIDVALIDITY")
        self.uidnext = int(self.noted("UIDNEXT") or 0)
        self.count = exists
        self.secured = dialling.secured(imap.sock, server.verify)
        self.passed_over: list[tuple[str, str]] = []
        self.uidplus: bool | None = None

    def noted(self, code: str) -> str:
        """A number that the server gave with SELECT, as digits, or nothing."""
        found = self.imap.response(code)[1][-1]
        return found.decode() if isinstance(found, bytes) and found.isdigit() else ""

    def uid(self, doing: str, command: str, *arguments: str, extra: int = 0) -> tuple[str, list[object]]:
        """One UID command; its answer may hold `extra` bytes of bodies. Raises Busy unless the server says OK or NO."""
        self.imap.budget = ANSWER + extra
        with talking(self.where, doing):
            status, data = self.imap.uid(command, *arguments)
        return status, list(data)

    def search(self, doing: str, *criteria: str) -> list[int]:
        """The UIDs that meet the criteria, ascending. Raises Busy."""
        status, data = self.uid(doing, "SEARCH", *criteria)
        if status != "OK":
            raise Busy(
                N_("{where} could not search ({data}); the next run tries again."), where=self.where, data=words(data)
            )
        return sorted(
            {int(word) for line in data if isinstance(line, bytes) for word in line.split() if word.isdigit()}
        )

    def new(self, after: Position) -> tuple[str, ...]:
        first = after.uid + 1 if after.validity == self.validity else 1
        if self.count == 0 or 0 < self.uidnext <= first:
            return ()
        # RFC 3501 section 6.4.8: "n:*" always names the last mail, however low its UID is.
        return tuple(str(uid) for uid in self.search("looking for new mail", "UID", f"{first}:*") if uid >= first)

    def unseen(self) -> tuple[str, ...]:
        if self.count == 0:
            return ()
        last = self.newest().uid
        return tuple(str(uid) for uid in self.search("looking for unread mail", "UNSEEN") if uid <= last)

    def newest(self) -> Position:
        if not self.uidnext and self.count:
            self.uidnext = self.search("looking for the last mail", "UID", "*")[-1] + 1
        return Position(validity=self.validity, uid=max(self.uidnext - 1, 0))

    def advanced(self, position: Position, done: Iterable[str]) -> Position:
        reached = position.uid if position.validity == self.validity else 0
        return Position(validity=self.validity, uid=max([reached, *map(int, done)]))

    def fetch(
        self, uids: Sequence[str], max_bytes: int = MAX_BYTES, max_count: int = MAX_COUNT
    ) -> Iterator[list[Fetched]]:
        for start in range(0, len(uids), WINDOW):
            batch: dict[str, int] = {}
            for uid, size in self.sizes(uids[start : start + WINDOW]).items():
                if batch and (len(batch) >= max_count or sum(batch.values()) + size > max_bytes):
                    yield self.bodies(batch)
                    batch = {}
                batch[uid] = size
            if batch:
                yield self.bodies(batch)

    def sizes(self, uids: Sequence[str]) -> dict[str, int]:
        """The sizes of those mails that are still there and not too large, in the order asked for."""
        status, data = self.uid(N_("asking for sizes"), "FETCH", uid_set(uids), "(UID RFC822.SIZE)")
        if status != "OK":
            raise Busy(
                N_("{where} gave no sizes ({data}); the next run tries again."), where=self.where, data=words(data)
            )
        told: dict[bytes, int] = {}
        for line in data:
            if isinstance(line, bytes) and (uid := UID.search(line)) and (size := SIZE.search(line)):
                told[uid[1]] = int(size[1])
        for uid_ in uids:
            if told.get(uid_.encode(), 0) > LARGEST_MAIL:
                self.passed_over.append((uid_, f"The mail is larger than {LARGEST_MAIL} bytes; take it by hand."))
                del told[uid_.encode()]
        return {uid_: told[uid_.encode()] for uid_ in uids if uid_.encode() in told}

    def bodies(self, batch: dict[str, int]) -> list[Fetched]:
        """One FETCH for the batch; where the server says NO to it, each mail alone, so that one bad mail stops none."""
        # Sizes are estimates on some servers, so twice as much is borne before the answer is called absurd.
        extra = 2 * sum(batch.values())
        status, data = self.uid(
            "sending mails", "FETCH", uid_set(list(batch)), "(UID INTERNALDATE BODY.PEEK[])", extra=extra
        )
        if status == "OK":
            found = {mail.uid: mail for mail in literals(data)}
            return [found[uid] for uid in batch if uid in found]
        if len(batch) > 1:
            return [mail for uid, size in batch.items() for mail in self.bodies({uid: size})]
        if any(isinstance(line, bytes) and PASSING.search(line) for line in data):
            raise Busy(
                N_("{where} cannot give mails now ({data}); the next run tries again."),
                where=self.where,
                data=words(data),
            )
        self.passed_over.extend((uid, f"{self.where} cannot give the mail ({words(data)}).") for uid in batch)
        return []

    def remove(self, uids: Sequence[str]) -> None:
        ours = list(uids)
        if not ours:
            return
        for start in range(0, len(ours), WINDOW):
            chosen = uid_set(ours[start : start + WINDOW])
            status, data = self.uid(N_("marking mails as deleted"), "STORE", chosen, "+FLAGS.SILENT", r"(\Deleted)")
            if status != "OK":
                raise Busy(
                    N_("{where} did not mark fetched mails as deleted ({data}); the next run does."),
                    where=self.where,
                    data=words(data),
                )
        if self.has_uid_expunge():
            for start in range(0, len(ours), WINDOW):
                self.expunge("EXPUNGE", uid_set(ours[start : start + WINDOW]))
        elif {str(uid) for uid in self.search("looking for deleted mail", "DELETED")} <= set(ours):
            self.expunge()
        # Otherwise somebody else's deleted mails lie there too, which a plain EXPUNGE would take along: ours stay
        # marked as deleted, and whoever empties that folder removes them.

    def has_uid_expunge(self) -> bool:
        """Whether the server has UIDPLUS; asked after the login, since many servers tell only then, and once."""
        if self.uidplus is None:
            self.imap.budget = ANSWER
            with talking(self.where, N_("asking what it can")):
                told = self.imap.capability()[1]
            self.uidplus = any(b"UIDPLUS" in line.upper().split() for line in told if isinstance(line, bytes))
        return self.uidplus

    def expunge(self, *uid_expunge: str) -> None:
        """Takes marked mails away: UID EXPUNGE where UIDs are given, else the plain one."""
        self.imap.budget = ANSWER
        with talking(self.where, N_("removing mails")):
            status, data = self.imap.uid(*uid_expunge) if uid_expunge else self.imap.expunge()
        if status != "OK":
            raise Busy(
                N_("{where} did not remove fetched mails ({data}); the next run does."),
                where=self.where,
                data=words(data),
            )

    def commit(self) -> bool:
        """IMAP removes at once: there is nothing left to confirm."""
        return True


def uid_set(uids: Sequence[str]) -> str:
    """The UIDs as an IMAP set, neighbours joined: `1:3,7`; never a range that holds a UID not asked for."""
    parts: list[list[int]] = []
    for uid in map(int, uids):
        if parts and uid == parts[-1][1] + 1:
            parts[-1][1] = uid
        else:
            parts.append([uid, uid])
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in parts)


def literals(data: Sequence[object]) -> Iterator[Fetched]:
    """The mails in imaplib's answer to FETCH: (text before the literal, literal), then the text after it."""
    for number, item in enumerate(data):
        if isinstance(item, tuple):
            head, raw = item
            after = data[number + 1] if number + 1 < len(data) else b""
            told = head + b" " + (after if isinstance(after, bytes) else b"")
        elif isinstance(item, bytes) and (quoted := QUOTED.search(item)):
            told, raw = item, quoted[1] or b""
        else:
            continue
        if uid := UID.search(told):
            yield Fetched(str(int(uid[1])), raw, arrived(told))


def arrived(told: bytes) -> datetime | None:
    """INTERNALDATE in UTC; None when it is missing or no date."""
    found = ARRIVED.search(told)
    if found is None:
        return None
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"]))
    try:
        zone = timezone(offset if found["sign"] == b"+" else -offset)
        day = datetime(int(found["year"]), MONTHS[found["month"]], int(found["day"]), tzinfo=zone)
        hour, minute, second = (int(found[part]) for part in ("hour", "minute", "second"))
        return (day + timedelta(hours=hour, minutes=minute, seconds=second)).astimezone(UTC)
    except (ValueError, KeyError, OverflowError):
        return None


@contextmanager
def open_mailbox(server: Server, *, removing: bool, on_step: OnStep, timeouts: Timeouts) -> Iterator[ImapFolder]:
    """See `mailbox.open_mailbox`. Raises Refused for login and certificate, NotFound for the folder, else Busy."""
    imap = imap_dialogue.opened(server, timeouts, on_step)
    try:
        on_step("folder")
        yield ImapFolder(imap, server, imap_dialogue.select(imap, server, removing))
        imap.leave()
    finally:
        imap.drop()
