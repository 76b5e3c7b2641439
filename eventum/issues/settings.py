"""General Setup: one record, and its keys as the command and the screen name them.

In flow: the record, a dotted key and what somebody typed. Out flow: the record with that one value, or a sentence
saying what is wrong. `smtp.password` is a sealed text that only the store can open. Keys: the interface's list,
eventum-behaviour 9.3. Setting one key never touches another (its W-U5).
"""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from eventum.errors import NotFound, Refused
from eventum.mail.address import is_address, parse_addresses

Value = str | int | bool | tuple[str, ...]
SECURITIES = ("none", "starttls", "tls")


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
        raise NotFound(f"There is no setting {name!r}; did you mean {' or '.join(near)}?") from None


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
        raise Refused(f"{name} cannot be {'that' if key.secret else repr(text)}: {error}") from None
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
    return " ".join(value) if isinstance(value, tuple) else str(value)


def lacking(general: General) -> tuple[str, ...]:
    """What is on and cannot work yet, one sentence each; keys are set one by one, so `put` cannot refuse it."""
    found = [
        f"{name} is on and does nothing without a host; set {name}.host."
        for name in ("email_routing", "note_routing", "draft_routing")
        if getattr(general, name).enabled and not getattr(general, name).host
    ]
    if not general.smtp.from_:
        found.append("smtp.from is not set; without it, or a project's own sender address, no mail can be sent.")
    if general.smtp.username and not general.smtp.password:
        found.append("smtp.username is set without smtp.password; set it from stdin.")
    return tuple(found)


def _line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it must be one line without control characters.")
    return text


def _caption(text: str) -> str:
    if not text:
        raise ValueError("give it a name, like Eventum.")
    return _line(text)


def _base_url(text: str) -> str:
    if not text:
        return ""
    wrong = ValueError("write it like https://issues.example.org, with http or https.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise wrong from None
    odd = any(char.isspace() or not char.isprintable() for char in text) or "?" in text or "#" in text
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or odd:
        raise wrong
    return text.rstrip("/")


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or not 1 <= int(text) <= 65535:
        raise ValueError("a port is a number from 1 to 65535.")
    return int(text)


def _security(text: str) -> str:
    if text.lower() not in SECURITIES:
        raise ValueError(f"choose one of: {', '.join(SECURITIES)}.")
    return text.lower()


def _switch(text: str) -> bool:
    if text.lower() in ("true", "yes", "on", "1", "enabled"):
        return True
    if text.lower() in ("false", "no", "off", "0", "disabled"):
        return False
    raise ValueError("choose true or false.")


def _host(text: str) -> str:
    labels = text.lower().rstrip(".").split(".")
    # Underscores are no host names, but they are what containers are called.
    if text and not (len(text) <= 253 and all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,62})", one) for one in labels)):
        raise ValueError("write a host name like mail.example.org, without a scheme, a port or a path.")
    return ".".join(labels)


def _server(text: str) -> str:
    if not text:
        raise ValueError("name the server that takes our mail, like smtp.example.org.")
    return text.lower() if re.fullmatch(r"\[?[0-9a-fA-F:]*:[0-9a-fA-F:.]*\]?", text) else _host(text)


def _hosts(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_host(one) for one in re.split(r"[\s,|]+", text) if one))


def _prefix(text: str) -> str:
    if not is_address(f"{text}1@example.org") or not text:
        raise ValueError("a prefix is the start of an address, like issue-.")
    if text[-1].isdigit():
        raise ValueError("a prefix cannot end in a digit, or the issue's number could not be told from it.")
    return text.lower()


def _sender(text: str) -> str:
    found = parse_addresses(text)
    if len(found) != 1 or not is_address(found[0].address):
        raise ValueError("write one address, like support@example.org or Support <support@example.org>.")
    return _line(text)


def _routing(block: str) -> dict[str, Key]:
    return {
        f"{block}.enabled": Key(block, "enabled", _switch),
        f"{block}.prefix": Key(block, "prefix", _prefix),
        f"{block}.host": Key(block, "host", _host),
        f"{block}.host_aliases": Key(block, "host_aliases", _hosts),
    }


KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "general.tool_caption": Key("", "tool_caption", _caption),
        "general.base_url": Key("", "base_url", _base_url),
        "smtp.host": Key("smtp", "host", _server),
        "smtp.port": Key("smtp", "port", _port),
        "smtp.security": Key("smtp", "security", _security),
        "smtp.username": Key("smtp", "username", _line),
        "smtp.password": Key("smtp", "password", str, secret=True),
        "smtp.from": Key("smtp", "from_", _sender),
        "subject_routing.enabled": Key("subject_routing", "enabled", _switch),
        **_routing("email_routing"),
        **_routing("note_routing"),
        **_routing("draft_routing"),
    }
)
