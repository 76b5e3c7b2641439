"""How fast pages are: the program over gunicorn beside the same templates rendered from constant values.

In flow sizes, out flow rows of the report. Both servers are gunicorn with one worker of four threads, and are asked in
turns over one kept connection each. Stores are made of mails by the commands a person would use.
"""

import contextlib
import http.client
import os
import re
import statistics
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from email.utils import format_datetime
from pathlib import Path

from bench import generate, measure
from bench.generate import BEGIN, Mailbox
from bench.report import Row, at_most
from bench.stores import ROOT, Store
from tests.servers.dovecot import free_ports, wait_for

EMAIL, PASSWORD = "admin@example.org", "correct horse"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
ROWS = 50
NUMBERS = {"ten": 10, "twenty": 20, "many": 500}  # Mails of the issues that are opened.


class Visitor:
    """Somebody with a kept connection to a server."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookie = cookie

    def log_in(self) -> None:
        """As a person does."""
        token = TOKEN.search(self.get("/login"))
        assert token
        form = {"email": EMAIL, "password": PASSWORD, "csrf_token": token[1], "next": ""}
        status, _ = self._ask("POST", "/login", urllib.parse.urlencode(form))
        assert status == 303, status

    def get(self, path: str) -> str:
        """A page. Raises `AssertionError` when it is none."""
        status, body = self._ask("GET", path)
        assert status == 200, f"{path}: {status}"
        return body.decode()

    def timed(self, path: str) -> float:
        """Milliseconds until a page is there whole."""
        began = time.perf_counter()
        status, _ = self._ask("GET", path)
        took = time.perf_counter() - began
        assert status == 200, f"{path}: {status}"
        return took * 1000

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        headers = {"Cookie": f"eventum={self.cookie}"} if self.cookie else {}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie" and value.startswith("eventum="):
                self.cookie = value.partition("=")[2].partition(";")[0]
        return answer.status, answer.read()


def speed(folder: Path, few: int, many: int, rounds: int) -> list[Row]:
    """List and issue beside constant ones, with few issues and with many; a long issue beside a short one."""
    rows: list[Row] = []
    medians: dict[int, dict[str, float]] = {}
    for count in (few, many):
        store, numbers = _store(folder / f"pages-{count}", count)
        paths = {"list": "/issues", **{name: f"/issues/{number}" for name, number in numbers.items()}}
        with _serving(store, "app:create_app()", {}) as port:
            real = Visitor(port)
            real.log_in()
            assert real.get("/issues").count("data-line") == ROWS
            with _serving(store, "bench.constant:app", {"CONSTANT_COOKIE": real.cookie}) as other:
                constant = Visitor(other, real.cookie)
                for name in ("list", "ten"):
                    _same(real, constant, paths[name])
                    taken = _in_turns({"real": (real, paths[name]), "constant": (constant, paths[name])}, rounds)
                    medians.setdefault(count, {})[name] = statistics.median(taken["real"])
                    rows += _beside(name, count, taken)
                if count == few:
                    taken = _in_turns({name: (real, paths[name]) for name in ("twenty", "many")}, rounds)
                    ratio = statistics.median(taken["many"]) / statistics.median(taken["twenty"])
                    rows.append(Row("issue of 20 mails, p50", _ms(taken["twenty"])))
                    rows.append(Row("issue of 500 mails, p50", _ms(taken["many"])))
                    rows.append(at_most("that to one of 20", ratio, 1.3))
    for name, what in (("list", "list"), ("ten", "issue of 10 mails")):
        ratio = medians[many][name] / medians[few][name]
        rows.append(at_most(f"{what} with {many:,} issues to that with {few}", ratio, 1.3))
    return rows


def _beside(name: str, count: int, taken: Mapping[str, list[float]]) -> list[Row]:
    what = f"{'list of 50 rows' if name == 'list' else 'issue of 10 mails'}, {count:,} issues"
    ratio = statistics.median(taken["real"]) / statistics.median(taken["constant"])
    return [
        Row(f"{what}, p50", _ms(taken["real"])),
        Row("the same from constant values", _ms(taken["constant"])),
        at_most("that to constant values", ratio, 1.5),
    ]


def _ms(values: list[float]) -> str:
    ordered = sorted(values)
    return f"{statistics.median(values):.1f} ms (p90 {ordered[len(ordered) * 9 // 10]:.1f})"


def _in_turns(asked: Mapping[str, tuple[Visitor, str]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each, asked one after the other; the first of them warm what is warm for a person."""
    for visitor, path in asked.values():
        for _ in range(5):
            visitor.timed(path)
    measure.settle()
    taken: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(rounds):
        for name, (visitor, path) in asked.items():
            taken[name].append(visitor.timed(path))
    return taken


def _same(real: Visitor, constant: Visitor, path: str) -> None:
    """The page of constant values is the page: but for tokens and nonces, which are as long each time."""
    one, other = real.get(path), constant.get(path)
    assert abs(len(one) - len(other)) < 200, f"{path}: {len(one)} characters, from constant values {len(other)}"


@contextlib.contextmanager
def _serving(store: Store, application: str, more: Mapping[str, str]) -> Iterator[int]:
    """A gunicorn; its port."""
    port = free_ports(1)[0]
    command = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--workers", "1", "--threads", "4"]
    command += ["--no-control-socket", "--bind", f"127.0.0.1:{port}", "--keep-alive", "75", application]
    log = store.folder / f"gunicorn-{port}.log"
    environment = {**store.environment, "PYTHONPATH": str(ROOT), **more}
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=out, stderr=out)
        try:
            wait_for(port, process, log)
            yield port
        finally:
            process.terminate()
            process.wait()


def _store(folder: Path, count: int) -> tuple[Store, dict[str, int]]:
    """A store with so many issues, those of NUMBERS among them; their numbers."""
    store = Store.made(folder)
    box = folder / "box"
    singles = list(Mailbox(7, small=True, replies=False).mails(count - len(NUMBERS)))
    generate.write(box, iter([*_threads(), *singles]))
    store.download("--account", store.add_silent_maildir(box))
    assert store.issues() == count, f"{store.issues()} issues were made of {count} openings"
    return store, {name: number for number, name in enumerate(NUMBERS, 1)}


def _threads() -> Iterator[bytes]:
    """The mails of the issues of NUMBERS: each answers the one before it. The openings come first."""
    for turn in range(max(NUMBERS.values())):
        for name, count in NUMBERS.items():
            if turn < count:
                yield _mail(name, turn)


def _mail(name: str, turn: int) -> bytes:
    lines = [
        f"From: Ana Costa <ana.{name}@example.net>",
        "To: Support <support@example.org>",
        f"Date: {format_datetime(BEGIN)}",
        f"Message-ID: <{name}.{turn}@example.net>",
        f"Subject: {'Re: ' if turn else ''}The issue of {name}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
    ]
    if turn:
        lines += [f"In-Reply-To: <{name}.{turn - 1}@example.net>", f"References: <{name}.{turn - 1}@example.net>"]
    text = "\n".join(f"This is line {line} of mail {turn}, as long as lines of mails are." for line in range(25))
    return "\n".join([*lines, "", text, "", "> quoted", "> twice", ""]).encode()


def main() -> None:
    """Only this part, for whoever works on a page: `python -m bench.pages FOLDER [ROUNDS [MANY]]`."""
    from bench.report import shown

    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    many = int(sys.argv[3]) if len(sys.argv) > 3 else 10_000
    measure.wait_for_others(float(os.environ.get("PATIENCE", "10")))
    print(shown(speed(folder, 100, many, rounds)))


if __name__ == "__main__":
    main()
