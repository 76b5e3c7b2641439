"""A mail of the pool comes along into the issue that an answer to it opens.

Flows in: the ground of a batch, the new issue, the place of the mail. Flows out: the issue with the mail in front, and
the move, noted in the changes that commit it. Taken by somebody meanwhile, it is left to him.
"""

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.issues import changes, subscriptions
from eventum.issues.trace import Row
from eventum.store.state import Move
from eventum.tracker.ground import Ground
from eventum.tracker.work import Work


def pull(ground: Ground, work: Work, account: str, key: str) -> None:
    """A mail of the pool comes along: it was told to nobody then, and is not now."""
    changed = ground.changes
    waiting = [item for item in changed.pooled if (item[0].account, item[0].mail.key) == (account, key)]
    try:
        if waiting:
            # It came in this very batch: it goes straight to the issue.
            changed.pooled.remove(waiting[0])
            pooled, path = waiting[0][0], waiting[0][2]
        else:
            pooled, path = ground.tracker.pool.load(account, key), str(ground.tracker.pool.path(account, key))
            changed.moves.append(Move(account, key, work.number))
    except (NotFound, Damaged):  # Taken by somebody meanwhile; the answer opens its issue all the same.
        return
    row = Row("receive", "parent_in_pool", account, f"issue:{work.number}")
    filing = msgspec.structs.replace(pooled.mail, trace=(*pooled.trace, row))
    entries, _ = subscriptions.from_message(filing, work.issue, ground.people, ground.own)
    for entry in entries:
        work.issue = changes.subscribed(work.issue, entry, changed.now)
    work.issue = changes.filed(work.issue, filing, changed.now, opening=True, quiet=True)
    work.mails.append((key, path))
    ground.remember(filing, work.number)
