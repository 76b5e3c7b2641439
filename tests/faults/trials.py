"""One trial: a store of its own, a command that is killed at a chosen call, one normal run, and what is seen then.

In flow the plan of a row, out flow its trials. This process never runs the product: every run of it is a fork, so a
trial costs no start of Python, and what one left in memory no other sees. That holds as long as nothing here starts a
thread.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults import checker, indexes, mailbox, shim
from tests.faults.forks import Ran as Ran
from tests.faults.forks import at_once as at_once
from tests.faults.forks import begun as begun
from tests.faults.forks import ended as ended
from tests.faults.forks import flask as flask
from tests.faults.forks import forked as forked
from tests.faults.forks import living as living
from tests.faults.forks import warm as warm
from tests.faults.mail_sink import REFUSED as REFUSED
from tests.faults.mail_sink import FarEnd as FarEnd
from tests.faults.mailbox import Mail
from tests.faults.mailserver import Box, MailServer

FUSES = ("address", "new_issues", "domain", "issue", "acknowledgements")
CONFIG = ("--quiet-before", "never", "--address", "help@example.org")


class Far(NamedTuple):
    """The mailbox of a scene: how it is fetched, and whether a copy stays there."""

    type: str = "maildir"  # or imap, pop3
    leaves: bool = False

    @property
    def account(self) -> str:
        """The type of the account."""
        return self.type if self.type == "maildir" else f"{self.type}/notls"


MAILDIR = Far()


class Scene:
    """A prepared store with its mailboxes, copied for every trial; what an undisturbed run makes of it."""

    def __init__(
        self, folder: Path, count: int, kinds: Sequence[str] = mailbox.KINDS, *, far: Far = MAILDIR, seed: int = 2769
    ) -> None:
        self.folder = folder
        self.prepared = folder / "prepared"
        self.prepared.mkdir()
        self.far = far
        self.server = MailServer() if far.type != "maildir" else None
        self.mails: dict[str, Mail] = {}
        self.parents: dict[str, str] = {}
        done = forked(self._found, self.prepared)
        if done.code != 0:
            raise RuntimeError((self.prepared / "output.txt").read_text())
        # One mailbox that is emptied, with nearly all; one that is left as it is, whose mail opens no issues.
        sizes = (count - count // 10, count // 10)
        for name, account, size in zip(("box", "other"), done.result, sizes, strict=True):
            found = mailbox.mails(size, seed if name == "box" else seed + 2, kinds)
            if name == "box" and self.server:
                Box.fill(self.prepared / name, [mail.raw for mail in found])
            else:
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
            # The mail of weeks comes within a minute here, and what becomes of it must not hang on counters.
            *(("settings", "set", f"fuse.{name}", "0") for name in FUSES),
        ):
            done = flask(root, *line)
            assert done["code"] == 0, done
        where: tuple[str, ...] = ("--folder", str(root / "box"))
        if self.server:
            port = self.server.imap if self.far.type == "imap" else self.server.pop3
            # The name of the user says which mailbox it is: that of the trial.
            where = ("--host", "127.0.0.1", "--port", str(port), "--username", str(root / "box"), "--password-stdin")
        copy = "--leave-copy" if self.far.leaves else "--no-leave-copy"
        ids = []
        for line in (
            ("--type", self.far.account, *where, copy, "--auto-create", "--assign", "dev@example.org"),
            ("--type", "maildir", "--folder", str(root / "other"), "--address", "other@example.org"),
        ):
            done = flask(root, "accounts", "add", "--project", project, *CONFIG, *line, "--json", given="pass")
            assert done["code"] == 0, done
            ids.append(json.loads(done["out"])["id"])
        return ids

    @property
    def given(self) -> dict[str, bytes]:
        """The bytes of all mails by their keys."""
        return {key: mail.raw for key, mail in self.mails.items()}

    @contextmanager
    def copy(self, smtp_port: int = 0, *, prepared: Path | None = None) -> Iterator[Path]:
        """A copy of the prepared folder, for one trial; links stay links and times stay times."""
        root = Path(tempfile.mkdtemp(prefix="trial-", dir=self.folder))
        try:
            duplicate(prepared or self.prepared, root)
            if smtp_port:
                general = root / "data/settings/general.json"
                said = json.loads(general.read_text())
                said["smtp"]["port"] = smtp_port
                general.write_text(json.dumps(said))
            yield root
        finally:
            shutil.rmtree(root)

    def still_there(self, root: Path) -> list[bytes]:
        """The mails that the mailboxes of a trial hold."""
        paths = [*(root / "other").glob("*/*"), *(root / "box").glob("*/*"), *(root / "box").glob("*.eml*")]
        return [path.read_bytes() for path in paths]

    def lost(self, root: Path) -> list[str]:
        """At any moment: each mail lies in its mailbox or, whole, in our store."""
        gone = {hashlib.sha256(mail.raw).digest(): mail for mail in self.mails.values()}
        for raw in self.still_there(root):
            gone.pop(hashlib.sha256(raw).digest(), None)
        if gone:
            for raw in checker.bytes_of_all(root / "data"):
                gone.pop(hashlib.sha256(raw).digest(), None)
        return [f"early: {mail.id} is gone from its mailbox, and we have it not" for mail in gone.values()]

    def left(self, root: Path) -> list[str]:
        """After a whole run: what lies in the mailbox although it should be empty, or is missing there."""
        if self.far.leaves:
            there = {hashlib.sha256(raw).digest() for raw in self.still_there(root)}
            missing = [mail for mail in self.mails.values() if hashlib.sha256(mail.raw).digest() not in there]
            return [f"early: {mail.id} was to stay in its mailbox" for mail in missing]
        paths = [*(root / "box").glob("*/*"), *(root / "box").glob("*.eml*")]
        return [f"stuck: {path.name} was left in the mailbox" for path in paths]

    def close(self) -> None:
        """End its server."""
        if self.server:
            self.server.close()


def duplicate(folder: Path, root: Path) -> None:
    """Copy a trial's folder; what names the mailboxes in it names those of the copy."""
    command = ["cp", "-a", f"{folder}/.", str(root)]
    if os.spawnvp(os.P_WAIT, "cp", command) != 0:
        raise RuntimeError(f"{command} failed")
    for path in (*(root / "data/settings/accounts").iterdir(), *(root / "data/state/fetch").glob("*.json")):
        said = path.read_text()
        path.write_text(re.sub(rf"{re.escape(str(folder.parent))}/[a-z0-9_-]+/(box|other)", rf"{root}/\1", said))


def pose(root: Path, posed: Path) -> None:
    """Keep a trial's folder as it is now, to be copied for others."""
    shutil.rmtree(posed, ignore_errors=True)
    posed.mkdir()
    duplicate(root, posed)


@contextmanager
def scene(count: int, kinds: Sequence[str] = mailbox.KINDS, **more: Any) -> Iterator[Scene]:
    """A prepared scene in memory where there is room, else where temporary files go."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30
    folder = Path(tempfile.mkdtemp(prefix="faults-", dir=memory if roomy else None))
    made = None
    try:
        made = Scene(folder, count, kinds, **more)
        yield made
    finally:
        if made:
            made.close()
        shutil.rmtree(folder)


def run(root: Path, command: str | Sequence[str], *, broken: str = "") -> Ran:
    """The command on a trial's folder, in a fork."""

    def body() -> dict[str, Any]:
        if broken:
            shim.BROKEN[broken]()
        return flask(root, *words(command))

    return forked(body, root)


def words(command: str | Sequence[str]) -> Sequence[str]:
    """The words of a runner's command, with its result as JSON, or those of a person's as they are."""
    return (command, "--json") if isinstance(command, str) else command


def time_passes(data: Path) -> None:
    """What waits for a later time is due: an entry's not-before stands in its name."""
    for path in (*data.glob("spool/in/new/*"), *data.glob("spool/out/new/*")):
        path.rename(path.with_name(re.sub(r",N=[0-9]+", "", path.name)))


# What a run notes of itself at every run: it may differ between two runs that find nothing to do.
NOTES = ("state/runs/", "state/downloads/", "state/daily-", "locks/")
NOTED = re.compile(rb'"(last_run|last_success)": ?"[^"]*"')


def snapshot(data: Path) -> dict[str, str]:
    """The digest of every file but notes of runs."""
    found = {}
    for path in data.rglob("*"):
        name = str(path.relative_to(data))
        if path.is_dir():
            found[name] = "folder"
        elif not name.startswith(NOTES):
            found[name] = hashlib.sha256(NOTED.sub(b"", path.read_bytes())).hexdigest()
    return found


def verified(root: Path) -> list[str]:
    """What `flask verify` finds wrong, and where the kept index says something else than a new one."""
    found = json.loads(flask(root, "verify", "--json")["out"])["findings"]
    wrong = [f"other: verify: {one['path'].removeprefix(str(root))}: {one['problem']}" for one in found]
    return [*wrong, *(f"other: {line}" for line in indexes.difference(root))]


def afterwards(
    root: Path, commands: Sequence[str | Sequence[str]], *, broken: str = "", before: Callable[[], Any] | None = None
) -> list[str]:
    """A fork in which all goes on as usual: these commands once, a look at everything, and they change nothing again.

    `before` is done first, and says what was wrong with it.
    """

    def body() -> list[str]:
        if broken:
            shim.BROKEN[broken]()
        wrong: list[str] = before() if before else []
        for command in commands:
            wrong += ended_well(root, command, flask(root, *words(command)))
        wrong += verified(root)
        kept = snapshot(root / "data")
        for command in commands:
            wrong += ended_well(root, command, flask(root, *words(command)))
        again = snapshot(root / "data")
        changed = [name for name in kept.keys() | again.keys() if kept.get(name) != again.get(name)]
        return [*wrong, *(f"other: {name} was changed by a run that had nothing to do" for name in sorted(changed)[:4])]

    ran = forked(body, root)
    if ran.result is None:
        return [f"other: what came after it ended with {ran.code}: {(root / 'output.txt').read_text()[-2000:]}"]
    return list(ran.result)


def ended_well(root: Path, command: str | Sequence[str], done: dict[str, Any]) -> list[str]:
    """Whether a normal run was content; mails that the far end refuses for good are no fault of it."""
    if done["code"] == 0 or (command == "process-queue" and done["code"] == 1 and done["err"] == ""):
        return []
    return [f"stuck: {command} after it ended with {done['code']}: {done['err']}"]
