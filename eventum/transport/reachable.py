"""Where somebody at a browser may make this program connect to, so that a test of a server is no way into our network.

In flows what the administrator listed and an address that a name was resolved to; out flows nothing, or a refusal that
says what to list. Nothing is resolved and nothing is connected here: `dialling` asks about the very address it is about
to connect to, so a name that changes its mind between check and connection gains nothing.

Threat: reliability T17. Fetching, sending and commands are not bound by it: who has a shell may reach anything.
"""

import ipaddress

import msgspec

from eventum.errors import Refused
from eventum.wording import N_

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# The ports of mail: smtp, pop3, imap, submissions, submission, imaps, pop3s.
PORTS = (25, 110, 143, 465, 587, 993, 995)
# IPv6 addresses that carry an IPv4 address and lead to it: NAT64 (RFC 6052 section 2.1, RFC 8215).
TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


class OutOfReach(Refused):
    """Somebody at a browser may not make us connect there before an administrator allows it."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What an administrator listed beyond public addresses and the ports of mail.

    `hosts` are names, addresses and networks (`10.1.0.0/16`); a listed name may lead anywhere.
    """

    hosts: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()

    def check_port(self, port: int) -> None:
        """Raises OutOfReach for a port that no mail server has and nobody listed."""
        if port not in PORTS and port not in self.ports:
            raise OutOfReach(
                N_("Port {port} is no port of mail servers; a test goes there only when you allow it."),
                port=port,
                field="port",
            )

    def check(self, host: str, address: str) -> None:
        """Raises OutOfReach when `address`, for which `host` stands, is not on the public internet and not listed."""
        found = ipaddress.ip_address(address.partition("%")[0])
        if is_public(found) or self.lists(host, found):
            return
        named = str(found) if name_of(host) in (address, str(found)) else f"{name_of(host)} ({found})"
        raise OutOfReach(
            N_("{host} is not an address of the public internet; a test goes there only when you allow it."),
            host=named,
            field="host",
        )

    def lists(self, host: str, address: Address) -> bool:
        """Whether the administrator named this host, this address or its network."""
        name = name_of(host)
        for listed in self.hosts:
            try:
                network = ipaddress.ip_network(listed, strict=False)
            except ValueError:
                if listed == name:
                    return True
                continue
            if any(each.version == network.version and each in network for each in meant(address)):
                return True
        return False


def name_of(host: str) -> str:
    """A host as the administrator's list writes it."""
    return host.strip("[]").rstrip(".").lower()


def meant(address: Address) -> tuple[Address, ...]:
    """The address, and the IPv4 addresses that it leads to when it only carries one."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in TRANSLATED):
        carried.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if int(address) >> 32 == 0:  # ::10.0.0.1, the compatible form of RFC 4291 section 2.5.5.1; also :: and ::1
        carried.append(ipaddress.IPv4Address(int(address)))
    return (address, *(one for one in carried if one is not None))


def is_public(address: Address) -> bool:
    """Whether the address, and each that it leads to, is one of the public internet."""
    first, *carried = meant(address)
    if isinstance(first, ipaddress.IPv6Address) and first.ipv4_mapped is not None:
        return is_public(first.ipv4_mapped)
    local = first.is_multicast or first.is_reserved or getattr(first, "is_site_local", False)
    return first.is_global and not local and all(is_public(one) for one in carried)
