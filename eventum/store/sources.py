"""Which mails of an account lie in the store, by the number they had on their server: what the trace headers say.

Flows in: an account's id. Flows out: the sources of its mails, as they were noted when these were fetched. Every mail
of the store is looked at, a few thousand a second: this is for a person who compares, not for a run.
"""

from collections.abc import Iterator
from pathlib import Path

from eventum.errors import NotFound
from eventum.mail.envelope import HEAD, Envelope, read_head
from eventum.store import files
from eventum.store.layout import POOLS, Layout, maildir
from eventum.store.maildir import is_mail


def sources(layout: Layout, account: str) -> Iterator[str]:
    """The source of each mail of this account that lies anywhere; one that lies in two places comes twice."""
    for folder in _folders(layout, account):
        for item in filter(is_mail, files.listing(folder)):
            try:
                trace = read_head(files.read_head(item.path, HEAD))
            except NotFound:  # Moved on meanwhile, to where it is looked for later.
                continue
            if isinstance(trace, Envelope) and trace.destination == account and trace.source:
                yield trace.source


def _folders(layout: Layout, account: str) -> Iterator[Path]:
    # In the order in which mail moves on, so that one on its way is seen at least once.
    for spool in (layout.incoming, layout.dead):
        yield from maildir(spool)[1:]
    for outcome in POOLS:
        yield from maildir(layout.pool_of(account, outcome))[1:]
    for shard in files.listing(layout.issues):
        if shard.name.isdigit():
            for issue in files.listing(shard.path):
                yield from maildir(Path(issue.path) / "mail")[1:]
    yield from maildir(layout.done)[1:]
