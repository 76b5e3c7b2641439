"""Passwords of people who log in here: what is kept of one, and whether what was typed is it.

Flows in: a password in clear. Flows out: its hash, or yes or no, after the same work whether there is a hash or not, so
that nobody learns from the time which addresses exist. The format of a hash is Werkzeug's, `scrypt:N:r:p$salt$hex`;
this room does not know Flask's world, and Python's own library makes them.
"""

import hashlib
import hmac
import re
import secrets
import threading

from eventum.errors import Refused
from eventum.wording import N_

# 128 MB and about 0.3 s a guess.
METHOD = "scrypt:131072:8:1"
MIN_LENGTH = 8
MAX_LENGTH = 1000  # Characters; what is longer was not typed by a person.

# Compared with when there is nobody: no password has this hash, as nobody knows 64 bytes that scrypt makes of it.
NOBODYS = f"{METHOD}$nobody$" + 64 * "00"

_HASH = re.compile(r"scrypt:[0-9]{1,8}:[0-9]{1,3}:[0-9]{1,3}\$[^$]+\$[0-9a-f]{128}", re.ASCII)

# So many guesses at a time: each takes 128 MB, and whoever sends a hundred at once must not fill the memory.
_AT_ONCE = threading.BoundedSemaphore(2)


def check(password: str) -> None:
    """Raise `Refused` for a password that is too short or too long to be kept."""
    if len(password) < MIN_LENGTH:
        raise Refused(N_("A password has at least {least} characters."), least=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        raise Refused(N_("A password has at most {most} characters."), most=MAX_LENGTH)


def hashed(password: str) -> str:
    """What is kept of a password. Raises `Refused` for one that `check` refuses."""
    check(password)
    salt = secrets.token_hex(8)
    return f"{METHOD}${salt}${_digest(METHOD, salt, password)}"


def is_right(kept: str, password: str) -> bool:
    """Whether this is the password that `kept` was made of; never for "", which is nobody's, or an unknown format."""
    is_known = _HASH.fullmatch(kept) is not None
    method, salt, digest = (kept if is_known else NOBODYS).split("$")
    same = hmac.compare_digest(_digest(method, salt, password[:MAX_LENGTH]), digest)
    return same and is_known


def _digest(method: str, salt: str, password: str) -> str:
    n, r, p = (int(number) for number in method.removeprefix("scrypt:").split(":"))
    with _AT_ONCE:
        key = hashlib.scrypt(
            password.encode("utf-8", "surrogatepass"), salt=salt.encode(), n=n, r=r, p=p, maxmem=132 * n * r * p
        )
    return key.hex()
