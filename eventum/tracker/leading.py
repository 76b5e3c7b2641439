"""Whether an address in somebody's text shows where it leads.

Flows in: an address. Flows out: the host it leads to where that is not what stands there for everybody to read.
"""

from eventum.mail.html.links import has_user, leads_to


def veiled_host(address: str) -> str:
    """The host that is asked for, "" when it stands in the address as it is.

    Letters of another alphabet can look like those of a bank, and so can what stands before an @; the name that is
    asked for cannot.
    """
    host = leads_to(address)
    return host if host and (has_user(address) or host not in address.lower()) else ""
