"""A form that is sent twice makes one thing.

Flows in: the nonce of a form, made when it was first shown. Flows out: the issue that it made before, if it did. The
second of two that come at the same time waits until the first is done. A form about one issue needs none of this: that
issue's record says whether it was here (`acting.act`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from eventum.tracker.tracker import Tracker


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
        tracker.index.catch_up()
        yield tracker.index.made(nonce)
