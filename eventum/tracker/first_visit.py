"""The first visit: an administrator, a project, an account and the outgoing server, set up in the browser.

Flows in: the code that `flask init` printed, and which steps are done or skipped. Flows out: whether the set-up is
open, and for whom. Who comes first to a fresh installation is a stranger until he shows the code, which only the
terminal that made the store has seen. Once somebody administers with a password, strangers find nothing here.
"""

import hashlib
import hmac
import secrets

import msgspec

from eventum.errors import EventumError, Refused
from eventum.issues.people import User
from eventum.store.first_visit import FirstVisit
from eventum.tracker import logins, membership, passwords
from eventum.tracker.membership import UserForm
from eventum.tracker.tracker import Tracker
from eventum.wording import N_

ADMINISTRATOR = "administrator"
STEPS = (ADMINISTRATOR, "installation", "project", "account", "smtp")
# Crockford's base 32: no letter is taken for a digit when a code is read aloud or typed from paper. 100 bits.
LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
GROUPS, GROUP = 4, 5
LOCK = "init"


def new_code(tracker: Tracker) -> str:
    """A code that opens the set-up; one that was made before opens nothing any more. Shown once, kept as its digest.

    Raises `Refused` when somebody administers with a password: nothing is to be set up then.
    """
    with tracker.locks.record(LOCK):
        if has_password(tracker):
            raise Refused(N_("An administrator has a password already and can set up everything else."))
        letters = [secrets.choice(LETTERS) for _ in range(GROUPS * GROUP)]
        code = "-".join("".join(letters[at : at + GROUP]) for at in range(0, len(letters), GROUP))
        tracker.first_visits.save(FirstVisit(code=_digest(code), left=STEPS))
    return code


def has_password(tracker: Tracker) -> bool:
    """Whether an administrator can log in."""
    return any(user.administrator and user.active and user.password for user in tracker.people.load_all().users)


def is_open_to_strangers(tracker: Tracker) -> bool:
    """Whether whoever comes is asked for the code. Never raises an error of ours: a door that may be open is shut."""
    try:
        return not has_password(tracker) and not tracker.people.damaged() and bool(tracker.first_visits.load().code)
    except EventumError:
        return False


def has_code(tracker: Tracker) -> bool:
    """Whether a code was printed that nobody used."""
    return bool(tracker.first_visits.load().code)


def nobody_can_log_in(tracker: Tracker) -> bool:
    """Whether the installation waits for its first administrator, with a code or without one."""
    return not has_password(tracker) and not tracker.people.damaged()


def waiting(tracker: Tracker) -> User | None:
    """An administrator who has no password yet: it is he who sets one, and not another who is made."""
    found = [user for user in tracker.people.load_all().users if user.administrator and user.active]
    return next(iter(sorted(found, key=lambda user: user.created)), None)


def left(tracker: Tracker) -> tuple[str, ...]:
    """The steps that nobody did or skipped yet; none when the set-up is over or never began."""
    if not has_password(tracker):
        return ()
    return tuple(step for step in tracker.first_visits.load().left if step in STEPS)


def begin(tracker: Tracker, code: str, *, email: str, name: str, password: str) -> User:
    """Make the first administrator, or give the one who waits his password; whoever shows the code once.

    Raises `Refused` with the `field` to be mended.
    """
    passwords.check(password)
    # Before the hash, which takes a third of a second and much memory that no stranger should have for nothing.
    _check_code(tracker, code)
    kept = passwords.hashed(password)
    with tracker.locks.record(LOCK):
        visit = _check_code(tracker, code)
        known = waiting(tracker)
        if known is not None:
            form = UserForm(password=kept)
        else:
            form = UserForm(email=email, name=name, password=kept, administrator=True)
        user = membership.save_user(tracker, known.id if known else None, form)
        tracker.first_visits.save(msgspec.structs.replace(visit, code="", left=STEPS[1:]))
        logins.note(tracker, user)
    return user


def _check_code(tracker: Tracker, code: str) -> FirstVisit:
    visit = tracker.first_visits.load()
    is_right = hmac.compare_digest(_digest(code), visit.code or _digest(""))
    if not visit.code or not is_right or has_password(tracker):
        raise Refused(N_("This is not the code. `flask init --new-code` on the server prints a new one."), field="code")
    return visit


def skipped(tracker: Tracker) -> tuple[str, ...]:
    """The steps that somebody left out."""
    return tracker.first_visits.load().skipped


def done(tracker: Tracker, step: str, *, is_skipped: bool = False) -> None:
    """A step was done or skipped."""
    with tracker.locks.record(LOCK):
        visit = tracker.first_visits.load()
        tracker.first_visits.save(
            msgspec.structs.replace(
                visit,
                left=tuple(one for one in visit.left if one != step and one != ADMINISTRATOR),
                skipped=(*visit.skipped, *((step,) if is_skipped else ())),
            )
        )


def end(tracker: Tracker) -> None:
    """All is done or skipped."""
    with tracker.locks.record(LOCK):
        tracker.first_visits.save(FirstVisit())


def _digest(code: str) -> str:
    """What is kept of a code; case, blanks and dashes do not matter, nor letters that look like digits."""
    plain = "".join(char for char in code.lower() if char.isalnum())
    plain = plain.translate(str.maketrans("oil", "011"))
    return hashlib.sha256(f"eventum first visit {plain}".encode()).hexdigest()
