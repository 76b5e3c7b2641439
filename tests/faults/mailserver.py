"""A server of IMAP and POP3 in a process of its own, whose mailboxes are folders that a trial can look into.

In flow connections, out flow the mails of the folder that the user's name is: a login as `/dev/shm/x/box` opens that
one. A mail is `<uid>.eml`, with `,D` behind it while it is marked as deleted; `validity` and `next` hold the numbers of
IMAP. What is removed is removed from the folder at the moment in which the server says so. It keeps nothing in memory
over a connection, so a trial that is killed leaves what a real server would.
"""

import base64
import binascii
import re
import select
import socketserver
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.faults.forks import Service

DATE = b"22-Nov-2026 11:00:00 +0000"

# What a server says to IDLE that is no use; one that does not begin with + is followed by a BAD.
ODD_IDLE = {
    "refused": b"* OK no\r\n",
    "silent": b"+ idling\r\n",
    "bye": b"+ idling\r\n* BYE too many\r\n",
    "half": b"+ idling\r\n* 4 EXI",
    "storm": b"+ idling\r\n" + b"* 9 EXISTS\r\n" * 2000,
    "garbage": b"+ idling\r\n" + bytes(range(128, 256)) * 20 + b"\r\n",
}


class Box:
    """One mailbox."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def fill(folder: Path, mails: Sequence[bytes], validity: int = 1) -> "Box":
        """Make one with these mails, numbered from 1."""
        folder.mkdir(parents=True)
        (folder / "validity").write_text(str(validity))
        box = Box(folder)
        for raw in mails:
            box.add(raw)
        return box

    def add(self, raw: bytes) -> int:
        """One more mail; its UID. Those before it are never used again."""
        uid = self.next
        (self.folder / f"{uid}.eml").write_bytes(raw)
        (self.folder / "next").write_text(str(uid + 1))
        return uid

    @property
    def validity(self) -> int:
        """UIDVALIDITY."""
        return int((self.folder / "validity").read_text())

    @property
    def next(self) -> int:
        """UIDNEXT."""
        path = self.folder / "next"
        return int(path.read_text()) if path.exists() else 1

    def uids(self) -> list[int]:
        """The mails there are."""
        return sorted(int(path.name.partition(".")[0]) for path in self.folder.glob("*.eml*"))

    def deleted(self) -> list[int]:
        """Those that are marked."""
        return sorted(int(path.name.partition(".")[0]) for path in self.folder.glob("*.eml,D"))

    def path(self, uid: int) -> Path:
        """Where a mail lies."""
        marked = self.folder / f"{uid}.eml,D"
        return marked if marked.exists() else self.folder / f"{uid}.eml"

    def raw(self, uid: int) -> bytes:
        """A mail."""
        return self.path(uid).read_bytes()

    def mark(self, uid: int) -> None:
        """Mark a mail as deleted."""
        if uid in self.uids():
            self.path(uid).rename(self.folder / f"{uid}.eml,D")

    def remove(self, uid: int) -> None:
        """It is gone."""
        self.path(uid).unlink(missing_ok=True)


class Imap(socketserver.StreamRequestHandler):
    """One IMAP conversation."""

    box: Box | None = None

    def say(self, words: bytes) -> None:
        """A line, or several."""
        self.wfile.write(words + b"\r\n")

    def handle(self) -> None:
        """From the greeting to the end of the connection."""
        self.say(b"* OK ready")
        while line := self.rfile.readline():
            tag, _, command = line.rstrip(b"\r\n").partition(b" ")
            name, _, rest = command.partition(b" ")
            if name.upper() == b"UID":
                name, _, rest = rest.partition(b" ")
                name = b"UID " + name
            answer = self.done(name.upper().decode(), rest.decode())
            self.say(tag + b" " + answer)
            if name.upper() == b"LOGOUT":
                return

    def done(self, name: str, rest: str) -> bytes:
        """The last line of the answer to a command."""
        if name == "CAPABILITY":
            self.say(b"* CAPABILITY IMAP4rev1 UIDPLUS IDLE AUTH=PLAIN")
        elif name == "AUTHENTICATE":
            self.say(b"+ ")
            try:
                _, user, _ = base64.b64decode(self.rfile.readline()).decode().split("\0")
            except (ValueError, binascii.Error):
                return b"BAD not that way"
            self.box = Box(Path(user))
            return b"OK in" if self.box.folder.is_dir() else b"NO [AUTHENTICATIONFAILED] nobody of that name"
        elif name in ("NOOP", "LOGOUT"):
            pass
        elif self.box is None:
            return b"NO log in first"
        elif name in ("SELECT", "EXAMINE"):
            self.say(b"* %d EXISTS" % len(self.box.uids()))
            self.say(b"* OK [UIDVALIDITY %d] x\r\n* OK [UIDNEXT %d] x" % (self.box.validity, self.box.next))
            return b"OK [READ-WRITE] open" if name == "SELECT" else b"OK [READ-ONLY] open"
        elif name == "UID SEARCH":
            self.say(b"* SEARCH" + b"".join(b" %d" % uid for uid in self.found(rest.upper())))
        elif name == "UID FETCH":
            self.fetch(rest)
        elif name == "UID STORE":
            for uid in self.named(rest):
                self.box.mark(uid)
        elif name == "IDLE":
            return self.idle()
        elif name in ("EXPUNGE", "UID EXPUNGE"):
            wanted = self.named(rest) if rest else self.box.deleted()
            for uid in sorted(set(wanted) & set(self.box.deleted()), reverse=True):
                self.say(b"* %d EXPUNGE" % (self.box.uids().index(uid) + 1))
                self.box.remove(uid)
        else:
            return b"BAD what?"
        return b"OK done"

    def idle(self) -> bytes:
        """Say what comes until the client has enough; or, when the box has a file `idle`, what that one says."""
        assert self.box is not None
        told = self.box.folder / "idle"
        odd = ODD_IDLE[told.read_text()] if told.exists() else b""
        if odd:
            self.wfile.write(odd)
            return b"BAD that was it" if not odd.startswith(b"+") else self.enough()
        known = len(self.box.uids())
        self.say(b"+ idling")
        while not select.select([self.connection], [], [], 0.02)[0]:
            if len(self.box.uids()) > known:
                self.say(b"* %d EXISTS" % len(self.box.uids()))
            known = len(self.box.uids())
        return self.enough()

    def enough(self) -> bytes:
        """The client says DONE, or goes away."""
        return b"OK idled" if self.rfile.readline() else b"BAD gone"

    def found(self, criteria: str) -> list[int]:
        """UIDs that a search finds."""
        assert self.box is not None
        if criteria.startswith("UID "):
            return self.named(criteria[4:])
        return self.box.deleted() if criteria == "DELETED" else self.box.uids()

    def named(self, text: str) -> list[int]:
        """The UIDs of a set that are there."""
        assert self.box is not None
        there = self.box.uids()
        last = max(there, default=0)
        chosen: set[int] = set()
        for part in text.partition(" ")[0].split(","):
            first, _, end = part.replace("*", str(last)).partition(":")
            low, high = sorted((int(first), int(end or first)))
            chosen.update(uid for uid in there if low <= uid <= high)
        return sorted(chosen)

    def fetch(self, rest: str) -> None:
        """FETCH of sizes, or of bodies."""
        assert self.box is not None
        there = self.box.uids()
        for uid in self.named(rest):
            raw = self.box.raw(uid)
            head = b"* %d FETCH (UID %d " % (there.index(uid) + 1, uid)
            if "BODY" in rest.upper():
                self.wfile.write(head + b'INTERNALDATE "%s" BODY[] {%d}\r\n' % (DATE, len(raw)) + raw + b")\r\n")
            else:
                self.say(head + b"RFC822.SIZE %d)" % len(raw))


class Pop3(socketserver.StreamRequestHandler):
    """One POP3 conversation; what was marked is removed at QUIT."""

    user = ""

    def say(self, words: bytes) -> None:
        """A line, or several."""
        self.wfile.write(words + b"\r\n")

    def handle(self) -> None:
        """From the greeting to the end of the connection."""
        self.say(b"+OK ready")
        box, numbers, marked = None, list[int](), list[int]()
        while line := self.rfile.readline():
            name, _, rest = line.decode().strip().partition(" ")
            match name.upper():
                case "CAPA":
                    self.say(b"+OK\r\nUSER\r\nUIDL\r\nPIPELINING\r\n.")
                case "USER":
                    self.user = rest
                    self.say(b"+OK")
                case "PASS":
                    box = Box(Path(self.user))
                    if not box.folder.is_dir():
                        self.say(b"-ERR nobody of that name")
                        return
                    numbers = box.uids()
                    self.say(b"+OK")
                case "QUIT":
                    for uid in marked:
                        assert box is not None
                        box.remove(uid)
                    self.say(b"+OK bye")
                    return
                case "STAT" | "UIDL" | "LIST" | "RETR" | "DELE" if box is not None:
                    self.say(b"\r\n".join(answers(box, numbers, marked, name.upper(), rest)))
                case _:
                    self.say(b"-ERR what?")


def answers(box: Box, numbers: list[int], marked: list[int], name: str, rest: str) -> Iterator[bytes]:
    """The lines of the answer to a command of a session that is logged in."""
    left = [(at, uid) for at, uid in enumerate(numbers, 1) if uid not in marked]
    if name == "STAT":
        yield b"+OK %d %d" % (len(left), sum(len(box.raw(uid)) for _, uid in left))
    elif name == "UIDL" and rest:
        uid = dict(left).get(int(rest))
        yield b"-ERR no such mail" if uid is None else b"+OK %d u%d" % (int(rest), uid)
    elif name in ("UIDL", "LIST"):
        yield b"+OK"
        for at, uid in left:
            yield b"%d %s" % (at, b"u%d" % uid if name == "UIDL" else b"%d" % len(box.raw(uid)))
        yield b"."
    else:
        uid = dict(left).get(int(rest))
        if uid is None:
            yield b"-ERR no such mail"
        elif name == "DELE":
            marked.append(uid)
            yield b"+OK"
        else:
            yield b"+OK\r\n" + re.sub(rb"(?m)^\.", b"..", box.raw(uid)).removesuffix(b"\r\n")
            yield b"."


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever was killed in the middle of a conversation is no fault of the server."""


class MailServer(Service):
    """Both servers in a process of their own, which ends when whoever started it does."""

    def __init__(self) -> None:
        super().__init__(lambda: serve([_Listener(("127.0.0.1", 0), handler) for handler in (Imap, Pop3)]))
        self.imap, self.pop3 = self.ports


def serve(servers: Sequence[socketserver.TCPServer]) -> list[int]:
    """Serve in threads from now on; the ports."""
    for server in servers:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 60}, daemon=True).start()
    return [server.server_address[1] for server in servers]
