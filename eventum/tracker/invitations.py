"""Links that are sent to people: to set a password, to confirm a new address. Each can be opened once, for a while.

Flows in: users, and what a link says when it is opened. Flows out: letters, and users with what the link was for. A
link is an HMAC over what is noted about it and over the user's password: the store alone does not give it away, an
administrator can be shown it again, and it is dead as soon as the password changes. Opening the page changes nothing;
programs that look at every link of a mail do that.
"""

import base64
import hmac
import secrets
from datetime import datetime, timedelta

import msgspec

from eventum.errors import Refused
from eventum.issues.people import User
from eventum.store.logins import Link, LoginState
from eventum.tracker import logins, passwords
from eventum.tracker.letters import Words, base_url, send_letter
from eventum.tracker.membership import UserForm, save_user
from eventum.tracker.once import check_same, once
from eventum.tracker.tracker import Tracker
from eventum.wording import N_

INVITED = timedelta(days=7)  # For who has no password yet,
FORGOTTEN = timedelta(hours=1)  # and for who has one.
CONFIRMED = timedelta(hours=24)
LETTERS_AN_HOUR = 5  # That one person may cause to addresses of his choice.
SPENT = N_("This link was used already, is too old, or was replaced by a newer one. Ask for a new one.")
NO_BASE_URL = N_(
    "Nobody said yet how this installation is reached, so no link can be sent: "
    "an administrator sets its address in the General Setup."
)


class Added(msgspec.Struct, frozen=True):
    """Somebody who was added; whether his link went out by mail, None when the same form came a second time."""

    user: User
    is_sent: bool | None


def add(tracker: Tracker, form: UserForm, by: User) -> Added:
    """Add somebody and invite him. Raises `Refused` as `save_user`: then nothing is sent."""
    with once(tracker, form.id):
        before = tracker.people.load_all().user(form.id)
        if before is not None:
            check_same(before.email, (form.email or "").strip().lower())
            return Added(before, None)
        user = save_user(tracker, None, form)
    return Added(user, invite(tracker, user, by))


def invite(tracker: Tracker, user: User, by: User | None = None) -> bool:
    """Make a link with which the user sets his password, and send it; earlier ones are dead.

    False when the link could not be put into a letter, because nobody said how this installation is reached: it has to
    be handed over. Raises `Refused` for a user who is deactivated.
    """
    if not user.active:
        raise Refused(N_("{user} is deactivated; activate the account first."), user=user.email)
    expires = tracker.clock() + (FORGOTTEN if user.password else INVITED)
    link = Link(nonce=secrets.token_hex(16), expires=expires, address=user.email)
    tracker.logins.change(user.id, lambda state: msgspec.structs.replace(state, invitation=link))
    base = base_url(tracker)
    if base:
        letter = "new_password" if user.password else "invitation"
        address = f"{base}/invitation/{_token(tracker, 'invitation', user, link)}"
        words = Words(to=user.email, link=address, expires=expires, who=by.name if by else "")
        send_letter(tracker, letter, user, words)
    return bool(base)


def invitation(tracker: Tracker, user: User) -> tuple[str, datetime] | None:
    """The token of the user's link and until when it can be opened; None when there is none."""
    link = tracker.logins.of(user.id).invitation
    if link is None or not _is_open(tracker, link) or not user.active or link.address != user.email:
        return None
    return _token(tracker, "invitation", user, link), link.expires


def revoke(tracker: Tracker, user: User) -> None:
    """Let the user's link be dead."""
    tracker.logins.change(user.id, lambda state: msgspec.structs.replace(state, invitation=None))


def invited(tracker: Tracker, token: str) -> User:
    """Who was sent this link. Raises `Refused` for one that can no more be opened."""
    return _opened(tracker, "invitation", token)[0]


def accept(tracker: Tracker, token: str, password: str) -> User:
    """Set the password of who was sent this link, and so logs in; the user as he is then, all his sessions ended.

    Raises `Refused` for a link that can no more be opened or a password that is too short, `Conflict` when the user was
    changed meanwhile.
    """
    user = invited(tracker, token)
    # Of two who open the same link at once, the second finds the user changed.
    user = save_user(tracker, user.id, UserForm(password=passwords.hashed(password), revision=user.revision))
    revoke(tracker, user)
    logins.note(tracker, user)
    return user


def check_address(tracker: Tracker, user: User, address: str) -> None:
    """Raise `Refused` for what is no address, when no link can be made, and after too many letters.

    Whether somebody has the address already is not said here: anybody could ask whose an address is.
    """
    tracker.people.is_free(address, but=user.id)
    if not base_url(tracker):
        raise Refused(NO_BASE_URL, field="email")
    seconds = int(tracker.clock().timestamp())
    if tracker.logins.attempt((f"letters {user.id}",), seconds, within=3600, at_most=LETTERS_AN_HOUR):
        raise Refused(N_("You asked for several addresses already; wait an hour and try again."), field="email")


def ask_for_address(tracker: Tracker, user: User, address: str) -> None:
    """Send a link to an address that `check_address` let pass, and tell the one the user has.

    Whose address it is already gets no link: it would be refused when he opens it.
    """
    base, now = base_url(tracker), tracker.clock()
    link = Link(nonce=secrets.token_hex(16), expires=now + CONFIRMED, address=address)
    tracker.logins.change(user.id, lambda state: msgspec.structs.replace(state, new_address=link))
    confirm = f"{base}/confirm/{_token(tracker, 'confirm', user, link)}"
    words = Words(to=address, link=confirm, expires=link.expires, address=address)
    if tracker.people.is_free(address, but=user.id):
        send_letter(tracker, "confirm_address", user, words)
    warned = msgspec.structs.replace(words, to=user.email, link=f"{base}/preferences/password")
    send_letter(tracker, "address_change", user, warned)


def wanted_address(tracker: Tracker, user: User) -> str:
    """The address that waits to be confirmed by this user; "" when there is none."""
    link = tracker.logins.of(user.id).new_address
    return link.address if link is not None and _is_open(tracker, link) else ""


def forget_address(tracker: Tracker, user: User) -> None:
    """The user keeps the address he has."""
    tracker.logins.change(user.id, lambda state: msgspec.structs.replace(state, new_address=None))


def asked_address(tracker: Tracker, token: str) -> tuple[User, str]:
    """Who asked for which address with this link. Raises `Refused` for one that can no more be opened."""
    user, link = _opened(tracker, "confirm", token)
    return user, link.address


def confirm_address(tracker: Tracker, token: str) -> User:
    """Let the address count to which this link was sent; the user as he is then.

    Raises `Refused` for a link that can no more be opened or an address that somebody else has by now, `Conflict`.
    """
    user, address = asked_address(tracker, token)
    # What he wrote before stays his, and so does what he still sends from there; an administrator may end that.
    aliases = tuple(alias for alias in (*user.aliases, user.email) if alias != address)
    user = save_user(tracker, user.id, UserForm(email=address, aliases=aliases, revision=user.revision))
    forget_address(tracker, user)
    return user


def _opened(tracker: Tracker, kind: str, token: str) -> tuple[User, Link]:
    user = tracker.people.load_all().user(token.partition(".")[0])
    if user is not None and user.active:
        link = _noted(tracker.logins.of(user.id), kind)
        if link is not None and _is_open(tracker, link) and _is_meant(tracker, kind, (user, link), token):
            return user, link
    raise Refused(SPENT)


def _is_open(tracker: Tracker, link: Link) -> bool:
    """Whether its time is not over; one that lasts longer than any was made by a clock that was ahead."""
    return timedelta() < link.expires - tracker.clock() <= INVITED + timedelta(days=1)


def _noted(state: LoginState, kind: str) -> Link | None:
    return state.invitation if kind == "invitation" else state.new_address


def _is_meant(tracker: Tracker, kind: str, sent: tuple[User, Link], token: str) -> bool:
    known = (_made(key, kind, sent) for key in tracker.secrets.session_keys)
    return any(hmac.compare_digest(one.encode(), token.encode("utf-8", "replace")) for one in known)


def _token(tracker: Tracker, kind: str, user: User, link: Link) -> str:
    return _made(tracker.secrets.session_keys[0], kind, (user, link))


def _made(key: bytes, kind: str, sent: tuple[User, Link]) -> str:
    user, link = sent
    said = (kind, user.id, user.email, user.password, link)
    digest = hmac.digest(key, b"link\0" + msgspec.json.encode(said), "sha256")
    return f"{user.id}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
