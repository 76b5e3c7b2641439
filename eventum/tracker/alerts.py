"""Alerts: administrators are told by mail once when a trouble begins, and once when it is over.

Flows in: from whoever notices it, the name of a trouble and a sentence. Flows out: letters in the queue, one to each
administrator, that name all that began or ended since the last ones. `raised` and `over` only note; every run calls
`tell`, which is safe to be killed anywhere: what a letter says is noted before it is queued, and its key is made of
that. A trouble that is over before anybody was told is told to nobody. Nothing here ever fails its caller.
"""

import hashlib
import logging
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from eventum.errors import EventumError
from eventum.mail.address import Address
from eventum.mail.compose import Draft
from eventum.mail.envelope import Posting
from eventum.store.alerts import Alert, AlertState, Letter
from eventum.store.said import Said, said
from eventum.tracker.letters import base_url, message_id, posted, queue, sender_of
from eventum.tracker.tracker import Tracker

TYPE = "alert"
MOST_AN_HOUR = 10  # Mails to one administrator; what comes after waits, and is told together.
SHOWN = 30  # Troubles that one mail names; of the others it gives the number.

Sentence = str | EventumError

log = logging.getLogger("eventum.alerts")


def raised(tracker: Tracker, name: str, sentence: Sentence, *, hint: Sentence = "", line: str = "") -> None:
    """Note that the trouble `name` is there; nothing new when it is noted already.

    `hint` says what to do, `line` is what to type for it. Nothing that is secret may be in any of them.
    """
    try:
        if any(one.name == name and one.ended is None for one in tracker.alerts.load().alerts):
            return
        with tracker.alerts.changing():
            if tracker.alerts.load().letter is not None:
                _tell(tracker)  # That of a run that died, perhaps saying that this very trouble is over.
            state = tracker.alerts.load()
            known = {one.name: one for one in state.alerts}
            if name in known:
                # It came back before anybody was told that it was over: it never was.
                known[name] = msgspec.structs.replace(known[name], ended=None, over=Said())
            else:
                known[name] = Alert(name=name, since=tracker.clock(), begun=said(sentence), hint=said(hint), line=line)
            tracker.alerts.save(msgspec.structs.replace(state, alerts=tuple(known.values())))
        log.info("alert: %s: %s", name, sentence)
    except (EventumError, OSError) as error:
        log.warning("alert: %s: %s (could not be noted: %s)", name, sentence, error)


def over(tracker: Tracker, name: str, sentence: Sentence) -> None:
    """Note that the trouble `name` is over; nothing when it was not there."""
    try:
        if not any(one.name == name and one.ended is None for one in tracker.alerts.load().alerts):
            return
        with tracker.alerts.changing():
            state = tracker.alerts.load()
            tracker.alerts.save(msgspec.structs.replace(state, alerts=tuple(_ended(state, name, sentence, tracker))))
        log.info("alert is over: %s: %s", name, sentence)
    except (EventumError, OSError) as error:
        log.warning("alert is over: %s: %s (could not be noted: %s)", name, sentence, error)


def open_ones(tracker: Tracker) -> tuple[Alert, ...]:
    """The troubles that are there now, the oldest first; none when their file cannot be used, which `health` says."""
    try:
        return tuple(tracker.alerts.open())
    except (EventumError, OSError):
        return ()


def _ended(state: AlertState, name: str, sentence: Sentence, tracker: Tracker) -> list[Alert]:
    found = []
    for one in state.alerts:
        if one.name == name and one.ended is None:
            if one.told is None and not (state.letter and name in state.letter.began):
                continue  # Nobody heard that it began.
            one = msgspec.structs.replace(one, ended=tracker.clock(), over=said(sentence))
        found.append(one)
    return found


def tell(tracker: Tracker) -> None:
    """Put what the administrators are still to be told into the queue."""
    try:
        state = tracker.alerts.load()
        if state.letter is None and _letter(state, tracker.clock()) is None:
            return
        with tracker.alerts.changing():
            _tell(tracker)
    except (EventumError, OSError) as error:
        log.warning("alerts: nobody could be told now: %s", error)


def _tell(tracker: Tracker) -> None:
    state, now = tracker.alerts.load(), tracker.clock()
    # A letter that is noted already is that of a run that died: it may be in the queue, or with some of us.
    letter = state.letter or _letter(state, now)
    if letter is None:
        return
    if state.letter is None:
        recent = tuple(when for when in state.letters if now - timedelta(hours=1) < when <= now)
        state = msgspec.structs.replace(state, letter=letter, letters=(*recent, now))
        tracker.alerts.save(state)
    _queue(tracker, state, letter)
    tracker.alerts.save(
        msgspec.structs.replace(
            state,
            letter=None,
            alerts=tuple(
                msgspec.structs.replace(one, told=letter.when) if one.name in letter.began else one
                for one in state.alerts
                if one.name not in letter.ended
            ),
        )
    )


def _letter(state: AlertState, now: datetime) -> Letter | None:
    """What is to be told now; nothing while there were too many letters."""
    began = tuple(one.name for one in state.alerts if one.told is None)
    ended = tuple(one.name for one in state.alerts if one.told is not None and one.ended is not None)
    recent = [when for when in state.letters if now - timedelta(hours=1) < when <= now]
    if not (began or ended) or len(recent) >= MOST_AN_HOUR:
        return None
    return Letter(when=now, began=began, ended=ended)


def _queue(tracker: Tracker, state: AlertState, letter: Letter) -> None:
    general = tracker.settings.general()
    sender = sender_of(general)
    began = [one for one in state.alerts if one.name in letter.began]
    ended = [one for one in state.alerts if one.name in letter.ended]
    # Two letters differ in one of these at least; a letter that is taken up again does not.
    parts = (letter.when.isoformat(), str(len(state.letters)), *letter.began, "", *letter.ended)
    text, subject = _text(tracker, began, ended), _subject(general.tool_caption, began, ended)
    people = [user for user in tracker.people.load_all().users if user.administrator and user.active]
    letters: dict[str, tuple[Posting, bytes]] = {}
    for user in people:
        key = hashlib.sha256("\0".join((TYPE, user.email, *parts)).encode()).hexdigest()[:40]
        draft = Draft(
            from_=sender,
            to=(Address(user.name, user.email),),
            subject=subject,
            text=text,
            message_id=message_id(TYPE, key, sender),
            date=letter.when,
        )
        letters[key] = posted(draft, TYPE, key)
    known = tracker.outbox.states(letters)
    queue(tracker, [one for key, one in letters.items() if key not in known])


def _subject(caption: str, began: Sequence[Alert], ended: Sequence[Alert]) -> str:
    if len(began) + len(ended) == 1:
        one = (*began, *ended)[0]
        return f"{caption}: {'Trouble: ' if began else 'Over: '}{_short(str(one.begun if began else one.over))}"
    parts = [f"{len(began)} troubles began" if len(began) > 1 else "a trouble began"] if began else []
    parts += [f"{len(ended)} are over" if len(ended) > 1 else "one is over"] if ended else []
    return f"{caption}: {', '.join(parts)}"


def _text(tracker: Tracker, began: Sequence[Alert], ended: Sequence[Alert]) -> str:
    lines: list[str] = []
    if began:
        lines += ["This needs somebody to look at it:", ""]
    for one in began[:SHOWN]:
        lines += [f"* {one.begun}", f"  Since {_when(one.since)}."]
        lines += [f"  {one.hint}"] if one.hint.message else []
        lines += [f"      {one.line}"] if one.line else []
        lines.append("")
    if len(began) > SHOWN:
        lines += [f"And {len(began) - SHOWN} more.", ""]
    if ended:
        lines += ["This is over:", ""]
    for one in ended[:SHOWN]:
        lines += [f"* {one.over}", f"  It began {_when(one.since)}" + _until(one) + ".", ""]
    if len(ended) > SHOWN:
        lines += [f"And {len(ended) - SHOWN} more.", ""]
    caption, base = tracker.settings.general().tool_caption, base_url(tracker)
    place = f"{base}/admin/health" if base else "`flask status`"
    lines += [
        f"How everything is now: {place}",
        f"The machine is {socket.gethostname()}, the data folder {tracker.layout.root}.",
        "",
        "-- ",
        f"You get this mail because you administer {caption}: once when a trouble begins,",
        "and once when it is over.",
    ]
    return "\n".join(lines) + "\n"


def _until(one: Alert) -> str:
    return f" and was over {_when(one.ended)}" if one.ended else ""


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _short(sentence: str) -> str:
    line = " ".join(sentence.split())
    return line if len(line) <= 100 else line[:97].rstrip() + "..."
