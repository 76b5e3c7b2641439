"""Servers of IMAP, POP3 and SMTP that a trial can make behave as no server should, in a process of their own.

In flow orders (`wire.Orders`), out flows what a client then sees. Mailboxes are those of `mailserver`; what the SMTP
server took is a line of `taken.txt`. Every command can be answered oddly: refused, done and refused, not done and
confirmed, cut off, stalled, garbled; a `world` is a lie that needs to know the protocol.
"""

import json
import re
import socketserver
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from tests.faults import mailserver
from tests.faults.forks import Service
from tests.faults.mailserver import Box, serve
from tests.faults.wire import End, Orders, Wire

ENDS = ("fin", "rst", "stall")
GARBAGE = b"\x1b[2J\x1b]0;owned\x07 \xff\xfe\x00 ../../etc/passwd ?"
FLOOD = 1_000_000
LATE = b"From: late@example.org\r\nSubject: Late\r\nMessage-ID: <late@x>\r\n\r\nLate.\r\n"
DRIP = 0.02  # Seconds between two bytes: fifty of what a trial calls patience would be one a second in life.
# Replies of SMTP that say nothing odd when they stand in more than one line.
HARMLESS = ("lower", "unasked", "multi")


class Odd(socketserver.StreamRequestHandler):
    """What the three have in common: orders, a wire, and the turn at which something odd is said."""

    server: "Listener"
    wire: Wire

    def setup(self) -> None:
        self.orders = self.server.orders.read()
        self.wire = Wire(self.request, self.orders.get("cut"), self.server.orders.note)
        self.rfile = self.wfile = self.wire  # type: ignore[assignment]
        self.world, _, value = str(self.orders.get("world", "")).partition(":")
        self.value = int(value or 0)
        self.features = self.orders.get("features", [])
        self._turns: Counter[str] = Counter()

    def handle(self) -> None:
        """One conversation."""
        with suppress(End, OSError):
            self.converse()
        if self.orders.get("measure"):
            self.server.orders.note(f"{self.wire.sent} {self.wire.received}")

    def converse(self) -> None:
        """From the greeting to the end."""

    def say(self, words: bytes) -> None:
        """A line, or several."""
        self.wire.write(words + b"\r\n")

    def lied(self) -> None:
        """The world was another one than it should be."""
        self.server.orders.note(self.world)

    def turn(self, name: str, normal: Callable[[], None], kinds: dict[str, Callable[[], None]]) -> None:
        """It is this command's turn: do the normal thing, or what was ordered for the n-th time."""
        self._turns[name] += 1
        odd = self.orders.get("odd")
        if not odd or odd["at"] != name or odd.get("nth", 1) not in (0, self._turns[name]):
            normal()
            return
        kind = odd["kind"]
        self.server.orders.note(f"{name} {kind}")
        if kind in kinds:
            kinds[kind]()
        elif kind in ENDS:
            self.wire.end(kind)
        elif kind == "garbage":
            self.say(GARBAGE)
            normal()
        elif kind == "blank":
            self.say(b"")
            normal()
        elif kind == "half":
            self.wire.write(b"2")
            self.wire.end("fin")
        elif kind in ("done-fin", "done-rst", "done-stall"):
            self.wire.muted = True
            normal()
            self.wire.muted = False
            self.wire.end(kind[5:])
        elif kind == "twice":
            normal()
            normal()
        elif kind == "endless":
            while True:
                self.wire.write(b"x" * 65536)
        else:
            self.say(kind.encode())


class Imap(Odd, mailserver.Imap):
    """One IMAP conversation."""

    asked = ""

    def converse(self) -> None:
        self.turn("GREETING", lambda: self.say(b"* OK ready"), self._kinds(b"*", "", ""))
        while True:
            tag, _, command = self.wire.readline().rstrip(b"\r\n").partition(b" ")
            name, _, rest = command.partition(b" ")
            if name.upper() == b"UID":
                name, _, rest = rest.partition(b" ")
                name = b"UID " + name
            self.asked = name.upper().decode()
            at = {"UID FETCH": "BODIES" if b"BODY" in rest.upper() else "SIZES"}.get(self.asked, self.asked)
            if self.asked == "AUTHENTICATE":
                # What it asks back is part of the command: the answer comes behind it.
                self.turn(at, self._normal(tag, self.asked, rest.decode()), self._kinds(tag, self.asked, rest.decode()))
                continue
            if at == "UID STORE":
                self._before_the_store()
            self.turn(at, self._normal(tag, self.asked, rest.decode()), self._kinds(tag, self.asked, rest.decode()))
            self._after(at)
            if self.asked == "LOGOUT":
                return

    def _normal(self, tag: bytes, name: str, rest: str) -> Callable[[], None]:
        return lambda: self.say(tag + b" " + self.done(name, rest))

    def _kinds(self, tag: bytes, name: str, rest: str) -> dict[str, Callable[[], None]]:
        def normal() -> None:
            if not name:
                self.say(b"* OK ready")
            else:
                self._normal(tag, name, rest)()

        def tagged(words: bytes) -> Callable[[], None]:
            return lambda: self.say(tag + b" " + words)

        def bye() -> None:
            self.say(b"* BYE going down")
            self.wire.end("fin")

        def refused_though_done() -> None:
            self.done(name, rest)
            self.say(tag + b" NO it was not done")

        def other_tag() -> None:
            self.say(b"ZZZ9 OK done")
            self.wire.end("stall")

        def lower() -> None:
            real, self.wire.write = self.wire.write, lambda data: real(small(data))  # type: ignore[method-assign]
            normal()
            self.wire.write = real  # type: ignore[method-assign]

        def unasked() -> None:
            self.say(b"* OK [ALERT] the disk is nearly full\r\n* 9 EXISTS\r\n* 1 RECENT")
            self.say(b"* 1 FETCH (FLAGS (\\Seen) MODSEQ (12))\r\n* 2 FETCH (UID 2 FLAGS (\\Flagged))")
            self.say(b'* LIST () "/" {7}\r\na ) b (')
            normal()

        def flood() -> None:
            for _ in range(FLOOD // 1000):
                self.wire.write(b"* 1 EXISTS\r\n" * 1000)
            normal()

        return {
            "no": tagged(b"NO it is not so"),
            "unavailable": tagged(b"NO [UNAVAILABLE] later"),
            "bad": tagged(b"BAD what?"),
            "esc": tagged(b"NO " + GARBAGE),
            "undone-ok": tagged(b"OK done"),
            "done-no": refused_though_done,
            "bye": bye,
            "other-tag": other_tag,
            "lower": lower,
            "unasked": unasked,
            "flood": flood,
            "drip": lambda: self.wire.drip(b"* OK still here\r\n", DRIP),
        }

    def done(self, name: str, rest: str) -> bytes:
        if name == "CAPABILITY" and ("no-uidplus" in self.features or "login" in self.features):
            can = b"" if "no-uidplus" in self.features else b" UIDPLUS"
            self.say(b"* CAPABILITY IMAP4rev1" + can + (b"" if "login" in self.features else b" AUTH=PLAIN"))
            return b"OK done"
        if name == "LOGIN":
            self.box = Box(Path(rest.split('"')[1]))
            return b"OK in"
        if name in ("SELECT", "EXAMINE") and self.world in ("exists-zero", "no-uidnext", "no-validity"):
            assert self.box is not None
            self.lied()
            self.say(b"* %d EXISTS" % (0 if self.world == "exists-zero" else len(self.box.uids())))
            if self.world != "no-validity":
                self.say(b"* OK [UIDVALIDITY %d] x" % self.box.validity)
            if self.world != "no-uidnext":
                self.say(b"* OK [UIDNEXT %d] x" % self.box.next)
            return b"OK [READ-WRITE] open"
        if name == "UID SEARCH" and self.world == "search-odd":
            self.lied()
            self.say(b"* SEARCH 0 99999999999999999999 4294967296 -1 " + b"9" * 5000)
        return super().done(name, rest)

    def _after(self, at: str) -> None:
        """What changes in the box between two commands."""
        assert self.box is not None or self.world == "" or at in ("CAPABILITY", "LOGOUT")
        here = (self.world, at) in (("vanish-sizes", "UID SEARCH"), ("vanish-bodies", "SIZES"))
        if here and self.box is not None and not self.server.orders.fired():
            for uid in (self.box.uids()[:1] + self.box.uids()[2:3])[:2]:
                self.box.remove(uid)
            self.lied()

    def _before_the_store(self) -> None:
        """Somebody else marks mails of his own; or the folder is made anew, and its numbers mean other mails."""
        if self.world == "others" and self.box is not None and not self.server.orders.fired():
            self.lied()
            self.box.mark(self.box.add(LATE))
        if self.world != "validity-within" or self.box is None or self.box.validity == 77:
            return
        self.lied()
        raws = [self.box.raw(uid) for uid in self.box.uids()]
        for uid in self.box.uids():
            self.box.remove(uid)
        (self.box.folder / "validity").write_text("77")
        (self.box.folder / "next").write_text("1")
        for raw in [LATE] * 2 + raws[2:]:
            self.box.add(raw)
        self.say(b"* OK [UIDVALIDITY 77] it is another folder now")

    def fetch(self, rest: str) -> None:
        """FETCH, with the lies of this world."""
        assert self.box is not None
        bodies = "BODY" in rest.upper()
        there = self.box.uids()
        for nth, uid in enumerate(self.named(rest)):
            raw, head = self.box.raw(uid), b"* %d FETCH (UID %d " % (there.index(uid) + 1, uid)
            if not bodies:
                size = {"size-zero": 0, "size-huge": 10_000_000_000, "size-small": 3}.get(self.world, len(raw))
                if self.world.startswith("size-"):
                    self.lied()
                if self.world == "sizes-left-out" and nth == 1:
                    self.lied()
                    continue
                self.say(head + b"RFC822.SIZE %d)" % size)
                continue
            self._body(nth, uid, raw, head)

    def _body(self, nth: int, uid: int, raw: bytes, head: bytes) -> None:
        dated = head + b'INTERNALDATE "%s" BODY[] ' % mailserver.DATE
        literal = dated + b"{%d}\r\n" % len(raw)
        if nth != 1 or not self.world:
            self.wire.write(literal + raw + b")\r\n")
            return
        match self.world:
            case "literal":
                self.wire.write(dated + b"{%d}\r\n" % (len(raw) + self.value) + raw + b")\r\n")
            case "literal-huge":
                self.wire.write(dated + b"{10000000000}\r\n" + raw + b")\r\n")
            case "literal-cut":
                self.wire.write(literal + raw[: len(raw) // 2])
                self.wire.end("fin")
            case "nil":
                self.say(dated + b"NIL)")
            case "empty":
                self.wire.write(dated + b"{0}\r\n)\r\n")
            case "quoted":
                self.say(dated + b'"")')
            case "no-uid":
                self.wire.write(literal.replace(b"UID %d " % uid, b"") + raw + b")\r\n")
            case "late-uid":
                self.wire.write(literal.replace(b"UID %d " % uid, b"") + raw + b" UID %d)\r\n" % uid)
            case "left-out":
                pass
            case "other-section":
                self.wire.write(literal.replace(b"BODY[]", b"BODY[HEADER]") + raw + b")\r\n")
            case "more":
                self.wire.write(literal + raw + b" FLAGS (\\Seen $x) MODSEQ (9) X-NOTE {3}\r\n) ()\r\n")
            case "never-asked":
                self.wire.write(b"* 9 FETCH (UID 999 BODY[] {4}\r\nX: y)\r\n" + literal + raw + b")\r\n")
            case "again-other":
                self.wire.write(literal + raw + b")\r\n" + dated + b"{7}\r\nX: y\r\n\r)\r\n")
            case _:
                self.wire.write(literal + raw + b")\r\n")
                return
        self.lied()


SMALL = re.compile(rb"^(\* (?:\d+ )?|[A-Z0-9]+ )(OK|SEARCH|FETCH|EXISTS|EXPUNGE|CAPABILITY|BYE)\b")
WORDS = re.compile(rb"\b(?:FETCH|UID(?:VALIDITY|NEXT)?|RFC822\.SIZE|INTERNALDATE|BODY\[\]|SEARCH|EXISTS|EXPUNGE|OK)")


def small(data: bytes) -> bytes:
    """What the protocol says in small letters; the mails of the trials hold none of its words."""
    return WORDS.sub(lambda found: found[0].lower(), data)


class Pop3(Odd, mailserver.Pop3):
    """One POP3 conversation."""

    def converse(self) -> None:
        box, numbers, marked = None, list[int](), list[int]()
        self.turn("GREETING", lambda: self.say(b"+OK ready"), self._kinds(lambda: self.say(b"+OK ready"), "GREETING"))
        while True:
            name, _, rest = self.wire.readline().decode().strip().partition(" ")
            if name == "PASS":
                box = Box(Path(self.user))
                numbers = box.uids()

            def normal(name: str = name, rest: str = rest, box: Box | None = box, numbers: list[int] = numbers) -> None:
                match name:
                    case "CAPA":
                        more = b"" if "no-pipelining" in self.features else b"PIPELINING\r\n"
                        self.say(b"+OK\r\nUSER\r\nUIDL\r\n" + more + b".")
                    case "USER":
                        self.user = rest
                        self.say(b"+OK")
                    case "PASS":
                        self.say(b"+OK")
                    case "QUIT":
                        for uid in marked:
                            assert box is not None
                            box.remove(uid)
                        self.say(b"+OK bye")
                    case _:
                        assert box is not None
                        self._answer(box, numbers, marked, name, rest)

            self.turn(name, normal, self._kinds(normal, name))
            if name == "QUIT":
                return

    def _kinds(self, normal: Callable[[], None], name: str) -> dict[str, Callable[[], None]]:
        def refused_though_done() -> None:
            self.wire.muted = True
            normal()
            self.wire.muted = False
            self.say(b"-ERR it was not done")

        def flood() -> None:
            self.wire.write(b"+OK\r\n")
            for _ in range(FLOOD // 1000):
                self.wire.write(b"1 x\r\n" * 1000)
            self.say(b".")

        many = name in ("CAPA", "UIDL", "LIST", "RETR")
        return {
            "err": lambda: self.say(b"-ERR it is not so"),
            "temporary": lambda: self.say(b"-ERR [SYS/TEMP] later"),
            "esc": lambda: self.say(b"-ERR " + GARBAGE),
            "undone-ok": lambda: self.say(b"+OK\r\n." if many else b"+OK"),
            "done-err": refused_though_done,
            "no-block": lambda: (self.say(b"+OK"), self.wire.end("fin"))[0],
            "flood": flood,
            "drip": lambda: self.wire.drip(b"+OK still here\r\n", DRIP),
        }

    def _answer(self, box: Box, numbers: list[int], marked: list[int], name: str, rest: str) -> None:
        lines = list(mailserver.answers(box, numbers, marked, name, rest))
        told = b"\r\n".join(lines)
        match self.world, name:
            case ("uidl-repeated", "UIDL"):
                told = re.sub(rb"(?m)^2 u\d+", b"2 u%d" % numbers[0], told)
            case ("uidl-missing", "UIDL") if len(lines) > 3:
                told = b"\r\n".join([*lines[:2], *lines[3:]])
            case ("uidl-path", "UIDL"):
                told = told.replace(b" u", b" ../../../etc/u")
            case ("uidl-long", "UIDL"):
                told = re.sub(rb" u(\d)", b" " + b"u" * 400 + rb"\1", told)
            case ("uidl-changed", "UIDL"):
                told = told.replace(b" u", b" v%d-" % self.value)
            case ("list-small", "LIST"):
                told = re.sub(rb"(?m)^(\d+) \d+", rb"\1 1", told)
            case ("list-large", "LIST"):
                told = re.sub(rb"(?m)^(\d+) (\d+)", rb"\1 10000\2", told)
            case ("list-huge", "LIST"):
                told = re.sub(rb"(?m)^(2) \d+", rb"\1 10000000000", told)
            case ("list-none", "LIST"):
                told = b"+OK\r\n."
            case ("stat-few", "STAT"):
                told = b"+OK 1 100"
            case ("stat-many", "STAT"):
                told = b"+OK 1000 100000"
            case ("cut-dots", "RETR") if rest == "6":
                self.wire.write(told[: told.index(b"\r\n..") + 4])
                self.lied()
                self.wire.end("fin")
            case ("retr-empty", "RETR") if rest == "2":
                told = b"+OK\r\n."
            case _:
                self.say(told)
                return
        if told != b"\r\n".join(lines):
            self.lied()
        self.say(told)


class Smtp(Odd):
    """One SMTP conversation; a mail that is taken is a line of JSON."""

    def converse(self) -> None:
        self.turn("GREETING", lambda: self.say(b"220 far.example ready"), self._kinds("220"))
        sender = recipient = ""
        while True:
            line = self.wire.readline().decode().strip()
            name, _, rest = line.partition(" ")
            name = name.upper()
            said = {"MAIL": "250 2.1.0 Ok", "RCPT": "250 2.1.5 Ok", "RSET": "250 2.0.0 Ok", "QUIT": "221 bye"}
            words = said.get(name, "334" if line == "AUTH LOGIN" else "235 in" if name == "AUTH" else "500 what?")
            if name == "EHLO":
                can = ["SIZE 64000000", "8BITMIME", "AUTH PLAIN"]
                can += [] if "no-pipelining" in self.features else ["PIPELINING"]
                can += ["STARTTLS"] if "starttls" in self.features else []
                words = "\r\n".join(["250-far.example", *(f"250-{one}" for one in can), "250 ENHANCEDSTATUSCODES"])
            elif name == "DATA":
                words = "354 go on" if recipient else "503 no recipient"
            elif name == "MAIL":
                sender, recipient = rest, ""
            elif name == "RCPT":
                recipient = rest
            before = self._fired()
            self.turn(name, lambda words=words: self.say(words.encode()), self._kinds(words))  # type: ignore[misc]
            if name == "RCPT" and self._fired() != before and self._was_refused():
                recipient = ""
            if name == "QUIT":
                return
            if name == "DATA" and recipient and not (self._fired() != before and self._was_refused()):
                self._mail(sender, recipient)
                recipient = ""

    def _fired(self) -> int:
        return len(self.server.orders.fired())

    def _was_refused(self) -> bool:
        return str(self.orders["odd"]["kind"])[:1] in "45"

    def _mail(self, sender: str, recipient: str) -> None:
        lines = []
        while (line := self.wire.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        if not lines:
            self.say(b"554 no content")
            return
        text = b"".join(lines)
        [name] = [line[12:].strip().decode() for line in lines if line.lower().startswith(b"message-id: ")][:1] or [""]

        def take() -> None:
            self.server.taken(name, recipient, text)
            self.say(b"250 2.0.0 kept")

        self.turn("DOT", take, self._kinds("250 2.0.0 kept", take))

    def _kinds(self, words: str, normal: Callable[[], None] | None = None) -> dict[str, Callable[[], None]]:
        code = words[:3]

        def taken() -> None:
            if normal:
                self.wire.muted = True
                normal()
                self.wire.muted = False

        def mixed() -> None:
            self.say(f"{code}-well\r\n550 no".encode())

        def multi() -> None:
            taken()
            self.say(f"{code}-well\r\n{code}-well\r\n{words.splitlines()[-1]}".encode())

        def flood() -> None:
            for _ in range(FLOOD // 1000):
                self.wire.write(f"{code}-well\r\n".encode() * 1000)
            self.say(words.encode())

        return {
            "mixed": mixed,
            "multi": multi,
            "flood": flood,
            "twice": lambda: (taken(), self.say(f"{words}\r\n{words}".encode()))[0],
            "other": lambda: self.say(b"354 go on" if code != "354" else b"250 done"),
            "far-code": lambda: self.say(b"999 what"),
            "drip": lambda: self.wire.drip(f"{code}-well\r\n".encode(), DRIP),
        }


class Listener(socketserver.ThreadingTCPServer):
    """One port of a process whose connections follow the orders in a folder."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, folder: Path, handler: type[Odd]) -> None:
        self.orders = Orders(folder)
        self._taken = folder / "taken.txt"
        super().__init__(("127.0.0.1", 0), handler)

    def taken(self, name: str, recipient: str, text: bytes) -> None:
        """The SMTP server is responsible for this mail now."""
        with self._taken.open("a") as file:
            file.write(json.dumps([name, recipient, text.decode("latin-1")]) + "\n")


class Servers(Service):
    """The three in a process of their own, which ends when whoever started it does."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.orders = Orders(folder)
        self._taken = folder / "taken.txt"
        super().__init__(lambda: serve([Listener(folder, handler) for handler in (Imap, Pop3, Smtp)]))
        self.imap, self.pop3, self.smtp = self.ports

    def taken(self) -> Iterator[tuple[str, str, str]]:
        """The mails that the SMTP server said yes to: Message-ID, recipient, bytes as Latin-1."""
        if self._taken.exists():
            for line in self._taken.read_text().splitlines():
                name, recipient, text = json.loads(line)
                yield name, recipient, text

    def forget(self) -> None:
        """Begin anew."""
        self._taken.unlink(missing_ok=True)
        self.orders.give()
