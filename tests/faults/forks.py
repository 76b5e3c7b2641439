"""Processes of trials: forks that run something and give back JSON, so that no trial costs a start of Python.

In flow a function and a folder, out flow its result and how it ended. Whoever forks here must have no threads.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults import spare

_is_warm = False


class Ran(NamedTuple):
    """How a forked run ended: its exit code (None: killed, below 0: by another signal) and what it gave back."""

    code: int | None
    result: Any


def forked(body: Callable[[], Any], folder: Path) -> Ran:
    """Run something in a process of its own; what it gave back is JSON."""
    return ended(begun(body, folder), folder)


def begun(body: Callable[[], Any], folder: Path) -> int:
    """A process that runs something; `ended` waits for it."""
    sys.stdout.flush()
    sys.stderr.flush()
    answer = folder / "answer.json"
    answer.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        code = 99
        try:
            with open(folder / "output.txt", "ab", buffering=0) as output:
                os.dup2(output.fileno(), 1)
                os.dup2(output.fileno(), 2)
            writing, opening = os.write, os.open  # As they are before anybody wraps them.
            if _is_warm:
                spare.prepare()
            result = body()
            writing(opening(answer, os.O_WRONLY | os.O_CREAT, 0o600), json.dumps(result).encode())
            code = result["code"] if isinstance(result, dict) and "code" in result else 0
        except BaseException:  # The one way out of a fork is os._exit; what happened stands in the output.
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return child


def ended(child: int, folder: Path) -> Ran:
    """How it ended."""
    answer = folder / "answer.json"
    _, status = os.waitpid(child, 0)
    code: int | None = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGKILL:
        code = None
    return Ran(code, json.loads(answer.read_text()) if answer.exists() else None)


class Service:
    """A server in a process of its own, which ends when whoever started it does; `start` gives back its ports."""

    def __init__(self, start: Callable[[], Sequence[int]]) -> None:
        told, telling = os.pipe()
        # Whoever started it holds the other end of this pipe; when he is gone, however, the server ends.
        watch, self._life = os.pipe()
        self.child = os.fork()
        if self.child == 0:
            os.close(told)
            os.close(self._life)
            try:
                os.write(telling, " ".join(map(str, start())).encode())
                os.close(telling)
                os.read(watch, 1)
            finally:
                os._exit(0)
        os.close(telling)
        os.close(watch)
        with open(told, "rb") as pipe:
            self.ports = tuple(map(int, pipe.read().split()))

    def close(self) -> None:
        """End the process."""
        os.close(self._life)
        os.waitpid(self.child, 0)


@contextmanager
def living(body: Callable[[Callable[[object], None]], Any], folder: Path) -> Iterator[tuple[Any, int]]:
    """A process that tells something and waits until the block is over: what it told, None when it died, and its id."""
    told, telling = os.pipe()
    waiting, going_on = os.pipe()
    writing, reading = os.write, os.read  # As they are before anybody wraps them.

    def wait(value: object) -> None:
        os.close(told)
        os.close(going_on)
        writing(telling, json.dumps(value).encode() + b"\n")
        reading(waiting, 1)

    child = begun(lambda: body(wait), folder)
    os.close(telling)
    os.close(waiting)
    try:
        with open(told) as pipe:
            line = pipe.readline()
        yield json.loads(line) if line else None, child
    finally:
        os.close(going_on)


def flask(root: Path, *arguments: str, given: str = "") -> dict[str, Any]:
    """`flask ...` in this process: its exit code and output; `given` is what it reads."""
    from app import create_app
    from eventum.config import Config

    config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")
    result = create_app(config).test_cli_runner().invoke(args=list(arguments), input=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return {"code": result.exit_code, "out": result.stdout, "err": result.stderr}


def warm() -> None:
    """Import what a run needs once, for all forks; each has a child that reads mail ready from then on."""
    global _is_warm
    _is_warm = True
    import eventum.commands.download_emails
    import eventum.commands.process_queue
    import eventum.commands.verify
    import eventum.runners.fetching
    import eventum.runners.outgoing
    import eventum.store.index
    import eventum.store.recovery
    import eventum.store.verify
    import eventum.tracker.announce
    import eventum.tracker.reader
    import eventum.tracker.reading
    import eventum.tracker.receive
    import eventum.tracker.render
    import eventum.transport.maildir  # noqa: F401


def at_once(bodies: Sequence[Callable[[], Any]], root: Path) -> list[Ran]:
    """Run things at the same time, each in a fork of its own."""
    children = []
    for at, body in enumerate(bodies):
        folder = root / f"run-{at}"
        folder.mkdir()
        children.append(begun(body, folder))
    return [ended(child, root / f"run-{at}") for at, child in enumerate(children)]
