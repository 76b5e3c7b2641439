"""How long a server that failed is left alone before it is tried again: without hammering, and never for good.

Flows in: how often it failed in a row, and whether waiting alone may help. Flows out: a moment. The first failure
costs no pause at all, so that a blip is over with the next run; a login that was refused is tried a few times an hour
at most, because providers lock accounts for less. The pause ends at once when somebody changes the account.
"""

import zlib
from datetime import datetime, timedelta

from eventum.issues.accounts import Account
from eventum.store.state import FetchState

# Seconds before the next try, by how many failed in a row; the last one again and again.
UNREACHED = (0, 0, 120, 300, 900, 3600)
REFUSED = (0, 900, 1800, 3600)  # A login, a certificate: a person has to do something.
SENDING = (0, 0, 120, 300)  # The one server that everything we say leaves by.
SENDING_REFUSED = (0, 300, 900, 1800)
SPREAD = 0.2  # Of a pause: many accounts on one server do not come back to it at the same second.

TROUBLE = timedelta(minutes=15)  # What lasted so long is no blip: administrators are told.


def pause(failures: int, pauses: tuple[int, ...], name: str) -> timedelta:
    """How long to wait after so many failures in a row; `name` spreads those that wait for the same."""
    seconds = pauses[min(failures, len(pauses)) - 1] if failures > 0 else 0
    part = zlib.crc32(f"{name} {failures}".encode()) / 0xFFFFFFFF
    return timedelta(seconds=seconds * (1 - SPREAD * part))


def waits_until(state: FetchState, account: Account, now: datetime) -> datetime | None:
    """When a failing account is tried again; None when that is now.

    A moment further off than any pause was written by a clock that was ahead.
    """
    if state.next_try is None or state.tried != account.revision:
        return None
    return state.next_try if now < state.next_try <= now + timedelta(seconds=UNREACHED[-1]) else None
