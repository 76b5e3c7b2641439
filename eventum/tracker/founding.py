"""The first day of a store: its folders, its key, its identity and its first administrator.

Flows in: a tracker on a configuration, and who administers. Flows out: what was made, a sentence each; nothing when all
was there. Each step can be repeated, and the identity is written after the key, so a first day that was cut short is
finished by the next try and no key is ever made for a store that has one.
"""

import msgspec

from eventum.store import identity, secrets
from eventum.tracker import membership
from eventum.tracker.membership import UserForm
from eventum.tracker.tracker import Tracker


class Founded(msgspec.Struct, frozen=True):
    """What `found` did."""

    store: str
    made: tuple[str, ...]


def has_administrator(tracker: Tracker) -> bool:
    """Whether the store is there and somebody may administer it. Raises `Damaged` for a store of another user."""
    identity.check_owner(tracker.layout)
    if identity.read(tracker.layout) is None:
        return False
    return any(user.administrator and user.active for user in tracker.people.users())


def found(tracker: Tracker, administrator: UserForm | None) -> Founded:
    """Make what is missing of the store; `administrator` is added when there is none yet.

    Raises `Damaged` when the folder belongs to another system user or its key file is missing or another, `Refused`
    when the administrator's address is none, `OSError` when the folder cannot be written.
    """
    layout, key_file = tracker.layout, tracker.config.secret_file
    identity.check_owner(layout)
    layout.create()
    made: list[str] = []
    with tracker.locks.record("init"):
        if identity.read(layout) is None:
            if not key_file.exists():
                secrets.make_key_file(key_file, tracker.clock())
                made.append(f"The key file {key_file}: keep a copy of it apart from the data.")
            identity.write(layout, secrets.Secrets(key_file).key_id, tracker.clock())
            made.append(f"The store {layout.root}.")
        tracker.open()
        if administrator is not None and not has_administrator(tracker):
            user = membership.save_user(tracker, None, msgspec.structs.replace(administrator, administrator=True))
            made.append(f"The administrator {user.email}.")
    return Founded(tracker.identity.id, tuple(made))
