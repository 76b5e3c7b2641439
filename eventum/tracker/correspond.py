"""What people write in the tracker: notes for staff, replies that go out by mail, and drafts that wait.

Flows in: the number of an issue, who writes, his letter. Flows out: a mail of our own, composed and kept in the issue,
and its notices; who would get them is asked in `reaching`. Whoever may not mail the issue is told so, and nothing is
kept (eventum-behaviour 6C keeps it as a note and says that it was sent).
"""

from collections.abc import Collection

import msgspec

from eventum.errors import Conflict, NotFound, Refused
from eventum.issues import handling
from eventum.issues.events import Closed, Event, Filed, Reopened, StatusChanged
from eventum.issues.events import Filing as Filing  # What the screens know of a message.
from eventum.issues.issue import Issue, messages
from eventum.issues.people import User
from eventum.issues.trace import Row
from eventum.mail.enclosure import Enclosure as Enclosure
from eventum.mail.message import part_bytes
from eventum.tracker import room
from eventum.tracker.acting import Done, act, acting, check_staff
from eventum.tracker.message_view import read
from eventum.tracker.once import says_same
from eventum.tracker.reading import raw_bytes
from eventum.tracker.tracker import Tracker
from eventum.tracker.work import Changes, Work
from eventum.tracker.writing import Letter as Letter
from eventum.tracker.writing import Writing, clean, signed
from eventum.wording import N_


class Once(msgspec.Struct, frozen=True, kw_only=True):
    """How a form makes sure of what it does: once for its nonce, and on the issue its writer saw.

    `seen` is the number of the event that was to come next when he was shown the issue, 0 for whatever it is.
    """

    nonce: str = ""
    seen: int = 0
    draft: str = ""  # the key of the draft that this is instead of


ANY = Once()
"""Whatever it is and however often."""


def note(tracker: Tracker, number: int, who: str | None, letter: Letter, *, form: Once = ANY) -> tuple[Done, Filing]:
    """Add a note for staff to an issue; its author is put on the notification list.

    `who` acts: a user's name, None for the first administrator. Raises `NotFound` for an unknown issue or user,
    `Refused` for an empty text or somebody who is not staff; `Conflict`, `Damaged`, `Busy` as `work.change`.
    """
    room.check(tracker)
    user, letter = acting(tracker, who), clean(letter)

    def verb(changed: Changes, work: Work) -> None:
        check_staff(user, work.issue, tracker.people.load_all())
        Writing(changed, work, user).file("note", letter, (Row("person", "note", user.email, "accepted"),))
        _instead(changed, work, user, form.draft)

    return _written(tracker, act(tracker, number, verb, nonce=form.nonce), form)


def reply(tracker: Tracker, number: int, who: str | None, letter: Letter, *, form: Once = ANY) -> tuple[Done, Filing]:
    """Write an e-mail in an issue: to the reporter, or those named, and to who asked for e-mails on its list.

    Staff may, whatever the project says about their mails; others as if they wrote by mail. Raises as `note`,
    `Refused` for who may not mail the issue, and for a reply that would reach nobody, and `Conflict` when somebody else
    wrote or closed meanwhile (see `Once.seen`, and `since`).
    """
    room.check(tracker)
    user, letter = acting(tracker, who), clean(letter)

    def verb(changed: Changes, work: Work) -> None:
        writing = Writing(changed, work, user)
        rows = writing.admitted()
        newer = (event for event in work.issue.events if event.number >= form.seen)
        if form.seen and any(matters(event, user, staff=writing.is_staff) for event in newer):
            raise Conflict(
                N_("Somebody changed issue {number} while you were writing. Nothing was sent."), number=number
            )
        writing.file("email", writing.addressed(letter), rows)
        writing.check_reaches_somebody()
        _instead(changed, work, user, form.draft)

    return _written(tracker, act(tracker, number, verb, nonce=form.nonce), form)


def keep_draft(
    tracker: Tracker, number: int, who: str | None, letter: Letter, *, form: Once = ANY
) -> tuple[Done, Filing]:
    """Keep an unfinished reply in the issue, where all its staff see it, may send, change or delete it.

    Raises as `note`; a draft that it is instead of goes.
    """
    room.check(tracker)
    user, letter = acting(tracker, who), clean(letter, unfinished=True)

    def verb(changed: Changes, work: Work) -> None:
        check_staff(user, work.issue, tracker.people.load_all())
        writing = Writing(changed, work, user)
        writing.file(
            "draft",
            msgspec.structs.replace(writing.addressed(letter), status="", signed=""),
            (Row("person", "draft", user.email, "accepted"),),
        )
        _instead(changed, work, user, form.draft)

    return _written(tracker, act(tracker, number, verb, nonce=form.nonce), form)


def drop_draft(tracker: Tracker, number: int, who: str | None, key: str) -> Done:
    """Delete a draft of an issue. Raises as `note`, `NotFound` when it is none of this issue."""
    user = acting(tracker, who)

    def verb(changed: Changes, work: Work) -> None:
        check_staff(user, work.issue, tracker.people.load_all())
        draft_of(work.issue, key)
        _instead(changed, work, user, key)

    done = act(tracker, number, verb)
    _clear(tracker, number, key)
    return done


def draft_of(issue: Issue, key: str) -> Filing:
    """The draft with this key. Raises `NotFound` when it was sent or deleted meanwhile."""
    found = next((one for one in messages(issue.events) if one.key == key and one.kind == "draft"), None)
    if found is None:
        raise NotFound(
            N_("That draft is not in issue {number} any more; somebody sent or deleted it."), number=issue.number
        )
    return found


def text_of(tracker: Tracker, issue: Issue, kept: Filing) -> str | None:
    """The text of a message; None when its file is gone."""
    mail = read(tracker, issue.number, kept.key, kept.digest)
    return mail.text if mail else None


def draft_text(tracker: Tracker, issue: Issue, key: str) -> tuple[Filing, str]:
    """A draft of the issue and its text, to go on with. Raises `NotFound` when it is none any more."""
    found = draft_of(issue, key)
    text = text_of(tracker, issue, found)
    if text is None:
        raise NotFound(N_("The file of that draft is gone."))
    return found, text.strip("\n")


def draft_files(tracker: Tracker, issue: Issue, key: str, parts: Collection[str]) -> tuple[Enclosure, ...]:
    """The files of a draft that go with what it becomes; `parts` are those wanted. Raises `NotFound`."""
    found = draft_of(issue, key)
    raw = raw_bytes(tracker.issues.mail_path(issue.number, key))
    return tuple(
        Enclosure(one.name, one.type, part_bytes(raw, one.part)) for one in found.attachments if one.part in parts
    )


def says_else(done: Done, kept: Filing, letter: Letter, *, text: str, author: User) -> bool:
    """Whether a letter is another one than the message, of that text, that its form made before: it was not sent then.

    Compared is what the form holds, as far as the record has it: text, people, files, status.
    """
    letter = clean(letter, unfinished=True)
    named = {one.address for one in (*kept.to, *kept.cc)}
    wanted = {*letter.to, *letter.cc}
    filed = (one.what for one in done.issue.events if isinstance(one.what, Filed))
    left_out = next((one.left_out for one in filed if one.message.key == kept.key), letter.left_out)
    return (
        not says_same(text, signed(letter, author))
        or not wanted <= named <= wanted | {done.issue.reporter}
        or left_out != letter.left_out
        or not {one.name for one in letter.files} <= {one.name for one in kept.attachments}
        or (kept.kind != "draft" and letter.status not in ("", done.issue.status))
    )


def may_reply(tracker: Tracker, issue: Issue, user: User) -> bool:
    """Whether this user's reply would be taken."""
    changed = Changes(tracker, tracker.clock())
    try:
        Writing(changed, Work(issue, None), user).admitted()
    except Refused:
        return False
    return True


def number_of(issue: Issue, key: str) -> int:
    """The number of the event that filed this message first; 0 when it is not among the newest."""
    filed = (one for one in issue.events if isinstance(one.what, Filed) and one.what.message.key == key)
    return next((one.number for one in filed), 0)


def matters(event: Event, user: User, *, staff: bool) -> bool:
    """Whether somebody else did what one who answers, and sees it, must know of before his answer goes out."""
    if event.who == user.id:
        return False
    what = event.what
    if isinstance(what, Filed):
        return what.message.kind != "draft" and (staff or not what.message.internal)
    return isinstance(what, Closed | Reopened | StatusChanged)


def _instead(changed: Changes, work: Work, user: User, draft: str) -> None:
    """The draft leaves the issue: what it was to become is there now. Nobody minds when it is gone already."""
    found = [one for one in messages(work.issue.events) if draft and one.key == draft and one.kind == "draft"]
    for message in found:
        work.issue = handling.taken_out(work.issue, message, changed.now, who=user.id)


def _written(tracker: Tracker, done: Done, form: Once) -> tuple[Done, Filing]:
    if form.draft:
        _clear(tracker, done.issue.number, form.draft)
    made = done.made(form.nonce)
    first = made.number if made else 0
    filed = [e.what.message for e in done.issue.events if isinstance(e.what, Filed) and e.number >= first]
    return done, filed[0] if made else filed[-1]


def _clear(tracker: Tracker, number: int, key: str) -> None:
    """Remove the file of a draft that its issue does not name any more."""
    with tracker.locks.issues([number]):
        if all(one.key != key for one in messages(tracker.issues.load(number).events)):
            tracker.issues.take_out(number, key)
