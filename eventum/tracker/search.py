"""One search over issues and mails, blocked mail and mail of no issue included for those who may read it.

Flows in: who asks, and what he typed. Flows out: places with a piece of the text around the words, and how many mails
the index does not know yet. Nothing is found by somebody who may not see it, and nothing is read that was read before.
"""

import re
from datetime import datetime

import msgspec

from eventum.errors import Damaged, NotFound
from eventum.issues.access import may_see
from eventum.issues.events import Filing
from eventum.issues.issue import Issue, messages
from eventum.issues.people import People, User
from eventum.store import fulltext
from eventum.store.index_lists import Listing
from eventum.store.index_texts import Place
from eventum.tracker.counts import scope_of
from eventum.tracker.guard import reading
from eventum.tracker.texts import BEFORE_AN_ANSWER, take_in
from eventum.tracker.tracker import Tracker

PAGE = 20
DEEPEST = 50  # Pages: who has not found it by then types another word.
BEFORE, AFTER = 70, 170  # Characters of a piece of text before and behind the first word that was found.
NUMBER = re.compile(r"\s*#?([0-9]{1,9})\s*", re.ASCII)

Piece = tuple[tuple[str, bool], ...]
"""A piece of text in parts, and of each whether it is what was looked for."""


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """Where the words of a search stand. `issue` is 0 for a mail of no issue, whose `state` says in which list it is.

    `kind` is "issue", "email", "note", "blocked" or "pool"; `among` how many texts of the issue have the words.
    """

    issue: int
    kind: str
    key: str = ""
    state: str = ""
    title: str
    project: str
    status: str = ""
    sender: str = ""
    when: datetime
    piece: Piece = ()
    among: int = 1


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One page of what was found; `missing` texts are not in the index yet. `number` is the issue somebody named."""

    hits: tuple[Hit, ...]
    total: int
    page: int
    last: int
    missing: int = 0
    number: "Choice | None" = None
    words: tuple[str, ...] = ()


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """An issue to choose."""

    number: int
    summary: str
    project: str
    status: str
    is_closed: bool


def search(tracker: Tracker, user: User, text: str, page: int = 1) -> Found:
    """What this user finds of what he typed, the best first. Raises `Busy` when the index cannot be used now."""
    people = tracker.people.load_all()
    scope = scope_of(user, people)
    missing = take_in(tracker, BEFORE_AN_ANSWER)
    page = min(max(page, 1), DEEPEST)
    with tracker.index.snapshot():
        places = tracker.index.places(scope, text, limit=PAGE, offset=(page - 1) * PAGE)
    total = places[0].total if places else 0
    wanted = tuple(fulltext.words(text))
    hits = [_hit(tracker, people, place, wanted) for place in places]
    return Found(
        hits=tuple(hit for hit in hits if hit is not None),
        total=total,
        page=page,
        last=min(DEEPEST, max(1, -(-total // PAGE))),
        missing=missing,
        number=_named(tracker, user, text),
        words=wanted,
    )


def choices(tracker: Tracker, user: User, text: str, limit: int = 10) -> list[Choice]:
    """Issues for somebody who types a number or words: the one of that number first, then the best, open ones first."""
    people = tracker.people.load_all()
    named = _named(tracker, user, text)
    found = {} if named is None else {named.number: named}
    take_in(tracker, BEFORE_AN_ANSWER)
    scope = scope_of(user, people)
    titles = {project.id: project.title for project in people.projects}
    if fulltext.words(text):
        # In two steps, so that a word of a thousand closed issues does not hide the open one.
        for closed in (False, True):
            listing = Listing(scope=scope, match=text, is_closed=closed, limit=limit)
            for line in tracker.index.lines(listing):
                choice = Choice(
                    number=line.number,
                    summary=line.summary,
                    project=titles.get(line.project, line.project),
                    status=line.status,
                    is_closed=line.closed is not None,
                )
                found.setdefault(line.number, choice)
    return list(found.values())[:limit]


def _named(tracker: Tracker, user: User, text: str) -> Choice | None:
    """The issue whose number was typed, if this user may see it."""
    number = NUMBER.fullmatch(text)
    if number is None:
        return None
    try:
        issue = tracker.issues.load(int(number[1]))
    except (NotFound, Damaged):
        return None
    people = tracker.people.load_all()
    if not may_see(user, issue, people):
        return None
    return Choice(
        number=issue.number,
        summary=issue.summary,
        project=people.project(issue.project).title,
        status=issue.status,
        is_closed=issue.closed is not None,
    )


def _hit(tracker: Tracker, people: People, place: Place, wanted: tuple[str, ...]) -> Hit | None:
    """A place as it is shown; None when it is not there any more."""
    titles = {project.id: project.title for project in people.projects}
    try:
        if not place.issue:
            return _pool_hit(tracker, titles, place, wanted)
        issue = tracker.issues.load(place.issue)
        hit = _issue_hit(tracker, titles.get(issue.project, issue.project), issue, (place, wanted))
    except (NotFound, Damaged):
        return None
    sender = people.by_address(hit.sender) if hit and hit.sender else None
    return msgspec.structs.replace(hit, sender=sender.name or sender.email) if hit and sender else hit


def _issue_hit(tracker: Tracker, project: str, issue: Issue, looked: tuple[Place, tuple[str, ...]]) -> Hit | None:
    place, wanted = looked
    hit = Hit(
        issue=issue.number,
        kind="issue",
        title=issue.summary,
        project=project,
        status=issue.status,
        sender=issue.reporter,
        when=issue.updated,
        piece=piece(issue.description, wanted),
        among=place.among,
    )
    if not place.key:
        return hit
    filing = _filing(tracker, issue, place.key)
    if filing is None:
        return None
    text = reading(tracker.cache, filing.digest, tracker.issues.mail_path(issue.number, place.key)).text
    return msgspec.structs.replace(
        hit,
        kind="blocked" if filing.blocked else filing.kind,
        key=place.key,
        sender=filing.from_.name or filing.from_.address,
        when=filing.received,
        piece=piece(text, wanted),
    )


def _filing(tracker: Tracker, issue: Issue, key: str) -> Filing | None:
    newest = next((one for one in messages(issue.events) if one.key == key), None)
    # Most mails are among the newest events; only a long conversation has older ones in other files.
    return newest or next((one for one in messages(tracker.issues.events(issue)) if one.key == key), None)


def _pool_hit(tracker: Tracker, titles: dict[str, str], place: Place, wanted: tuple[str, ...]) -> Hit:
    pooled = tracker.pool.load(place.account, place.key)
    mail = pooled.mail
    text = reading(tracker.cache, mail.digest, tracker.pool.path(place.account, place.key)).text
    return Hit(
        issue=0,
        kind="pool",
        key=place.key,
        state=tracker.pool.outcome(place.account, place.key) or "",
        title=mail.subject,
        project=titles.get(pooled.project, pooled.project),
        sender=mail.from_.name or mail.from_.address,
        when=mail.received,
        piece=piece(text, wanted),
    )


def piece(text: str, wanted: tuple[str, ...]) -> Piece:
    """The text around the first of the words, on one line, in parts; its beginning when none of them stands in it."""
    text = " ".join(text[: fulltext.LONGEST].split())
    if not wanted:
        return ((text[: BEFORE + AFTER], False),) if text else ()
    pattern = re.compile("|".join(_pattern(word) for word in wanted), re.IGNORECASE)
    first = pattern.search(text)
    start = max(0, first.start() - BEFORE) if first else 0
    shown = text[start : start + BEFORE + AFTER]
    parts: list[tuple[str, bool]] = [("…", False)] if start else []
    at = 0
    for match in pattern.finditer(shown):
        parts += [(shown[at : match.start()], False), (match[0], True)]
        at = match.end()
    parts.append((shown[at:] + ("…" if start + BEFORE + AFTER < len(text) else ""), False))
    return tuple(part for part in parts if part[0])


def _pattern(word: str) -> str:
    # Words side by side have whatever stands between them; in a piece of text that is little.
    return r"(?<!\w)" + r"\W{1,3}".join(map(re.escape, word.split())) if word.isascii() else re.escape(word)
