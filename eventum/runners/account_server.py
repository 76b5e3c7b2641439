"""The mailbox of an account: how it is reached, and since when it is fetched.

Flows in: an account. Flows out: a `Server` for the transport, and a note beside the account of its first fetch.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from eventum.issues.accounts import TYPES, Account
from eventum.store.settings import Began
from eventum.tracker.tracker import Tracker
from eventum.transport.mailbox import Mailbox, Server

MARGIN = timedelta(hours=1)  # The server's clock may differ from ours; a mail too many is better than one too few.


def server_of(tracker: Tracker, account: Account, password: str | None = None) -> Server:
    """How to reach an account's mailbox, with this password or the stored one.

    Raises `Damaged` when that cannot be opened.
    """
    kind = TYPES[account.type]
    return Server(
        protocol=kind.protocol,
        host=account.host,
        port=account.port or kind.port,
        security=kind.security,
        verify=kind.verify,
        username=account.username,
        password=tracker.settings.account_password(account) if password is None else password,
        folder=account.folder,
    )


class Beginning:
    """When the mailbox of an account was fetched first: `start` is applied once, whatever gets lost since.

    The note lies beside the account; `place` names the mailbox, since for another one `start` is applied anew.
    """

    def __init__(self, tracker: Tracker, account: Account, place: str) -> None:
        self._tracker = tracker
        self._account = account
        self._place = place
        noted = tracker.settings.began(account.id)
        self.when = noted.when if noted is not None and noted.mailbox == place else None

    def came_since(self, mailbox: Mailbox, known: Collection[str]) -> list[str]:
        """What came since then: to be fetched when `start` was applied and the note of the fetch is lost.

        What we have of it is recognised by its bytes. None before the first fetch.
        """
        if self.when is None:
            return []
        return [uid for uid in mailbox.since(self.when - MARGIN) if uid not in known]

    def note(self, first_fetch: datetime | None) -> None:
        """Note it, unless that was done."""
        if self.when is None and first_fetch is not None:
            self.when = first_fetch
            began = Began(mailbox=self._place, when=first_fetch)
            self._tracker.settings.note_began(self._account.id, began, self._tracker.maker)
