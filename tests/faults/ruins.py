"""A small store that has a file of every kind there is, to be spoilt.

In flow a folder, out flows the store; and what is asked of it by every trial of damage: where a file lies, mail that
comes in, and whether each of these mails was decided once.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from eventum.config import Config
from eventum.issues.responses import Response
from eventum.mail.envelope import Envelope
from eventum.store import records
from eventum.store.drafts import DraftStore, KeptFile, Typed, Writers
from eventum.store.filters import SavedFilter
from eventum.store.first_visit import FirstVisit
from eventum.store.imports import Import
from eventum.store.logins import LoginState
from eventum.store.state import FetchState, Intent
from eventum.tracker.tracker import Tracker
from tests.faults import checker, trials
from tests.house import NOW, House, mail

ROOT = "prepared"


def config(root: Path) -> Config:
    """The configuration of a trial's folder."""
    return Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")


@contextmanager
def folder() -> Iterator[Path]:
    """The prepared store, in memory where there is room."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30
    made = Path(tempfile.mkdtemp(prefix="ruins-", dir=memory if roomy else None))
    try:
        store = made / ROOT
        store.mkdir()
        done = trials.forked(lambda: build(store), made)
        if done.code != 0:
            raise RuntimeError((made / "output.txt").read_text())
        yield store
    finally:
        writable(made)
        shutil.rmtree(made)


def writable(root: Path) -> None:
    """What cannot be opened cannot be removed either."""
    for path in (root, *root.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)


def build(root: Path) -> dict[str, str]:
    """Make it; a file of every kind."""
    house = House(root)
    house.set_account(folder=str(root / "box"))
    spare = house.add_account(folder=str(root / "other"), addresses=("other@example.org",), paused=True)
    other = trials.flask(root, "projects", "add", "Second", "--json")
    house.arrive(mail(Message_ID="<1@a.example>"), mail("Long", Message_ID="<2@a.example>"))
    house.arrive(*(mail(f"Re: {n}", In_Reply_To="<2@a.example>", Message_ID=f"<r{n}@a.example>") for n in range(105)))
    house.arrive(mail("Third", Message_ID="<3@a.example>"))
    house.arrive(mail("Away", Message_ID="<4@a.example>", Auto_Submitted="auto-replied"))
    _laid_aside(house)
    _notes(house, spare.id)
    house.tracker.close()
    for box in ("box", "other"):
        for name in ("new", "cur", "tmp"):
            (root / box / name).mkdir(parents=True, exist_ok=True)
    for line in (("settings", "set", "smtp.port", "9"), ("download-emails",), ("process-queue",), ("reindex",)):
        trials.flask(root, *line)
    tracker = Tracker(config(root))
    envelope = Envelope(destination=house.account.id, received=NOW)
    tracker.spool.accept([(envelope, mail("Waits", Message_ID="<w@a.example>"))])
    tracker.close()
    # A note of a run that died, made last: every run clears such up.
    intent = root / "data/state/intents/x-1-00000000.json"
    intent.write_bytes(records.encode(Intent("x-1-00000000", ())))
    ids = {
        "dev": house.dev.id,
        "project": house.project.id,
        "account": house.account.id,
        "spare": spare.id,
        "other": json.loads(other["out"])["id"],
    }
    (root / "ids.json").write_text(json.dumps(ids))
    return ids


def _laid_aside(house: House) -> None:
    """Entries of the queue that were sent and that failed, and a mail that nobody could read."""
    tracker = house.tracker
    tracker.spool.accept([(Envelope(destination=house.account.id, received=NOW), b"Subject: bad\r\n\r\n")])
    (bad,) = tracker.spool.claim(tracker.spool.waiting())
    tracker.spool.bury(bad, "it broke the reader", 3)
    first, second, *_ = tracker.outbox.due()
    for entry, end in ((first, tracker.outbox.sent), (second, tracker.outbox.failed)):
        claimed = tracker.outbox.claim(entry)
        assert claimed is not None
        end(claimed, "250 ok")


def _notes(house: House, spare: str) -> None:
    """What the program and people noted, a file of each."""
    tracker, dev = house.tracker, house.dev.id
    drafts = DraftStore(tracker.layout, lambda: tracker.maker)
    key = drafts.keep_file(dev, "1-reply", b"a picture")
    file = KeptFile(key=key, name="a.png", type="image/png", size=9)
    drafts.keep(dev, "1-reply", Typed(saved=NOW, fields={"text": "Dear Ana,"}, files=(file,)))
    drafts.set_writers(1, Writers(until={dev: NOW + timedelta(days=9999)}))
    tracker.filters.change(dev, lambda before: (SavedFilter("Mine", {"status": "New"}),))
    tracker.logins.change(dev, lambda before: LoginState(epoch=3, last_login=NOW))
    tracker.logins.attempt(["somebody"], int(NOW.timestamp()), within=3600, at_most=9)
    tracker.responses.save(Response(id="", title="Thanks", text="Thank you."))
    tracker.first_visits.save(FirstVisit(left=("smtp",), skipped=("users",)))
    tracker.state.save_fetch(spare, FetchState(mailbox="other", validity="7", last=12, first_fetch=NOW))
    tracker.state.add_fetched_ids(spare, ["one", "two", "three"])
    tracker.daily.add("out", 2, NOW)
    tracker.alerts.save(tracker.alerts.load())
    done = Import(id="0123456789abcdef", account=spare, path="/tmp/x", by=dev, began=NOW, ended=NOW)
    path = tracker.layout.import_of(done.id)
    path.write_bytes(records.encode(done))
    path.with_suffix(".keys").write_text(f"{'a' * 64}\n")


def place(root: Path, pattern: str) -> Path:
    """The file of that kind."""
    ids = json.loads((root / "ids.json").read_text())
    found = sorted(root.glob(pattern.format(**ids)))
    assert found, pattern
    return found[0]


def mail_in(root: Path) -> dict[str, bytes]:
    """Two mails come in, a new one and an answer to issue 3; their bytes by key."""
    account = json.loads((root / "ids.json").read_text())["account"]
    mails = [mail("New", Message_ID="<n1@a.example>"), mail("Re: it", In_Reply_To="<3@a.example>", Message_ID="<n2@b>")]
    for number, raw in enumerate(mails):
        (root / "box/new" / f"{number}.x").write_bytes(raw)
    return {checker.key_of(account, raw): raw for raw in mails}


def decided_once(root: Path, mails: dict[str, bytes]) -> Iterator[str]:
    """Each of these mails is in one place, by the records, and lies there whole."""
    store = checker.Looked(root / "data")
    places = [key for key, _, _ in store.filings()]
    places += [one["mail"]["key"] for one in store.pool.values() if one]
    for key, raw in mails.items():
        if places.count(key) != 1:
            yield f"{'doubled' if key in places else 'lost'}: a mail that came is in {places.count(key)} places"
        files = [*root.glob(f"data/issues/*/*/mail/cur/{key}*"), *root.glob(f"data/pool/*/*/cur/{key}*")]
        if [checker.raw_of(path.read_bytes()) for path in files] != [raw]:
            yield f"half: a mail that came lies in {len(files)} files"
    for path in (*root.glob("data/spool/in/new/*"), *root.glob("data/spool/in/cur/*")):
        yield f"stuck: {path.name[:40]} waits"
