"""The store and its configuration in one object, made in parts when they are asked for.

Flows in: a `Config` and a clock. Flows out: the parts that verbs and questions work with. Making one touches no
file, so `create_app` and `--help` cost nothing; `open` is what every command begins with. No rule and no verb lives
here.
"""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from eventum.config import Config
from eventum.errors import Conflict

if TYPE_CHECKING:
    from pathlib import Path

    from eventum.store.alerts import AlertStore
    from eventum.store.daily import Days
    from eventum.store.downloads import Downloads
    from eventum.store.filters import FilterStore
    from eventum.store.first_visit import FirstVisits
    from eventum.store.fuses import FuseStore
    from eventum.store.identity import Identity
    from eventum.store.imports import Imports
    from eventum.store.index import Index
    from eventum.store.issues import IssueStore, Numbers
    from eventum.store.layout import Layout
    from eventum.store.locks import Locks
    from eventum.store.logins import LoginStore
    from eventum.store.maker import Maker
    from eventum.store.outbox import Outbox
    from eventum.store.people import PeopleStore
    from eventum.store.pool import Pool
    from eventum.store.recovery import Recovery
    from eventum.store.responses import ResponseStore
    from eventum.store.room import Room
    from eventum.store.secrets import Secrets
    from eventum.store.settings import SettingsStore
    from eventum.store.spool import Spool
    from eventum.store.state import State
    from eventum.tracker.reading import Reader


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


class Tracker:
    """One store, and everything that works on it."""

    def __init__(
        self,
        config: Config,
        clock: Callable[[], datetime] = utc_now,
        disk: "Callable[[Path], Room] | None" = None,
    ) -> None:
        self.config = config
        self.clock = clock
        self.disk = disk  # What says how much room there is; None for the disk itself.

    def open(self) -> "Tracker":
        """Itself, once the store is known to be usable by this process. Raises `Damaged` with what to do otherwise."""
        self.identity  # noqa: B018 - looked at for what it raises.
        self.secrets.key_id  # noqa: B018 - another key or an open key file must be found before the first mail.
        return self

    def room(self) -> "Room":
        """How much room the disk of the store has left. Raises `OSError`."""
        from eventum.store.room import measured

        return (self.disk or measured)(self.layout.root)

    @cached_property
    def layout(self) -> "Layout":
        """Where everything lies."""
        from eventum.store.layout import Layout

        return Layout(self.config.data)

    @cached_property
    def identity(self) -> "Identity":
        """Which store this is. Raises `Damaged` when it was not initialised or belongs to another system user."""
        from eventum.store import identity

        return identity.opened(self.layout)

    @cached_property
    def locks(self) -> "Locks":
        """Who may."""
        from eventum.store.locks import Locks

        return Locks(self.layout)

    @cached_property
    def secrets(self) -> "Secrets":
        """The keys of this installation."""
        from eventum.store.secrets import Secrets

        return Secrets(self.config.secret_file, self.identity.key)

    @cached_property
    def people(self) -> "PeopleStore":
        """Users and projects."""
        from eventum.store.people import PeopleStore

        return PeopleStore(self.layout, self.locks)

    @cached_property
    def settings(self) -> "SettingsStore":
        """E-mail accounts and the General Setup."""
        from eventum.store.settings import SettingsStore

        return SettingsStore(self.layout, self.locks, self.secrets)

    @cached_property
    def responses(self) -> "ResponseStore":
        """The canned responses."""
        from eventum.store.responses import ResponseStore

        return ResponseStore(self.layout, self.locks)

    @cached_property
    def cache(self) -> "Path":
        """The folder of what is derived."""
        return self.config.cache_of(self.identity.id)

    @cached_property
    def maker(self) -> "Maker":
        """This process as somebody who writes; its lease is held until `close`."""
        from eventum.store.maker import Maker

        return Maker(self.layout, self.locks)

    @cached_property
    def issues(self) -> "IssueStore":
        """The issues."""
        from eventum.store.issues import IssueStore

        return IssueStore(self.layout, self.locks, lambda: self.maker)

    @cached_property
    def numbers(self) -> "Numbers":
        """The numbers of new issues."""
        from eventum.store.issues import Numbers

        return Numbers(self.issues)

    @cached_property
    def pool(self) -> "Pool":
        """The mail of no issue."""
        from eventum.store.pool import Pool

        return Pool(self.layout, lambda: self.maker)

    @cached_property
    def spool(self) -> "Spool":
        """The mail that came in and is not decided."""
        from eventum.store.spool import Spool

        return Spool(self.layout, lambda: self.maker)

    @cached_property
    def outbox(self) -> "Outbox":
        """The mail that goes out."""
        from eventum.store.outbox import Outbox

        return Outbox(self.layout, lambda: self.maker)

    @cached_property
    def state(self) -> "State":
        """What the program notes for itself."""
        from eventum.store.state import State

        return State(self.layout, lambda: self.maker)

    @cached_property
    def daily(self) -> "Days":
        """How many mails came and went."""
        from eventum.store.daily import Days

        return Days(self.layout, lambda: self.maker)

    @cached_property
    def alerts(self) -> "AlertStore":
        """The troubles that administrators are told of."""
        from eventum.store.alerts import AlertStore

        return AlertStore(self.layout, self.locks, lambda: self.maker)

    @cached_property
    def fuses(self) -> "FuseStore":
        """What the loop fuse counted."""
        from eventum.store.fuses import FuseStore

        return FuseStore(self.layout, lambda: self.maker)

    @cached_property
    def downloads(self) -> "Downloads":
        """How far the last run of each account came."""
        from eventum.store.downloads import Downloads

        return Downloads(self.layout, self.locks, lambda: self.maker)

    @cached_property
    def imports(self) -> "Imports":
        """The imports of mail from files."""
        from eventum.store.imports import Imports

        return Imports(self.layout, lambda: self.maker)

    @cached_property
    def first_visits(self) -> "FirstVisits":
        """What is noted about the set-up in the browser."""
        from eventum.store.first_visit import FirstVisits

        return FirstVisits(self.layout)

    @cached_property
    def filters(self) -> "FilterStore":
        """What people saved of the issue list."""
        from eventum.store.filters import FilterStore

        return FilterStore(self.layout, self.locks, lambda: self.maker)

    @cached_property
    def logins(self) -> "LoginStore":
        """What is noted about people's logins."""
        from eventum.store.logins import LoginStore

        return LoginStore(self.layout, self.locks, lambda: self.maker)

    @cached_property
    def index(self) -> "Index":
        """The derived index of this host and user."""
        from eventum.store.index import Index

        path = self.cache / "index.sqlite3"
        return Index(path, self.identity.id, self.layout, locks=self.locks, issues=self.issues, pool=self.pool)

    @cached_property
    def reader(self) -> "Reader":
        """The guarded child that reads mails."""
        from eventum.tracker.reading import Reader

        return Reader(self.cache)

    def damaged(self) -> list[str]:
        """What is wrong with records that cannot be used, a sentence each; runs go on without them and say so."""
        return [*self.people.damaged(), *self.settings.damaged_accounts().values()]

    def recover(self) -> int:
        """Bring to an end what dead runs left; how many mails that were.

        Folders that are missing, as after a restore that left out the empty ones, are made again first: a mail that was
        sent must find its place, or every run would send it anew.
        """
        self.layout.create()
        return self._recovery().run()

    def bring_to_end(self) -> None:
        """After a commit that failed half way: finish what shows of it, tell of it, and take the rest back.

        What raises here leaves all that to the next run: this one must end, for its next commit forgets this one.
        """
        self._recovery().bring_own_to_end()

    def _recovery(self) -> "Recovery":
        from eventum.store.recovery import Recovery

        parts = (self.spool, self.outbox, self.issues, self.pool, self.state)
        return Recovery(self.layout, self.locks, self.maker, parts)

    def check_locks(self) -> None:
        """Raise `Conflict` when lock files were removed by hand: others may hold what we believe to hold.

        Asked just before changes show. Who starts again does so under a new name, for others take us for dead.
        """
        if not self.maker.is_known:
            self.spool.release()
            self.__dict__.pop("maker").close()
        elif self.locks.are_known():
            return
        raise Conflict("Somebody removed lock files while a change was being made; try again.")

    def close(self) -> None:
        """Let go of leases, the journal, the index and the reader, as far as they were taken."""
        # Each whatever became of those before it: who keeps his lease counts as living.
        with ExitStack() as ends:
            for name, end in (
                ("maker", "close"),
                ("index", "close"),
                ("numbers", "give_back"),
                ("spool", "release"),
                ("reader", "close"),
            ):
                ends.callback(self._end, name, end)  # The last of them is called first.

    def _end(self, name: str, end: str) -> None:
        if name in self.__dict__:
            getattr(self.__dict__.pop(name), end)()
