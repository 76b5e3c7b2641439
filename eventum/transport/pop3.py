"""A mailbox on a POP3 server (RFC 1939, pipelined where RFC 2449 allows it).

In flows a Server, out flow raw mails by UIDL. It asks for one listing a session, names no mail that did not come
whole, and removes nothing in a session that is not committed.
"""

import poplib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from eventum.errors import Busy, Refused
from eventum.transport import dialling, pop3_dialogue
from eventum.transport.mailbox import LARGEST_MAIL, MAX_BYTES, MAX_COUNT, Fetched, OnStep, Position, Server, Timeouts
from eventum.transport.pop3_dialogue import Dialogue, talking, words
from eventum.wording import N_

LISTING = 64_000_000
MOST_MAILS = 250_000  # that a listing may name: what a run remembers of each takes some 250 bytes
SLACK = 16_000_000  # By so much at most a mail may be larger than the server told.
LARGEST_HEAD = 4_000_000
# A listing line is a message's number and its unique id of 1 to 70 visible characters (RFC 1939 section 7).
NUMBERED = re.compile(rb"^(\d{1,10}) +([!-~]{1,255}) *\r?$", re.MULTILINE)


class Pop3Mailbox:
    """An open POP3 session; see `mailbox.Mailbox`."""

    def __init__(self, pop: Dialogue, server: Server, pipelining: bool) -> None:
        self.pop = pop
        self.server = server
        self.where = dialling.named(server.host, server.port)
        self.width = MAX_COUNT if pipelining else 1
        self.validity = ""
        self.secured = dialling.secured(pop.sock, server.verify)
        self.passed_over: list[tuple[str, str]] = []
        self.shared: frozenset[str] = frozenset()
        self.numbers: dict[str, int] | None = None
        self.deleted = False
        self.ended = False
        with talking(self.where, N_("counting mails")):
            pop.tell(["STAT"])
            counted = pop.answer().split()
        self.count = int(counted[1]) if len(counted) > 1 and counted[1].isdigit() else 0
        self.size = int(counted[2]) if len(counted) > 2 and counted[2].isdigit() else None
        self.knows_dates = False

    def listing(self) -> dict[str, int]:
        """Unique id -> number in this session, in order of arrival; asked for once.

        Servers that make the id from the mail give copies of one mail the same: the second is `id 2` then, and all
        such ids are `shared`. Raises Busy when a mail has no id.
        """
        if self.numbers is None:
            try:
                lines = self.listed("UIDL")
            except poplib.error_proto as error:
                raise Refused(
                    N_("{where} gives its mails no unique ids ({error}); use IMAP for this mailbox."),
                    where=self.where,
                    error=words(error),
                ) from error
            if lines.count(b"\n") > MOST_MAILS:
                raise Refused(
                    N_("{where} names more than {most} mails; empty the mailbox, or use IMAP for it."),
                    where=self.where,
                    most=MOST_MAILS,
                )
            named: dict[str, list[int]] = {}
            for line in NUMBERED.finditer(lines):
                named.setdefault(line[2].decode(), []).append(int(line[1]))
            told = sum(map(len, named.values()))
            if told != lines.count(b"\n") or told < self.count:
                raise Busy(
                    N_("{where} holds {count} mails and names {told} of them; the next run tries again."),
                    where=self.where,
                    count=max(self.count, lines.count(b"\n")),
                    told=told,
                )
            numbered = [
                (uid if nth == 1 else f"{uid} {nth}", number)
                for uid, numbers in named.items()
                for nth, number in enumerate(numbers, 1)
            ]
            self.numbers = dict(sorted(numbered, key=lambda one: one[1]))
            twice = {uid for uid, numbers in named.items() if len(numbers) > 1}
            self.shared = frozenset(uid for uid in self.numbers if uid.partition(" ")[0] in twice)
        return self.numbers

    def listed(self, command: str) -> bytes:
        """The lines of UIDL or LIST. Raises Busy, or poplib.error_proto with the server's refusal."""
        try:
            self.pop.tell([command])
            self.pop.answer()
            return self.pop.block(LISTING)
        except OSError as error:
            raise dialling.trouble(self.where, N_("listing mails"), error) from error

    def new(self, after: Position) -> tuple[str, ...]:
        return tuple(uid for uid in self.listing() if uid not in after.known)

    def unseen(self) -> tuple[str, ...]:
        return tuple(self.listing())

    def since(self, moment: datetime) -> tuple[str, ...]:
        return tuple(self.listing())

    def heads(self, count: int) -> list[bytes]:
        wanted = sorted({1 + at * self.count // count for at in range(count)}) if self.count else []
        found: list[bytes] = []
        for start in range(0, len(wanted), self.width):
            together = wanted[start : start + self.width]
            with talking(self.where, N_("looking at some mails")):
                # TOP is optional (RFC 1939 section 7): who refuses it leaves us without.
                self.pop.tell([f"TOP {number} 0" for number in together])
                for _ in together:
                    if self.refusal() is None:
                        found.append(self.pop.block(LARGEST_HEAD))
        return found

    def newest(self) -> Position:
        return Position(known=frozenset(self.listing()))

    def advanced(self, position: Position, done: Iterable[str]) -> Position:
        return Position(known=(position.known & self.listing().keys()) | frozenset(done))

    def still(self, uids: Sequence[str]) -> set[str]:
        return self.listing().keys() & set(uids)

    def fetch(
        self, uids: Sequence[str], max_bytes: int = MAX_BYTES, max_count: int = MAX_COUNT
    ) -> Iterator[list[Fetched]]:
        asked = [uid for uid in uids if uid in self.listing()]
        if not asked:
            return
        with talking(self.where, N_("asking for sizes")):
            lines = NUMBERED.finditer(self.listed("LIST"))
            sizes = {int(line[1]): int(line[2]) for line in lines if line[2].isdigit() and len(line[2]) < 19}
        batch: dict[str, int] = {}
        for uid in asked:
            size = sizes.get(self.listing()[uid], 0)
            if size > LARGEST_MAIL:
                self.passed_over.append((uid, f"The mail is larger than {LARGEST_MAIL} bytes; take it by hand."))
                continue
            if batch and (len(batch) >= max_count or sum(batch.values()) + size > max_bytes):
                yield self.bodies(batch)
                batch = {}
            batch[uid] = size
        if batch:
            yield self.bodies(batch)

    def bodies(self, batch: dict[str, int]) -> list[Fetched]:
        """The messages of one batch, asked for together where the server allows that (RFC 2449 section 6.6)."""
        mails: list[Fetched] = []
        chosen = list(batch)
        for start in range(0, len(chosen), self.width):
            together = chosen[start : start + self.width]
            with talking(self.where, N_("sending mails")):
                self.pop.tell([f"RETR {self.listing()[uid]}" for uid in together])
                came = [mail for uid in together if (mail := self.one(uid, batch[uid])) is not None]
                self.check_step(together[-1])
            mails += came
        return mails

    def one(self, uid: str, size: int) -> Fetched | None:
        """The answer to RETR; None for a refusal, and for nothing in place of a mail that has a size."""
        try:
            self.pop.answer()
        except poplib.error_proto as error:
            self.passed_over.append((uid, f"{self.where} cannot give the mail ({words(error)})."))
            return None
        # Sizes are estimates on some servers, so twice as much is borne.
        raw = self.pop.block(size + min(size, SLACK) + 1_000_000)
        if not raw and size:
            self.passed_over.append((uid, f"{self.where} cannot give the mail (it said nothing in its place)."))
            return None
        return Fetched(uid, raw)

    def check_step(self, uid: str) -> None:
        """Ask for what only one answer is right to: else the answers before belong to other questions.

        A line too many, and each mail would bear the name of the one behind it; the last would be removed unread.
        Raises ConnectionAbortedError.
        """
        number = self.listing()[uid]
        self.pop.tell([f"UIDL {number}"])
        try:
            told = self.pop.answer().split()[1:3]
        except poplib.error_proto:
            return  # A server that does not know it with a number; what is out of step says +OK here.
        if told != [str(number).encode(), uid.partition(" ")[0].encode()]:
            raise ConnectionAbortedError("its answers do not belong to what was asked")

    def remove(self, uids: Sequence[str]) -> None:
        numbers = [self.listing()[uid] for uid in uids if uid in self.listing()]
        for start in range(0, len(numbers), self.width):
            together = numbers[start : start + self.width]
            with talking(self.where, N_("marking mails as deleted")):
                self.deleted = True
                self.pop.tell([f"DELE {number}" for number in together])
                refusals = [words(error) for _ in together if (error := self.refusal()) is not None]
            if refusals:
                raise Busy(
                    N_("{where} did not mark fetched mails as deleted ({refusals}); the next run does."),
                    where=self.where,
                    refusals=refusals[0],
                )

    def refusal(self) -> poplib.error_proto | None:
        """The server's next answer if it is a refusal."""
        try:
            self.pop.answer()
        except poplib.error_proto as error:
            return error
        return None

    def commit(self) -> bool:
        """QUIT, at which the server removes what was marked (RFC 1939 section 6); False when that is not certain."""
        if self.ended:
            return False
        self.ended = True
        try:
            self.pop.tell(["QUIT"])
            return self.refusal() is None
        except OSError:
            return False


@contextmanager
def open_mailbox(server: Server, *, removing: bool, on_step: OnStep, timeouts: Timeouts) -> Iterator[Pop3Mailbox]:
    """See `mailbox.open_mailbox`; POP3 knows no folders and no opening for reading only. Raises Refused, Busy."""
    pop, pipelining = pop3_dialogue.opened(server, timeouts, on_step)
    try:
        on_step("folder")
        mailbox = Pop3Mailbox(pop, server, pipelining)
        yield mailbox
        if not mailbox.deleted:
            mailbox.commit()
    finally:
        # Without QUIT the server forgets what was marked as deleted: nothing is removed that is not safe.
        pop.drop()
