"""Whether a store is whole: every file looked at, what is wrong named, and what is derived mended.

Flows in: a store that may be in use. Flows out: findings. Looking changes nothing; mending removes leftovers and
rebuilds the index, and never touches a mail or a record. A store in use changes under the eye of who looks, so what
looks wrong is looked at a second time while no run decides.
"""

import tempfile
from pathlib import Path

import msgspec

from eventum.issues.accounts import Account
from eventum.issues.issue import Issue
from eventum.issues.people import Project, User
from eventum.issues.responses import Response
from eventum.issues.settings import General
from eventum.store import files, journal
from eventum.store.alerts import AlertState
from eventum.store.daily import Daily
from eventum.store.downloads import Progress
from eventum.store.drafts import Typed, Writers
from eventum.store.filters import Filters
from eventum.store.first_visit import FirstVisit
from eventum.store.fuses import FuseState
from eventum.store.identity import Identity
from eventum.store.imports import KEYS, Import
from eventum.store.index import Index
from eventum.store.index_tables import TABLES
from eventum.store.inspection import BY_NEXT_RUN, BY_REPAIR, Finding, Inspection, Known
from eventum.store.issues import History, Next
from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.store.logins import LoginState, Tries
from eventum.store.place import Place
from eventum.store.pool import Pooled
from eventum.store.settings import Began
from eventum.store.state import FetchState, Intent, Run, SendState
from eventum.store.verify_issues import Issues, Pools
from eventum.store.verify_spool import Spools

SHOWN = 5  # Rows of the index that are named when they differ.
UIDL = ".uidl"
BEGAN = ".began"


class Verified(msgspec.Struct, frozen=True):
    """What a look over a store found, and which of it was mended."""

    checked: int  # files that were looked at
    findings: tuple[Finding, ...]
    mended: tuple[Finding, ...] = ()


class Verifier:
    """Looks over a store; `index` is the one of this host and user."""

    def __init__(self, layout: Layout, locks: Locks, index: Index) -> None:
        self._layout = layout
        self._locks = locks
        self._index = index

    def verify(self) -> Verified:
        """Look over everything. Raises `Busy` when something looks wrong and no run pauses to let it be sure."""
        checked, found = self._sure()
        return Verified(checked, tuple(known.finding for known in found))

    def repair(self) -> Verified:
        """Mend what is derived, then look again. Raises `Busy` as `verify`."""
        _, found = self._sure()
        mended = []
        for known in found:
            if known.mend is not None:
                known.mend()
                mended.append(known.finding)
        checked, left = self._sure() if mended else (_, found)
        return Verified(checked, tuple(known.finding for known in left), tuple(mended))

    def _sure(self) -> tuple[int, list[Known]]:
        first = self._look()
        if not first.found:
            return first.checked, []
        # What a commit has half done looks wrong and is not.
        with self._locks.record("incoming"):
            second = self._look()
        return second.checked, [second.found[key] for key in second.found if key in first.found]

    def _look(self) -> Inspection:
        look = Inspection(self._layout, self._locks)
        self._settings(look)
        self._state(look)
        issues, pools = Issues(look), Pools(look)
        issues.run()
        pools.run(issues.homes)
        look.temporary(self._layout.issues_tmp)
        Spools(look).run()
        self._number(look, max(issues.numbers, default=0))
        for folder in self._layout.folders():
            list(look.entries(folder))
        if not look.unusable & {Issue, History, Pooled}:
            # Of a record that cannot be used the index says what it was.
            self._compare(look)
        return look

    def _settings(self, look: Inspection) -> None:
        for folder, kind in (
            (self._layout.users, User),
            (self._layout.projects, Project),
            (self._layout.accounts, Account),
            (self._layout.responses, Response),
        ):
            for entry in look.plain_files(folder):
                if entry.name.endswith(".json"):
                    item = look.record(Path(entry.path), kind)
                    own = getattr(item, "id", "")
                    if item is not None and f"{own}.json" != entry.name:
                        look.note(entry.path, f"it is the record of {own}", "rename it to that")
                elif kind is Account and entry.name.endswith(BEGAN):
                    look.record(Path(entry.path), Began)
                else:
                    look.stranger(entry.path)
        if self._layout.general.exists():
            look.record(self._layout.general, General)

    def _state(self, look: Inspection) -> None:
        look.record(self._layout.store, Identity)
        for path in (self._layout.daily("in"), self._layout.daily("out")):
            if path.exists():
                look.derived(path, Daily)
        for entry in look.plain_files(self._layout.fetch):
            if entry.name.endswith(".json"):
                look.record(Path(entry.path), FetchState)
            elif entry.name.endswith(UIDL):
                look.lines(entry.path)
            else:
                look.stranger(entry.path)
        for entry in look.plain_files(self._layout.downloads):
            if entry.name.endswith(".json"):
                look.derived(Path(entry.path), Progress)
            elif not entry.name.endswith(".log"):
                look.stranger(entry.path)
        for entry in look.plain_files(self._layout.imports):
            if entry.name.endswith(".json"):
                look.record(Path(entry.path), Import)
            elif entry.name.endswith(KEYS):
                look.lines(entry.path)
            else:
                look.stranger(entry.path)
        if self._layout.place.exists():
            look.derived(self._layout.place, Place)
        if self._layout.first_visit.exists():
            look.record(self._layout.first_visit, FirstVisit)
        for entry in look.plain_files(self._layout.filters):
            look.record(Path(entry.path), Filters)
        for entry in look.plain_files(self._layout.logins):
            look.record(Path(entry.path), LoginState)
        if self._layout.tries.exists():
            look.derived(self._layout.tries, Tries)
        if self._layout.sending.exists():
            look.record(self._layout.sending, SendState)
        if self._layout.alerts.exists():
            look.record(self._layout.alerts, AlertState)
        if self._layout.fuse.exists():
            look.record(self._layout.fuse, FuseState)
        for entry in look.plain_files(self._layout.runs):
            look.derived(Path(entry.path), Run)
        for entry in look.plain_files(self._layout.intents):
            if look.is_dead(entry.name.removesuffix(".json")):
                # Of a dead run's plan that cannot be read nothing can be done; what it left half is found in its place.
                intent = look.derived(Path(entry.path), Intent)
            else:
                intent = look.record(Path(entry.path), Intent)
            if intent is not None and look.is_dead(intent.maker):
                look.note(entry.path, "a run died before it had done this", BY_NEXT_RUN)
        for entry in look.plain_files(self._layout.hands):
            if look.is_dead(entry.name):
                look.note(entry.path, "a run died while it had this mail in hand", BY_NEXT_RUN)
        for entry in look.plain_files(self._layout.journal):
            if journal.parts_of(entry.name) is None:
                look.stranger(entry.path)
            else:
                look.lines(entry.path)
        self._typed(look)
        look.temporary(self._layout.state_tmp)

    def _typed(self, look: Inspection) -> None:
        """What people are typing: drafts with the files they chose, and who writes where."""
        for entry in look.entries(self._layout.drafts):
            if entry.name.endswith(".json"):
                look.record(Path(entry.path), Typed)
            elif not entry.is_dir(follow_symlinks=False):
                look.stranger(entry.path)
        for entry in look.plain_files(self._layout.writing):
            look.derived(Path(entry.path), Writers)

    def _number(self, look: Inspection, highest: int) -> None:
        if not self._layout.number.exists():
            return  # It is made with the first issue, and found out from the issues when it is lost.
        known = look.derived(self._layout.number, Next)
        if known is not None and known.next <= highest:
            look.note(
                self._layout.number,
                f"the next issue would be {known.next}, and there is {highest} already",
                BY_REPAIR + "; the next new issue finds out its number",
                lambda: files.remove(self._layout.number),
            )

    def _compare(self, look: Inspection) -> None:
        """The index must say what a new one would."""
        self._index.catch_up()
        with tempfile.TemporaryDirectory() as folder:
            fresh = self._index.another(Path(folder) / "index.sqlite3")
            try:
                fresh.catch_up()
                ours, wanted = self._index.contents(), fresh.contents()
            finally:
                fresh.close()
        for table in TABLES:
            differ = sorted(str(row[:2]) for row in (ours[table] - wanted[table]) + (wanted[table] - ours[table]))
            if differ:
                said = ", ".join(dict.fromkeys(differ[: 2 * SHOWN]))
                look.note(
                    self._index.path,
                    f"its table {table} is not what the records say: {said}",
                    "`flask reindex` makes it anew",
                    self._index.rebuild,
                )
