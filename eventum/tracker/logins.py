"""Who logs in: the password check, how often somebody may try, and the stamp that lets a session live.

Flows in: what was typed and from where; a session's stamp. Flows out: the user, or that it was wrong, or until when
nobody may try. A stamp is an HMAC over all that a user's rights rest on, so whatever changes one of them ends every
session of his, in every browser and process, without a list of sessions. Cookies are known in `web/access` only.
"""

import hashlib
import hmac
import ipaddress
import logging
from datetime import UTC, datetime, timedelta

import msgspec

from eventum.issues.people import STAFF
from eventum.issues.people import User as User  # What the screens know of a user.
from eventum.tracker import passwords
from eventum.tracker.tracker import Tracker

log = logging.getLogger("eventum.logins")

TRIES = 5  # That end badly, by one address or from one client, in:
WINDOW = timedelta(minutes=15)


class Locked(msgspec.Struct, frozen=True):
    """Somebody tried too often; the next try is looked at after `until`."""

    until: datetime


def log_in(tracker: Tracker, name: str, password: str, client: str) -> User | Locked | None:
    """The active user with this address or alias and password; None when one of them is wrong.

    `client` is the network address that the request came from. Every answer but `Locked` takes the same time. Raises
    `Busy`, `Damaged`.
    """
    now = tracker.clock()
    user = tracker.people.load_all().by_address(name.strip())
    known, place = _known(tracker, user.id if user else name.strip().lower()), _known(tracker, _network(client))
    seconds = int(now.timestamp())
    # Counted before the password is looked at: a hundred tries at once are a hundred tries.
    until = tracker.logins.attempt((known, place), seconds, within=int(WINDOW.total_seconds()), at_most=TRIES)
    if until:
        log.warning("login: too many tries from %s", _network(client))
        return Locked(datetime.fromtimestamp(until, UTC))
    kept = user.password if user is not None and user.active else ""
    if not passwords.is_right(kept, password) or user is None:
        # What was typed is not written down: it may be a password in the wrong field.
        log.warning("login: refused for %s from %s", user.email if user else "an unknown address", _network(client))
        return None
    tracker.logins.forgive((place,), seconds, all_of=known)
    note(tracker, user)
    log.info("login: %s from %s", user.email, _network(client))
    return user


def note(tracker: Tracker, user: User) -> None:
    """Note that the user logs in now, by his password or with a link. Raises `Busy`, `Damaged`."""
    now = tracker.clock()
    tracker.logins.change(user.id, lambda state: msgspec.structs.replace(state, last_login=now))


def is_own_password(tracker: Tracker, user: User, password: str) -> bool | Locked:
    """Whether this is the user's password, asked of somebody who is logged in; he may not guess either."""
    known, now = _known(tracker, f"own {user.id}"), int(tracker.clock().timestamp())
    until = tracker.logins.attempt((known,), now, within=int(WINDOW.total_seconds()), at_most=TRIES)
    if until:
        return Locked(datetime.fromtimestamp(until, UTC))
    if not passwords.is_right(user.password, password):
        return False
    tracker.logins.forgive((), now, all_of=known)
    return True


def stamp(tracker: Tracker, user: User) -> str:
    """What a new session of this user carries."""
    return _stamp(tracker.secrets.session_keys[0], user, tracker.logins.of(user.id).epoch)


def by_session(tracker: Tracker, user_id: str, stamp: str) -> User | None:
    """The user a session belongs to; None when he is gone or deactivated, or what the stamp is made of changed.

    Raises `Damaged`.
    """
    user = tracker.people.load_all().user(user_id)
    if user is None or not user.active:
        return None
    epoch = tracker.logins.of(user.id).epoch
    known = (_stamp(key, user, epoch) for key in tracker.secrets.session_keys)
    return user if any(hmac.compare_digest(one.encode(), stamp.encode()) for one in known) else None


def end_sessions(tracker: Tracker, user: User) -> None:
    """End all sessions of a user, in every browser. Raises `Busy`, `Damaged`."""
    tracker.logins.change(user.id, lambda state: msgspec.structs.replace(state, epoch=state.epoch + 1))


def is_staff_somewhere(user: User) -> bool:
    """Whether the user reads the notes of one project or administers."""
    return user.administrator or any(role >= STAFF for role in user.roles.values())


def _stamp(key: bytes, user: User, epoch: int) -> str:
    rights = (user.id, user.password, sorted(user.roles.items()), user.administrator, user.active, epoch)
    return hmac.digest(key, b"session\0" + msgspec.json.encode(rights), "sha256").hex()


def _known(tracker: Tracker, who: str) -> str:
    """The name under which tries are counted: nobody who reads the file learns who tried what."""
    key = tracker.secrets.session_keys[-1]
    return hmac.digest(key, b"tries\0" + who.encode("utf-8", "replace"), hashlib.sha256).hex()[:32]


def _network(client: str) -> str:
    """The client's address; of IPv6 the /64, of which a customer has all, so that each of them is not a new one."""
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return "an unknown place"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
