"""Mail that breaks whoever reads it: every way to break, at every place of a batch, also in the web.

Disturbed is the guarded child: `evil/sitecustomize.py`, on its path only in these trials, makes it hang, crash, eat
memory or answer nonsense on a mail that is marked. A trial gives a store such mails among good ones and runs
`download-emails` three times, time passing in between. All good mail must be decided by the first run, once; the bad
one is named with its reason and exit code 1 each time, is laid aside at the third, can be had as it came, and is
decided when it is tried again by a child that is well. Limits of time are lowered here, so that a trial takes seconds.
"""

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.faults import record, trials
from tests.faults.evil.sitecustomize import EVIL, MARK, NEVER
from tests.faults.given import Given
from tests.faults.record import Result, Trial

GOOD = 100
PLACES = ("first", "second", "middle", "last")
# What the reason must say, by the kind; each of them says how the child ended.
REASONS = {
    "loop": "worked longer",
    "loop-in-c": "worked longer",
    "sleep": "took longer",
    "stop": "took longer",
    "memory-in-c": "SIG",
    "segfault": "SIGSEGV",
    "abort": "SIGABRT",
    "killed": "SIGKILL",
    "garbage": "nonsense",
    "garbage-and-death": "",
    "flood": "",
    "half-an-answer": "took longer",
    "huge-answer": "too much",
}


# Ways to be evil without any work: only the clock of who waits ends them.
IDLE = ("sleep", "stop", "half-an-answer")
# Ways to work for ever: only the limit of work ends them.
BUSY = ("loop", "loop-in-c")


@contextmanager
def evil(kind: str) -> Iterator[None]:
    """Children are evil in this way meanwhile, and limits are short."""
    from eventum.store import spool
    from eventum.tracker import guard, reading
    from eventum.tracker.limits import Limits

    # On a machine with much else to do a run outlasts the pauses, and a mail would be tried twice by it.
    pauses, spool.PAUSES = spool.PAUSES, (3600, 3600)
    before, limits = os.environ.get("PYTHONPATH"), reading.LIMITS
    guard.close()
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parent / "evil"), before]))
    os.environ["EVIL"] = kind
    reading.LIMITS = Limits(
        work=0.3 if kind in BUSY else 5.0,
        wait=2.0 if kind in IDLE else 20.0,
        start=2.0 if kind in NEVER else 60.0,
    )
    try:
        yield
    finally:
        guard.close()
        reading.LIMITS = limits
        spool.PAUSES = pauses
        del os.environ["EVIL"]
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def poison(at: int = 0) -> bytes:
    """A mail that is marked."""
    from tests.house import mail

    return mail(f"Bad {at}", "Read this.", X_Poison="yes", From="=?utf-8?q?B=C3=A4d?= <bad@evil.example>")


class Store:
    """A store of one trial: its mails lie durable in the spool, its commands run in forks of their own."""

    def __init__(self, root: Path, mails: Sequence[bytes]) -> None:
        self.root = root
        for part in ("new", "cur", "tmp"):
            (root / "box-0" / part).mkdir(parents=True)
        trials.forked(lambda: self._fill(mails), root)

    def _fill(self, mails: Sequence[bytes]) -> None:
        from eventum.mail.envelope import Envelope
        from tests.house import House

        house = House(self.root)
        house.tracker.spool.accept([(Envelope(destination=house.account.id, received=house.now), raw) for raw in mails])
        house.tracker.close()

    def run(self, *words: str, broken: str = "") -> dict[str, Any]:
        """A command: its exit code and what it said."""

        def body() -> dict[str, Any]:
            if broken:
                BROKEN[broken]()
            return trials.flask(self.root, *words)

        ran = trials.forked(body, self.root)
        if ran.result is None:
            return {"code": ran.code, "out": "", "err": (self.root / "output.txt").read_text()[-1500:]}
        return dict(ran.result)

    def subjects(self) -> list[str]:
        """What the issues are called, sorted."""
        listed = json.loads(self.run("issues", "list", "--limit", "1000", "--json")["out"])
        return sorted(one["summary"] for one in listed)

    def dead(self) -> list[dict[str, Any]]:
        """What was laid aside."""
        return list(json.loads(self.run("dead", "list", "--json")["out"]))

    def time_passes(self) -> None:
        """What waits for a later moment is due."""
        for path in (self.root / "data/spool/in/new").iterdir():
            path.rename(path.with_name(re.sub(r",N=[0-9]+", ",N=1", path.name)))

    def waiting(self) -> int:
        """How many mails are not decided."""
        return sum(len(list((self.root / "data/spool/in" / part).iterdir())) for part in ("new", "cur"))


@contextmanager
def store(mails: Sequence[bytes]) -> Iterator[Store]:
    """A store in memory where there is room."""
    roomy = os.access("/dev/shm", os.W_OK) and shutil.disk_usage("/dev/shm").free > 1 << 29
    root = Path(tempfile.mkdtemp(prefix="poison-", dir="/dev/shm" if roomy else None))
    try:
        yield Store(root, mails)
    finally:
        shutil.rmtree(root)


def batch(places: Sequence[int], good: int) -> tuple[list[bytes], list[str], list[bytes]]:
    """Mails with bad ones at these places: all of them, the subjects of the good ones, and the bad ones."""
    from tests.house import mail

    subjects = [f"Good {at:03}" for at in range(good)]
    mails = [mail(one, f"Text of {one}.", From=f"c@{one[5:]}.example") for one in subjects]
    bad: list[bytes] = []
    for at, place in enumerate(sorted(places)):
        bad.append(poison(at))
        mails.insert(place, bad[-1])
    return mails, subjects, bad


def place_of(name: str, good: int) -> int:
    """Where in a batch with so many good mails."""
    return {"first": 0, "second": 1, "middle": good // 2, "last": good}[name]


def buried(kind: str, places: Sequence[int], good: int = GOOD, broken: str = "") -> Trial:
    """One trial of mail that comes in."""
    mails, subjects, bad = batch(places, good)
    faults: list[str] = []
    with store(mails) as made:
        with evil(kind):
            for attempt in (1, 2, 3):
                ran = made.run("download-emails", "--json", broken=broken)
                faults += [f"silent: run {attempt} ended with {ran['code']}"] if ran["code"] != 1 else []
                if REASONS.get(kind, "died") not in ran["err"]:
                    faults.append(f"silent: run {attempt} gave no reason: {ran['err'][-300:]}")
                if made.subjects() != subjects:
                    faults.append(f"stuck: after run {attempt} {len(made.subjects())} of {good} good mails are issues")
                left = made.waiting()
                if left != (len(bad) if attempt < 3 else 0):
                    faults.append(f"stuck: after run {attempt} {left} mails wait")
                made.time_passes()
            faults += _laid_aside(made, kind, bad)
            ran = made.run("download-emails", "--json", broken=broken)
            faults += [f"other: with nothing to do it ended with {ran['code']}"] if ran["code"] != 0 else []
            disturbed = bool(made.dead()) or bool(faults)
        for one in made.dead():
            made.run("dead", "retry", one["id"])
        ran = made.run("download-emails", "--json", broken=broken)
        if ran["code"] != 0 or made.subjects() != sorted([*subjects, *(f"Bad {at}" for at in range(len(bad)))]):
            faults.append(f"lost: tried again by a well child it ended with {ran['code']}: {ran['err'][-300:]}")
        if made.run("verify", "--json")["code"] != 0:
            faults.append("other: verify found something")
    return Trial(disturbed, tuple(faults))


def _laid_aside(made: Store, kind: str, bad: Sequence[bytes]) -> list[str]:
    """What is wrong with how the administrator sees what was laid aside."""
    rows, faults = made.dead(), []
    if len(rows) != len(bad):
        return [f"stuck: {len(rows)} of {len(bad)} bad mails are laid aside"]
    for row in rows:
        seen = (row["from"], row["subject"][:4], row["attempts"])
        if seen != ("Bäd <bad@evil.example>", "Bad ", 3) or REASONS.get(kind, "died") not in row["reason"]:
            faults.append(f"silent: the list of dead mail shows {row}")
    kept = {path.read_bytes().partition(b"X-Eventum-End: mail follows\r\n")[2] for path in _dead_files(made)}
    return faults if kept == set(bad) else [*faults, "lost: its bytes are not as they came"]


def _dead_files(made: Store) -> list[Path]:
    return list((made.root / "data/spool/dead/cur").iterdir())


def never_ready(kind: str, good: int = 5) -> Trial:
    """No child can be started: nothing is decided, and nobody is accused of it, however often it is tried."""
    mails, subjects, _ = batch((), good)
    faults: list[str] = []
    with store(mails) as made:
        with evil(kind):
            for attempt in range(1, 5):
                ran = made.run("download-emails", "--json")
                if ran["code"] != 1 or "cannot be started" not in ran["err"]:
                    faults.append(f"silent: run {attempt} ended with {ran['code']}: {ran['err'][-300:]}")
                made.time_passes()
            disturbed = made.waiting() == good
            if made.dead() or not disturbed:
                faults.append(f"lost: {made.waiting()} of {good} mails wait, {len(made.dead())} are laid aside")
        ran = made.run("download-emails", "--json")
        if ran["code"] != 0 or made.subjects() != subjects:
            faults.append(f"stuck: a well child was there, and it ended with {ran['code']}: {ran['err'][-300:]}")
    return Trial(disturbed, tuple(faults))


def looked_at(kind: str) -> Trial:
    """A mail that became poison after it was filed, as by a newer parser: people look at it when the cache is gone."""
    with store([poison(), *batch((), 3)[0]]) as made:
        made.run("download-emails", "--json")
        shutil.rmtree(made.root / "cache")
        with evil(kind):
            ran = trials.forked(lambda: _look(made.root), made.root)
        if ran.result is None:
            return Trial(True, (f"other: {(made.root / 'output.txt').read_text()[-1500:]}",))
        faults = [str(one) for one in ran.result["faults"]]
        return Trial(bool(ran.result["disturbed"]), tuple(faults))


def _look(root: Path) -> dict[str, Any]:
    """What a person sees in the web."""
    from eventum.config import Config
    from eventum.tracker import guard
    from eventum.tracker.tracker import Tracker
    from tests.house import NOW
    from tests.web.browser import Site

    config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")
    house = SimpleNamespace(config=config, now=NOW, root=root, tracker=Tracker(config))
    site = Site(house)  # type: ignore[arg-type]  # It is all of a house that it needs.
    browser = site.browser("dev@example.org")
    (key,) = [path.name.partition(":")[0] for path in root.glob("data/issues/0/1/mail/cur/*")]
    faults: list[str] = []
    asked: list[Path] = []
    ask = guard.ask
    guard.ask = lambda cache, path, what="read": asked.append(path) or ask(cache, path, what)
    for name in (f"/mails/{key}", f"/mails/{key}", "/issues/1"):
        began = time.monotonic()
        page = browser.get(name)
        took = time.monotonic() - began
        if page.status != 200 or "could not be read" not in page.text:
            faults.append(f"silent: {name} answered {page.status} without saying why there is no text")
        if took > 30:
            faults.append(f"stuck: {name} took {took:.1f} s")
    if len(asked) != 1:
        faults.append(f"stuck: it was read {len(asked)} times for three pages")
    if MARK not in browser.get(f"/mails/{key}/raw").data:
        faults.append("lost: the raw mail cannot be had")
    if "Text of Good 000" not in browser.get("/issues/2").text:
        faults.append("other: another issue cannot be looked at")
    marks = list((root / "cache").rglob("*.unread"))
    site.close()
    guard.close()
    return {"faults": faults, "disturbed": len(marks) == 1}


# The same product with something essential taken out; the trials must find it.


def _one_bad_mail_stops_the_batch() -> None:
    from eventum.runners import incoming

    def stop(self: Any, entry: Any, reason: str) -> None:
        raise RuntimeError(reason)

    incoming.Incoming._put_off = stop  # type: ignore[method-assign]


def _never_buried() -> None:
    from eventum.store import spool

    spool.MAX_ATTEMPTS = 10**9  # type: ignore[misc]
    spool.PAUSES = (60,) * 100  # type: ignore[assignment]


BROKEN: dict[str, Callable[[], None]] = {
    "one-bad-mail-stops-the-batch": _one_bad_mail_stops_the_batch,
    "never-buried": _never_buried,
}


def _warm() -> None:
    """Import what all forks need once."""
    import app  # noqa: F401
    import tests.house
    import tests.web.browser  # noqa: F401

    trials.warm()


def _kinds(given: Given) -> list[Result]:
    _warm()
    jobs = given.some([f"{kind} {place}" for kind in EVIL for place in PLACES], 1)
    good = 6 if given.short else GOOD

    def one(job: str) -> Trial:
        kind, place = job.split()
        return buried(kind, [place_of(place, good)], good)

    return [record.run("poison", "bad mails", jobs, one, keep=given.keep)]


def _many(given: Given) -> list[Result]:
    _warm()
    places = {"ten-at-the-head": range(10), "every-tenth": range(0, 110, 11), "two-together": (50, 51), "all": range(5)}
    jobs = given.some([f"{kind} {name}" for kind in ("loop", "segfault", "memory", "garbage") for name in places], 1)

    def one(job: str) -> Trial:
        kind, name = job.split()
        return buried(kind, list(places[name]), 0 if name == "all" else GOOD)

    return [record.run("poison-many", "batches with several bad mails", jobs, one, keep=given.keep)]


def _never(given: Given) -> list[Result]:
    _warm()
    jobs = given.some(list(NEVER), 1)
    return [record.run("poison-no-reader", "readers that cannot be started", jobs, never_ready, keep=given.keep)]


def _web(given: Given) -> list[Result]:
    _warm()
    jobs = given.some([kind for kind in EVIL if kind != "huge-answer"], 1)
    return [record.run("poison-web", "bad mails looked at", jobs, looked_at, keep=given.keep)]


def broken(name: str) -> Trial:
    """A broken copy must be found out; a fault is that it was not."""
    tried = buried("segfault", [2], 5, broken=name)
    return Trial(True, () if tried.faults else (f"silent: nothing was found wrong with {name}",))


def _broken(given: Given) -> list[Result]:
    _warm()
    return [record.run("broken-poison", "broken copies", given.some(list(BROKEN), 1), broken, keep=given.keep)]


ROWS: dict[str, Callable[[Given], list[Result]]] = {
    "poison": _kinds,
    "poison-many": _many,
    "poison-no-reader": _never,
    "poison-web": _web,
    "broken-poison": _broken,
}
