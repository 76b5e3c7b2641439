"""A mailbox on a POP3 server (RFC 1939, pipelined where RFC 2449 allows it).

In flows a Server, out flow raw mails by UIDL. It asks for one listing a session, names no mail that did not come
whole, and removes nothing in a session that is not committed.
"""

import poplib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from eventum.errors import Busy, Refused
from eventum.transport import dialling, pop3_dialogue
from eventum.transport.mailbox import LARGEST_MAIL, MAX_BYTES, MAX_COUNT, Fetched, OnStep, Position, Server, Timeouts
from eventum.transport.pop3_dialogue import Dialogue, talking, words
from eventum.wording import N_

LISTING = 64_000_000
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
        self.numbers: dict[str, int] | None = None
        self.deleted = False
        self.ended = False
        with talking(self.where, N_("counting mails")):
            pop.tell(["STAT"])
            counted = pop.answer().split()
        self.count = int(counted[1]) if len(counted) > 1 and counted[1].isdigit() else 0

    def listing(self) -> dict[str, int]:
        """Unique id -> number in this session, in order of arrival; asked for once."""
        if self.numbers is None:
            try:
                self.numbers = {line[2].decode(): int(line[1]) for line in NUMBERED.finditer(self.listed("UIDL"))}
            except poplib.error_proto as error:
                raise Refused(
                    N_("{where} gives its mails no unique ids ({error}); use IMAP for this mailbox."),
                    where=self.where,
                    error=words(error),
                ) from error
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

    def newest(self) -> Position:
        return Position(known=frozenset(self.listing()))

    def advanced(self, position: Position, done: Iterable[str]) -> Position:
        return Position(known=(position.known & self.listing().keys()) | frozenset(done))

    def fetch(
        self, uids: Sequence[str], max_bytes: int = MAX_BYTES, max_count: int = MAX_COUNT
    ) -> Iterator[list[Fetched]]:
        asked = [uid for uid in uids if uid in self.listing()]
        if not asked:
            return
        with talking(self.where, N_("asking for sizes")):
            sizes = {int(line[1]): int(line[2]) for line in NUMBERED.finditer(self.listed("LIST")) if line[2].isdigit()}
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
                for uid in together:
                    try:
                        self.pop.answer()
                    except poplib.error_proto as error:
                        self.passed_over.append((uid, f"{self.where} cannot give the mail ({words(error)})."))
                        continue
                    # Sizes are estimates on some servers, so twice as much is borne.
                    mails.append(Fetched(uid, self.pop.block(2 * batch[uid] + 1_000_000)))
        return mails

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
