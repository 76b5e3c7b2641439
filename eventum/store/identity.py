"""Which store this is: its id, its schema, the id of its key, and the system user it belongs to.

Flows in: the layout. Flows out: an `Identity`, or `Damaged` with the one line that says what to do: every command
starts here. The file is written by `flask init` as its last step, so a store that has it is complete.
"""

import contextlib
import os
import pwd
import secrets
from datetime import datetime

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.store import files, records
from eventum.store.layout import SCHEMA, Layout


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What `state/store.json` says."""

    schema: int = SCHEMA
    id: str
    key: str  # The id of the key that sealed the secrets of this store.
    created: datetime


def opened(layout: Layout) -> Identity:
    """The store's identity, once it is sure that this process may use it. Raises `Damaged` otherwise."""
    check_owner(layout)
    check_one_disk(layout)
    identity = read(layout)
    if identity is None:
        raise Damaged(f"There is no store in {layout.root} yet: run `flask init`, or set EVENTUM_DATA to where it is.")
    return identity


def read(layout: Layout) -> Identity | None:
    """The store's identity, None when it was not initialised. Raises `Damaged` when the file cannot be used."""
    try:
        return records.load(layout.store, Identity).value
    except (NotFound, NotADirectoryError):
        return None


def write(layout: Layout, key: str, now: datetime) -> Identity:
    """Make this store a complete one."""
    identity = Identity(id=secrets.token_hex(8), key=key, created=now)
    files.atomic_write(layout.store, records.encode(identity))
    return identity


def check_owner(layout: Layout) -> None:
    """Raises `Damaged` when the data folder belongs to another system user.

    Root too is refused: what root's cron line makes, the web server and the MTA could not read or replace.
    """
    try:
        owner = os.stat(layout.root).st_uid
    except (FileNotFoundError, NotADirectoryError):
        return
    except PermissionError as error:
        raise Damaged(f"{layout.root} cannot be reached as user {_name(os.geteuid())}: {error.strerror}.") from error
    if owner != os.geteuid():
        raise Damaged(
            f"{layout.root} belongs to user {_name(owner)}, and this runs as {_name(os.geteuid())}: "
            f"run it as {_name(owner)} (for instance `sudo -u {_name(owner)} ...`, or that user's crontab)."
        )


def check_one_disk(layout: Layout) -> None:
    """Raises `Damaged` when parts of the store lie on different file systems: no file moves between them at once."""
    devices: dict[int, str] = {}
    for path in (layout.spool, layout.issues, layout.pool, layout.state):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            devices.setdefault(os.stat(path).st_dev, path.name)
    if len(devices) > 1:
        one, other = list(devices.values())[:2]
        raise Damaged(
            f"{layout.root / one} and {layout.root / other} lie on different file systems, so no mail can be moved "
            f"from one to the other at once: put all of {layout.root} on one file system."
        )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
