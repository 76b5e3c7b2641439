"""A server that says what a test tells it to: cut off, hanging, lying or hostile.

In flows a function that plays one conversation, out comes the port it is played on. For IMAP and POP3 there are
players that answer by table and need only what is odd.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping


class End(Exception):
    """The player ends the conversation."""


class Talk:
    """One connection, seen from the server."""

    def __init__(self, sock: socket.socket, over: threading.Event) -> None:
        self.sock = sock
        self.over = over
        self.file = sock.makefile("rb")
        self.heard: list[bytes] = []

    def line(self) -> bytes:
        """The client's next line without its end; ends the conversation when there is none."""
        line = self.file.readline()
        if not line:
            raise End
        self.heard.append(line.rstrip(b"\r\n"))
        return self.heard[-1]

    def mail(self) -> bytes:
        """What the client sends up to the line of one dot."""
        lines: list[bytes] = []
        while not lines or lines[-1] != b".\r\n":
            line = self.file.readline()
            if not line:
                raise End
            lines.append(line)
        return b"".join(lines)

    def say(self, words: bytes) -> None:
        self.sock.sendall(words)

    def hang(self) -> None:
        """Says nothing more until the test is over."""
        self.over.wait(30)
        raise End

    def close(self) -> None:
        self.file.close()
        self.sock.close()


Player = Callable[[Talk], None]
Answer = bytes | Callable[[Talk, bytes], None]


@contextlib.contextmanager
def running(player: Player) -> Iterator[tuple[int, list[Talk]]]:
    """The port of a listener that plays every connection with `player`, and the conversations so far."""
    over = threading.Event()
    talks: list[Talk] = []
    threads: list[threading.Thread] = []
    failures: list[BaseException] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def play(talk: Talk) -> None:
        try:
            player(talk)
        except (End, ConnectionError):
            pass
        except BaseException as error:
            failures.append(error)
        finally:
            talk.close()

    def listen() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock = listener.accept()[0]
                if over.is_set():
                    sock.close()
                    return
                talks.append(Talk(sock, over))
                threads.append(threading.Thread(target=play, args=(talks[-1],)))
                threads[-1].start()

    accepting = threading.Thread(target=listen)
    accepting.start()
    port = listener.getsockname()[1]
    try:
        yield port, talks
    finally:
        over.set()
        # A blocked accept does not notice that its socket is closed, but it does notice a caller.
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 5).close()
        accepting.join()
        listener.close()
        for thread in threads:
            thread.join(10)
    if failures:
        raise failures[0]


IMAP: dict[str, Answer] = {
    "CAPABILITY": b"* CAPABILITY IMAP4rev1 UIDPLUS AUTH=PLAIN\r\nTAG OK done\r\n",
    "AUTHENTICATE PLAIN": lambda talk, tag: (talk.say(b"+ \r\n"), talk.line(), talk.say(tag + b" OK in\r\n"))[0],
    "LOGIN": b"TAG OK in\r\n",
    "SELECT": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\nTAG OK [READ-WRITE] open\r\n",
    "EXAMINE": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\nTAG OK [READ-ONLY] open\r\n",
    "UID SEARCH": b"* SEARCH 1 2 3\r\nTAG OK done\r\n",
    "LOGOUT": b"* BYE so long\r\nTAG OK out\r\n",
}
POP3: dict[str, Answer] = {
    "CAPA": b"+OK\r\nUSER\r\nUIDL\r\n.\r\n",
    "USER": b"+OK\r\n",
    "PASS": b"+OK\r\n",
    "STAT": b"+OK 1 20\r\n",
    "UIDL": b"+OK\r\n1 one\r\n.\r\n",
    "UIDL 1": b"+OK 1 one\r\n",
    "LIST": b"+OK\r\n1 20\r\n.\r\n",
    "DELE": b"+OK\r\n",
    "QUIT": b"+OK\r\n",
}


def imap(odd: Mapping[str, Answer], greeting: bytes = b"* OK hello\r\n") -> Player:
    """Plays IMAP; a command is answered by the longest entry it begins with, TAG standing for its tag."""

    def play(talk: Talk) -> None:
        talk.say(greeting)
        table = IMAP | odd
        while True:
            tag, _, command = talk.line().partition(b" ")
            answer_from(table, talk, command.decode(), tag)

    return play


def pop3(odd: Mapping[str, Answer], greeting: bytes = b"+OK hello\r\n") -> Player:
    """Plays POP3 with one mail, in the same way."""

    def play(talk: Talk) -> None:
        talk.say(greeting)
        table = POP3 | odd
        while True:
            answer_from(table, talk, talk.line().decode(), b"")

    return play


def answer_from(table: Mapping[str, Answer], talk: Talk, command: str, tag: bytes) -> None:
    """Says what the table holds for this command; closes the connection for a command it does not know."""
    known = [name for name in table if command.upper().startswith(name)]
    if not known:
        raise End
    answer = table[max(known, key=len)]
    if isinstance(answer, bytes):
        talk.say(answer.replace(b"TAG", tag))
    else:
        answer(talk, tag)


def close(talk: Talk, tag: bytes) -> None:
    """An answer: the connection ends here."""
    raise End


def hang(talk: Talk, tag: bytes) -> None:
    """An answer: none."""
    talk.hang()
