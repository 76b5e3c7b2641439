"""Whether there is room to take more in: mail is not fetched, and long before the end nothing big is accepted.

Flows in: the limit of the General Setup and what the disk says. Flows out: nothing, or `NoRoom`. Below the limit no
mail is fetched, so that what is there can still be sent, filed and answered; far below it new posts are refused too,
before a half of one is written. What frees room goes on in any case.
"""

from eventum.errors import Busy
from eventum.tracker import alerts
from eventum.tracker.tracker import Tracker
from eventum.wording import N_

ALERT = "disk"
MEGA = 1_000_000
FEW_FILES = 2000  # Below so many files that can still be made a disk counts as full, whatever its bytes.
FOR_STAFF = N_("No mail is fetched until there is room. None is lost: it stays on the servers.")
LAST = 10  # The tenth part of the limit is kept back from what people post.


class NoRoom(Busy):
    """The disk is nearly full: what would be written can wait."""


def short(tracker: Tracker) -> NoRoom | None:
    """Why no mail is to be fetched now; None when there is room. Raises `OSError`, `Damaged`."""
    limit = tracker.settings.general().disk.min_free
    if not limit:
        return None
    room = tracker.room()
    if room.free < limit * MEGA:
        return NoRoom(
            N_(
                "The disk of {root} has {free} MB left, less than disk.min_free ({limit} MB): no mail is fetched, and "
                "all of it stays on the servers. Free some space; then it goes on by itself."
            ),
            root=tracker.layout.root,
            free=room.free // MEGA,
            limit=limit,
        )
    if room.files is not None and room.files < FEW_FILES:
        return NoRoom(
            N_(
                "The disk of {root} takes {files} more files only: no mail is fetched, and all of it stays on the "
                "servers. Delete files you do not need; then it goes on by itself."
            ),
            root=tracker.layout.root,
            files=room.files,
        )
    return None


def check(tracker: Tracker) -> None:
    """Raise `NoRoom` when what somebody posts might not fit any more."""
    if is_full(tracker):
        raise NoRoom(
            N_("The disk is full, so this could not be saved. Your text is still here: try again when there is room.")
        )


def is_full(tracker: Tracker) -> bool:
    """Whether what somebody posts might not fit any more."""
    if not (limit := tracker.settings.general().disk.min_free):
        return False
    room = tracker.room()
    return room.free < limit * MEGA // LAST or (room.files is not None and room.files < FEW_FILES // LAST)


def watch(tracker: Tracker) -> NoRoom | None:
    """As `short`, and the administrators hear when that begins and when it is over."""
    why = short(tracker)
    if why is not None:
        alerts.raised(
            tracker, ALERT, why, hint=N_("Mail is fetched again as soon as there is room."), line="flask status"
        )
    else:
        alerts.over(tracker, ALERT, N_("The disk has room again, and mail is fetched."))
    return why
