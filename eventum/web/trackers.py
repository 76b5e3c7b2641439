"""A tracker for every request: its index, its journal and its leases are one thread's at a time.

Flows in: requests. Flows out: `tracker()`, taken from those that wait, or a new one. A request that failed in an
unforeseen way gives its tracker up: what it left half done is then a dead writer's, and the next run brings it to an
end.
"""

import contextlib
import threading

from flask import Flask, current_app, g

from eventum.tracker.tracker import Tracker

KEY = "eventum.web.trackers"


class Trackers:
    """The trackers of one process that no request has in hand."""

    def __init__(self, first: Tracker) -> None:
        self._first = first
        self._idle: list[Tracker] = []
        self._guard = threading.Lock()
        self._is_whole = False

    def take(self) -> Tracker:
        """One for this request. Raises `Damaged` when the store cannot be used by this process."""
        with self._guard:
            if self._idle:
                return self._idle.pop()
            tracker = Tracker(self._first.config, self._first.clock, self._first.disk).open()
            if not self._is_whole:
                # A store of an older version lacks the folders that came since; runs make them, and so do we.
                tracker.layout.create()
                self._is_whole = True
        return tracker

    def give_back(self, tracker: Tracker) -> None:
        """It waits for the next request."""
        with self._guard:
            self._idle.append(tracker)

    def close(self) -> None:
        """Close all that wait."""
        with self._guard:
            idle, self._idle = self._idle, []
        for tracker in idle:
            tracker.close()


def tracker() -> Tracker:
    """The tracker of this request. Raises `Damaged` when the store cannot be used by this process."""
    if "tracker" not in g:
        g.tracker = current_app.extensions[KEY].take()
    found: Tracker = g.tracker
    return found


def spoil() -> None:
    """Whatever this request left half done is somebody else's to end: its tracker is not used again."""
    g.is_spoilt = True


def furnish(app: Flask) -> None:
    """Let requests have trackers."""
    trackers = app.extensions[KEY] = Trackers(app.extensions["eventum"])

    @app.teardown_request
    def _end(error: BaseException | None) -> None:
        found = g.pop("tracker", None)
        if found is None:
            return
        if error is not None or g.get("is_spoilt"):
            # What it cannot tidy up on a disk that does not work is a dead writer's too; the answer says what failed.
            with contextlib.suppress(OSError):
                found.close()
        else:
            trackers.give_back(found)
