"""The demo set up and taken down: its folder, the two listeners, the store, the play.

Flows in: where it lies and on which port mail for it is taken. Flows out: a `Stage` as long as the context. Two demos
on one folder exclude each other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import msgspec

from eventum.demo import scenery
from eventum.demo.listener import listening
from eventum.demo.place import ADDRESSES, Place, traced
from eventum.demo.play import Play
from eventum.errors import Busy
from eventum.tracker.tracker import Tracker


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A demo that runs. `arrivals` are (address, raw) of mails that came in by SMTP, as they come.

    `url` is where its screens are to be, `port` where its mail is taken.
    """

    place: Place
    play: Play
    url: str
    port: int
    arrivals: SimpleQueue[tuple[str, bytes]]
    tracker: Tracker


@contextmanager
def staged(root: Path, *, port: int, fresh: bool, url: str = "http://127.0.0.1:5000") -> Iterator[Stage]:
    """The demo of this folder, anew when `fresh`; mail is taken at `port`, 0 takes any that is free.

    Raises `Busy` when the port or the folder is in use, `Refused` when the folder holds something else.
    """
    place = Place(root)
    arrivals: SimpleQueue[tuple[str, bytes]] = SimpleQueue()

    def arrive(sender: str, recipient: str, helo: str, raw: bytes) -> None:
        raw = traced(raw, sender, recipient, helo)
        place.put(ADDRESSES[recipient], raw)
        arrivals.put((recipient, raw))

    def leave(sender: str, recipient: str, helo: str, raw: bytes) -> None:
        place.keep(recipient, traced(raw, sender, recipient, helo))

    with listening(port, _taken, arrive) as inwards, listening(0, lambda recipient: "", leave) as outwards:
        if fresh:
            with _alone(place):
                pass
            place.remove()
        with _alone(place) as tracker:
            accounts = scenery.build(tracker, place, outwards.port, url)
            play = Play(tracker, place, accounts)
            yield Stage(place=place, play=play, url=url, port=inwards.port, arrivals=arrivals, tracker=tracker)


def _taken(recipient: str) -> str:
    return "" if recipient in ADDRESSES else f"Not here: write to {' or '.join(ADDRESSES)}"


@contextmanager
def _alone(place: Place) -> Iterator[Tracker]:
    """The tracker of this place, while no other demo works on it. Raises `Busy` when one does."""
    place.make()
    tracker = Tracker(place.config)
    tracker.layout.create()
    lease = tracker.locks.lease("demo")
    if lease is None:
        raise Busy(f"Another demo runs in {place.root}; end it (Ctrl-C), or start this one from another folder.")
    with lease:
        try:
            yield tracker
        finally:
            tracker.close()
