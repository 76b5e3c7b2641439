"""Calendar invitations (RFC 5545, RFC 5546): the text of a text/calendar part in, what is to be shown of it out.

Nothing is answered and no calendar is kept: a person who reads the mail sees what, when, where and with whom.
"""

from datetime import datetime

import msgspec


class Moment(msgspec.Struct, frozen=True):
    """A time as its writer said it: `local` is "2026-11-16T10:00:00", or "2026-11-16" for a whole day.

    `zone` is the name it was written with ("UTC", "Europe/Berlin", "Customized Time Zone", "" for the clock on the
    reader's wall); `utc` the aware time in UTC, None where nobody can know it.
    """

    local: str
    zone: str = ""
    utc: datetime | None = None


class Person(msgspec.Struct, frozen=True):
    """Who organises or is asked to come; `answer` is "accepted", "declined", "tentative", "delegated" or ""."""

    address: str
    name: str = ""
    answer: str = ""
    optional: bool = False


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a calendar part. `end` of whole days is the last of them.

    `method` is "request", "reply", "cancel", "counter", "declinecounter", "refresh", "add", "publish" or "";
    `status` is "confirmed", "tentative", "cancelled" or ""; `repeats` is "daily", "weekly", "monthly", "yearly" or
    another word of RFC 5545, "" for once, and `rule` what it was read from.
    """

    part: str
    method: str = ""
    uid: str = ""
    sequence: int = 0
    summary: str = ""
    start: Moment | None = None
    end: Moment | None = None
    all_day: bool = False
    location: str = ""
    organizer: Person | None = None
    attendees: tuple[Person, ...] = ()
    status: str = ""
    repeats: str = ""
    rule: str = ""
    description: str = ""
