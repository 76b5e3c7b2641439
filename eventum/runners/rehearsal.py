"""A dry run: what would become of the mail that waits on the servers, and nothing is changed, here or there.

Flows in: accounts. Flows out: the dispositions that a real run would make, decided by the same rules. The mail is read
into memory and forgotten; no position moves, no mail is marked.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from eventum.errors import EventumError
from eventum.issues.accounts import Account
from eventum.mail.envelope import Envelope
from eventum.mail.message import parse
from eventum.runners.account_fetch import server_of
from eventum.runners.runner import guarded
from eventum.store.spool import key_of
from eventum.tracker.disposition import Disposition
from eventum.tracker.ground import Arrival
from eventum.tracker.receive import UNREAL, receive
from eventum.tracker.tracker import Tracker
from eventum.transport.mailbox import Position, open_mailbox

MOST = 200  # Mails an account that are looked at when no limit is given.


def rehearse(tracker: Tracker, accounts: Sequence[Account], limit: int = 0) -> tuple[list[Disposition], dict[str, str]]:
    """What the next run would do with each mail, at most `limit` an account, and which accounts cannot be reached.

    A new issue has no number yet: its mails say issue 0.
    """
    tracker.index.catch_up()
    arrivals: list[Arrival] = []
    errors: dict[str, str] = {}
    for account in accounts:
        found = guarded(lambda account=account: list(islice(_waiting(tracker, account), limit or MOST)))  # type: ignore[misc]  # mypy has no type for a lambda's default
        if isinstance(found, EventumError):
            errors[account.id] = str(found)
        else:
            arrivals += found
    told = receive(tracker, arrivals, dry_run=True)
    return [msgspec.structs.replace(one, issue=one.issue if one.issue < UNREAL else 0) for one in told], errors


def _waiting(tracker: Tracker, account: Account) -> Iterator[Arrival]:
    state = tracker.state.fetch(account.id)
    known = frozenset(tracker.state.fetched_ids(account.id))
    with open_mailbox(server_of(tracker, account)) as mailbox:
        uid = state.last if state.validity == mailbox.validity else 0
        uids = [*state.todo, *mailbox.new(Position(validity=mailbox.validity, uid=uid, known=known))]
        if not state.started and account.start != "all":
            uids = list(mailbox.unseen()) if account.start == "unread" else []
        for batch in mailbox.fetch(uids):
            for mail in batch:
                envelope = Envelope(destination=account.id, received=tracker.clock())
                key = key_of(account.id, mail.raw)
                yield Arrival(key=key, path="", envelope=envelope, message=parse(mail.raw))
