"""How old a thing is by what runs saw, so that a clock that jumps ahead makes nothing old.

Flows in: the times at which a run looked, oldest first, as its clock said then. Flows out: a moment; what came to rest
before it has been there long enough. Between two looks no more time counts than a machine is likely to be left alone,
whatever the clock says: a clock that jumps ahead by a year makes everything three hours older, and one that jumps back
makes nothing younger.
"""

from collections.abc import Sequence

AT_MOST = 3 * 3600.0  # Seconds that count between two looks.
KEPT = 48  # Looks that are remembered: more than a day of them, an hour apart.


def before(looks: Sequence[float], age: float) -> float | None:
    """What came before this moment is at least `age` seconds old; None when that cannot be said of anything yet."""
    lived = 0.0
    for at in range(len(looks) - 1, 0, -1):
        lived += min(max(looks[at] - looks[at - 1], 0.0), AT_MOST)
        if lived >= age:
            # A clock that was ahead in between does not count: what is younger came after it was right again.
            return min(looks[at - 1 :])
    return None


def asked_for(looks: Sequence[float], now: float) -> float:
    """Seconds in which something was tried again and again; a long pause counts as a day at most."""
    times = [*looks, now]
    return sum(min(max(later - sooner, 0.0), 24 * 3600.0) for sooner, later in zip(times, times[1:], strict=False))
