"""The clock jumps: back an hour or a day, ahead a day or a year, to 1970; and days on which it does odd things.

In flow a jump and what goes on when it comes; out flows what is lost, doubled, stuck or forgotten afterwards. All that
the product asks is moved: its clock, the times in names and records, the times of files. The row `clocks` has every
story with every jump; `broken-clocks`: the harness finds the faults of copies that believe any clock.
"""

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.faults import checker, hands, mailbox, record, trials
from tests.faults.edits import history
from tests.faults.given import Given
from tests.faults.hands import Task
from tests.faults.office import Office, office
from tests.faults.record import Result, Trial
from tests.faults.trials import FarEnd

DOWNLOAD, QUEUE = "download-emails", "process-queue"
HOUR, DAY, YEAR = 3600, 86400, 365 * 86400
# By how much the clock is wrong for a while. Afterwards it is right.
JUMPS = {
    "an hour back": -HOUR,
    "a day back": -DAY,
    "a day ahead": DAY,
    "a year ahead": YEAR,
    "1970": 0,
    "a leap day": 0,
    "the hour that comes twice": 0,
    "no tick": 0,
}
# What a clock stands at, for those that are no distance.
MOMENTS = {
    "1970": datetime(1970, 1, 1, 0, 10, tzinfo=UTC),
    "a leap day": datetime(2028, 2, 29, 23, 59, 58, tzinfo=UTC),
    "the hour that comes twice": datetime(2026, 10, 25, 0, 59, 58, tzinfo=UTC),
}
REAL, REAL_NS = time.time, time.time_ns


def sets(jump: str) -> None:
    """Let the clock of this process be wrong by a jump; there is no way back."""
    from eventum.tracker import tracker

    begun = REAL()
    stands = MOMENTS.get(jump)
    by = stands.timestamp() - begun if stands else JUMPS[jump]

    def seconds() -> float:
        return begun if jump == "no tick" else REAL() + by

    time.time = seconds
    time.time_ns = lambda: int(seconds() * 1e9)
    tracker.utc_now.__code__ = _by_time.__code__
    tracker.utc_now.__globals__["time"] = time


def _by_time() -> datetime:
    """What takes the place of the product's clock."""
    return datetime.fromtimestamp(time.time(), UTC)


def clocks(given: Given) -> list[Result]:
    """Every story with every jump."""
    jobs = [f"{story}: {jump}" for story in STORIES for jump in JUMPS]
    if given.short:
        jobs = ["mail: an hour back", "deferred: a year ahead", "pruned: a day ahead", "session: an hour back"]
    with office(30) as made:

        def one(job: str) -> Trial:
            return told(made, job)

        return [record.run("clocks", "clock jumps", given.some(jobs, len(jobs)), one, keep=given.keep)]


def told(made: Office, job: str, *, broken: str = "") -> Trial:
    """One trial: `<story>: <jump>`."""
    story, _, jump = job.partition(": ")
    far = FarEnd(made.folder)
    try:
        with made.copy(far.port) as root:
            wrong = list(STORIES[story](made, root, jump, broken))
            if story in FILED:
                wrong += _well(made, root, far)
            return Trial(True, tuple(wrong))
    except RuntimeError as error:  # Something that was done by the wrong clock ended oddly: a fault, and no more.
        return Trial(True, (f"other: {error}",))
    finally:
        far.close()


def _well(made: Office, root: Path, far: FarEnd) -> list[str]:
    """All is filed and sent once the clock is right, by no more than the usual runs."""
    wrong = trials.afterwards(root, [DOWNLOAD, QUEUE])
    wrong += checker.faults(root / "data", None) + made.lost(root) + made.left(root)
    wrong += checker.in_order(root / "data", made.parents)
    never, twice = checker.deliveries(root / "data", far.delivered(), trials.REFUSED)
    return [*wrong, *never, *(f"doubled: {one} was delivered twice" for one in twice)]


def _at(root: Path, jump: str, body: Callable[[], Any], broken: str = "") -> Any:
    """Something that is done while the clock is wrong ("" for right)."""

    def wrongly() -> Any:
        if broken:
            BROKEN[broken]()
        if jump:
            sets(jump)
        return body()

    ran = trials.forked(wrongly, root)
    if ran.result is None:
        raise RuntimeError(f"ended with {ran.code}: {(root / 'output.txt').read_text()[-2000:]}")
    return ran.result


def _mail(made: Office, root: Path, jump: str, broken: str) -> Iterator[str]:
    """Some mail is filed and sent before the jump, some while the clock is wrong, the rest after it."""
    for when in ("", jump, ""):
        for command in ((DOWNLOAD, "--limit", "8"), (QUEUE,)):
            done = _at(root, when, lambda command=command: trials.flask(root, *command), broken)
            if done["code"] not in (0, 1):
                yield f"stuck: {command[0]} ended with {done['code']}: {done['err']}"


def _order(made: Office, root: Path, jump: str, broken: str) -> Iterator[str]:
    """A question waits to be decided, and its answer is fetched by another clock."""
    question, answer = mailbox.mails(2, 4711, ["answer"])
    account = next(
        path.stem for path in (root / "data/settings/accounts").glob("*.json") if '/box"' in path.read_text()
    )

    def accept(raw: bytes) -> Callable[[], Any]:
        def body() -> Any:
            from eventum.config import Config
            from eventum.mail.envelope import Envelope
            from eventum.tracker.tracker import Tracker

            config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")
            tracker = Tracker(config).open()
            try:
                return tracker.spool.accept([(Envelope(destination=account, received=tracker.clock()), raw)])
            finally:
                tracker.close()

        return body

    _at(root, "", accept(question.raw), broken)
    _at(root, jump, accept(answer.raw), broken)
    done = _at(root, "", lambda: trials.flask(root, DOWNLOAD))
    if done["code"] != 0:
        yield f"stuck: {DOWNLOAD} ended with {done['code']}: {done['err']}"
    parents = {checker.key_of(account, answer.raw): checker.key_of(account, question.raw)}
    yield from checker.in_order(root / "data", parents)


def _deferred(made: Office, root: Path, jump: str, broken: str) -> Iterator[str]:
    """What was put off while the clock was wrong is not put off for longer than any pause of ours."""
    _at(root, "", lambda: trials.flask(root, DOWNLOAD), broken)

    def body() -> Any:
        from eventum.config import Config
        from eventum.tracker.tracker import Tracker

        config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")
        tracker = Tracker(config).open()
        try:
            for entry in tracker.outbox.due():
                if (claimed := tracker.outbox.claim(entry)) is not None:
                    tracker.outbox.defer(claimed, "451 later")
            return tracker.outbox.remaining()
        finally:
            tracker.close()

    if not _at(root, jump, body, broken):
        yield "other: nothing was deferred"
    for path in (root / "data/spool/out/new").iterdir():
        pause = int(re.findall(r",N=([0-9]+)", path.name)[0]) - time.time()
        if 6 * HOUR >= pause > HOUR + 70:
            yield f"stuck: {path.name} waits for {pause:.0f} s"
    _at(root, "", lambda: trials.flask(root, QUEUE), broken)
    for path in (root / "data/spool/out/new").iterdir():
        if int(re.findall(r",N=([0-9]+)", path.name)[0]) - time.time() > 6 * HOUR:
            yield f"stuck: {path.name} waits for longer than any pause"
    trials.time_passes(root / "data")


def _pruned(made: Office, root: Path, jump: str, broken: str) -> Iterator[str]:
    """No copy of a mail that was handled just now is forgotten, and nothing else either."""
    _at(root, "", lambda: trials.flask(root, DOWNLOAD), broken)
    kept = {path.name for path in (root / "data").glob("spool/*/cur/*")}
    for when in (jump, "", jump, ""):
        _at(root, when, lambda: trials.flask(root, DOWNLOAD), broken)
    left = {path.name for path in (root / "data").glob("spool/*/cur/*")}
    yield from (f"early: {name[:20]} was forgotten" for name in sorted(kept - left))
    # Nor is it kept for ever: two days of looks by a clock that is right.
    _at(root, "", lambda: _looks_for_days(root), broken)
    if broken == "" and any((root / "data/spool/done/cur").iterdir()):
        yield "stuck: what was handled is not forgotten after two days"


def _looks_for_days(root: Path) -> Any:
    from eventum.config import Config
    from eventum.runners.incoming import prune
    from eventum.tracker.tracker import Tracker

    begun = datetime.now(UTC) + timedelta(hours=1)
    hours = 0
    config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")
    tracker = Tracker(config, lambda: begun + timedelta(hours=hours)).open()
    try:
        for hours in range(60):  # noqa: B007 - the clock looks at it
            prune(tracker)
    finally:
        tracker.close()
    return True


def _session(made: Office, root: Path, jump: str, broken: str) -> Iterator[str]:
    """Who is logged in stays so when the clock is set back a little; a jump keeps nobody out for good."""

    def opened(cookie: str) -> Any:
        hand = hands.Browser(root, Task(0, 0, 1, ()), cookie=cookie)
        try:
            return {"code": 0, "status": hand.status(made.issues[0]), "cookie": hand.cookie()}
        finally:
            hand.close()

    session = _at(root, jump, lambda: opened(""), broken)
    if session["status"] != 200:
        yield f"other: a session that began now is answered with {session['status']}"
    again = _at(root, "", lambda: opened(session["cookie"]), broken)
    if JUMPS[jump] in (-HOUR, DAY, 0) and jump not in MOMENTS and again["status"] != 200:
        yield f"other: the session ended when the clock was right again ({again['status']})"
    anew = _at(root, "", lambda: opened(""), broken)
    if anew["status"] != 200:
        yield f"stuck: nobody can log in: {anew['status']}"


def _thanked(made: Office, root: Path, jump: str, broken: str) -> Iterator[str]:
    """Who was thanked often enough by a wrong clock is thanked today."""
    box = root / "box/new"
    for path in box.iterdir():
        path.unlink()
    found = [one for one in mailbox.mails(8, 31, ["new"])]
    one = f"From: Zoe <zoe{JUMPS[jump]}@customer.example>".encode()
    for at, mail in enumerate(found):
        raw = re.sub(rb"^From: [^\r]*", one, mail.raw)
        now = "" if at == 7 else jump
        raw = re.sub(rb"\r\nDate: [^\r]*", b"", raw)
        (box / f"z{at}.mail").write_bytes(raw)
        _at(root, now, lambda: trials.flask(root, DOWNLOAD), broken)
    thanked = [notice for notice in checker.Looked(root / "data").notices if notice.recipient.startswith("zoe")]
    limit = 7 if abs(JUMPS[jump]) in (DAY, YEAR) or jump in MOMENTS else 0
    last = max((notice.issue for notice in thanked), default=0)
    newest = max(int(path.name) for path in (root / "data").glob("issues/*/*") if path.name.isdigit())
    if limit and last != newest:
        yield f"silent: nobody thanked for issue {newest}, whose mail came by a clock that was right"


def _edits(made: Office, root: Path, jump: str, broken: str) -> Iterator[str]:
    """People work on while the clock is wrong; nothing of it is lost."""
    acknowledged = []
    for at, when in enumerate(("", jump, "")):
        done = _at(root, when, lambda at=at: hands.work("verbs", root, Task(at, at, 20, made.issues)), broken)
        acknowledged += [hands.Change(*change) for change in done["done"]]
    yield from history(root / "data", acknowledged, [])


STORIES: dict[str, Callable[[Office, Path, str, str], Iterator[str]]] = {
    "mail": _mail,
    "order": _order,
    "deferred": _deferred,
    "pruned": _pruned,
    "session": _session,
    "thanked": _thanked,
    "edits": _edits,
}
FILED = ("mail", "deferred", "edits")  # After which all goes on as usual.


def believes_every_age() -> None:
    """What is old by the clock is old."""
    from eventum.store import age

    age.before = lambda looks, seconds: looks[-1] - seconds  # type: ignore[assignment]


def believes_every_order() -> None:
    """A mail came when the clock says so."""
    from eventum.store.maker import Maker

    Maker.arrival_ns = lambda self, after=0: time.time_ns()  # type: ignore[method-assign]


def believes_every_pause() -> None:
    """What was put off until a year from now waits for a year."""
    from eventum.store import maildir

    maildir.LONGEST_PAUSE = 10 * YEAR


BROKEN: dict[str, Callable[[], None]] = {
    "age": believes_every_age,
    "order": believes_every_order,
    "pause": believes_every_pause,
}
FINDS = {"age": "pruned: a day ahead", "order": "order: an hour back", "pause": "deferred: a year ahead"}


def broken_copies(given: Given) -> list[Result]:
    """Each broken copy is found."""
    with office(30) as made:

        def one(job: str) -> Trial:
            found = told(made, FINDS[job], broken=job)
            return Trial(True, () if found.faults else (f"other: the broken copy {job} was not found out",))

        jobs = ["age"] if given.short else list(BROKEN)
        return [record.run("broken-clocks", "broken copies", jobs, one, keep=given.keep)]


ROWS: dict[str, Callable[[Given], list[Result]]] = {"broken-clocks": broken_copies, "clocks": clocks}
