"""A form that is sent twice makes one thing.

Flows in: the nonce of a form, made when it was first shown. Flows out: the issue that it made before, if it did. The
second of two that come at the same time waits until the first is done. A form about one issue needs none of this: that
issue's record says whether it was here (`acting.act`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from eventum.errors import Refused
from eventum.tracker.tracker import Tracker
from eventum.wording import N_


def check_same(known: str, typed: str) -> None:
    """Raise `Refused` when a form that made one thing comes again with another in it, which would be lost unsaid."""
    if known != typed:
        raise Refused(N_("This form made {made} already. Send it again to make another one."), made=known)


def made(tracker: Tracker, nonce: str) -> int | None:
    """The issue in which the form with this nonce did its work; None when it did none, or there is no nonce."""
    if not nonce:
        return None
    tracker.index.catch_up()
    return tracker.index.made(nonce)


def was_used(tracker: Tracker, nonce: str) -> bool:
    """Whether the form with this nonce did its work already: what it held was sent, or made something."""
    return made(tracker, nonce) is not None


def says_same(one: str, other: str) -> bool:
    """Whether two texts say the same, however a mail breaks their lines."""
    return one.split() == other.split()


@contextmanager
def once(tracker: Tracker, nonce: str) -> Iterator[int | None]:
    """While nobody else does what this nonce stands for: the number of the issue it made before, or None.

    Without a nonce there is nothing to remember and nobody waits. Raises `Busy` when the other takes too long.
    """
    if not nonce:
        yield None
        return
    # Sixteen locks for all forms: their files stay, so there must not be one for each nonce.
    with tracker.locks.record(f"once-{nonce[0] if nonce[0] in '0123456789abcdef' else '0'}"):
        yield made(tracker, nonce)
