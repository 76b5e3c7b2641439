"""General Setup by its keys and by its sections: asked, set and listed.

Flows in: a dotted key and what somebody typed, or a section's keys all at once. Flows out: the values, with
`smtp.password` never among them. Saving one section touches no other.
"""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from eventum.errors import Conflict, EventumError, Refused
from eventum.issues import settings
from eventum.issues.settings import General
from eventum.tracker.tracker import Tracker
from eventum.wording import N_

PASSWORD = "smtp.password"
TOKEN = "metrics.token"
SECRETS = (PASSWORD, TOKEN)
SHORTEST_TOKEN = 16
# The sections of the screen, in its order; the keys of one are saved together.
SECTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "installation": ("general.tool_caption", "general.base_url"),
        "smtp": ("smtp.host", "smtp.port", "smtp.security", "smtp.username", PASSWORD),
        "sender": ("smtp.from",),
        "subject_routing": ("subject_routing.enabled",),
        **{
            block: tuple(key for key in settings.KEYS if key.startswith(f"{block}."))
            for block in ("email_routing", "note_routing", "draft_routing")
        },
        "network": ("network.allowed_hosts", "network.allowed_ports"),
        "fuse": ("fuse.address", "fuse.new_issues", "fuse.domain", "fuse.issue", "fuse.acknowledgements"),
        "disk": ("disk.min_free",),
        "defaults": ("defaults.language", "defaults.timezone"),
    }
)
# What the password was given for: sent to another server, or in clear text, it would be given away (reliability T18).
CREDENTIALS = ("smtp.host", "smtp.port", "smtp.security", "smtp.username")


class Setting(msgspec.Struct, frozen=True):
    """One key and its value as shown."""

    key: str
    value: object


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """The outgoing server as somebody typed it, and the password to try it with."""

    host: str
    port: int
    security: str
    username: str
    password: str
    sender: str


class Unfit(EventumError):
    """Values of a section that cannot be taken: what is wrong, by key."""

    def __init__(self, faults: Mapping[str, EventumError]) -> None:
        super().__init__(" ".join(str(fault) for fault in faults.values()))
        self.faults = faults


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
    elif key == TOKEN:
        if value and len(value) < SHORTEST_TOKEN:
            raise Refused(
                N_("metrics.token has at least {least} letters; `openssl rand -hex 24` makes one."),
                least=SHORTEST_TOKEN,
            )
        saved = tracker.settings.save_general(general, metrics_token=value)
    else:
        saved = tracker.settings.save_general(settings.put(general, key, value))
    block = key.partition(".")[0] + "."
    return _shown(saved, key), tuple(sentence for sentence in settings.lacking(saved) if block in sentence)


def section(tracker: Tracker, name: str) -> dict[str, str]:
    """The values of a section as they can be typed again, by key; of the password only whether there is one."""
    general = tracker.settings.general()
    return {key: settings.show(general, key) for key in SECTIONS[name]}


def stamp(tracker: Tracker, name: str) -> str:
    """What a section's form was made from: another when any of its values is, whatever happens to other sections."""
    return _stamp(tracker.settings.general(), name)


def caption(tracker: Tracker) -> str:
    """What the installation is called."""
    return tracker.settings.general().tool_caption


def lacking(tracker: Tracker) -> dict[str, str]:
    """What is on and cannot work yet, by the key that would mend it; marked sentences."""
    return dict(settings.lacking_keys(tracker.settings.general()))


def save_section(tracker: Tracker, name: str, values: Mapping[str, str], *, was: str = "") -> None:
    """Set the keys of one section; an empty password leaves the one there is.

    `was` is the stamp of the form, "" saves over whatever there is. Raises `Unfit` with all that is wrong,
    `Conflict` when the section was changed meanwhile.
    """
    general = tracker.settings.general()
    if was and was != _stamp(general, name):
        raise Conflict(N_("Somebody else changed these settings meanwhile."))
    after = _filled_in(general, name, values)
    password = values.get(PASSWORD) or None
    if name == "smtp" and not settings.get(after, "smtp.username"):
        password = ""  # Nobody logs in, so nothing is kept to log in with.
    tracker.settings.save_general(after, smtp_password=password)


def outgoing(tracker: Tracker, values: Mapping[str, str], sender: str = "") -> Outgoing:
    """The outgoing server as these values of the section would have it, unsaved, with this sender or the set one.

    Raises `Unfit`, `Damaged`.
    """
    general = tracker.settings.general()
    after = _filled_in(general, "smtp", values)
    return Outgoing(
        host=after.smtp.host,
        port=after.smtp.port,
        security=after.smtp.security,
        username=after.smtp.username,
        password=values.get(PASSWORD) or tracker.settings.smtp_password(general),
        sender=sender.strip() or after.smtp.from_ or _a_sender(tracker),
    )


def _a_sender(tracker: Tracker) -> str:
    """Where no sender is set: the address of the first project that has one."""
    return next(
        (one.sender_email for one in tracker.people.usable_projects() if one.sender_email and not one.archived), ""
    )


def _filled_in(general: General, name: str, values: Mapping[str, str]) -> General:
    after, faults = general, dict[str, EventumError]()
    for key in SECTIONS[name]:
        if key not in values or settings.key_named(key).secret or values[key].strip() == settings.show(general, key):
            continue
        try:
            after = settings.put(after, key, values[key])
        except Refused as error:
            faults[key] = Refused(str(error.values.get("reason", error)))
    moved = any(settings.get(general, key) != settings.get(after, key) for key in CREDENTIALS)
    logs_in = bool(settings.get(after, "smtp.username"))
    if moved and logs_in and general.smtp.password and not values.get(PASSWORD):
        faults[PASSWORD] = Refused(
            N_("Type the password again: it was stored for another server, port, security or user name.")
        )
    if faults:
        raise Unfit(faults)
    return after


def _stamp(general: General, name: str) -> str:
    # The sealed text of the password stands for it: it is another at each writing.
    values = [str(settings.get(general, key)) for key in SECTIONS[name]]
    return hashlib.sha256("\0".join(values).encode()).hexdigest()[:16]


def _shown(general: General, key: str) -> Setting:
    value = settings.show(general, key) if settings.key_named(key).secret else settings.get(general, key)
    return Setting(key, value)
