"""General Setup by its keys: asked, set and listed.

Flows in: a dotted key and what somebody typed. Flows out: the values, with `smtp.password` never among them.
"""

import msgspec

from eventum.errors import Refused
from eventum.issues import settings
from eventum.issues.settings import General
from eventum.tracker.tracker import Tracker

PASSWORD = "smtp.password"


class Setting(msgspec.Struct, frozen=True):
    """One key and its value as shown."""

    key: str
    value: object


def listed(tracker: Tracker) -> list[Setting]:
    """Every key with its value; of the password only whether there is one."""
    general = tracker.settings.general()
    return [_shown(general, key) for key in settings.KEYS]


def asked(tracker: Tracker, key: str) -> Setting:
    """One key with its value. Raises `NotFound` naming the keys that are spelled alike, `Refused` for the password."""
    setting = _shown(tracker.settings.general(), key)
    if settings.key_named(key).secret:
        raise Refused(f"{key} is never shown; set it anew with `flask settings set {key}`.")
    return setting


def changed(tracker: Tracker, key: str, value: str) -> tuple[Setting, tuple[str, ...]]:
    """The key as it is after setting it, and what is still lacking for its block to work, a sentence each.

    Raises `NotFound` for an unknown key, `Refused` for a value it cannot take."""
    general = tracker.settings.general()
    if key == PASSWORD:
        saved = tracker.settings.save_general(general, smtp_password=value)
    else:
        saved = tracker.settings.save_general(settings.put(general, key, value))
    block = key.partition(".")[0] + "."
    return _shown(saved, key), tuple(sentence for sentence in settings.lacking(saved) if block in sentence)


def _shown(general: General, key: str) -> Setting:
    value = settings.show(general, key) if settings.key_named(key).secret else settings.get(general, key)
    return Setting(key, value)
