"""A dry run: what would become of the mail that waits on the servers, and nothing is changed, here or there.

Flows in: accounts. Flows out: the dispositions that a real run would make, decided by the same rules. The mail is read
into the cache for a moment and forgotten; no position moves, no mail is marked.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from eventum.errors import EventumError
from eventum.issues.accounts import Account
from eventum.mail.envelope import Envelope
from eventum.mail.message import Message
from eventum.runners.account_server import server_of
from eventum.runners.counting import Counts, counts
from eventum.runners.runner import guarded
from eventum.store import files
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
    failed: list[Disposition] = []
    errors: dict[str, str] = {}
    for account in accounts:
        found = guarded(lambda account=account: list(islice(_waiting(tracker, account), limit or MOST)))  # type: ignore[misc]  # mypy has no type for a lambda's default
        if isinstance(found, EventumError):
            errors[account.id] = str(found)
        else:
            arrivals += [one for one in found if isinstance(one, Arrival)]
            failed += [one for one in found if isinstance(one, Disposition)]
    told = [*receive(tracker, arrivals, dry_run=True), *failed]
    return [msgspec.structs.replace(one, issue=one.issue if one.issue < UNREAL else 0) for one in told], errors


def first_fetches(tracker: Tracker, accounts: Sequence[Account]) -> dict[str, Counts]:
    """The mails of those accounts that were never fetched, counted by age; who cannot be reached is missing."""
    found: dict[str, Counts] = {}
    for account in accounts:
        if not tracker.state.fetch(account.id).started:
            told = guarded(lambda account=account: counts(tracker, account))  # type: ignore[misc]  # as above
            if isinstance(told, Counts):
                found[account.id] = told
    return found


def _waiting(tracker: Tracker, account: Account) -> Iterator[Arrival | Disposition]:
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
                message = _read(tracker, key, mail.raw)
                if message is None:
                    yield Disposition(key=key, account=account.id, outcome="failed")
                else:
                    yield Arrival(key=key, path="", envelope=envelope, message=message)


def _read(tracker: Tracker, key: str, raw: bytes) -> Message | None:
    """What a mail says, read by the guarded child; None for one that breaks it."""
    path = tracker.cache / "rehearsal" / key
    files.make_folders([path.parent], durable=False)
    files.atomic_write(path, raw, durable=False)
    try:
        tracker.reader.ask(str(path))
        return tracker.reader.answer().message
    finally:
        files.remove(path)
