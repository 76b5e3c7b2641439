"""The world outside: a server to which every host leads that a mail can name, and what it hears.

Flows in: connections of a browser. Flows out: the names of the ways (`hostile`) that were heard of, by the Host of a
request or by the name in the first bytes of TLS. It answers nothing; a connection without a word is not counted.
"""

import queue
import re
import socket
import threading

from tests.browser.hostile import OUTSIDE

_NAME = re.compile(rb"([a-z0-9-]+)\." + OUTSIDE.replace(".", r"\.").encode(), re.IGNORECASE)
PATIENCE = 15.0  # Seconds until somebody who is waited for is given up.


class Outside:
    """It listens while it is open."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self._listening.getsockname()[1])
        self._heard: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._ears: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._listen, name="outside")
        self._thread.start()

    @property
    def flags(self) -> str:
        """The flag by which Chromium finds it behind every name."""
        return f"--host-resolver-rules=MAP *.{OUTSIDE} 127.0.0.1:{self.port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

    def heard(self, *until: str) -> set[str]:
        """The names that were heard since it was asked last, at least until all of these were."""
        names: set[str] = set()
        while not names.issuperset(until):
            names.add(self._heard.get(timeout=PATIENCE))
        while not self._heard.empty():
            names.add(self._heard.get())
        return names

    def close(self) -> None:
        """Listen no more."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()
        for ear in self._ears:
            ear.join()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            ear = threading.Thread(target=self._hear, args=(connection,))
            self._ears.append(ear)
            ear.start()

    def _hear(self, connection: socket.socket) -> None:
        said = b""
        with connection:
            connection.settimeout(PATIENCE)
            try:
                while len(said) < 16_384 and not _NAME.search(said):
                    data = connection.recv(4096)
                    if not data:
                        break
                    said += data
            except OSError:  # Whoever connected ahead of a request may leave without a word.
                pass
        for found in _NAME.findall(said):
            self._heard.put(found.decode().lower())
