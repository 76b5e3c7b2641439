"""The line between a server of the tests and the product: it can be cut or stopped after any byte, in both directions.

In flow a connected socket and what is to happen on it, out flow lines and, at the chosen byte, the end. It knows no
protocol. What happened is noted in a file, so that a trial knows whether it was disturbed.
"""

import json
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

PATIENCE = 20.0  # Seconds after which a server of the tests gives up a client that hangs itself.


class End(Exception):
    """The conversation is over."""


class Orders:
    """What the next connections of a trial shall meet, in a file that the server reads when a connection begins."""

    def __init__(self, folder: Path) -> None:
        self._orders = folder / "orders.json"
        self._fired = folder / "fired.txt"

    def give(self, **orders: Any) -> None:
        """Begin anew with these: `cut` (side, at, how), `odd` (at, nth, kind), `world` (a word), `features`."""
        self._fired.unlink(missing_ok=True)
        self._orders.write_text(json.dumps(orders))

    def read(self) -> dict[str, Any]:
        """What was ordered; nothing once a cut was made, unless it is ordered for every connection."""
        orders: dict[str, Any] = json.loads(self._orders.read_text()) if self._orders.exists() else {}
        if "cut" in orders and self.fired() and not orders.get("always"):
            del orders["cut"]
        return orders

    def note(self, what: str) -> None:
        """It happened."""
        with self._fired.open("a") as file:
            file.write(f"{what}\n")

    def fired(self) -> list[str]:
        """What happened so far."""
        return self._fired.read_text().splitlines() if self._fired.exists() else []


class Wire:
    """One connection, seen from the server, with the methods that it asks of a file."""

    def __init__(self, sock: socket.socket, cut: dict[str, Any] | None, note: Callable[[str], None]) -> None:
        self.sock = sock
        self.closed = False
        self.muted = False
        self._note = note
        self._side, self._at, self._how = (cut["side"], cut["at"], cut["how"]) if cut else ("", 0, "")
        self.sent = self.received = 0
        self._pending = b""
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def readline(self) -> bytes:
        """The client's next line. Raises End when there is none."""
        while b"\n" not in self._pending:
            self._pending += self._more()
        line, _, self._pending = self._pending.partition(b"\n")
        return line + b"\n"

    def _more(self) -> bytes:
        most = 1 << 16
        if self._side == "up":
            # Never more is read than what may arrive: what the client sent beyond it was never heard.
            most = min(most, self._at - self.received)
            if most == 0:
                self.end(self._how)
        data = self.sock.recv(most)
        if not data:
            raise End
        self.received += len(data)
        return data

    def write(self, data: bytes) -> None:
        """Say it, up to the byte at which the connection is cut."""
        if self.muted:
            return
        if self._side == "down" and self.sent + len(data) >= self._at:
            self.sock.sendall(data[: self._at - self.sent])
            self.end(self._how)
        self.sock.sendall(data)
        self.sent += len(data)

    def end(self, how: str) -> None:
        """The connection ends: `fin`, `rst`, or `stall`, which says nothing more and waits. Raises End."""
        self._note(f"{self._side} {how}")
        if how == "rst":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sock.close()
            raise End
        if how == "fin":
            self.sock.shutdown(socket.SHUT_WR)
        with suppress(OSError):
            while self.sock.recv(1 << 16):
                pass
        raise End

    def drip(self, data: bytes, pause: float) -> None:
        """Say it byte by byte, and what is said last for ever. Raises End when the client had enough."""
        while True:
            for at in range(len(data)):
                self.sock.sendall(data[at : at + 1])
                time.sleep(pause)

    def flush(self) -> None:
        """Nothing is kept back."""

    def close(self) -> None:
        """Over."""
        self.closed = True
        with suppress(OSError):
            self.sock.close()
