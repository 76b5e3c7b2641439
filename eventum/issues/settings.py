"""General Setup: one record, and its keys as the command and the screen name them.

In flow: the record, a dotted key and what somebody typed. Out flow: the record with that one value, or a sentence
saying what is wrong. `smtp.password` is a sealed text that only the store can open. Keys: the interface's list,
eventum-behaviour 9.3. Setting one key never touches another (its W-U5).
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from eventum.errors import NotFound, Refused
from eventum.issues import typed
from eventum.wording import N_

Value = str | int | bool | tuple[str, ...] | tuple[int, ...]


class Smtp(msgspec.Struct, frozen=True, kw_only=True):
    """The server our mail leaves by; `from_` ("from" in JSON) is the sender where a project has none of its own."""

    host: str = "localhost"
    port: int = 25
    security: str = "none"
    username: str = ""
    password: str = ""
    from_: str = msgspec.field(name="from", default="")


class Switch(msgspec.Struct, frozen=True):
    """Something that is on or off."""

    enabled: bool = False


class AddressRouting(msgspec.Struct, frozen=True, kw_only=True):
    """One block of address routing: `prefix` + number + @ + `host` (or one of its aliases)."""

    enabled: bool = False
    prefix: str
    host: str = ""
    host_aliases: tuple[str, ...] = ()


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """Where a test from the browser may connect to beyond public addresses and the ports of mail."""

    allowed_hosts: tuple[str, ...] = ()
    allowed_ports: tuple[int, ...] = ()


class Defaults(msgspec.Struct, frozen=True, kw_only=True):
    """What a new user begins with; `language` "" is what his browser asks for."""

    language: str = ""
    timezone: str = "UTC"


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """Below so many megabytes free no mail is fetched; 0 never stops it."""

    min_free: int = 200


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """What `/metrics` is read with from other machines; sealed, "" for nobody."""

    token: str = ""


class Fuse(msgspec.Struct, frozen=True, kw_only=True):
    """How many mails within an hour are told of as usual, see `issues/fuse`; 0 for no limit.

    `address`: of one sender into one issue; `new_issues`: of one sender that open one each; `domain`: of one domain
    into issues, staff not counted; `issue`: into one issue. `acknowledgements`: those that are sent to anybody at all.
    """

    address: int = 20
    new_issues: int = 50
    domain: int = 500
    issue: int = 100
    acknowledgements: int = 50


class General(msgspec.Struct, frozen=True, kw_only=True):
    """General Setup as it is stored in settings/general.json."""

    schema: int = 1
    revision: int = 0
    tool_caption: str = "Eventum"
    base_url: str = ""
    smtp: Smtp = Smtp()
    subject_routing: Switch = Switch()
    email_routing: AddressRouting = AddressRouting(prefix="issue-")
    note_routing: AddressRouting = AddressRouting(prefix="note-")
    draft_routing: AddressRouting = AddressRouting(prefix="draft-")
    network: Network = Network()
    defaults: Defaults = Defaults()
    fuse: Fuse = Fuse()
    disk: Disk = Disk()
    metrics: Metrics = Metrics()


class Key(NamedTuple):
    """Where a key's value lies in the record, how what was typed is read, and whether it is never shown."""

    block: str
    field: str
    read: Callable[[str], Value]
    secret: bool = False


def key_named(name: str) -> Key:
    """The row of KEYS with this name. Raises NotFound that names those most like it."""
    try:
        return KEYS[name]
    except KeyError:
        near = get_close_matches(name, KEYS, n=3, cutoff=0.4) or list(KEYS)
        raise NotFound(
            "There is no setting {name!r}; did you mean {near}?", name=name, near=" or ".join(near)
        ) from None


def get(general: General, name: str) -> Value:
    """The value of a key. Raises NotFound. A sealed text for `smtp.password`."""
    key = key_named(name)
    holder = getattr(general, key.block) if key.block else general
    value: Value = getattr(holder, key.field)
    return value


def put(general: General, name: str, text: str) -> General:
    """General Setup with one key set to what somebody typed. Raises NotFound for the key, Refused for the value."""
    key = key_named(name)
    try:
        value = key.read(text.strip())
    except ValueError as error:
        shown = "that" if key.secret else repr(text)
        raise Refused("{key} cannot be {value}: {reason}", key=name, value=shown, reason=str(error)) from None
    if not key.block:
        return replace(general, **{key.field: value})
    return replace(general, **{key.block: replace(getattr(general, key.block), **{key.field: value})})


def show(general: General, name: str) -> str:
    """The value of a key as `put` reads it; "(set)" or "" for one that is never shown. Raises NotFound."""
    value = get(general, name)
    if key_named(name).secret:
        return "(set)" if value else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def lacking(general: General) -> tuple[str, ...]:
    """What is on and cannot work yet, one sentence each; keys are set one by one, so `put` cannot refuse it."""
    return tuple(
        f"{key.partition('.')[0]} is on and does nothing without a host; set {key}." if key.endswith(".host") else said
        for key, said in lacking_keys(general)
    )


def lacking_keys(general: General) -> tuple[tuple[str, str], ...]:
    """As `lacking`, by the key that would mend it, and in the words of somebody who sees its field."""
    found = [
        (f"{name}.host", N_("This is on and does nothing without a host."))
        for name in ("email_routing", "note_routing", "draft_routing")
        if getattr(general, name).enabled and not getattr(general, name).host
    ]
    if not general.smtp.from_:
        found.append(
            (
                "smtp.from",
                N_("smtp.from is not set; without it, or a project's own sender address, no mail can be sent."),
            )
        )
    if general.smtp.username and not general.smtp.password:
        found.append(
            ("smtp.password", N_("smtp.username is set without smtp.password; set it, or empty the user name."))
        )
    return tuple(found)


def _routing(block: str) -> dict[str, Key]:
    return {
        f"{block}.enabled": Key(block, "enabled", typed.switch),
        f"{block}.prefix": Key(block, "prefix", typed.prefix),
        f"{block}.host": Key(block, "host", typed.host),
        f"{block}.host_aliases": Key(block, "host_aliases", typed.hosts),
    }


KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "general.tool_caption": Key("", "tool_caption", typed.caption),
        "general.base_url": Key("", "base_url", typed.base_url),
        "smtp.host": Key("smtp", "host", typed.server),
        "smtp.port": Key("smtp", "port", typed.port),
        "smtp.security": Key("smtp", "security", typed.security),
        "smtp.username": Key("smtp", "username", typed.one_line),
        "smtp.password": Key("smtp", "password", str, secret=True),
        "smtp.from": Key("smtp", "from_", typed.sender),
        "subject_routing.enabled": Key("subject_routing", "enabled", typed.switch),
        **_routing("email_routing"),
        **_routing("note_routing"),
        **_routing("draft_routing"),
        "network.allowed_hosts": Key("network", "allowed_hosts", typed.reachable),
        "network.allowed_ports": Key("network", "allowed_ports", typed.ports),
        "defaults.language": Key("defaults", "language", typed.language),
        "defaults.timezone": Key("defaults", "timezone", typed.timezone),
        "fuse.address": Key("fuse", "address", typed.count),
        "fuse.new_issues": Key("fuse", "new_issues", typed.count),
        "fuse.domain": Key("fuse", "domain", typed.count),
        "fuse.issue": Key("fuse", "issue", typed.count),
        "fuse.acknowledgements": Key("fuse", "acknowledgements", typed.count),
        "disk.min_free": Key("disk", "min_free", typed.megabytes),
        "metrics.token": Key("metrics", "token", str, secret=True),
    }
)
