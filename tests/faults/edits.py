"""Many people who change the same issues at once, while mail comes and goes: the trials, and what must be there then.

In flow how many hands make how many changes on how many issues, out flows what was lost or doubled. The history is read
from the files: every change that was acknowledged is there once, and no other.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.faults import checker, hands, record, trials
from tests.faults.careless import BROKEN
from tests.faults.checker import Looked
from tests.faults.given import Given
from tests.faults.hands import Change, Task
from tests.faults.office import HANDS, WATCH, Office, office
from tests.faults.record import Result, Trial
from tests.faults.trials import FarEnd, Scene

DOWNLOAD, QUEUE = "download-emails", "process-queue"
PAUSE = 0.3  # Seconds until the next run of those that cron starts every minute.
EDITS = 100  # Changes of each hand in one trial.
FIELDS = ("summary", "status", "priority", "category")
NAMES = {"status_changed": "status"}


def edits(given: Given) -> list[Result]:
    """Eight hands at the same issues: nothing that was acknowledged is lost or doubled, and each is told once."""
    jobs = [f"verbs on {1 + at % 3} issues, {at}" for at in range(45)] + [f"web on 3 issues, {at}" for at in range(5)]
    if given.short:
        jobs = ["verbs on 1 issues, 0", "web on 3 issues, 0"]
    each = {"verbs": 25, "web": 3} if given.short else {"verbs": EDITS, "web": EDITS}
    what = f"runs of {HANDS} x {EDITS} edits"
    with office() as made:

        def one(job: str) -> Trial:
            return edited(made, job, each[job.partition(" ")[0]])

        return [record.run("edits", what, given.some(jobs, len(jobs)), one, workers=1, keep=given.keep)]


def edited(made: Office, job: str, count: int, *, many: int = HANDS, broken: str = "") -> Trial:
    """One trial: `<kind> on <issues> issues, <run>`, in which each of so many hands makes so many changes."""
    kind, _, issues, _, run = job.replace(",", "").split()
    far = FarEnd(made.folder)
    try:
        with made.copy(far.port) as root:
            tasks = [Task(int(run), hand, count, made.issues[: int(issues)]) for hand in range(many)]
            done = _meanwhile(root, tasks, kind, broken)
            if isinstance(done, str):
                return Trial(True, (f"other: {done}",))
            trials.time_passes(root / "data")
            wrong = [fault for one in done for fault in one["faults"]]
            wrong += trials.afterwards(root, [DOWNLOAD, QUEUE])
            wrong += checker.faults(root / "data", None)
            wrong += mails(made, root)
            acknowledged = [Change(*change) for one in done for change in one["done"]]
            wrong += history(root / "data", acknowledged, [Change(*change) for one in done for change in one["left"]])
            never, twice = checker.deliveries(root / "data", far.delivered(), trials.REFUSED)
            wrong += [*never, *(f"doubled: {one} was delivered twice" for one in twice)]
            return Trial(len(acknowledged) == count * many, tuple(wrong))
    finally:
        far.close()


def _meanwhile(root: Path, tasks: Sequence[Task], kind: str, broken: str) -> list[Any] | str:
    """What the hands say, who work while mail comes and goes; or what went wrong with one of these processes."""
    over = root / "over"

    def again_and_again(*command: str) -> Callable[[], Any]:
        def body() -> list[str]:
            while not over.exists():
                trials.flask(root, *command)
                time.sleep(PAUSE)
            return []

        return body

    def hand(task: Task) -> Callable[[], Any]:
        def body() -> Any:
            if broken:
                BROKEN[broken]()
            return hands.work(kind, root, task)

        return body

    bodies = [hand(task) for task in tasks] + [again_and_again(DOWNLOAD, "--limit", "3"), again_and_again(QUEUE)]
    folders = [root / f"run-{at}" for at in range(len(bodies))]
    children = []
    for body, folder in zip(bodies, folders, strict=True):
        folder.mkdir()
        children.append(trials.begun(body, folder))
    ran = []
    for child, folder in zip(children, folders, strict=True):
        if len(ran) == len(tasks):
            over.touch()
        ran.append(trials.ended(child, folder))
    for one, folder in zip(ran, folders, strict=True):
        if one.result is None:
            return f"a process ended with {one.code}: {(folder / 'output.txt').read_text()[-1500:]}"
    return [one.result for one in ran[: len(tasks)]]


def mails(made: Scene, root: Path) -> Iterator[str]:
    """Each mail of the mailboxes is in one place."""
    store = Looked(root / "data")
    places = Counter(key for key, _, _ in store.filings())
    places.update(record["mail"]["key"] for record in store.pool.values() if record)
    for key in made.mails:
        if places[key] != 1:
            yield f"{'doubled' if places[key] else 'lost'}: mail {key[:12]} has {places[key]} places"


def history(data: Path, done: Sequence[Change], given_up: Sequence[Change]) -> Iterator[str]:
    """Every change that was acknowledged is there once, no other is, and each took up where the one before ended."""
    store = Looked(data)
    found: Counter[str] = Counter()
    events: dict[str, tuple[int, Any]] = {}
    for number, issue in store.issues.items():
        for event in issue["events"]:
            serial = event.get("nonce") or (event["what"]["address"] if event["what"]["type"] == "subscribed" else "")
            found[serial] += 1
            events[serial] = number, event
        yield from chain(number, issue)
    for change in done:
        serial = change.value if change.verb == "list" else change.serial
        if found[serial] != 1:
            yield f"{'doubled' if found[serial] else 'lost'}: {change} is {found[serial]} times in the history"
            continue
        number, event = events[serial]
        if number != change.issue:
            yield f"other: {change} is in issue {number}"
        if change.verb in FIELDS and event["what"]["new"] != change.value:
            yield f"lost: {change} set {event['what']['new']}"
        if change.verb in ("note", "reply"):
            yield from _letter(data, store, change, event)
    for change in given_up:
        if found[change.value if change.verb == "list" else change.serial]:
            yield f"other: {change} was refused, and is done"


def chain(number: int, issue: dict[str, Any]) -> Iterator[str]:
    numbers = [event["number"] for event in issue["events"]]
    if numbers != list(range(1, issue["next_event"])):
        yield f"lost: issue {number} has {len(numbers)} events, and the next one is {issue['next_event']}"
    now: dict[str, str] = {}
    for event in issue["events"]:
        what = event["what"]
        field = what.get("field") or NAMES.get(what["type"], "")
        if field in FIELDS:
            if now.get(field, what["old"]) != what["old"]:
                yield f"lost: issue {number}: {field} went from {what['old']!r}, and was {now[field]!r}"
            now[field] = what["new"]
    for field, value in now.items():
        if issue[field] != value:
            yield f"lost: issue {number}: {field} is {issue[field]!r}, and was set to {value!r}"


def _letter(data: Path, store: Looked, change: Change, event: dict[str, Any]) -> Iterator[str]:
    # The form's first event may be that its writer is on the list now.
    later = (one for one in store.issues[change.issue]["events"] if one["number"] >= event["number"])
    event = next(one for one in later if one["what"]["type"] == "filed")
    key = event["what"]["message"]["key"]
    texts = [path.read_bytes() for path in data.glob(f"issues/*/{change.issue}/mail/*/{key}*")]
    if len(texts) != 1 or change.serial.encode() not in texts[0]:
        yield f"lost: the text of {change} lies in {len(texts)} files"
    told = sum((one.issue, one.event, one.recipient) == (change.issue, event["number"], WATCH) for one in store.notices)
    if told != 1:
        yield f"{'doubled' if told else 'silent'}: {change} was told {told} times"
