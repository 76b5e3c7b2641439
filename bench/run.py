"""The benchmark: `python bench/run.py [--only PART]... [--rounds N] [--quick]`; see README.md beside it.

It starts servers of its own on loopback, works in a temporary folder, and removes both. Exit code 1 when a count is
wrong: a mail missing, more syncs or locks a mail than promised. Rates are told and decide nothing: machines differ.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import intake, measure, outgoing, pages, position, reading, servers  # noqa: E402
from bench.report import Row, shown  # noqa: E402
from tests.servers.dovecot import Dovecot  # noqa: E402


class Bench:
    """The sizes of one benchmark, its folder, and its Dovecot, started when the first part asks for it."""

    def __init__(self, folder: Path, *, quick: bool, rounds: int) -> None:
        self._stack = ExitStack()
        self._folder = folder
        self._rounds = rounds or (1 if quick else 5)
        self._quick = quick

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def _dovecot(self) -> Dovecot:
        return self._stack.enter_context(servers.dovecot(self._folder))

    def _sized(self, usual: int, quick: int) -> int:
        return quick if self._quick else usual

    def intake(self) -> list[Row]:
        """The rate beside mbsync."""
        return intake.beside_mbsync(self._dovecot, self._folder, self._sized(2000, 400), self._rounds)

    def calls(self) -> list[Row]:
        """Syncs and locks."""
        return intake.calls(self._dovecot, self._folder, 400)

    def growth(self) -> list[Row]:
        """The rate in a full store."""
        return intake.growth(self._dovecot, self._folder, 400, self._rounds, self._sized(10_000, 500))

    def position(self) -> list[Row]:
        """New mail in a full mailbox."""
        return position.left_on_server(self._dovecot, self._folder, self._sized(20_000, 1000), self._rounds)

    def outgoing(self) -> list[Row]:
        """The rate beside smtp-source."""
        return outgoing.beside_smtp_source(self._folder, self._sized(2000, 400), self._rounds)

    def reading(self) -> list[Row]:
        """Reading a mail beside the standard library, and its growth."""
        return reading.speed(self._sized(1000, 100), self._rounds) + reading.growth()

    def pages(self) -> list[Row]:
        """The pages beside the same templates with constant values."""
        return pages.speed(self._folder, 100, self._sized(10_000, 300), self._sized(200, 20))


PARTS: dict[str, Callable[[Bench], list[Row]]] = {
    "intake": Bench.intake,
    "calls": Bench.calls,
    "growth": Bench.growth,
    "position": Bench.position,
    "outgoing": Bench.outgoing,
    "reading": Bench.reading,
    "pages": Bench.pages,
}


def main() -> int:
    """Run the parts asked for and print the table; the exit code."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    options.add_argument("--only", action="append", choices=PARTS, help="this part, may be given again; default: all")
    options.add_argument("--rounds", type=int, default=0, help="runs of each side that take turns; default: 5")
    options.add_argument("--quick", action="store_true", help="under a minute: few mails, one round; counts only")
    given = options.parse_args()
    if given.quick:
        measure.wait_for_others(0)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="eventum-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)  # Dovecot's users must get at its certificates.
        bench = stack.enter_context(Bench(folder, quick=given.quick, rounds=given.rounds))
        for part in given.only or PARTS:
            print(f"{part} ...", file=sys.stderr, flush=True)
            rows += PARTS[part](bench)
    print(shown(rows))
    return 1 if any(row.must and not row.reached for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
