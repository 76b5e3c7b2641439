"""A copy of the store and its key, for `flask backup`.

Flows in: a tracker and a folder. Flows out: what was copied. `store/backup` says in what order and why.
"""

from pathlib import Path

from eventum.store.backup import Backup, Copying, Progress
from eventum.tracker.tracker import Tracker


def copy(tracker: Tracker, folder: Path, progress: Progress) -> Backup:
    """Make it, or replace an earlier one there. Raises `Refused` for a place that will not do."""
    copying = Copying(tracker.layout, tracker.config.secret_file, folder.absolute(), cache=tracker.cache)
    return copying.run(progress)
