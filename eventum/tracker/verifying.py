"""Looks over the whole store, mends what is derived, and makes the index anew.

Flows in: a tracker. Flows out: what is wrong, with its file and remedy. No record and no mail is changed.
"""

from collections.abc import Callable

from eventum.store.verify import Verified, Verifier
from eventum.tracker.tracker import Tracker


def verify(tracker: Tracker, *, repair: bool = False) -> Verified:
    """What is wrong with the store; with `repair`, after what is derived or left over was mended.

    Raises `Busy` when something looks wrong and no run pauses to let it be sure.
    """
    verifier = Verifier(tracker.layout, tracker.locks, tracker.index)
    return verifier.repair() if repair else verifier.verify()


def reindex(tracker: Tracker, told: Callable[[int], None] = lambda count: None) -> int:
    """Make the index of this host and user anew; how many issues it holds. `told` hears how many were read."""
    tracker.index.rebuild(told)
    return sum(tracker.index.contents()["issues"].values())
