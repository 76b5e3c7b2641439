"""Real file systems: full at every size, without inodes, read-only, and a store that lies on more than one.

In flow a prepared store, out flows what a command did on such a disk, and what is there when it has room again. Each
trial mounts what it needs in a mount namespace of its own, so nothing of it is seen outside; where that is not allowed
`why_not` says why. The rows: `disk-full`, `disk-inodes`, `read-only`, `other-fs`.
"""

import ctypes
import html
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.faults import checker, hands, record, trials
from tests.faults.given import Given
from tests.faults.hands import Task
from tests.faults.office import Office, office
from tests.faults.record import Result, Trial
from tests.faults.trials import FarEnd

DOWNLOAD, QUEUE = "download-emails", "process-queue"
NEW_NAMESPACE = 0x00020000  # CLONE_NEWNS, sched.h
READ_ONLY, REMOUNT, BIND, ALL_BELOW, PRIVATE = 1, 32, 4096, 16384, 1 << 18  # sys/mount.h
ADMINISTRATOR = 21  # CAP_SYS_ADMIN, linux/capability.h
WHATS = ("download", "queue", "note", "status")
SERIAL = "5" * 16
READING = (("issues", "list"), ("queue", "list"), ("status",), ("verify",))
WRITING = (
    (DOWNLOAD,),
    (QUEUE,),
    ("issues", "note", "1", "--text", "Only for us."),
    ("issues", "close", "1"),
    ("users", "add", "x@example.org", "--name", "X"),
    ("settings", "set", "smtp.from", "desk@example.org"),
)

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *given: Any) -> None:
    if getattr(_libc, name)(*given) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def apart() -> None:
    """From now on this process, and those it starts, see mounts that nobody else does. Raises `OSError`."""
    _call("unshare", NEW_NAMESPACE)
    _call("mount", b"none", b"/", None, ALL_BELOW | PRIVATE, None)


def mount(folder: Path, options: str, flags: int = 0) -> None:
    """A file system in memory on this folder, or (with REMOUNT) other options for it."""
    _call("mount", b"tmpfs", os.fsencode(folder), b"tmpfs", flags, options.encode())


def shut(folder: Path) -> None:
    """Let this folder be one that cannot be written, as a mount of its own."""
    _call("mount", os.fsencode(folder), os.fsencode(folder), None, BIND, None)
    _call("mount", b"none", os.fsencode(folder), None, BIND | REMOUNT | READ_ONLY, None)


def open_again(folder: Path) -> None:
    """The mount of `shut` is gone."""
    _call("umount2", os.fsencode(folder), 2)


def why_not(folder: Path) -> str:
    """Why nothing can be mounted here; "" when it can."""

    place = folder / "why-not"
    place.mkdir()

    def body() -> str:
        try:
            apart()
            mount(place, "size=64k")
        except OSError as error:
            return str(error)
        return ""

    return str(trials.forked(body, folder).result)


def is_administrator() -> bool:
    """Whether this process has the capability that mounting takes."""
    status = Path("/proc/self/status").read_text()
    return bool(int(status.partition("CapEff:")[2].split()[0], 16) >> ADMINISTRATOR & 1)


def _rows(given: Given, row: str, what: str, jobs: list[str], one: Callable[[Office, str], Trial]) -> list[Result]:
    with office(30) as made:
        if reason := why_not(made.folder):
            print(f"{row}: not possible here: {reason}", flush=True)
            if is_administrator():
                raise RuntimeError(f"this process may mount, and cannot: {reason}")
            return []
        return [record.run(row, what, jobs, lambda job: tried(made, job, one), keep=given.keep)]


def tried(made: Office, job: str, one: Callable[[Office, str], Trial]) -> Trial:
    """A trial in a mount namespace of its own."""
    far = FarEnd(made.folder)
    folder = made.folder / f"apart-{os.getpid()}"
    folder.mkdir(exist_ok=True)

    def body() -> list[Any]:
        apart()
        trial = one(made, f"{far.port} {job}")
        if trial.disturbed is None:
            return [False, []]
        twice = []
        if "sent" in trial.faults:
            never, again = checker.deliveries(_places[-1] / "data", far.delivered(), trials.REFUSED)
            twice = [*never, *(f"doubled: {name} was delivered twice" for name in again)]
        return [trial.disturbed, [*(fault for fault in trial.faults if fault != "sent"), *twice]]

    try:
        ran = trials.forked(body, folder)
        if ran.result is None:
            return Trial(
                True, (f"other: the trial ended with {ran.code}: {(folder / 'output.txt').read_text()[-2500:]}",)
            )
        return Trial(ran.result[0], tuple(ran.result[1]))
    finally:
        far.close()


_places: list[Path] = []  # Where the trial of this process has its store.


def placed(made: Office, port: str, *, whole: bool) -> Path:
    """The store of a trial on a file system of its own: with its cache and mailbox, or its data folder alone."""
    root = made.folder / f"disk-{os.getpid()}"
    root.mkdir()
    with made.copy(int(port)) as copied:
        target = root if whole else root / "data"
        if not whole:
            trials.os.spawnvp(os.P_WAIT, "cp", ["cp", "-a", f"{copied}/.", str(root)])
            trials.shutil.rmtree(root / "data")
            target.mkdir()
        mount(target, "size=1g,mode=700")
        os.spawnvp(os.P_WAIT, "cp", ["cp", "-a", f"{copied if whole else copied / 'data'}/.", str(target)])
        for path in (*(root / "data/settings/accounts").iterdir(), *(root / "data/state/fetch").glob("*.json")):
            path.write_text(path.read_text().replace(f"{copied}/", f"{root}/"))
    _places.append(root)
    return root


# Full


def full(given: Given) -> list[Result]:
    """A disk that has room for so many pages more, and later for all."""
    sizes = [*range(60), *range(60, 100, 2), *range(100, 200, 5)]
    jobs = [f"{what} with {size * 4} kB" for size in sizes for what in WHATS]
    if given.short:
        jobs = [f"{what} with {size * 4} kB" for what, size in zip(WHATS, (6, 2, 3, 1), strict=True)]
    return _rows(given, "disk-full", "sizes of a full disk", given.some(jobs, len(jobs)), filled)


def inodes(given: Given) -> list[Result]:
    """A disk that has inodes for so many files more."""
    jobs = [f"{WHATS[at % 4]} with {at // 2} inodes" for at in range(0, 112)]
    if given.short:
        jobs = ["download with 12 inodes", "note with 3 inodes"]
    return _rows(given, "disk-inodes", "disks without inodes", given.some(jobs, len(jobs)), filled)


def filled(made: Office, job: str) -> Trial:
    port, what, _, room, unit = job.split()
    root = placed(made, port, whole=int(room) % 8 == 0)
    target = root if int(room) % 8 == 0 else root / "data"
    wrong: list[str] = []
    if what == "queue":
        _forked(root, lambda: trials.flask(root, DOWNLOAD))
    used = os.statvfs(target)
    if unit == "kB":
        mount(target, f"size={(used.f_blocks - used.f_bfree) * used.f_frsize + int(room) * 1024}", REMOUNT)
    else:
        mount(target, f"nr_inodes={used.f_files - used.f_ffree + int(room)}", REMOUNT)
    wrong += _acted(made, root, what)
    mount(target, "size=1g,nr_inodes=100000", REMOUNT)
    wrong += _afterwards(made, root, what)
    return Trial(True, tuple(wrong))


def _forked(root: Path, body: Callable[[], Any]) -> Any:
    """Something in a process whose answer is not written to the disk of the trial."""
    folder = root.with_name(f"{root.name}-out")
    folder.mkdir(exist_ok=True)
    ran = trials.forked(body, folder)
    if ran.result is None:
        return {"code": None, "err": (folder / "output.txt").read_text()[-2500:]}
    return ran.result


def _acted(made: Office, root: Path, what: str) -> list[str]:
    """What was done is done, or it is said that it was not, and what was typed is not lost."""
    if what in ("download", "queue"):
        command = DOWNLOAD if what == "download" else QUEUE
        done = _forked(root, lambda: trials.flask(root, command))
        if done["code"] is None or (done["code"] and not done["err"].strip()) or "Traceback" in done["err"]:
            return [f"silent: {command} ended with {done['code']}: {done['err']}"]
        early = made.lost(root)
        return [*early, *([] if done["code"] in (0, 1, 75, 78) else [f"other: {command} ended with {done['code']}"])]
    said = _forked(root, lambda: _posted(made, root, what))
    if said.get("code") is None:
        return [f"other: the request failed: {said['err']}"]
    (root.with_name(f"{root.name}-out") / "status").write_text(str(said["status"]))
    if said["status"] == 303 or (said["status"] in (503, 507) and (what != "note" or said["has"])):
        return []
    return [
        f"{'lost' if said['status'] == 503 else 'other'}: {what} was answered with {said['status']}: {said['text']}"
    ]


def _posted(made: Office, root: Path, what: str, count: int = 1) -> dict[str, Any]:
    """One form is sent by somebody who is logged in; how it was answered, and whether what he typed is in it."""
    hand = _Logged(root, Task(0, 0, 1, ()))
    try:
        text = f"This is {SERIAL}."
        value = text if what == "note" else "status 0.1"
        change = hands.Change(made.issues[0], what, SERIAL, value)
        status, said = hand.posted(change)
        return {
            "code": 0,
            "status": status,
            "has": text in html.unescape(said),
            "text": said[:1500] if status == 500 else "",
        }
    finally:
        hand.close()


class _Logged(hands.Browser):
    """Somebody whose session was begun when there was room."""

    def _log_in(self) -> None:
        from eventum.web import access, trackers

        self._client.application.wsgi_app.open()
        with self._client.application.test_request_context("/"):
            from flask import session

            access.enter(trackers.tracker().people.user(self.actor))
            serializer = self._client.application.session_interface.get_signing_serializer(self._client.application)
            self._client.set_cookie("eventum", serializer.dumps(dict(session)))

    def posted(self, change: hands.Change) -> tuple[int, str]:
        """The status and the page with which a form is answered."""
        page = self._page(change.issue)
        path, fields = self._form(change, page)
        typed = {"csrf_token": self._token(page), "nonce": change.serial, **fields}
        answer = self._client.post(f"/issues/{change.issue}/{path}", data=typed)
        return answer.status_code, answer.get_data(as_text=True)


def _afterwards(made: Office, root: Path, what: str) -> Iterator[str]:
    """There is room again: all goes on as usual, and what was refused is sent again."""
    wrong: list[str] = []
    if what in ("note", "status"):
        said = _forked(root, lambda: _posted(made, root, what))
        if said.get("status") != 303:
            wrong.append(f"stuck: with room again {what} is answered with {said}")
    trials.time_passes(root / "data")
    _no_pauses(root / "data")
    wrong += trials.afterwards(root, [DOWNLOAD, QUEUE])
    wrong += checker.faults(root / "data", None) + made.lost(root) + made.left(root)
    wrong += checker.in_order(root / "data", made.parents)
    if what in ("note", "status"):
        nonces = [event.get("nonce") for event in checker.Looked(root / "data").issues[made.issues[0]]["events"]]
        if nonces.count(SERIAL) != 1:
            wrong.append(f"{'doubled' if SERIAL in nonces else 'lost'}: {what} is {nonces.count(SERIAL)} times there")
    return iter([*wrong, "sent"])


def _no_pauses(data: Path) -> None:
    """An account or server that failed is tried at once."""
    for path in (*(data / "state/fetch").glob("*.json"), data / "state/sending.json"):
        if path.exists():
            record_ = trials.json.loads(path.read_bytes())
            path.write_text(trials.json.dumps({name: value for name, value in record_.items() if name != "next_try"}))


# Read-only, and more than one


def read_only(given: Given) -> list[Result]:
    """The whole store, or one part of it, cannot be written: commands say so in one line, the web reads on."""
    jobs = [
        f"{part} {at}" for part in ("data", "data/issues", "data/spool", "data/state") for at in range(len(WRITING))
    ]
    jobs += [f"{part} web" for part in ("data", "data/issues", "data/spool", "data/state")]
    if given.short:
        jobs = ["data 0", "data web", "data/issues web"]
    return _rows(given, "read-only", "read-only mounts", given.some(jobs, len(jobs)), only_read)


def only_read(made: Office, job: str) -> Trial:
    port, part, which = job.split()
    root = placed(made, port, whole=True)
    shut(root / part)
    wrong: list[str] = []
    if which == "web":
        wrong += _reads_on(made, root)
    else:
        words = WRITING[int(which)]
        done = _forked(root, lambda: trials.flask(root, *words))
        said = done["err"].strip()
        if done["code"] is None or (done["code"] and not said) or "Traceback" in said:
            wrong.append(f"silent: {' '.join(words)} ended with {done['code']}: {said}")
        if part == "data" and (done["code"] != 78 or said.count("\n") or str(root) not in said):
            wrong.append(f"other: {' '.join(words)} ended with {done['code']} and said: {said}")
        wrong += made.lost(root)
    for words in READING if which == "web" else ():
        done = _forked(root, lambda words=words: trials.flask(root, *words))
        if done["code"] is None or "Traceback" in done["err"]:
            wrong.append(f"other: {' '.join(words)} ended with {done['code']}: {done['err']}")
    open_again(root / part)
    wrong += _afterwards(made, root, "note" if which == "web" else "")
    return Trial(True, tuple(wrong))


def _reads_on(made: Office, root: Path) -> list[str]:
    said = _forked(root, lambda: _posted(made, root, "note"))
    if said.get("status") != 503 or not said["has"]:
        return [f"lost: a note was answered with {said}"]
    return []


def other_fs(given: Given) -> list[Result]:
    """The data folder on one file system and all else on others is fine; a part of it on another one is refused."""
    jobs = [
        "data alone",
        "spool apart",
        "issues apart",
        "pool apart",
        "state apart",
        "issues/0 apart",
        "spool/in apart",
    ]
    if given.short:
        jobs = jobs[:2]
    return _rows(given, "other-fs", "stores on several file systems", given.some(jobs, len(jobs)), spread)


def spread(made: Office, job: str) -> Trial:
    port, part, _ = job.split()
    root = placed(made, port, whole=part != "data")
    wrong: list[str] = []
    if part == "data":
        wrong += _acted(made, root, "download") + _acted(made, root, "note") + _acted(made, root, "queue")
        wrong += _afterwards(made, root, "note")
        return Trial(True, tuple(wrong))
    folder, beside = root / "data" / part, root / "beside"
    folder.rename(beside)
    folder.mkdir()
    mount(folder, "size=1g,mode=700")
    os.spawnvp(os.P_WAIT, "cp", ["cp", "-a", f"{beside}/.", str(folder)])
    for words in (WRITING[0], WRITING[1], ("status",), ("verify",)):
        done = _forked(root, lambda words=words: trials.flask(root, *words))
        said = f"{done['err']} {done.get('out', '')}".strip()
        is_told = "/" in part or (done["code"] in (78, 3) and "different file systems" in said)
        if done["code"] is None or "Traceback" in said or not is_told:
            wrong.append(f"silent: {' '.join(words)} ended with {done['code']}: {said}")
    # Put back where it belongs, nothing is missing.
    os.spawnvp(os.P_WAIT, "cp", ["cp", "-a", f"{folder}/.", str(beside)])
    open_again(folder)
    folder.rmdir()
    beside.rename(folder)
    wrong += _afterwards(made, root, "")
    return Trial(True, tuple(wrong))


ROWS: dict[str, Callable[[Given], list[Result]]] = {
    "disk-full": full,
    "disk-inodes": inodes,
    "read-only": read_only,
    "other-fs": other_fs,
}
