"""A mail of ours will never reach its recipient: its issue says so.

Flows in: the posting and what the far end said. Flows out: the event on the issue, committed; the same news twice is
told once. What becomes of the queue's entry is the runner's.
"""

from eventum.issues import changes
from eventum.issues.events import DeliveryFailed
from eventum.mail.envelope import Posting
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes, Work, change


def undelivered(tracker: Tracker, posting: Posting, reply: str) -> None:
    """Put the failure on the issue of the mail. Raises `NotFound`, `Damaged`, `Conflict`, `Busy` as `change` does."""
    failure = DeliveryFailed(recipient=posting.recipient, message_id=posting.message_id, reply=reply)

    def note(changed: Changes, work: Work) -> None:
        work.issue = changes.delivery_failed(work.issue, failure, changed.now)

    if posting.issue:
        change(tracker, posting.issue, note)
