"""Mail accounts: the record, the table of types, and what makes one usable.

In flow: an account as somebody typed it. Out flow: the account as it is stored, or a sentence saying what is wrong with
it. Nothing here connects; `password` is a sealed text that only the store can open. Types: the interface's account
types, which are Eventum's twelve (1.2), `maildir` and `delivered`.
"""

import re
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from eventum.errors import Refused
from eventum.mail.address import is_address
from eventum.wording import N_


class AutoCreation(msgspec.Struct, frozen=True, kw_only=True):
    """Whether mail that belongs to no issue opens one, and how; `assign` are user ids."""

    enabled: bool = False
    category: str = ""
    priority: str = ""
    assign: tuple[str, ...] = ()


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Where mail comes from for one project. `port` 0 means the usual one of the type."""

    schema: int = 1
    revision: int = 0
    id: str
    project: str
    type: str
    host: str = ""
    port: int = 0
    username: str = ""
    password: str = ""
    folder: str = "INBOX"
    addresses: tuple[str, ...] = ()
    leave_copy: bool = True
    start: str = "all"
    quiet_before: str = "7d"
    routing: bool = False
    auto_create: AutoCreation = AutoCreation()
    paused: bool = False
    created: datetime

    @property
    def is_delivered(self) -> bool:
        """Whether its mail is brought to us, so that there is nothing to fetch it from."""
        return TYPES[self.type].protocol == "delivered"

    @property
    def is_fetched(self) -> bool:
        """Whether runs fetch its mail: it is neither paused nor delivered."""
        return not self.paused and not self.is_delivered


class Type(msgspec.Struct, frozen=True):
    """How an account type talks: its protocol, how the line is secured, whether certificates are verified, its port."""

    protocol: str
    security: str = "none"
    verify: bool = True
    port: int = 0

    @property
    def remote(self) -> bool:
        """Whether a server is asked for mail."""
        return self.protocol in ("imap", "pop3")


TYPES = MappingProxyType(
    {
        "imap": Type("imap", "starttls-if-offered", True, 143),
        "imap/ssl": Type("imap", "ssl", True, 993),
        "imap/ssl/novalidate-cert": Type("imap", "ssl", False, 993),
        "imap/tls": Type("imap", "starttls", True, 143),
        "imap/tls/novalidate-cert": Type("imap", "starttls", False, 143),
        "imap/notls": Type("imap", "none", True, 143),
        "pop3": Type("pop3", "starttls-if-offered", True, 110),
        "pop3/ssl": Type("pop3", "ssl", True, 995),
        "pop3/ssl/novalidate-cert": Type("pop3", "ssl", False, 995),
        "pop3/tls": Type("pop3", "starttls", True, 110),
        "pop3/tls/novalidate-cert": Type("pop3", "starttls", False, 110),
        "pop3/notls": Type("pop3", "none", True, 110),
        "maildir": Type("maildir"),
        "delivered": Type("delivered"),
    }
)
STARTS = ("all", "unread", "now")
_SPAN = re.compile(r"([0-9]{1,5})([dh])", re.ASCII)


def type_of(account: Account) -> Type:
    """The row of TYPES for this account. Raises Refused for a type that does not exist."""
    try:
        return TYPES[account.type]
    except KeyError:
        known = ", ".join(TYPES)
        raise Refused(
            N_("There is no account type {type!r}; choose one of: {known}."),
            type=account.type,
            known=known,
            field="type",
        ) from None


def validate(account: Account) -> Account:
    """The account as it is to be stored. Raises Refused with one sentence that names the first thing that is wrong.

    The error's `field` is the field to be mended, and `plain` the sentence for somebody who sees it before him.

    Lower-cases host and addresses, fills in the usual port, and lets `routing` force `leave_copy` off, as Eventum does
    (1.6): a mail that an address has claimed must not be met again.
    """
    kind = type_of(account)
    host, folder = account.host.strip().lower().rstrip("."), account.folder.strip()
    if kind.remote:
        _check_server(account, host)
    if kind.protocol == "imap" and not folder:
        raise Refused(
            "An IMAP account needs a folder; give it with --folder, usually INBOX.",
            field="folder",
            plain=N_("Name the folder, usually INBOX."),
        )
    if kind.protocol == "maildir" and folder in ("", "INBOX"):
        raise Refused(
            "A maildir account needs the path of the Maildir; give it with --folder.",
            field="folder",
            plain=N_("Give the path of the Maildir, like /var/mail/support."),
        )
    if account.is_delivered and not account.addresses:
        raise Refused(
            "A delivered account needs an address whose mail it takes; give it with --address.",
            field="addresses",
            plain=N_("Name the address whose mail is delivered here."),
        )
    for address in account.addresses:
        if not is_address(address):
            raise Refused(
                N_("{address!r} is not an e-mail address; write it like support@example.org."),
                address=address,
                field="addresses",
            )
    if account.start not in STARTS:
        raise Refused(
            "--start {start!r} is not known; choose one of: {known}.",
            start=account.start,
            known=", ".join(STARTS),
            field="start",
            plain=N_("Choose one of these."),
        )
    read_quiet_before(account.quiet_before)
    return replace(
        account,
        host=host,
        port=account.port or kind.port,
        folder="INBOX" if kind.protocol in ("pop3", "delivered") else folder,
        addresses=tuple(dict.fromkeys(address.lower() for address in account.addresses)),
        quiet_before=account.quiet_before.strip().lower(),
        leave_copy=account.leave_copy and not account.routing,
    )


def read_quiet_before(text: str) -> timedelta | datetime | None:
    """What `quiet_before` says: a span before the first fetch ("7d", "12h"), a moment (an ISO date), None for "never".

    A date without a time of day or an offset is midnight UTC. Raises Refused for anything else.
    """
    text = text.strip().lower()
    if text == "never":
        return None
    if span := _SPAN.fullmatch(text):
        return timedelta(days=int(span[1])) if span[2] == "d" else timedelta(hours=int(span[1]))
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(
            "--quiet-before cannot be {text!r}; choose a number of days or hours (7d, 12h), a date (2026-01-31), or "
            "never.",
            text=text,
            field="quiet_before",
            plain=N_("Write a number of days or hours (7d, 12h), a date (2026-01-31), or never."),
        ) from None


def quiet_threshold(account: Account, first_fetch: datetime | None) -> datetime | None:
    """Mail dated before this moment is filed without telling anybody; None when all of it is told.

    A span counts back from the account's first fetch; without one, as with mail that is delivered to us, nothing is
    old.
    """
    before = read_quiet_before(account.quiet_before)
    if not isinstance(before, timedelta):
        return before
    return None if first_fetch is None else first_fetch - before


def _check_server(account: Account, host: str) -> None:
    if not host:
        raise Refused(
            "An account of type {type} needs a server; give it with --host.",
            type=account.type,
            field="host",
            plain=N_("Name the server, like imap.example.org."),
        )
    if any(char.isspace() or char in "/@{}" or not char.isprintable() for char in host):
        raise Refused(
            N_("{host!r} is not a host name; write it like imap.example.org, with nothing around it."),
            host=account.host,
            field="host",
        )
    if not 0 <= account.port <= 65535:
        raise Refused(
            "{port} is not a port; choose a number from 1 to 65535, or leave --port out.",
            port=account.port,
            field="port",
            plain=N_("A port is a number from 1 to 65535; left empty it is the usual one."),
        )
    if not account.username.strip():
        raise Refused(
            "An account of type {type} needs a user name; give it with --username.",
            type=account.type,
            field="username",
            plain=N_("Give the user name that logs in."),
        )
    if not (account.username + account.folder).isprintable():
        raise Refused(
            N_("A user name or a folder cannot hold control characters; type it again."),
            field="folder" if account.username.isprintable() else "username",
        )
