"""SIGKILL at every call that changes something: of an import, of its undoing, and of the import again after that.

The rows: `imports-kill` (an import of mails that answer each other and mails that are here), `imports-undo` (its
undoing, with an issue that somebody changed since), `imports-again` (the same mails once more, when they were undone),
`imports-half` (an import that was killed is not gone on with but undone: nothing of it is left), and `broken-imports`:
the faults of broken copies are found.
"""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults import checker, record, rows, shim, trials
from tests.faults.given import Given
from tests.faults.kills import found_out
from tests.faults.record import Result, Trial
from tests.faults.rows import Run
from tests.faults.shim import Fault
from tests.faults.trials import Scene, flask

WHAT = "kills"
MAILS = 20  # of which the first half was fetched before
SEED = 24  # of mails whose second half opens issues, and answers those of the first half and its own
KINDS = ("new", "answer", "new", "staff", "stranger", "machine", "person", "copy", "new", "unclear")
SEPARATOR = b"From somebody@example.org Mon Jan  5 10:00:00 2026\n"


class Archived(Scene):
    """A store with half of the mails, and an mbox with the others, the newest first."""

    def __init__(self, folder: Path, count: int = MAILS) -> None:
        super().__init__(folder, count, KINDS, seed=SEED)
        waiting = sorted((self.prepared / "box/new").iterdir())
        later = waiting[len(waiting) // 2 :]
        self.archived = [path.read_bytes() for path in later]
        for path in later:
            path.unlink()
        box = b"".join(SEPARATOR + raw + b"\r\n" for raw in reversed(self.archived))
        (self.prepared / "archive.mbox").write_bytes(box)
        # What is here already is passed over.
        self.archived.append(waiting[0].read_bytes())
        with open(self.prepared / "archive.mbox", "ab") as file:
            file.write(SEPARATOR + self.archived[-1] + b"\r\n")
        self.account = self._account()
        self.done("download-emails")

    def _account(self) -> str:
        for path in (self.prepared / "data/settings/accounts").iterdir():
            if json.loads(path.read_text())["auto_create"]["enabled"]:
                return path.stem
        raise RuntimeError("there is no account that opens issues")

    def done(self, *words: str) -> dict[str, Any]:
        """A command on the prepared store, which must do it all."""
        ran = trials.forked(lambda: flask(self.prepared, *words), self.prepared)
        if ran.code != 0:
            raise RuntimeError(f"{words}: {ran.result} {(self.prepared / 'output.txt').read_text()[-2000:]}")
        result: dict[str, Any] = ran.result
        return result


def bringing(root: Path, account: str) -> Sequence[str]:
    """The words that import the archive."""
    return "import-mail", str(root / "archive.mbox"), "--account", account, "--json"


def undoing(root: Path) -> Sequence[str]:
    """The words that undo the newest import, if there is one."""
    found = [json.loads(path.read_bytes()) for path in (root / "data/state/imports").glob("*.json")]
    if not found:
        return "import-mail", "--list", "--json"
    return "import-mail", "--undo", str(max(found, key=lambda one: str(one["began"]))["id"]), "--json"


class Disturbed(Run):
    """One command on copies of a scene: disturbed, then once as usual; the story is that of an undisturbed one."""

    scene: Archived

    def __init__(self, scene: Archived, *, ordered: bool) -> None:
        super().__init__(scene)
        self._ordered = ordered
        with scene.copy() as root:
            self.before = checker.story(root / "data")
            self.all = self.places(root)
            self.golden, self.noted = checker.story(root / "data"), noted(root)
            wrong = [*self.seen(root), *trials.afterwards(root, (self.words(root),))]
            if self.golden["told"] != self.before["told"]:
                wrong.append("an import told somebody")
        if wrong:
            raise RuntimeError("an undisturbed run is not without fault:\n" + "\n".join(wrong[:20]))

    def words(self, root: Path) -> Sequence[str]:
        """What is disturbed, and done again."""
        raise KeyError

    def do(self, root: Path) -> dict[str, Any]:
        return flask(root, *self.words(root))

    def seen(self, root: Path) -> list[str]:
        """What is wrong after a whole run."""
        data = root / "data"
        if self._ordered:
            found = [*checker.faults(data, self.scene.given), *checker.in_order(data, self.scene.parents)]
        else:
            # What was taken out of an issue is filed there in its history; people wrote a mail of their own, too.
            found = [*checker.faults(data, None), *placed(data, self.scene.given)]
        found += checker.differences(checker.story(data), self.golden)
        if noted(root) != self.noted:
            found.append(f"other: the import is noted as {noted(root)}, undisturbed {self.noted}")
        return found

    def once(self, fault: Fault) -> Trial:
        with self.scene.copy() as root:
            call, ran = self.disturbed(root, fault)
            wrong = self.crashed(root, fault, ran)
            trials.time_passes(root / "data")
            wrong += trials.afterwards(root, (self.words(root),), broken=self.broken)
            wrong += self.seen(root)
        return Trial(bool(call), tuple(wrong))


def noted(root: Path) -> list[tuple[object, ...]]:
    """What the imports say of themselves, oldest first, without names and times."""
    found = [json.loads(path.read_bytes()) for path in (root / "data/state/imports").glob("*.json")]
    return [
        (one["outcomes"], one["ended"] is not None, one["undone"] is not None, len(one["left"]))
        for one in sorted(found, key=lambda one: str(one["began"]))
    ]


class Brought(Disturbed):
    """`import-mail PATH`."""

    def words(self, root: Path) -> Sequence[str]:
        return bringing(root, self.scene.account)


class Undone(Disturbed):
    """`import-mail --undo ID`."""

    def words(self, root: Path) -> Sequence[str]:
        return undoing(root)


class Half(Brought):
    """`import-mail PATH`, killed, and then undone."""

    def once(self, fault: Fault) -> Trial:
        with self.scene.copy() as root:
            call, _ = self.disturbed(root, fault)
            trials.time_passes(root / "data")
            # Whoever decides next finishes what the dead run had brought; then all of it is taken back.
            wrong = trials.afterwards(root, ("download-emails",), broken=self.broken)
            wrong += trials.afterwards(root, (undoing(root),), broken=self.broken)
            wrong += list(self.left(root))
        return Trial(bool(call), tuple(wrong))

    def left(self, root: Path) -> Iterator[str]:
        """What an undone import left: nothing but closed, empty issues and removed mail."""
        data = root / "data"
        ours = {checker.key_of(self.scene.account, raw) for raw in self.scene.archived[:-1]}
        store = checker.Looked(data)
        yield from store.problems
        yield from checker.faults(data, None)
        story = checker.story(data)
        for key in ours:
            if story["pool"].get(key, "removed") != "removed":
                yield f"stuck: mail {key[:12]} of an undone import is {story['pool'][key]}"
        for number, there in holding(store).items():
            if there & ours:
                yield f"stuck: issue {number} has mail of an undone import"
            if not there and store.issues[number]["closed"] is None:
                yield f"stuck: issue {number} is empty and open"
        # What was not brought yet when the run was killed is in the archive.
        yield from placed(
            data, {key: raw for key, raw in self.scene.given.items() if key in story["pool"] or key not in ours}
        )
        if story["told"] != self.before["told"]:
            yield "doubled: an import told somebody"


def holding(store: checker.Looked) -> dict[int, set[str]]:
    """The keys of the mails that each issue holds now."""
    found: dict[int, set[str]] = {}
    for number, issue in store.issues.items():
        there = found[number] = set()
        for event in issue["events"]:
            if event["what"]["type"] == "filed":
                there.add(event["what"]["message"]["key"])
            elif event["what"]["type"] == "taken_out":
                there.discard(event["what"]["key"])
    return found


def placed(data: Path, given: dict[str, bytes]) -> Iterator[str]:
    """By the records and by the bytes: each mail is in one place, and whole."""
    store = checker.Looked(data)
    places = Counter(key for keys in holding(store).values() for key in keys)
    places.update(record["mail"]["key"] for record in store.pool.values() if record)
    copies: Counter[str] = Counter()
    for path in (*data.glob("issues/*/*/mail/*/*"), *data.glob("pool/*/*/*/*")):
        key = path.name.partition(":")[0]
        copies[key] += 1
        if key in given and checker.raw_of(path.read_bytes()) != given[key]:
            yield f"half: {path.relative_to(data)} is not the mail it should be"
    for key in given:
        if (places[key], copies[key]) != (1, 1):
            kind = "lost" if not copies[key] else "doubled"
            yield f"{kind}: mail {key[:12]} has {places[key]} places and lies in {copies[key]} files"


@contextmanager
def archived(stage: str = "") -> Iterator[Archived]:
    """A scene before the import, after it ("brought"), or after its undoing ("undone")."""
    folder = Path(tempfile.mkdtemp(prefix="faults-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    try:
        made = Archived(folder)
        if stage:
            made.done(*bringing(made.prepared, made.account))
        if stage == "brought":
            # What somebody changed since is left.
            number = opened_last(made)
            made.done("issues", "note", str(number), "--text", "We know him.", "--as", "all@example.org")
        if stage == "undone":
            made.done(*undoing(made.prepared))
        yield made
    finally:
        shutil.rmtree(folder)


def opened_last(made: Archived) -> int:
    """The issue that the import opened last, of several."""
    ours = {checker.key_of(made.account, raw) for raw in made.archived[:-1]}
    store = checker.Looked(made.prepared / "data")
    found = [number for number in store.issues if store.root(number) in ours]
    if len(found) < 2:
        raise RuntimeError(f"the import opened only the issues {found}")
    return max(found)


STAGES: dict[str, tuple[str, Callable[[Archived], Disturbed], int]] = {
    "imports-kill": ("", lambda made: Brought(made, ordered=True), 5),
    "imports-undo": ("brought", lambda made: Undone(made, ordered=False), 4),
    "imports-again": ("undone", lambda made: Brought(made, ordered=False), 3),
    "imports-half": ("", lambda made: Half(made, ordered=True), 3),
}


def row(name: str) -> Callable[[Given], list[Result]]:
    """Kills at every place of one of them."""
    stage, run_of, short = STAGES[name]

    def work(given: Given) -> list[Result]:
        with archived(stage) as made:
            run = run_of(made)
            jobs = given.some(rows.jobs(run.all, "KILL"), short)
            return [record.run(name, WHAT, jobs, run.trial, keep=given.keep)]

    return work


def notes_its_keys_late() -> None:
    """Keeps the mails before it notes which they are."""
    from eventum.runners.importing import Importing
    from eventum.store.imports import Imports

    real, waiting = Imports.add_keys, list[tuple[Imports, str, list[str]]]()
    Imports.add_keys = lambda self, ident, keys: waiting.append((self, ident, list(keys)))  # type: ignore[method-assign,assignment,misc]
    keep = Importing._keep

    def late(self: Any, *rest: Any) -> None:
        keep(self, *rest)
        for store, ident, keys in waiting:
            real(store, ident, keys)
        waiting.clear()

    Importing._keep = late  # type: ignore[method-assign]


def forgets_what_was_on_its_way_back() -> None:
    """Without the half of recovery that brings mail home which was on its way from an issue to the pool."""
    from eventum.store.recovery import Recovery

    Recovery._bring_back = lambda self, intent: None  # type: ignore[method-assign]


BROKEN = {"late": notes_its_keys_late, "homeless": forgets_what_was_on_its_way_back}
shim.BROKEN.update(BROKEN)
# Where each broken copy is killed, to be found out.
WHERE = {
    "late": ("imports-half", "data/state/.tmp/* -> data/state/imports/"),
    "homeless": ("imports-undo", "unlink data/issues/"),
}


def broken(given: Given) -> list[Result]:
    """Copies of the program that lack something are found out."""

    def one(name: str) -> Trial:
        of, part = WHERE[name]
        stage, run_of, _ = STAGES[of]
        with archived(stage) as made:
            run = run_of(made)
            some = [place for place in run.all if part in place.step]
            return found_out(name, run, rows.jobs(some, "KILL"), given)

    names = list(WHERE)[-1:] if given.short else list(WHERE)
    return [record.run("broken-imports", "broken copies", names, one, keep=given.keep)]


ROWS: dict[str, Callable[[Given], list[Result]]] = {**{name: row(name) for name in STAGES}, "broken-imports": broken}
trials.warm()
