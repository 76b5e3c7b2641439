"""A folder on an IMAP server (RFC 3501, UIDPLUS of RFC 4315).

In flows a Server, out flow raw mails by UID. It never looks at `\\Seen`, never asks about mails before the position,
and never expunges a mail that is not ours.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from eventum.errors import Busy
from eventum.transport import dialling, imap_dialogue
from eventum.transport.imap_answers import MONTHS, Untrusted, arrived, fetched, number, uid_set, uids_in
from eventum.transport.imap_dialogue import ANSWER, PASSING, Dialogue, talking, words
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

WINDOW = 500
SLACK = 16_000_000  # By so much at most a mail may be larger than the server told.


class ImapFolder(Dated):
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
        self.shared: frozenset[str] = frozenset()
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
        self.check_validity()
        return status, list(data)

    def check_validity(self) -> None:
        """Raises Busy when the folder was made anew meanwhile: the UIDs we know mean other mails now."""
        told = self.imap.untagged_responses.get("UIDVALIDITY", [])
        if any(isinstance(number, bytes) and number.decode("latin-1") != self.validity for number in told):
            raise Busy(
                N_("{where} made the folder anew while we were in it; the next run begins with its new numbers."),
                where=self.where,
            )

    def search(self, doing: str, *criteria: str) -> list[int]:
        """The UIDs that meet the criteria, ascending. Raises Busy."""
        status, data = self.uid(doing, "SEARCH", *criteria)
        if status != "OK":
            raise Busy(
                N_("{where} could not search ({data}); the next run tries again."), where=self.where, data=words(data)
            )
        return uids_in(data)

    def new(self, after: Position) -> tuple[str, ...]:
        first = after.uid + 1 if after.validity == self.validity else 1
        if self.count == 0 or 0 < self.uidnext <= first:
            return ()
        # RFC 3501 section 6.4.8: "n:*" always names the last mail, however low its UID is.
        found = self.search(N_("looking for new mail"), "UID", f"{first}:*")
        if not found:
            raise Busy(N_("{where} holds mails and named none; the next run tries again."), where=self.where)
        return tuple(str(uid) for uid in found if uid >= first)

    def still(self, uids: Sequence[str]) -> set[str]:
        return {str(uid) for uid in self.search(N_("looking for mails"), "UID", uid_set(uids))} if uids else set()

    def unseen(self) -> tuple[str, ...]:
        if self.count == 0:
            return ()
        last = self.newest().uid
        return tuple(str(uid) for uid in self.search(N_("looking for unread mail"), "UNSEEN") if uid <= last)

    def since(self, moment: datetime) -> tuple[str, ...]:
        # RFC 3501 section 6.4.4: days, by the server's clock and zone; nowhere is it 14 hours later than UTC says.
        day = (moment.astimezone(UTC) - timedelta(hours=14)).date()
        name = f"{day.day}-{list(MONTHS)[day.month - 1].decode()}-{day.year}"
        found = self.search(N_("looking for mail by its date"), "SINCE", name) if self.count else []
        return tuple(str(uid) for uid in found)

    def newest(self) -> Position:
        if not self.uidnext and self.count:
            found = self.search(N_("looking for the last mail"), "UID", "*")
            if not found:
                raise Busy(N_("{where} holds mails and named none; the next run tries again."), where=self.where)
            self.uidnext = found[-1] + 1
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
        told = {one[b"UID"].decode("latin-1"): number(one[b"RFC822.SIZE"]) for one in self.told(data, b"RFC822.SIZE")}
        # A mail whose size was left out is there or not; one that is there is asked for all the same.
        left_out = self.still([uid for uid in uids if uid not in told])
        told |= dict.fromkeys(left_out, 0)
        for uid in uids:
            if told.get(uid, 0) > LARGEST_MAIL:
                self.passed_over.append((uid, f"The mail is larger than {LARGEST_MAIL} bytes; take it by hand."))
                del told[uid]
        return {uid: told[uid] for uid in uids if uid in told}

    def bodies(self, batch: dict[str, int]) -> list[Fetched]:
        """One FETCH for the batch; each mail it did not bring alone, so that one bad mail stops none."""
        # Sizes are estimates on some servers, so twice as much is borne before the answer is called absurd.
        extra = sum(size + min(size, SLACK) for size in batch.values())
        status, data = self.uid(
            N_("sending mails"), "FETCH", uid_set(list(batch)), "(UID INTERNALDATE BODY.PEEK[])", extra=extra
        )
        found = self.given(data, batch) if status == "OK" else {}
        missing = [uid for uid in batch if uid not in found]
        if status == "OK" and missing:
            there = self.still(missing)  # What vanished meanwhile is nobody's fault.
            missing = [uid for uid in missing if uid in there]
        if len(batch) > 1:
            for uid in missing:
                found |= {mail.uid: mail for mail in self.bodies({uid: batch[uid]})}
        elif missing and any(isinstance(line, bytes) and PASSING.search(line) for line in data):
            raise Busy(
                N_("{where} cannot give mails now ({data}); the next run tries again."),
                where=self.where,
                data=words(data),
            )
        elif missing:
            said = words(data) if status != "OK" else "it left the mail out of its answer"
            self.passed_over.append((missing[0], f"{self.where} cannot give the mail ({said})."))
        return [found[uid] for uid in batch if uid in found]

    def given(self, data: Sequence[object], batch: dict[str, int]) -> dict[str, Fetched]:
        """The mails of the batch that an answer really holds. Raises Busy for one that cannot be trusted."""
        found: dict[str, Fetched] = {}
        for one in self.told(data, b"BODY[]"):
            uid, raw = one[b"UID"].decode("latin-1"), one[b"BODY[]"]
            if uid not in batch or (not raw and batch[uid]):
                continue  # What was not asked for; or nothing, in place of a mail that has a size.
            if found.get(uid, Fetched(uid, raw)).raw != raw:
                raise self.garbled()
            found[uid] = Fetched(uid, raw, arrived(one.get(b"INTERNALDATE", b"")))
        return found

    def told(self, data: Sequence[object], wanted: bytes) -> list[dict[bytes, bytes]]:
        """The FETCH responses with a UID and what is wanted. Raises Busy when one cannot be trusted."""
        try:
            return [one for one in fetched(data) if b"UID" in one and wanted in one]
        except Untrusted as error:
            raise self.garbled() from error

    def garbled(self) -> Busy:
        """What a server said was not what it announced."""
        return Busy(N_("{where} contradicts itself in an answer; the next run tries again."), where=self.where)

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
        elif set() < {str(uid) for uid in self.search(N_("looking for deleted mail"), "DELETED")} <= set(ours):
            self.expunge()
        # Otherwise others' deleted mails lie there too, which a plain EXPUNGE would take along: ours stay marked.

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
