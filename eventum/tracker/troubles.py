"""When the trouble of an account, or of sending, is told to the administrators, and when its end is.

Flows in: how a try went. Flows out: alerts. A refused login or certificate is told at once, for only a person can mend
it; a server that is away is told of when that lasts, so that a blip tells nobody.
"""

from datetime import datetime

from eventum.errors import EventumError, Refused
from eventum.issues.accounts import Account
from eventum.store.state import FetchState, SendState
from eventum.tracker import alerts, patience
from eventum.tracker.mailbox_states import name_of
from eventum.tracker.room import NoRoom
from eventum.tracker.tracker import Tracker
from eventum.wording import N_

ACCOUNT = "account-"
SENDING = "smtp"


class Told(EventumError):
    """A sentence with values that is told, not raised."""


def of_account(tracker: Tracker, account: Account, state: FetchState, outcome: EventumError | None) -> None:
    """Tell what a try to fetch this account came to."""
    name = ACCOUNT + account.id
    if outcome is None:
        alerts.over(tracker, name, Told(N_("The mail of {account} is fetched again."), account=name_of(account)))
    elif not isinstance(outcome, NoRoom) and _is_told(outcome, state.error_since, tracker.clock()):
        alerts.raised(
            tracker,
            name,
            Told(N_("The mail of {account} cannot be fetched: {why}"), account=name_of(account), why=state.error),
            hint=N_("No mail is lost: it stays on the server, and is fetched as soon as that works again."),
            line=f"flask accounts test {account.id}",
        )


def of_sending(tracker: Tracker, state: SendState, outcome: EventumError | None) -> None:
    """Tell what a try to reach the outgoing server came to."""
    if outcome is None:
        alerts.over(tracker, SENDING, N_("Mail is sent again."))
    elif _is_told(outcome, state.error_since, tracker.clock()):
        alerts.raised(
            tracker,
            SENDING,
            Told(N_("No mail can be sent: {why}"), why=state.error),
            hint=N_("What is to be sent waits in the queue, and this message too: it comes when mail flows again."),
            line="flask status",
        )


def forget(tracker: Tracker) -> None:
    """End the trouble of accounts that are paused or gone: nobody will try them again."""
    open_ones = [one for one in alerts.open_ones(tracker) if one.name.startswith(ACCOUNT)]
    if not open_ones:
        return
    known = {account.id: account for account in tracker.settings.usable_accounts()}
    damaged = tracker.settings.damaged_accounts()
    for one in open_ones:
        ident = one.name.removeprefix(ACCOUNT)
        account = known.get(ident)
        if account is None and ident not in damaged:
            alerts.over(tracker, one.name, N_("An account that could not be fetched was deleted."))
        elif account is not None and not account.is_fetched:
            alerts.over(
                tracker, one.name, Told(N_("The account {account} is not fetched any more."), account=name_of(account))
            )


def _is_told(outcome: EventumError, since: datetime | None, now: datetime) -> bool:
    return isinstance(outcome, Refused) or (since is not None and now - since >= patience.TROUBLE)
