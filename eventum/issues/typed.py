"""What somebody typed for a setting, read: the value, or a `ValueError` whose sentence says how to write it.

In flow: one line of text. Out flow: the value as it is stored. Which key is read by which of these says `settings`.
"""

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from eventum.mail.address import is_address, parse_addresses
from eventum.wording import N_

LANGUAGES = ("en", "ja", "")  # "": what the browser asks for.
SECURITIES = ("none", "starttls", "tls")


def one_line(text: str) -> str:
    """Text without control characters."""
    if not text.isprintable():
        raise ValueError(N_("it must be one line without control characters."))
    return text


def caption(text: str) -> str:
    """The name of the installation."""
    if not text:
        raise ValueError(N_("give it a name, like Eventum."))
    return one_line(text)


def base_url(text: str) -> str:
    """Where links begin, without a slash at the end; "" for nothing."""
    if not text:
        return ""
    wrong = ValueError(N_("write it like https://issues.example.org, with http or https."))
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise wrong from None
    odd = any(char.isspace() or not char.isprintable() for char in text) or "?" in text or "#" in text
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or odd:
        raise wrong
    return text.rstrip("/")


def port(text: str) -> int:
    """A port's number."""
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or not 1 <= int(text) <= 65535:
        raise ValueError(N_("a port is a number from 1 to 65535."))
    return int(text)


def count(text: str) -> int:
    """How many of something there may be, 0 for no limit."""
    if not re.fullmatch(r"[0-9]{1,6}", text, re.ASCII):
        raise ValueError(N_("write a number like 20, or 0 for no limit."))
    return int(text)


def megabytes(text: str) -> int:
    """A number of megabytes, 0 for none."""
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        raise ValueError(N_("write a number of megabytes, like 200, or 0 for no limit."))
    return int(text)


def security(text: str) -> str:
    """How the line to the outgoing server is secured."""
    if text.lower() not in SECURITIES:
        raise ValueError(N_("choose one of: none, starttls, tls."))
    return text.lower()


def switch(text: str) -> bool:
    """On or off, in any of the words for it."""
    if text.lower() in ("true", "yes", "on", "1", "enabled"):
        return True
    if text.lower() in ("false", "no", "off", "0", "disabled"):
        return False
    raise ValueError(N_("choose true or false."))


def host(text: str) -> str:
    """A host name in lower case; "" for none."""
    labels = text.lower().rstrip(".").split(".")
    # Underscores are no host names, but they are what containers are called.
    if text and not (len(text) <= 253 and all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,62})", one) for one in labels)):
        raise ValueError(N_("write a host name like mail.example.org, without a scheme, a port or a path."))
    return ".".join(labels)


def server(text: str) -> str:
    """A host name or an IPv6 address; something it has to be."""
    if not text:
        raise ValueError(N_("name the server that takes our mail, like smtp.example.org."))
    return text.lower() if re.fullmatch(r"\[?[0-9a-fA-F:]*:[0-9a-fA-F:.]*\]?", text) else host(text)


def hosts(text: str) -> tuple[str, ...]:
    """Host names, each once."""
    return tuple(dict.fromkeys(host(one) for one in re.split(r"[\s,|]+", text) if one))


def reachable(text: str) -> tuple[str, ...]:
    """Names, addresses and networks, each once."""
    found = []
    for one in re.split(r"[\s,]+", text):
        try:
            network = ipaddress.ip_network(one.strip("[]"), strict=False)
            found.append(str(network if "/" in one else network.network_address))
        except ValueError:
            if "/" in one:
                raise ValueError(N_("write a network like 10.1.0.0/16 or fd00::/8.")) from None
            found.append(host(one))
    return tuple(dict.fromkeys(one for one in found if one))


def ports(text: str) -> tuple[int, ...]:
    """Ports, each once."""
    return tuple(dict.fromkeys(port(one) for one in re.split(r"[\s,]+", text) if one))


def prefix(text: str) -> str:
    """What stands before the number in an address."""
    if not is_address(f"{text}1@example.org") or not text:
        raise ValueError(N_("a prefix is the start of an address, like issue-."))
    if text[-1].isdigit():
        raise ValueError(N_("a prefix cannot end in a digit, or the issue's number could not be told from it."))
    return text.lower()


def language(text: str) -> str:
    """A language that the program speaks; "" for the one a browser asks for."""
    if text.lower() not in LANGUAGES:
        raise ValueError(N_("choose en or ja, or nothing for what the browser says."))
    return text.lower()


def timezone(text: str) -> str:
    """The name of a time zone."""
    if text not in timezones():
        raise ValueError(N_("write it like Europe/Berlin or UTC."))
    return text


@lru_cache(maxsize=1)
def timezones() -> frozenset[str]:
    """The names of all time zones that this machine knows."""
    return frozenset(available_timezones()) | {"UTC"}


def sender(text: str) -> str:
    """One address, with or without a name."""
    found = parse_addresses(text)
    if len(found) != 1 or not is_address(found[0].address):
        raise ValueError(N_("write one address, like support@example.org or Support <support@example.org>."))
    return one_line(text)
