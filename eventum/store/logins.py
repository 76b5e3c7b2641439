"""What the program notes about people's logins: when, links that wait to be opened, sessions that ended, bad tries.

Flows in and out: one small record a user under `state/logins/`, and one file with the tries of the last minutes. Losing
the tries forgives them; losing the record of a user ends the links that were sent to him, and sessions that ended long
ago could begin again until they are too old. Nothing here knows a password.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.store import files, records
from eventum.store.layout import Layout
from eventum.store.locks import Locks
from eventum.store.maker import Maker

LOCK = "logins"
KEPT = 3600  # Seconds for which a try is remembered; nothing looks further back.


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link that was sent to somebody and can be opened once.

    What the link says cannot be computed from this: it needs the key outside the store.
    """

    nonce: str
    expires: datetime
    address: str  # To which it was sent.


class LoginState(msgspec.Struct, frozen=True, kw_only=True):
    """What is noted about one user. `epoch` is part of every session: counting it up ends them all."""

    schema: int = 1
    epoch: int = 0
    last_login: datetime | None = None
    invitation: Link | None = None
    new_address: Link | None = None


class Tries(msgspec.Struct, frozen=True, kw_only=True):
    """The tries of the last minutes by who tried, in seconds since 1970."""

    schema: int = 1
    tries: dict[str, tuple[int, ...]] = {}


class LoginStore:
    """The notes about logins of one store."""

    def __init__(self, layout: Layout, locks: Locks, maker: Callable[[], Maker]) -> None:
        self._layout = layout
        self._locks = locks
        self._maker = maker

    def of(self, user: str) -> LoginState:
        """What is noted about a user, nothing for one who never logged in. Raises `Damaged`, `NotFound` for no id."""
        path = self._layout.login_of(user)
        try:
            return records.load(path, LoginState).value
        except NotFound:
            return LoginState()

    def change(self, user: str, changed: Callable[[LoginState], LoginState]) -> LoginState:
        """Note what `changed` makes of what is noted; durable. Raises `Busy`, `Damaged`, and what `changed` raises."""
        path = self._layout.login_of(user)
        with self._locks.record(LOCK):
            try:
                before = records.load(path, LoginState)
            except NotFound:
                before = None
            state = changed(before.value if before else LoginState())
            if before is None or state != before.value:
                files.make_folder(self._layout.logins)  # A store of an earlier day has none.
                self._maker().replace(path, records.encode(state, before))
        return state

    def attempt(self, who: Iterable[str], now: int, *, within: int, at_most: int) -> int:
        """Count one try of each of these; 0, or the second at which the next one counts when one tried too often.

        `within` are the seconds that are looked at, at most `KEPT`. A try that is refused did not happen: it is not
        counted.
        """
        who = tuple(who)
        with self._locks.record(LOCK):
            tries = self._recent(now)
            counted = {one: [when for when in tries.get(one, ()) if when > now - within] for one in who}
            full = [times[-at_most] for times in counted.values() if len(times) >= at_most]
            if full:
                return max(full) + within
            for one in who:
                tries[one] = (*tries.get(one, ()), now)
            self._write(tries)
        return 0

    def forgive(self, who: Iterable[str], now: int, *, all_of: str = "") -> None:
        """Take back the try that was counted at `now` for each of these, and all tries of `all_of`."""
        with self._locks.record(LOCK):
            tries = self._recent(now)
            tries.pop(all_of, None)
            for one in who:
                left = list(tries.pop(one, ()))
                if now in left:
                    left.remove(now)
                if left:
                    tries[one] = tuple(left)
            self._write(tries)

    def _recent(self, now: int) -> dict[str, tuple[int, ...]]:
        """What is still counted; times to come were written by a clock that was ahead."""
        try:
            known = records.load(self._layout.tries, Tries).value.tries
        except (NotFound, Damaged):  # Not durable, and lost without harm: nobody must be kept out by it.
            return {}
        recent = {one: tuple(when for when in times if now - KEPT < when <= now) for one, times in known.items()}
        return {one: times for one, times in recent.items() if times}

    def _write(self, tries: dict[str, tuple[int, ...]]) -> None:
        self._maker().replace(self._layout.tries, records.encode(Tries(tries=tries)), durable=False)
