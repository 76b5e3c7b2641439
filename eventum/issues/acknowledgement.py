"""Is the person who opened an issue thanked for it? Asked once, before the issue is made; `Opened` keeps the answer.

In flow: facts about the mail or the request. Out flow: yes or no, and the rows. An acknowledgement is the one mail
that we send to anybody who writes to us, so this table is what stands between us and mail loops and backscatter: RFC
3834 section 2; reliability T13 and T14.
"""

import msgspec

from eventum.issues.trace import Row, Rule, Table

LIMIT = 5
"""Acknowledgements to one sender in one day, over all issues."""

Step = tuple[str, bool | None]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that is looked at. `address` is the sender's, or the reporter's of an issue opened by a person.

    `may_answer`: `mail.automatic.may_answer` for a mail, true otherwise. `own`: the address is ours. `today`: how many
    acknowledgements went to this address, under any of its user's addresses, since midnight UTC. `this_hour`: how many
    went to anybody in the last hour, of `hourly` that may, 0 for no limit. `inactive`: it is a deactivated user's.
    `by_reporter`: no mail opened the issue, and who opened it is the reporter himself.
    """

    address: str
    may_answer: bool = True
    own: bool = False
    inactive: bool = False
    quiet: bool = False
    by_reporter: bool = False
    today: int = 0
    this_hour: int = 0
    hourly: int = 0


def acknowledge(facts: Facts) -> tuple[str, tuple[Row, ...]]:
    """The address to thank, "" for nobody, and why; fit for `Opening.acknowledge`."""
    yes, rows = ACKNOWLEDGEMENT.decide(facts)
    return facts.address if yes else "", rows


def _no_address(facts: Facts) -> Step:
    return facts.address, None if facts.address else False


def _quiet(facts: Facts) -> Step:
    return ("quiet", False) if facts.quiet else ("", None)


def _own_address(facts: Facts) -> Step:
    return facts.address, False if facts.own else None


def _may_not_answer(facts: Facts) -> Step:
    return facts.address, None if facts.may_answer else False


def _inactive(facts: Facts) -> Step:
    return facts.address, False if facts.inactive else None


def _own_action(facts: Facts) -> Step:
    return facts.address, False if facts.by_reporter else None


def _limit(facts: Facts) -> Step:
    return f"{facts.today}/{LIMIT}", None if facts.today < LIMIT else False


def _hour(facts: Facts) -> Step:
    # Forged senders are victims, a thousand of them: what each may get a day is too much together.
    return f"{facts.this_hour}/{facts.hourly}", False if 0 < facts.hourly <= facts.this_hour else None


def _thanks(facts: Facts) -> Step:
    return facts.address, True


ACKNOWLEDGEMENT: Table[Facts, bool] = Table(
    "acknowledgement",
    (
        Rule("no_address", _no_address),
        Rule("quiet", _quiet),
        Rule("own_address", _own_address),
        Rule("may_not_answer", _may_not_answer),
        Rule("inactive", _inactive),
        Rule("own_action", _own_action),
        Rule("limit", _limit),
        Rule("hour", _hour),
        Rule("thanks", _thanks),
    ),
    lambda yes: "acknowledged" if yes else "nobody",
)
