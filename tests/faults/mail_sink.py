"""The SMTP server of the trials, in a process of its own: what it was given is in a file, for whoever looks."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults.forks import Service

# It refuses whatever goes to this one of the customers.
REFUSED = "c3@customer.example"


class FarEnd(Service):
    """An SMTP server in a process of its own, that notes the Message-ID of every mail it said yes to."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / f"far-{os.getpid()}.txt"
        self.forget()
        super().__init__(self._serve)
        (self.port,) = self.ports

    def _serve(self) -> list[int]:
        from tests.servers.dovecot import free_ports
        from tests.servers.smtp_sink import Running, Sink

        log = self._log

        class Noting(Sink):
            async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
                answer = await super().handle_DATA(server, session, envelope)
                lines = bytes(envelope.content).partition(b"\r\n\r\n")[0].split(b"\r\n")
                (name,) = (line[12:].decode() for line in lines if line.lower().startswith(b"message-id: "))
                with log.open("a") as file:
                    file.write(f"{name}\n")
                return answer

        sink = Noting(free_ports(1)[0])
        sink.at_rcpt[REFUSED] = "550 5.1.1 no such user"
        Running(sink, None, None).start()
        return [sink.port]

    def forget(self, but: Sequence[str] = ()) -> None:
        """Begin anew, or with these deliveries."""
        self._log.write_text("".join(f"{name}\n" for name in but))

    def delivered(self) -> list[str]:
        """The Message-IDs in the order in which they came."""
        return self._log.read_text().splitlines()
