"""Writing to an issue: replies, internal notes, drafts, and who else is writing just now.

Flows in: the form below a conversation. Flows out: the way back to the issue, or its page again with all that was typed
and what is to be mended. What is typed is kept on the way, also when nothing is sent.
"""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from eventum.errors import Busy, Conflict, Refused
from eventum.tracker import conversation, correspond, drafts, presence, responses
from eventum.tracker.acting import Done
from eventum.tracker.conversation import Conversation
from eventum.tracker.correspond import Filing, Letter
from eventum.tracker.once import was_used
from eventum.web.access import allows, me
from eventum.web.forms import new_nonce
from eventum.web.issue_page import conversation_of, issue_page
from eventum.web.l10n import _, ngettext, said, say
from eventum.web.letter import KEPT, PART, LetterForm, letter_of, not_shown, once_of, sent, uploaded
from eventum.web.page import page, told
from eventum.web.trackers import tracker
from eventum.wording import N_

bp = Blueprint("writing", __name__)


@bp.post("/issues/<int:number>/write")
@allows("user")
def write(number: int) -> ResponseReturnValue:
    """What the button says: send it, keep it as a draft, or put in a canned response."""
    found = conversation_of(number)
    if not found.staff and not correspond.may_reply(tracker(), found.issue, me()):
        raise Refused(N_("You may read issue {number}, and not write to it."), number=number)
    form = sent(found, me())
    match request.form.get("do", "send"):
        case "insert":
            _insert(form, found)
            form.fresh = uploaded()
            return _again(form, found, 200)
        case "draft" if found.staff:
            return _draft(form, found)
    return _send(form, found)


def _send(form: LetterForm, found: Conversation) -> ResponseReturnValue:
    number, user, letter = found.issue.number, me(), letter_of(form, found)
    if form.is_refused:
        return _again(form, found, 422)
    if found.staff and (new := not_shown(form)):
        form.news = tuple(_("%(who)s gets it now, too.", who=one.name) for one in new)
        return _again(form, found, 409)
    verb = correspond.note if form.kind == "note" else correspond.reply
    try:
        done, message = verb(tracker(), number, user.id, letter, form=once_of(form))
    except Conflict as error:
        _news(form, found, error)
        return _again(form, found, 409)
    except Refused as error:
        form.refused(error, "" if letter.text.strip() else "text")
        return _again(form, found, 422)
    except Busy as error:
        form.refused(error)
        return _again(form, found, 503)
    if not done.changed and _is_another(done, message, letter):
        return _sent_before(form, found)
    drafts.discard(tracker(), user, drafts.form_of(number, form.place))
    presence.stops(tracker(), number, user)
    if done.changed:
        others = len(done.told)
        if form.kind == "note":
            told(_("The note is in the issue. Only staff see it."))
        elif found.staff:
            told(ngettext("Sent to %(num)s person.", "Sent to %(num)s people.", others))
        else:
            told(_("Your reply is in the issue."))
    place = correspond.number_of(done.issue, message.key)
    return redirect(url_for("issue.shown", number=number, _anchor=f"m{place}"), 303)


def _is_another(done: Done, message: Filing, letter: Letter) -> bool:
    text = correspond.text_of(tracker(), done.issue, message)
    return text is not None and correspond.says_else(done, message, letter, text=text, author=me())


def _sent_before(form: LetterForm, found: Conversation) -> ResponseReturnValue:
    """The form did its work, and somebody went back to it and wrote something else: that is not lost."""
    form.nonce.data = new_nonce()
    form.refused(_("This form was sent before, with another text. Send it again to send this one, too."))
    return _again(form, found, 409)


def _draft(form: LetterForm, found: Conversation) -> ResponseReturnValue:
    number, user = found.issue.number, me()
    letter = letter_of(form, found)
    try:
        done, message = correspond.keep_draft(tracker(), number, user.id, letter, form=once_of(form))
    except (Refused, Busy) as error:
        form.refused(error)
        return _again(form, found, 503 if isinstance(error, Busy) else 422)
    if not done.changed and _is_another(done, message, letter):
        return _sent_before(form, found)
    drafts.discard(tracker(), user, drafts.form_of(number, form.place))
    presence.stops(tracker(), number, user)
    told(_("The draft is in the issue. All its staff can send, change or delete it."))
    return redirect(url_for("issue.shown", number=number, _anchor="reply"), 303)


def _again(form: LetterForm, found: Conversation, status: int) -> ResponseReturnValue:
    """The page with what was typed, which is kept besides: who closes it now loses nothing."""
    name = drafts.form_of(found.issue.number, form.place)
    kept = drafts.keep_files(tracker(), me(), name, form.fresh)
    form.kept = tuple({one.key: one for one in (*form.kept, *kept)}.values())
    _keep(form, found)
    if len(kept) < len(form.fresh):
        form.problems.append(_("Choose other files: these were not kept."))
    return issue_page(found.issue.number, status, letter=form)


def _news(form: LetterForm, found: Conversation, error: Conflict) -> None:
    """Say what others did since the form was shown; sent again it goes out on the issue as it is now."""
    steps = conversation.since(tracker(), found.issue.number, me(), form.was_seen, say=say)
    form.news = tuple(step.line for step in steps) or (said(error),)
    form.who_changed = next((step.who for step in steps if step.who), "")
    form.seen.data = str(conversation.find(tracker(), found.issue.number, me()).next_event)


def _insert(form: LetterForm, found: Conversation) -> None:
    wanted = request.form.get("response", "")
    for one in responses.responses(tracker(), found.project.id) if found.staff else ():
        if one.id == wanted:
            text = responses.filled(tracker(), one, found.issue, me())
            before = (form.text.data or "").rstrip()
            form.text.data = f"{before}\n\n{text}" if before else text


@bp.post("/issues/<int:number>/insert")
@allows("staff")
def insert(number: int) -> ResponseReturnValue:
    """The text with a canned response put in, for the page that is open."""
    found = conversation_of(number)
    form = sent(found, me())
    _insert(form, found)
    _keep(form, found)
    return page("issue/text.html", letter=form)


@bp.post("/issues/<int:number>/recipients")
@allows("staff")
def recipients(number: int) -> ResponseReturnValue:
    """Who would get it as the form stands, and the button that says how many."""
    found = conversation_of(number)
    return page("issue/recipients.html", letter=sent(found, me()), is_fragment=True)


@bp.post("/issues/<int:number>/draft")
@allows("user")
def keep(number: int) -> ResponseReturnValue:
    """Keep what is typed, and say when."""
    found = conversation_of(number)
    form = sent(found, me())
    _keep(form, found)
    if found.staff and form.saved:
        presence.writes(tracker(), number, me())
    return page("issue/saved.html", letter=form)


def _keep(form: LetterForm, found: Conversation) -> None:
    nonce = form.nonce.data or ""
    if was_used(tracker(), nonce):
        return  # It was sent: a late page must not bring it back as something to be sent.
    fields = {name: str(form[name].data or "") for name in (*KEPT, "draft")} | {"nonce": nonce}
    name = drafts.form_of(found.issue.number, form.place)
    files = [one for one in form.kept if not one.key.startswith(PART)]
    kept = drafts.keep(tracker(), me(), name, fields, left_out=sorted(form.left_out), files=files)
    if was_used(tracker(), nonce):  # Sent just now, and forgotten before this was kept.
        drafts.discard(tracker(), me(), name)
        return
    form.saved = kept.saved if kept else None


@bp.post("/issues/<int:number>/draft/discard")
@allows("user")
def discard(number: int) -> ResponseReturnValue:
    """Forget what was typed."""
    found = conversation_of(number)
    name = "note" if request.form.get("form") == "note" else "reply"
    drafts.discard(tracker(), me(), drafts.form_of(number, name))
    presence.stops(tracker(), number, me())
    write_ = "note" if name == "note" and found.staff else None
    return redirect(url_for("issue.shown", number=number, write=write_, _anchor="reply"), 303)


@bp.post("/issues/<int:number>/drafts/<key>/delete")
@allows("staff")
def delete(number: int, key: str) -> ResponseReturnValue:
    """Delete a draft that all staff of the issue see."""
    conversation_of(number)
    correspond.drop_draft(tracker(), number, me().id, key)
    told(_("The draft is deleted."))
    return redirect(url_for("issue.shown", number=number, _anchor="reply"), 303)


@bp.get("/issues/<int:number>/writers")
@allows("staff")
def writers(number: int) -> ResponseReturnValue:
    """Who else is writing to this issue."""
    return _writers(number, is_writing=False)


@bp.post("/issues/<int:number>/writers")
@allows("staff")
def here(number: int) -> ResponseReturnValue:
    """The visitor is writing, or is believed to be as long as he types now and then; who else is."""
    conversation.check_works_on(tracker(), number, me())
    is_writing = "focus" in request.args or drafts.is_fresh(tracker(), me(), number)
    if is_writing:
        presence.writes(tracker(), number, me())
    return _writers(number, is_writing=is_writing)


def _writers(number: int, *, is_writing: bool) -> ResponseReturnValue:
    issue = conversation.check_works_on(tracker(), number, me())
    names = presence.others(tracker(), number, me())
    return page("issue/writers.html", issue=issue, writers=names, is_writing=is_writing)
