"""The far end: connections that are cut or stop after any byte, servers that answer oddly, hostile servers.

`cut-*`: the connection ends (FIN, RST) or stalls after a byte sent or received. `answers-*`: every command of a
protocol meets every odd answer, and the worlds in which the server lies. `hostile`: answers without end, sizes of
10 GB, a byte now and then; bounded in time and memory. `broken-far`: copies that lack something are found out.

Each trial: one run of the product against the odd server, then runs against one in order. Nothing may be lost or
twice at any moment, the first run says what it met, and the next one brings all to its end.
"""

import hashlib
import json
import os
import resource
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from tests.faults import checker, lacking, oddities, record, trials
from tests.faults.cuts import Servers
from tests.faults.given import Given
from tests.faults.mailbox import Mail
from tests.faults.mailserver import Box
from tests.faults.oddities import Job
from tests.faults.record import Result
from tests.faults.trials import Far, Scene

DOWNLOAD, QUEUE = "download-emails", "process-queue"
# What a trial has instead of minutes: the same limits, shorter.
PATIENCE = {"connect": 5.0, "command": 0.4, "ending": 0.4, "answer": 2.0, "whole": 60.0}
CONTROL = [chr(code) for code in (*range(32), 127) if chr(code) != "\n"]


# What a run may take against a server that never ends; an answer may take two seconds in these trials, not 300.
LONGEST = 30.0
LARGEST = 150_000  # Kilobytes by which the memory of the run may grow.


def mails() -> list[bytes]:
    """Dots at the beginnings of lines, an answer, two that are the same, a long one, letters of eight bits."""

    def mail(number: int, subject: str, body: str, more: str = "") -> bytes:
        head = f"From: c{number}@customer.example\r\nTo: help@example.org\r\nSubject: {subject}\r\n"
        date = f"Date: Sun, 22 Nov 2026 11:0{number}:00 +0000\r\n"
        return f"{head}Message-ID: <{number}@customer.example>\r\n{date}{more}\r\n{body}".encode("latin-1")

    one = mail(1, "Dots", ".\r\n..\r\n.x\r\n...\r\n")
    two = mail(1, "Re: Dots", "More.\r\n", "In-Reply-To: <1@customer.example>\r\n").replace(
        b"<1@customer.example>\r\nD", b"<2@customer.example>\r\nD"
    )
    same = mail(3, "Twice the same", "A (paren) and {12}\r\n")
    long = mail(4, "Long", "".join(f"Line {at} of it, with )\r\n" for at in range(40)))
    return [one, two, same, long, same, mail(6, "Eight", "gr\xfc\xdfe\r\n..\r\nend\r\n")]


@contextmanager
def fetching(protocol: str, *, leaves: bool = False) -> Iterator[Scene]:
    """A scene with one account of this protocol and the mails above."""
    with trials.scene(1, far=Far(protocol, leaves)) as made:
        shutil.rmtree(made.prepared / "box")
        Box.fill(made.prepared / "box", mails())
        accounts = [json.loads(path.read_bytes()) | {"id": path.stem} for path in account_files(made.prepared)]
        made.account = next(one["id"] for one in accounts if one["type"] != "maildir")  # type: ignore[attr-defined]
        made.mails = {key(made, raw): Mail(raw, f"mail {at}", "", "", "") for at, raw in enumerate(mails())}
        yield made


def account_files(root: Path) -> list[Path]:
    """The records of the accounts."""
    return sorted((root / "data/settings/accounts").glob("*.json"))


def key(scene: Scene, raw: bytes) -> str:
    """The key of a mail of the scene's account."""
    return checker.key_of(scene.account, raw)  # type: ignore[attr-defined,no-any-return]


def patient() -> None:
    """In the fork of a trial: the limits of the transport, shorter."""
    from eventum.transport import mailbox as transport

    transport.USUAL = transport.Timeouts(**PATIENCE)


def a_run(root: Path, command: str, broken: str = "") -> trials.Ran:
    """The command against the odd server, in a fork; how long it took and by how much its memory grew."""

    def body() -> dict[str, Any]:
        if broken:
            lacking.BROKEN[broken]()
        patient()
        began, before = time.monotonic(), resident()
        done = trials.flask(root, command, "--json")
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        return {**done, "seconds": time.monotonic() - began, "kilobytes": grown}

    return trials.forked(body, root)


def resident() -> int:
    """Kilobytes of memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") // 1024


def complaints(ran: trials.Ran, root: Path, *, complete: bool, told: str) -> Iterator[str]:
    """What is wrong with how the disturbed run ended; `told` is the error that it left for people."""
    if ran.code not in (0, 1) or ran.result is None:
        yield f"other: the disturbed run ended with {ran.code}: {(root / 'output.txt').read_text()[-1500:]}"
        return
    if not complete and not told:
        yield f"silent: it ended with {ran.code} and said nothing, but is not done"
    if any(character in told + ran.result["err"] for character in CONTROL):
        yield f"other: what the server said was passed on as it is: {told!r}"


@cache
def servers(folder: Path, worker: int) -> Servers:
    """The servers of this worker."""
    return Servers(folder / f"servers-{worker}")


def fetch_trial(scene: Scene, job: Job, broken: str = "") -> record.Trial:
    """One fetch from the odd server, then one from the same server in order."""
    far = servers(scene.folder, os.getpid())
    far.forget()
    with connected(scene, far) as root:
        box = Box(root / "box")
        far.orders.give(**job.orders)
        ran = a_run(root, DOWNLOAD, broken)
        fired = bool(far.orders.fired())
        wrong = list(excesses(ran)) if job.hostile else []
        raws = [raw for at, raw in enumerate(mails()) if at not in job.gone] + list(job.more)
        given = {key(scene, raw): raw for raw in raws}
        wrong += early(root, raws)
        there = [box.raw(uid) for uid in box.uids()]
        held = set(checker.bytes_of_all(root / "data"))
        emptied = scene.far.leaves or all(raw in job.more for raw in there)
        complete = all(raw in held for raw in raws if raw not in job.more) and emptied
        told = told_of(root, scene) if ran.code == 1 else ""
        wrong += complaints(ran, root, complete=complete or job.stays or job.later, told=told)
        if job.harmless and (ran.code != 0 or not complete):
            wrong.append(f"other: it was to be borne, but {told_of(root, scene)}")
        far.orders.give(**({"world": job.orders["then"]} if "then" in job.orders else {}))
        trials.time_passes(root / "data")
        wrong += trials.afterwards(root, [DOWNLOAD])
        wrong += list(early(root, raws))
        wrong += checker.faults(root / "data", given | extra(root, scene, job))
        if not scene.far.leaves and box.uids() and not job.stays:
            wrong.append(f"stuck: {len(box.uids())} mails stay on the server")
        if scene.far.leaves and len(box.uids()) < len(mails()) - len(job.gone):
            wrong.append("early: mails were removed that were to stay")
    return record.Trial(fired, tuple(wrong))


def extra(root: Path, scene: Scene, job: Job) -> dict[str, bytes]:
    """Mails that the server itself took away, and that we had before it did."""
    held = set(checker.bytes_of_all(root / "data"))
    return {key(scene, raw): raw for at, raw in enumerate(mails()) if at in job.gone and raw in held}


def early(root: Path, raws: Sequence[bytes]) -> Iterator[str]:
    """Each mail lies on the server or whole in our store, the same number of times."""
    box = Box(root / "box")
    there = {hashlib.sha256(box.raw(uid)).digest() for uid in box.uids()}
    missing = [raw for raw in raws if hashlib.sha256(raw).digest() not in there]
    if missing:
        held = set(checker.bytes_of_all(root / "data"))
        for raw in missing:
            if raw not in held:
                yield f"early: {raw[:60]!r} is gone from the server, and we have it not"


def excesses(ran: trials.Ran) -> Iterator[str]:
    """Whether the run took more time or memory than a server may make it take."""
    if ran.result and ran.result["seconds"] > LONGEST:
        yield f"stuck: the run took {ran.result['seconds']:.1f} seconds"
    if ran.result and ran.result["kilobytes"] > LARGEST:
        yield f"other: the run took {ran.result['kilobytes']} kB more memory"


def told_of(root: Path, scene: Scene) -> str:
    """The error that the account shows."""
    path = next((root / "data/state").rglob(f"{scene.account}.json"), None)  # type: ignore[attr-defined]
    return str(json.loads(path.read_bytes()).get("error", "")) if path else ""


# Sending


@contextmanager
def sending() -> Iterator[Scene]:
    """A scene with six notices that are due."""
    with trials.scene(2, ["new"]) as made:
        done = trials.run(made.prepared, DOWNLOAD)
        if done.code != 0:
            raise RuntimeError(str(done.result))
        yield made


def queue_trial(scene: Scene, job: Job, broken: str = "") -> record.Trial:
    """One run of the queue against the odd server, then one against the same server in order."""
    far = servers(scene.folder, os.getpid())
    far.forget()
    with connected(scene, far) as root:
        data = root / "data"
        if "login" in job.orders:
            general = json.loads((data / "settings/general.json").read_bytes())
            shutil.copy(data / "settings/general.json", root / "general.json")
            trials.forked(lambda: log_in_as(root), root)
        elif "starttls" in job.orders:
            general = json.loads((data / "settings/general.json").read_bytes())
            (root / "general.json").write_text(json.dumps(general))
            general["smtp"]["security"] = "starttls"
            (data / "settings/general.json").write_text(json.dumps(general))
        far.orders.give(**job.orders)
        ran = a_run(root, QUEUE, broken)
        fired = bool(far.orders.fired()) or "starttls" in job.orders
        before = Counter(name for name, _, _ in far.taken())
        states = Counter(notice.state for notice in checker.Looked(data).notices)
        left = states["out"] + states["failed"]
        wrong = list(excesses(ran)) if job.hostile else []
        wrong += complaints(ran, root, complete=not left, told=told_of_queue(ran, data))
        if job.harmless and (ran.code != 0 or left):
            wrong.append(f"other: it was to be borne, but {left} were not sent")
        if (root / "general.json").exists():
            shutil.copy(root / "general.json", data / "settings/general.json")
        far.orders.give()
        trials.time_passes(data)
        wrong += trials.afterwards(root, [QUEUE, QUEUE])
        wrong += checker.faults(data, scene.given)
        wrong += sent_or_failed(data, far, job)
        after = Counter(name for name, _, _ in far.taken())
        twice = [name for name, count in after.items() if count > 1]
        # The one window: after the final dot. What was not taken before the end of that run cannot come twice.
        at_the_end = "cut" in job.orders or job.orders.get("odd", {}).get("at") in ("DOT", "DATA")
        if [name for name in twice if after[name] > 2 or not before[name]] or (twice and not at_the_end):
            wrong.append(f"doubled: {len(twice)} were delivered twice, outside the window")
    return record.Trial(fired, tuple(wrong), len(twice))


def log_in_as(root: Path) -> int:
    """The outgoing server wants a login in this trial."""
    for line, typed in (
        (("settings", "set", "smtp.username", "ann"), ""),
        (("settings", "set", "smtp.password"), "pw"),
    ):
        done = trials.flask(root, *line, given=typed)
        assert done["code"] == 0, done
    return 0


def told_of_queue(ran: trials.Ran, data: Path) -> str:
    """What people can read of a run that did not send all: its error, or what the far end said of each mail."""
    said = json.loads(ran.result["out"]) if ran.code in (0, 1) and ran.result else {"error": "", "deferred": 0}
    if said["error"] and ran.code == 1:
        return str(said["error"])
    if said.get("failed") and ran.code == 1:
        return f"{said['failed']} failed"
    names = [path.name.partition(":")[0].partition(",")[0] for path in data.glob("spool/out/new/*")]
    logs = [data / "spool/out/log" / f"{name}.jsonl" for name in names]
    replies = [log.read_text() for log in logs if log.exists()]
    return "".join(replies) if len(replies) == len(names) and said["deferred"] >= len(names) else ""


def sent_or_failed(data: Path, far: Servers, job: Job) -> Iterator[str]:
    """Each notice was taken and is `sent`, or was refused for good, and its issue says so."""
    store, taken = checker.Looked(data), Counter(name for name, _, _ in far.taken())
    says = Counter(
        event["what"]["message_id"]
        for issue in store.issues.values()
        for event in issue["events"]
        if event["what"]["type"] == "delivery_failed"
    )
    failed = [notice for notice in store.notices if notice.state == "failed"]
    if bool(failed) != (job.code == "failed"):
        yield f"{'lost' if failed else 'silent'}: {len(failed)} notices failed"
    for notice in store.notices:
        if notice.state not in ("sent", "failed"):
            yield f"stuck: {notice} is {notice.state}"
        elif (notice.state == "sent") != bool(taken[notice.message_id]):
            yield f"lost: {notice} is {notice.state} and was taken {taken[notice.message_id]} times"
        elif says[notice.message_id] != (notice.state == "failed"):
            yield f"silent: the issue says {says[notice.message_id]} times that {notice} failed"
    texts = [text for _, _, text in far.taken()]
    if any("\r\n\r\n" not in text or not text.endswith("\r\n") for text in texts):
        yield "half: a mail was taken that is not whole"


def lengths(scene: Scene, command: str) -> tuple[int, int]:
    """How many bytes the server says and hears in an undisturbed conversation."""
    # Closed again here: what this process starts holds on to the pipes of what it started before.
    far = Servers(scene.folder / "measuring")
    try:
        with connected(scene, far) as root:
            far.orders.give(measure=True)
            ran = a_run(root, command)
            if ran.code != 0:
                raise RuntimeError(f"an undisturbed run ended with {ran}")
            while not (noted := far.orders.fired()):
                time.sleep(0.01)  # The server notes it when the connection is closed.
    finally:
        far.close()
    said, heard = map(int, noted[0].split())
    return said, heard


@contextmanager
def connected(scene: Scene, far: Servers) -> Iterator[Path]:
    """A copy of the scene whose account and outgoing server are these."""
    with scene.copy(far.smtp) as root:
        for path in account_files(root):
            said = json.loads(path.read_bytes())
            if said["type"] != "maildir":
                said["port"] = far.imap if scene.far.type == "imap" else far.pop3
                path.write_text(json.dumps(said))
        yield root


# The rows


def _row(row: str, what: str, scene: Scene, jobs: dict[str, Job], given: Given) -> Result:
    trial = queue_trial if scene.far.type == "maildir" else fetch_trial
    short = 2 if what == "hostile servers" else 4
    return record.run(row, what, given.some(list(jobs), short), lambda name: trial(scene, jobs[name]), keep=given.keep)


def _cut(protocol: str, places: int, given: Given) -> list[Result]:
    with sending() if protocol == "smtp" else fetching(protocol) as made:
        jobs = oddities.cuts(lengths(made, QUEUE if protocol == "smtp" else DOWNLOAD), places)
        return [_row(f"cut-{protocol}", "cut connections", made, jobs, given)]


def _against(row: str, what: str, protocol: str, jobs: dict[str, Job], given: Given) -> Result:
    with sending() if protocol == "smtp" else fetching(protocol) as made:
        return _row(row, what, made, jobs, given)


def hostile(given: Given) -> list[Result]:
    """Servers that want our time and our memory."""
    return [
        _against(f"hostile-{protocol}", "hostile servers", protocol, oddities.hostile_jobs(protocol), given)
        for protocol in ("imap", "pop3", "smtp")
    ]


def broken(given: Given) -> list[Result]:
    """Copies of the product that lack something are found out: a trial counts as one fault where it is not."""
    results = []
    for name, (protocol, jobs) in oddities.FINDS.items():
        if given.short and name not in ("cut", "final"):
            continue
        with sending() if protocol == "smtp" else fetching(protocol) as made:
            trial = queue_trial if protocol == "smtp" else fetch_trial

            def found_out(job: str) -> record.Trial:
                done = trial(made, jobs[job], name)  # noqa: B023
                faults = () if done.faults else (f"other: a copy without `{name}` was not found out",)  # noqa: B023
                return record.Trial(done.disturbed, faults)

            results.append(record.run(f"broken-far-{name}", "broken copies", list(jobs), found_out, keep=given.keep))
    return results


ROWS: dict[str, Callable[[Given], list[Result]]] = {
    "cut-imap": lambda given: _cut("imap", 300, given),
    "cut-pop3": lambda given: _cut("pop3", 300, given),
    "cut-smtp": lambda given: _cut("smtp", 300, given),
    "answers-imap": lambda given: [
        _against("answers-imap", "odd answers", "imap", oddities.imap_answers() | oddities.marked_answers(), given)
    ],
    "answers-pop3": lambda given: [_against("answers-pop3", "odd answers", "pop3", oddities.pop3_answers(), given)],
    "answers-smtp": lambda given: [_against("answers-smtp", "odd answers", "smtp", oddities.smtp_answers(), given)],
    "hostile": hostile,
    "broken-far": broken,
}
