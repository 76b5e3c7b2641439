"""What somebody sets for himself: what he is told, how he is called, and what he sees it in.

Flows in: a form of his. Flows out: the user as saved, and whether a link went to an address he wants. What others
decide about him, his roles and aliases, is `membership`.
"""

import msgspec

from eventum.errors import Conflict, Refused
from eventum.issues.people import Preferences, Project, User
from eventum.issues.people import preferences as preferences_of
from eventum.tracker import invitations
from eventum.tracker.membership import UserForm, save_user
from eventum.tracker.tracker import Tracker
from eventum.wording import N_

MOST_SENDERS = 500  # whose pictures somebody lets in
_TRIES = 5


class Saved(msgspec.Struct, frozen=True):
    """The user as saved, and the address that waits to be confirmed, "" when he asked for none."""

    user: User
    asked: str = ""


def projects_of(tracker: Tracker, user: User) -> tuple[tuple[Project, Preferences], ...]:
    """The projects somebody can be told about, by title, with what he wants to be told.

    An administrator is one in each, but is told of those only that he is a member of.
    """
    return tuple(
        (project, preferences_of(user, project.id))
        for project in tracker.people.usable_projects()
        if project.id in user.roles and not project.archived
    )


def save_preferences(tracker: Tracker, user: User, form: UserForm, address: str) -> Saved:
    """Save what the user set; another address than his own is asked for by mail and does not count yet.

    Raises `Refused` for what cannot be taken: then nothing is saved. `Conflict` when he was changed meanwhile.
    """
    wanted = address.strip().lower()
    if wanted == user.email:
        return Saved(save_user(tracker, user.id, form))
    invitations.check_address(tracker, user, wanted)
    saved = save_user(tracker, user.id, form)
    invitations.ask_for_address(tracker, saved, wanted)
    return Saved(saved, wanted)


def let_pictures_in(tracker: Tracker, user: User, sender: str, let: bool) -> User:
    """Whether the mails of a sender may load pictures from elsewhere when this user looks at them; the user as saved.

    Raises `Refused` when he has named too many senders.
    """
    sender = sender.strip().lower()
    for tries in range(_TRIES):
        known = tracker.people.user(user.id)
        senders = tuple(one for one in known.pictures_from if one != sender)
        if let and sender:
            senders = (*senders, sender)
        if len(senders) > MOST_SENDERS:
            raise Refused(N_("You named {most} senders already; take one away in your preferences."), most=MOST_SENDERS)
        if senders == known.pictures_from:
            return known
        try:
            return tracker.people.save_user(msgspec.structs.replace(known, pictures_from=senders))
        except Conflict:  # He, or somebody, saved another thing of his in between.
            if tries + 1 == _TRIES:
                raise
    raise AssertionError("unreachable")
