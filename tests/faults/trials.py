"""One trial: a store of its own, a command that is killed at a chosen call, one normal run, and what is seen then.

In flow the plan of a row, out flow its trials. This process never runs the product: every run of it is a fork, so a
trial costs no start of Python, and what one left in memory no other sees. That holds as long as nothing here starts a
thread.
"""

import json
import os
import re
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults import checker, mailbox, shim
from tests.faults.mailbox import Mail
from tests.faults.shim import Place, Shim

# The far end refuses whatever goes to this one of the customers.
REFUSED = "c3@customer.example"
CONFIG = ("--quiet-before", "never", "--address", "help@example.org")


class Ran(NamedTuple):
    """How a forked run ended: its exit code (None: killed) and what it gave back."""

    code: int | None
    result: Any


class Trial(NamedTuple):
    """What came of one trial."""

    place: Place | None
    call: str  # the call that was not made, "" when the run ended before it
    faults: tuple[str, ...]
    twice: int = 0  # mails that were delivered a second time within the one window there is


def forked(body: Callable[[], Any], folder: Path) -> Ran:
    """Run something in a process of its own; what it gave back is JSON."""
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
            result = body()
            answer.write_text(json.dumps(result))
            code = result["code"] if isinstance(result, dict) and "code" in result else 0
        except BaseException:  # The one way out of a fork is os._exit; what happened stands in the output.
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    code = None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return Ran(code, json.loads(answer.read_text()) if answer.exists() else None)


def flask(root: Path, *arguments: str) -> dict[str, Any]:
    """`flask ...` in this process: its exit code and output."""
    from app import create_app
    from eventum.config import Config

    config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")
    result = create_app(config).test_cli_runner().invoke(args=list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return {"code": result.exit_code, "out": result.stdout, "err": result.stderr}


def warm() -> None:
    """Import what a run needs once, for all forks."""
    import eventum.commands.download_emails
    import eventum.commands.process_queue
    import eventum.commands.verify
    import eventum.runners.fetching
    import eventum.runners.outgoing
    import eventum.store.index
    import eventum.store.recovery
    import eventum.store.verify
    import eventum.tracker.announce
    import eventum.tracker.reading
    import eventum.tracker.receive
    import eventum.tracker.render
    import eventum.transport.maildir  # noqa: F401


class Scene:
    """A prepared store with its mailboxes, copied for every trial; what an undisturbed run makes of it."""

    def __init__(self, folder: Path, count: int, kinds: Sequence[str] = mailbox.KINDS) -> None:
        self.folder = folder
        self.prepared = folder / "prepared"
        self.prepared.mkdir()
        self.mails: dict[str, Mail] = {}
        self.parents: dict[str, str] = {}
        done = forked(self._found, self.prepared)
        if done.code != 0:
            raise RuntimeError((self.prepared / "output.txt").read_text())
        # One mailbox that is emptied, with nearly all; one that is left as it is, whose mail opens no issues.
        sizes = (count - count // 10, count // 10)
        for name, account, size in zip(("box", "other"), done.result, sizes, strict=True):
            found = mailbox.mails(size, len(name), kinds)
            mailbox.fill(self.prepared / name, found)
            keys = {mail.id: checker.key_of(account, mail.raw) for mail in reversed(found) if mail.kind != "copy"}
            self.mails.update({checker.key_of(account, mail.raw): mail for mail in found})
            self.parents.update({keys[m.id]: keys[m.parent] for m in found if m.parent and m.kind != "copy"})

    def _found(self) -> list[str]:
        root, project = self.prepared, "Help desk"
        for line in (
            ("init", "--admin-email", "admin@example.org"),
            ("projects", "add", project, "--sender-email", "desk@example.org"),
            ("users", "add", "dev@example.org", "--name", "Dee", "--member", f"{project}:developer"),
            ("users", "add", "all@example.org", "--name", "Al", "--member", f"{project}:manager"),
            ("users", "set", "all@example.org", "--preference", f"{project}:all_new=on"),
            ("settings", "set", "smtp.host", "127.0.0.1"),
        ):
            done = flask(root, *line)
            assert done["code"] == 0, done
        ids = []
        for name, more in (
            ("box", ("--no-leave-copy", "--auto-create", "--assign", "dev@example.org")),
            ("other", ("--address", "other@example.org")),
        ):
            line = ("accounts", "add", "--project", project, "--type", "maildir", "--folder", str(root / name))
            done = flask(root, *line, *CONFIG, *more, "--json")
            assert done["code"] == 0, done
            ids.append(json.loads(done["out"])["id"])
        return ids

    @property
    def given(self) -> dict[str, bytes]:
        """The bytes of all mails by their keys."""
        return {key: mail.raw for key, mail in self.mails.items()}

    @contextmanager
    def copy(self, smtp_port: int = 0) -> Iterator[Path]:
        """A copy of the prepared folder, for one trial; links stay links and times stay times."""
        root = Path(tempfile.mkdtemp(prefix="trial-", dir=self.folder))
        try:
            command = ["cp", "-a", f"{self.prepared}/.", str(root)]
            if os.spawnvp(os.P_WAIT, "cp", command) != 0:
                raise RuntimeError(f"{command} failed")
            for path in (root / "data/settings/accounts").iterdir():
                path.write_text(path.read_text().replace(f"{self.prepared}/", f"{root}/"))
            if smtp_port:
                general = root / "data/settings/general.json"
                said = json.loads(general.read_text())
                said["smtp"]["port"] = smtp_port
                general.write_text(json.dumps(said))
            yield root
        finally:
            shutil.rmtree(root)


def run(root: Path, command: str | Sequence[str], *, wear: Shim | None = None, broken: str = "") -> Ran:
    """The command on a trial's folder, in a fork."""

    def body() -> dict[str, Any]:
        if broken:
            shim.BROKEN[broken]()
        return shimmed(root, command, wear) if wear else flask(root, *words(command))

    return forked(body, root)


def shimmed(root: Path, command: str | Sequence[str], wear: Shim) -> dict[str, Any]:
    """The command in this process, its calls counted; this process is of no other use afterwards."""
    wear.install()
    return {**flask(root, *words(command)), "calls": wear.calls}


def words(command: str | Sequence[str]) -> Sequence[str]:
    """The words of a runner's command, with its result as JSON, or those of a person's as they are."""
    return (command, "--json") if isinstance(command, str) else command


def at_once(bodies: Sequence[Callable[[], Any]], root: Path) -> list[str]:
    """Run things at the same time, each in a fork of its own; what went wrong, but for those that were killed."""

    def one(at: int) -> int | None:
        folder = root / f"run-{at}"
        folder.mkdir()
        return forked(bodies[at], folder).code

    codes = in_parallel(list(range(len(bodies))), one, root, workers=len(bodies))
    return [f"one of the runs ended with {code}" for code in codes if code not in (0, 1, None)]


def counted(root: Path, command: str | Sequence[str]) -> list[Place]:
    """Every changing call of an undisturbed run, in the order in which they were made."""
    ran = run(root, command, wear=Shim(root, None, lambda call: None))
    if wrong := ended_well(root, command, ran):
        raise RuntimeError(wrong[0])
    return [Place(*place) for place in ran.result["calls"]]


def disturbed(root: Path, command: str | Sequence[str], place: Place, *, broken: str = "", number: int = 0) -> str:
    """A run that dies at this place, or (with the number of an error) whose call fails there; the call, if it came."""
    report = root / "report.txt"
    act = shim.failing(report, number) if number else shim.killing(report)
    run(root, command, wear=Shim(root, place, act), broken=broken)
    return report.read_text() if report.exists() else ""


def time_passes(data: Path) -> None:
    """What waits for a later time is due: an entry's not-before stands in its name."""
    for path in (*data.glob("spool/in/new/*"), *data.glob("spool/out/new/*")):
        path.rename(path.with_name(re.sub(r",N=[0-9]+", "", path.name)))


def verified(root: Path) -> list[str]:
    """What `flask verify` finds wrong."""
    ran = forked(lambda: flask(root, "verify", "--json"), root)
    if ran.result is None:
        return [f"verify itself failed: {(root / 'output.txt').read_text()[-2000:]}"]
    found = json.loads(ran.result["out"])["findings"]
    return [f"verify: {one['path']}: {one['problem']}" for one in found]


def ended_well(root: Path, command: str | Sequence[str], ran: Ran) -> list[str]:
    """Whether the one normal run was content; mails that the far end refuses for good are no fault of it."""
    if ran.code == 0:
        return []
    if command == "process-queue" and ran.code == 1 and ran.result["err"] == "":
        return []
    said = ran.result["err"] if ran.result else (root / "output.txt").read_text()[-2000:]
    return [f"{command} after it ended with {ran.code}: {said}"]


def in_parallel(jobs: list[Any], work: Callable[[Any], Any], folder: Path, workers: int = 2) -> list[Any]:
    """The results of all jobs in their order, as JSON makes them; each worker is a fork."""
    children = []
    for at in range(workers):
        answer = folder / f"worker-{at}.json"
        child = os.fork()
        if child == 0:
            code = 1
            try:
                answer.write_text(json.dumps([work(job) for job in jobs[at::workers]]))
                code = 0
            except BaseException:  # The one way out of a fork is os._exit.
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        children.append((child, answer))
    results: list[Any] = [None] * len(jobs)
    for at, (child, answer) in enumerate(children):
        if os.waitpid(child, 0)[1] != 0:
            raise RuntimeError(f"worker {at} failed")
        results[at::workers] = json.loads(answer.read_text())
    return results


class FarEnd:
    """An SMTP server in a process of its own, that notes the Message-ID of every mail it said yes to."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / f"far-{os.getpid()}.txt"
        self.forget()
        reader, writer = os.pipe()
        # Whoever started it holds the other end of this pipe; when he is gone, however, the server ends.
        watch, self._life = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            os.close(reader)
            os.close(self._life)
            self._serve(writer, watch)
        os.close(writer)
        os.close(watch)
        with open(reader, "rb") as pipe:
            self.port = int(pipe.read())

    def _serve(self, writer: int, watch: int) -> None:
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

        try:
            sink = Noting(free_ports(1)[0])
            sink.at_rcpt[REFUSED] = "550 5.1.1 no such user"
            Running(sink, None, None).start()
            os.write(writer, str(sink.port).encode())
            os.close(writer)
            os.read(watch, 1)
        finally:
            os._exit(0)

    def forget(self) -> None:
        """Begin anew."""
        self._log.write_text("")

    def delivered(self) -> list[str]:
        """The Message-IDs in the order in which they came."""
        return self._log.read_text().splitlines()

    def close(self) -> None:
        """End the process."""
        os.close(self._life)
        os.waitpid(self._child, 0)
