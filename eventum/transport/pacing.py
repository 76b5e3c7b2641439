"""How long a far end may go on: sockets that end an answer, or a talk, that takes too long however busy it looks.

In flow the limits of `Timeouts`, out flows `TooSlow`, which is a time-out like any other. A far end that sends one byte
a second is never silent, so the time-out of each reading does not end it. It knows no protocol: an answer begins where
we last said something.
"""

import socket
import ssl
import time
from typing import Any

SLOWEST = 1000  # Bytes a second: what an answer needs beside its `answer` seconds; a modem was faster.


class TooSlow(TimeoutError):
    """The far end did not stop answering, or the talk took too long."""


class Pace:
    """The clock of one connection, under TLS or not."""

    def __init__(self, answer: float, whole: float) -> None:
        self._answer = answer
        self._end = time.monotonic() + whole
        self._until = time.monotonic() + answer

    def spoken(self) -> None:
        """We said something: an answer begins. Raises `TooSlow` when the talk is over."""
        self._until = time.monotonic() + self._answer
        self.left()

    def heard(self, size: int) -> None:
        """So many bytes came, which may take their time."""
        self._until += size / SLOWEST

    def left(self) -> float:
        """Seconds that may be waited for the next bytes. Raises `TooSlow` when there are none."""
        left = min(self._until, self._end) - time.monotonic()
        if left <= 0:
            raise TooSlow("it took too long")
        return left


class _Paced:
    """What both kinds of sockets do before they read and write."""

    pace: Pace | None = None

    def recv_into(self, *given: Any, **more: Any) -> int:
        """As a socket, but only as long as the pace allows. Raises `TooSlow`."""
        if self.pace is None:
            return int(super().recv_into(*given, **more))  # type: ignore[misc]
        usual: float | None = self.gettimeout()  # type: ignore[attr-defined]
        left = self.pace.left()
        is_short = usual is None or left < usual
        if is_short:
            self.settimeout(left)  # type: ignore[attr-defined]
        try:
            size = int(super().recv_into(*given, **more))  # type: ignore[misc]
        except TimeoutError as error:
            if is_short:
                raise TooSlow("it took too long") from error
            raise
        finally:
            self.settimeout(usual)  # type: ignore[attr-defined]
        self.pace.heard(size)
        return size

    def sendall(self, *given: Any, **more: Any) -> None:
        """As a socket; what is read next is another answer. Raises `TooSlow`."""
        if self.pace is not None:
            self.pace.spoken()
        super().sendall(*given, **more)  # type: ignore[misc]


class Paced(_Paced, socket.socket):
    """A socket that keeps a pace."""


class PacedTls(_Paced, ssl.SSLSocket):
    """The same under TLS."""


def carried_over(before: socket.socket, after: socket.socket) -> None:
    """The connection goes on under TLS, and so does its clock."""
    if isinstance(before, _Paced) and isinstance(after, _Paced):
        after.pace = before.pace


def begun_anew(sock: socket.socket) -> None:
    """What comes next is another answer, though we said nothing. Raises `TooSlow` when the talk is over."""
    if isinstance(sock, _Paced) and sock.pace is not None:
        sock.pace.spoken()
