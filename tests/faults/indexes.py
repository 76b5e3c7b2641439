"""Whether the index that was kept all along says what one says that is made anew.

In flow the folder of a trial (`data`, `secret.json`, `cache`), out flow sentences, none when both say the same. The
kept index is brought up to the journals first, as every command does. Besides the program's own comparison the rows of
the issues and of the pool are compared with the files, which are read here without the program.
"""

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.faults.checker import OUTCOMES

SHOWN = 3  # Rows that are named when a table differs.


def difference(root: Path) -> list[str]:
    """What the index of this trial's cache says otherwise than a new one, and otherwise than the files."""
    from eventum.config import Config
    from eventum.errors import EventumError
    from eventum.tracker.tracker import Tracker

    config = Config(data=root / "data", secret_file=root / "secret.json", cache=root / "cache")
    with closing(Tracker(config)) as tracker, tempfile.TemporaryDirectory() as folder:
        try:
            tracker.open().index.catch_up()
            kept = tracker.index.contents()
            with closing(tracker.index.another(Path(folder) / "index.sqlite3")) as fresh:
                fresh.rebuild()
                anew = fresh.contents()
            path = tracker.index.path
        except EventumError as error:
            return [f"the index cannot be asked: {error}"]
    found = [
        f"index: {name} differs: kept {_some(kept[name] - anew[name])}, anew {_some(anew[name] - kept[name])}"
        for name in anew
        if kept[name] != anew[name]
    ]
    return [*found, *_against_files(path, root / "data")]


def _some(rows: object) -> str:
    return str([str(row)[:120] for row in list(rows)[:SHOWN]])  # type: ignore[call-overload]


def _against_files(path: Path, data: Path) -> Iterator[str]:
    """The rows of the index against the records, which `json` reads."""
    with closing(sqlite3.connect(path)) as db:
        issues = {number: (revision, status) for number, revision, status in _rows(db, "number, revision, status")}
        pool = {(account, key): outcome for account, key, outcome in _rows(db, "account, key, outcome", "pool")}
    wanted = {}
    for file in data.glob("issues/*/*/issue.json"):
        try:
            record = json.loads(file.read_bytes())
            wanted[int(file.parent.name)] = (record["revision"], record["status"])
        except (ValueError, OSError, KeyError, TypeError):
            issues.pop(int(file.parent.name), None)  # Of what cannot be used an index says what it was.
    for number in sorted(issues.keys() | wanted.keys()):
        if issues.get(number) != wanted.get(number):
            yield f"index: issue {number} is {issues.get(number)}, by its file {wanted.get(number)}"
    lying = {
        (file.parent.parent.parent.name, file.name.partition(":")[0]): file.parent.parent.name
        for outcome in OUTCOMES
        for file in data.glob(f"pool/*/{outcome}/*/*")
        if file.parent.name in ("new", "cur")
    }
    for account, key in sorted(pool.keys() | lying.keys()):
        said, lies = pool.get((account, key), ""), lying.get((account, key), "")
        if said != lies:
            yield f"index: the mail {key[:12]} is under {said!r}, and lies under {lies!r}"


def _rows(db: sqlite3.Connection, columns: str, table: str = "issues") -> list[tuple[str, ...]]:
    return db.execute(f"SELECT {columns} FROM {table}").fetchall()
