"""What a first fetch would bring, counted by age before anything is fetched: so that nobody is surprised.

Flows in: an account and how its first fetch is set. Flows out: how many mails there are, of which age, how many of them
would be taken, filed quietly, or told. It asks for numbers only, by the server's own dates; a POP3 server knows none,
so there some mails are looked at and the rest is told as what it is, not known.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from eventum.issues.accounts import Account, quiet_threshold
from eventum.mail.dates import read_date, received_date
from eventum.mail.headers import split_block
from eventum.runners.account_server import server_of
from eventum.runners.probing import PROBING, PROMPT, reach
from eventum.tracker.tracker import Tracker
from eventum.transport.mailbox import Mailbox, open_mailbox
from eventum.wording import N_, Say

SAMPLE = 20  # Mails that are looked at where the server knows no dates.
WEEK = timedelta(days=7)
Text = Callable[..., str]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """The mails of a mailbox that was not fetched yet; None where the server cannot tell.

    `week`, `year` (this calendar year without the last seven days) and `older` make the count; `takes` of them the
    first fetch takes, of which `quiet` are filed without telling anybody and `told` like mail that comes in now. By
    dates a server knows as days only, so `told` may be a few too many, never too few. Of `sampled` mails that were
    looked at, `sampled_old` would be quiet.
    """

    count: int
    size: int | None = None
    unread: int | None = None
    week: int | None = None
    year: int | None = None
    older: int | None = None
    takes: int = 0
    quiet: int | None = None
    told: int | None = None
    sampled: int = 0
    sampled_old: int = 0
    start: str = "all"
    quiet_before: str = "7d"
    auto_create: bool = False


def counts(tracker: Tracker, account: Account, *, from_browser: bool = False) -> Counts:
    """Count what a first fetch of this account would bring; nothing is fetched or marked.

    From a browser within reach and in a few seconds. Raises as the transport does.
    """
    server = server_of(tracker, account)
    timeouts = PROBING
    if from_browser:
        server, timeouts = msgspec.structs.replace(server, reach=reach(tracker)), PROMPT
    with open_mailbox(server, timeouts=timeouts) as mailbox:
        return counted(mailbox, account, tracker.clock())


def counted(mailbox: Mailbox, account: Account, now: datetime) -> Counts:
    """The counts of an open mailbox, for an account that is fetched for the first time now."""
    limit = quiet_threshold(account, now)
    known = Counts(
        count=mailbox.count,
        size=mailbox.size,
        start=account.start,
        quiet_before=account.quiet_before,
        auto_create=account.auto_create.enabled,
    )
    if not mailbox.knows_dates:
        return _by_sample(mailbox, known, limit)
    unread = frozenset(mailbox.unseen())
    week = frozenset(mailbox.since(now - WEEK))
    year = frozenset(mailbox.since(datetime(now.year, 1, 1, tzinfo=UTC))) | week
    # Mail that came since it was counted first belongs to the count.
    count = max(mailbox.count, len(year))
    takes = {"all": count, "unread": len(unread), "now": 0}[account.start]
    told = takes
    if limit is not None:
        fresh = week if limit == now - WEEK else frozenset(mailbox.since(limit))
        told = {"all": len(fresh), "unread": len(fresh & unread), "now": 0}[account.start]
    return msgspec.structs.replace(
        known,
        count=count,
        unread=len(unread),
        week=len(week),
        year=len(year) - len(week),
        older=count - len(year),
        takes=takes,
        quiet=takes - told,
        told=told,
    )


def _by_sample(mailbox: Mailbox, known: Counts, limit: datetime | None) -> Counts:
    """POP3: how many there are and how large; what some of them say of their dates."""
    takes = 0 if known.start == "now" else known.count
    if limit is None or not takes:
        return msgspec.structs.replace(known, takes=takes, quiet=0, told=takes)
    dates = [when for head in mailbox.heads(SAMPLE) if (when := _dated(head)) is not None]
    old = sum(when < limit for when in dates)
    return msgspec.structs.replace(known, takes=takes, sampled=len(dates), sampled_old=old)


def _dated(head: bytes) -> datetime | None:
    """When the mail came, as the decision about it will see it."""
    headers = split_block(head).headers
    received, date = headers.first("received"), headers.first("date")
    return (received_date(received) if received else None) or (read_date(date) if date else None)


def sentences(found: Counts, say: Say = str) -> list[str]:
    """The counts for a person: what is there, and what becomes of it with these settings."""

    def text(sentence: str, **values: object) -> str:
        told = {name: f"{value:,}" if isinstance(value, int) else value for name, value in values.items()}
        return say(sentence).format(**told)

    size = "" if found.size is None else f" ({_megabytes(found.size)} MB)"
    if not found.count:
        return [say(N_("The mailbox is empty."))]
    if found.week is None:
        there = [text(N_("{count} mails{size}. The server knows no dates of mails."), count=found.count, size=size)]
    else:
        there = [
            text(
                N_(
                    "{count} mails: {week} of the last 7 days, {year} more of this year, {older} older. "
                    "{unread} are unread."
                ),
                **{name: getattr(found, name) for name in ("count", "week", "year", "older", "unread")},
            )
        ]
    return [*there, *_becomes(found, text)]


def _becomes(found: Counts, text: Text) -> list[str]:
    values = {"takes": found.takes, "quiet": found.quiet, "told": found.told, "before": found.quiet_before}
    if not found.takes:
        return [text(N_("With these settings none of them is taken, only what comes from now on."))]
    if found.told is None:
        if not found.sampled:
            return [
                text(
                    N_("With these settings all {takes} are taken; which of them are old is seen when they come."),
                    **values,
                )
            ]
        return [
            text(
                N_(
                    "With these settings all {takes} are taken. Of {sampled} that were looked at, {old} would be filed "
                    "quietly."
                ),
                sampled=found.sampled,
                old=found.sampled_old,
                **values,
            )
        ]
    if found.auto_create:
        sentence = N_(
            "With these settings {takes} are taken: {quiet} are filed quietly, {told} open issues or are told like "
            "new mail."
        )
    else:
        sentence = N_(
            "With these settings {takes} are taken: {quiet} are filed quietly, {told} are told like new mail."
        )
    return [text(sentence, **values)]


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f}" if size < 10_000_000 else f"{size // 1_000_000}"
