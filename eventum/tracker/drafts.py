"""What somebody is typing is kept until he sends it, and shown to him alone.

Flows in: a user, the name of a form, its fields. Flows out: the same, when he opens the form again. Drafts that
colleagues see are messages of their issue: `correspond.keep_draft`.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from eventum.issues.people import User
from eventum.mail.enclosure import Enclosure, safe_name, safe_type
from eventum.store.drafts import DraftStore
from eventum.store.drafts import KeptFile as KeptFile  # What the screens know of a draft.
from eventum.store.drafts import Typed as Typed
from eventum.tracker import room
from eventum.tracker.tracker import Tracker
from eventum.tracker.writing import LARGEST_FILES, MOST_FILES

LONGEST = 1_000_000
"""Characters of what is kept of one form."""
KINDS = ("reply", "note")
FRESH = timedelta(minutes=10)
"""So long after the last letter somebody counts as being about to go on."""


def form_of(number: int, kind: str) -> str:
    """The name of the form by which one writes to an issue, as `kind`: reply or note."""
    return f"{number}-{kind}"


def typed(tracker: Tracker, user: User, form: str) -> Typed | None:
    """What the user typed into that form and did not send."""
    return _drafts(tracker).typed(user.id, form)


def keep(
    tracker: Tracker,
    user: User,
    form: str,
    fields: Mapping[str, str],
    *,
    left_out: Sequence[str] = (),
    files: Sequence[KeptFile] = (),
) -> Typed | None:
    """Keep what the user typed, and those of the files that were kept; other files go.

    A form in which nothing is written and that has no files, or that says too much, is not kept: None.
    """
    if not (fields.get("text", "").strip() or files) or sum(map(len, fields.values())) > LONGEST:
        discard(tracker, user, form)
        return None
    found = Typed(saved=tracker.clock(), fields=dict(fields), left_out=tuple(left_out), files=tuple(files))
    _drafts(tracker).keep(user.id, form, found)
    return found


def keep_files(tracker: Tracker, user: User, form: str, chosen: Sequence[Enclosure]) -> tuple[KeptFile, ...]:
    """Keep files that could not be sent yet, so that nobody has to choose them again; `keep` is to name them.

    More than a mail may carry is not kept.
    """
    if chosen and room.is_full(tracker):
        return ()  # The text is what counts; the files are on the disk of who chose them.
    if len(chosen) > MOST_FILES or sum(len(one.data) for one in chosen) > LARGEST_FILES:
        return ()
    store = _drafts(tracker)
    return tuple(
        KeptFile(
            key=store.keep_file(user.id, form, one.data),
            name=safe_name(one.name),
            type=safe_type(one.type),
            size=len(one.data),
        )
        for one in chosen
    )


def chosen(tracker: Tracker, user: User, form: str, kept: Sequence[KeptFile]) -> tuple[Enclosure, ...]:
    """The files that were kept, to be sent now. Raises `NotFound` when one is gone."""
    store = _drafts(tracker)
    return tuple(Enclosure(one.name, one.type, store.file(user.id, form, one.key)) for one in kept)


def discard(tracker: Tracker, user: User, form: str) -> None:
    """It was sent, or is not wanted any more."""
    _drafts(tracker).discard(user.id, form)


def is_fresh(tracker: Tracker, user: User, number: int) -> bool:
    """Whether the user typed something to that issue in the last minutes."""
    found = (typed(tracker, user, form_of(number, kind)) for kind in KINDS)
    return any(one is not None and abs(tracker.clock() - one.saved) < FRESH for one in found)


def _drafts(tracker: Tracker) -> DraftStore:
    return DraftStore(tracker.layout, lambda: tracker.maker)
