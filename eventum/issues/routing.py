"""The issue's number in an address and in a subject, both halves: what we write, and how it is read when it comes back.

In flow: numbers, addresses, subjects and General Setup. Out flow: the same. Whether there is such an issue, and who may
write to it, is not known here. eventum-behaviour 3.2, 5 and 11.12, with the match anchored at both ends (its W-R2).
"""

import re
from collections.abc import Iterable

import msgspec

from eventum.issues.accounts import Account
from eventum.issues.events import Kind
from eventum.issues.people import Project
from eventum.issues.settings import AddressRouting, General
from eventum.mail.address import parse_addresses

# Only ASCII digits, at most nine: "[#１２]", "[#-1]" and "[#1e9]" are no numbers, and none is too long to be looked up.
_TAG = re.compile(r"\[#([0-9]{1,9})\]( Note:| BLOCKED:)?", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


class Route(msgspec.Struct, frozen=True):
    """What an address like issue-42@ asks for."""

    kind: Kind
    number: int


class Tag(msgspec.Struct, frozen=True):
    """What a subject like "Re: [#42] Note: broken" asks for; `internal` when our own notice was for staff only."""

    number: int
    internal: bool = False


def blocks(general: General) -> tuple[tuple[Kind, AddressRouting], ...]:
    """The three blocks of address routing in the order in which they are asked."""
    return (("email", general.email_routing), ("note", general.note_routing), ("draft", general.draft_routing))


def issue_address(number: int, kind: Kind, general: General) -> str:
    """The address that reaches this issue, or "" when that kind of routing is off or has no host."""
    block = dict(blocks(general))[kind]
    if not (block.enabled and block.prefix and block.host):
        return ""
    return f"{block.prefix}{number}@{block.host}".lower()


def routes(addresses: Iterable[str], general: General) -> tuple[Route, ...]:
    """What these addresses ask for, in their order and each once, by the kinds of routing that are on."""
    on = [(kind, block) for kind, block in blocks(general) if block.enabled]
    found = (_read(address, kind, block) for address in addresses for kind, block in on)
    return tuple(dict.fromkeys(route for route in found if route))


def tag(number: int) -> str:
    """The issue's number as it stands in subjects."""
    return f"[#{number}]"


def tagged_subject(number: int, subject: str) -> str:
    """The subject with this issue's tag in front, and nowhere else."""
    rest = re.sub(rf"\[#0*{number}\] ?", "", subject).strip()
    return f"{tag(number)} {rest}".rstrip()


def read_tag(subject: str) -> Tag | None:
    """The first tag of a subject."""
    found = _TAG.search(subject)
    if found is None or int(found[1]) == 0:
        return None
    return Tag(int(found[1]), internal=found[2] is not None)


class OwnAddresses:
    """The addresses that are ours: nobody is subscribed, answered or told of anything there. Ask with `in`."""

    def __init__(self, addresses: Iterable[str], general: General) -> None:
        self._addresses = frozenset(address.lower() for address in addresses if address)
        self._blocks = blocks(general)

    def plus(self, addresses: Iterable[str]) -> "OwnAddresses":
        """These and the addresses a mail was delivered to us under: its Delivered-To and envelope recipients."""
        more = OwnAddresses.__new__(OwnAddresses)
        more._addresses = self._addresses | frozenset(address.lower() for address in addresses if address)
        more._blocks = self._blocks
        return more

    def __contains__(self, address: object) -> bool:
        if not isinstance(address, str):
            return False
        # A routing address is ours with its routing switched off, too: what we sent under it is still answered.
        return address.lower() in self._addresses or any(_read(address, *block) for block in self._blocks)


def own_addresses(general: General, projects: Iterable[Project], accounts: Iterable[Account]) -> OwnAddresses:
    """Every address under which we send or receive: the accounts', the projects' senders and aliases, smtp.from."""
    own = [address.address for address in parse_addresses(general.smtp.from_)]
    for project in projects:
        own += [project.sender_email, *project.aliases]
    for account in accounts:
        own += [*account.addresses, account.username if "@" in account.username else ""]
    return OwnAddresses(own, general)


def _read(address: str, kind: Kind, block: AddressRouting) -> Route | None:
    local, _, host = address.lower().rpartition("@")
    hosts = {block.host.lower(), *(alias.lower() for alias in block.host_aliases)} - {""}
    prefix = block.prefix.lower()
    if host not in hosts or not prefix or not local.startswith(prefix):
        return None
    digits = local[len(prefix) :]
    if not _NUMBER.fullmatch(digits) or int(digits) == 0:
        return None
    return Route(kind, int(digits))
