"""The form by which one writes to an issue: its fields, who would get it, and what the verb is given.

Flows in: an issue and who looks at it, or what he sent. Flows out: the form, filled; a `Letter`. Who gets a mail is
decided by the rules that send it (`reaching.reach`), asked before anything is sent.
"""

import logging
import re
from contextlib import suppress
from datetime import datetime
from typing import Literal

from flask import request
from wtforms import HiddenField, SelectField, StringField, TextAreaField

from eventum.errors import Damaged, EventumError, NotFound
from eventum.tracker import correspond, drafts
from eventum.tracker.conversation import Conversation, User
from eventum.tracker.correspond import Enclosure, Letter, Once
from eventum.tracker.drafts import KeptFile, Typed
from eventum.tracker.once import was_used
from eventum.tracker.reaching import Reach, reach
from eventum.web.access import me
from eventum.web.forms import Form
from eventum.web.l10n import _, said
from eventum.web.trackers import tracker
from eventum.wording import N_

log = logging.getLogger("eventum.web")

Kind = Literal["email", "note"]
NAMES: dict[str, Kind] = {"reply": "email", "note": "note"}
_BETWEEN = re.compile(r"[,;\s]+")
PART = "part-"
KEPT = ("text", "subject", "to", "cc", "status")
"""Fields that a draft keeps."""


class LetterForm(Form):
    """What somebody writes to an issue. `form` is its name, reply or note; `seen` is what `Once.seen` is."""

    form = HiddenField()
    seen = HiddenField()
    draft = HiddenField()
    text = TextAreaField(N_("Message"))
    subject = StringField(N_("Subject"))
    to = StringField(N_("Also to"))
    cc = StringField(N_("Cc"))
    status = SelectField(N_("Then set the status"), choices=())

    kept: tuple[KeptFile, ...] = ()  # Files that need not be chosen again; those of a draft are named by their part.
    fresh: tuple[Enclosure, ...] = ()  # Files that came with this request.
    reach: tuple[Reach, ...] = ()
    left_out: frozenset[str] = frozenset()
    saved: datetime | None = None
    news: tuple[str, ...] = ()
    who_changed = ""

    @property
    def place(self) -> str:
        """Its name, which is part of the name of its draft."""
        return "note" if self.kind == "note" else "reply"

    @property
    def kind(self) -> Kind:
        """What is made of it."""
        return NAMES.get(self.form.data or "", "email")

    @property
    def count(self) -> int:
        """How many people get it as it stands."""
        return sum(1 for one in self.reach if one.address not in self.left_out)

    @property
    def was_seen(self) -> int:
        """The number of the event that was to come when the form was shown."""
        text = str(self.seen.data or "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def prepared(found: Conversation, user: User) -> LetterForm:
    """The form as it opens: empty, or with what the user typed before, or with a draft of the issue."""
    form = LetterForm(formdata=None)
    form.form.data = "note" if request.args.get("write") == "note" and found.staff else "reply"
    form.seen.data = str(found.issue.next_event)
    _choices(form, found)
    key = request.args.get("draft", "")
    if key and found.staff:
        _from_draft(form, found, key)
    elif typed := unsent(form, found, user):
        for name in KEPT:
            form[name].data = typed.fields.get(name, "")
        form.nonce.data = typed.fields.get("nonce") or form.nonce.data
        form.draft.data = typed.fields.get("draft", "")
        form.left_out = frozenset(typed.left_out)
        form.saved, form.kept = typed.saved, typed.files
    reaching(form, found, user)
    return form


def unsent(form: LetterForm, found: Conversation, user: User) -> Typed | None:
    """What the user typed before; not what he sent, which a late page may have kept once more."""
    typed = drafts.typed(tracker(), user, drafts.form_of(found.issue.number, form.place))
    return None if typed and was_used(tracker(), typed.fields.get("nonce", "")) else typed


def sent(found: Conversation, user: User) -> LetterForm:
    """The form as it was sent, with those who would get it now."""
    form = LetterForm()
    form.form.data = "note" if form.form.data == "note" and found.staff else "reply"
    _choices(form, found)
    known = {one for one in request.form.getlist("known") if one}
    form.left_out = frozenset(known - set(request.form.getlist("send")))
    form.kept = _still_kept(form, found, user)
    reaching(form, found, user)
    return form


def not_shown(form: LetterForm) -> tuple[Reach, ...]:
    """Who would get it and was not on the page: somebody put him on the list meanwhile."""
    shown = set(request.form.getlist("known")) | set(_addresses(form.to.data)) | set(_addresses(form.cc.data))
    return tuple(one for one in form.reach if one.address not in shown)


def reaching(form: LetterForm, found: Conversation, user: User) -> None:
    """Put into the form who would get it as it stands; what is wrong with an address is said beside its field."""
    if not found.staff:
        return
    try:
        status = form.status.data or ""
        to, cc = _addresses(form.to.data), _addresses(form.cc.data)
        letter = Letter(text="", to=to, cc=cc, and_reporter=True, status=status)
        form.reach = reach(tracker(), found.issue.number, user, letter, kind=form.kind)
    except Damaged as error:
        # What stands here can be read all the same; who writes now is told why it cannot be sent.
        log.error("issue %d: nobody can be written to: %s", found.issue.number, error)
        form.problems.append(_("Nobody can be written to now: something is wrong on our side."))
        form.reach = ()
    except EventumError as error:
        field = next((one for one in (form.to, form.cc) if one.data), None)
        if field is None:
            form.problems.append(said(error))
        else:
            field.errors = [said(error)]
        form.reach = reach(tracker(), found.issue.number, user, Letter(text=""), kind=form.kind)


def letter_of(form: LetterForm, found: Conversation) -> Letter:
    """What the verb is given. Who is not staff says what he says; the rest is not his to choose."""
    form.fresh = uploaded()
    files = (*_again(form, found), *form.fresh)
    signed = "notes" if form.kind == "note" else "replies"
    if not found.staff:
        return Letter(text=form.text.data or "", files=files, signed=signed)
    return Letter(
        text=form.text.data or "",
        subject=(form.subject.data or "").strip(),
        to=_addresses(form.to.data),
        cc=_addresses(form.cc.data),
        and_reporter=True,
        left_out=tuple(sorted(form.left_out)),
        files=files,
        status=form.status.data or "",
        signed=signed,
    )


def _still_kept(form: LetterForm, found: Conversation, user: User) -> tuple[KeptFile, ...]:
    """The files that are ticked: of the user's own draft, and of the draft in the issue that he goes on with."""
    typed = drafts.typed(tracker(), user, drafts.form_of(found.issue.number, form.place))
    kept = typed.files if typed else ()
    if form.draft.data and found.staff:
        with suppress(NotFound):  # Somebody sent or deleted it; what is typed here stays.
            kept += _of_draft(correspond.draft_of(found.issue, form.draft.data))
    ticked = set(request.form.getlist("keep"))
    return tuple(one for one in kept if one.key in ticked)


def _of_draft(message: correspond.Filing) -> tuple[KeptFile, ...]:
    return tuple(
        KeptFile(key=f"{PART}{one.part}", name=one.name, type=one.type, size=one.size) for one in message.attachments
    )


def _again(form: LetterForm, found: Conversation) -> tuple[Enclosure, ...]:
    """The bytes of the files that were kept."""
    own = [one for one in form.kept if not one.key.startswith(PART)]
    parts = {one.key.removeprefix(PART) for one in form.kept if one.key.startswith(PART)}
    name = drafts.form_of(found.issue.number, form.place)
    files = drafts.chosen(tracker(), me(), name, own)
    if parts:
        files += correspond.draft_files(tracker(), found.issue, form.draft.data or "", parts)
    return files


def uploaded() -> tuple[Enclosure, ...]:
    """The files that were sent with a form."""
    found = []
    for one in request.files.getlist("files"):
        with one.stream:
            if one.filename:
                found.append(Enclosure(one.filename, one.mimetype or "", one.read()))
    return tuple(found)


def has_files() -> bool:
    """Whether files were sent with a form: a browser does not choose them again by itself."""
    return any(one.filename for one in request.files.getlist("files"))


def once_of(form: LetterForm) -> Once:
    """What makes sure that it happens once, and on the issue that was seen."""
    return Once(nonce=form.nonce.data or "", seen=form.was_seen, draft=form.draft.data or "")


def _addresses(text: str | None) -> tuple[str, ...]:
    return tuple(one for one in _BETWEEN.split((text or "").lower()) if one)


def _choices(form: LetterForm, found: Conversation) -> None:
    keep = _("Leave it as it is")
    others = [(one, one) for one in found.project.statuses if one != found.issue.status]
    form.status.choices = [("", keep), *others]


def _from_draft(form: LetterForm, found: Conversation, key: str) -> None:
    message, text = correspond.draft_text(tracker(), found.issue, key)
    form.form.data, form.draft.data = "reply", key
    form.text.data, form.subject.data = text, message.subject
    reporter = found.issue.reporter
    form.to.data = ", ".join(one.address for one in message.to if one.address != reporter)
    form.cc.data = ", ".join(one.address for one in message.cc)
    form.kept = _of_draft(message)
