"""Which words stand where: full text over issues and mails, Japanese included, in the index of the cache.

Flows in: texts, and what somebody typed. Flows out: where its words stand. SQLite's FTS5 cuts text at blanks and
punctuation, so what is written without blanks is put in as pairs of characters; both halves of that, what is put in and
what is asked for, are here. The texts themselves are not kept: they are in the mails.

A record that changes is only noted as `due`; its text is taken later, in small steps, so that no mail waits for it.
"""

import re
import sqlite3
import unicodedata
from typing import NamedTuple

SCHEMA = """
CREATE TABLE IF NOT EXISTS due (name TEXT PRIMARY KEY, revision INTEGER);
CREATE TABLE IF NOT EXISTS texts (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
    head, body, content='', tokenize='unicode61 remove_diacritics 2');
"""

LONGEST = 200_000  # Characters of one text that are looked at: a log in a mail must not outweigh all other mails.
LONGEST_QUERY = 200  # Characters.
MOST_WORDS = 12
PREFIX_FROM = 2  # Characters of a word that is found by its beginning; one letter begins every tenth word there is.

# Written without blanks between words: ideographs, kana, Hangul syllables.
_UNSPACED = "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
_UNSPACED += "\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(f"[{_UNSPACED}]+")
_PIECE = re.compile(f"(?P<run>[{_UNSPACED}]+)|[^{_UNSPACED}]+")
_WORD = re.compile(r"\w+")


class Due(NamedTuple):
    """A text that is to be taken: of an issue itself (`key` is ""), or of a mail in an issue or (0) in a pool."""

    name: str
    revision: int
    issue: int
    key: str
    account: str
    digest: str
    outgoing: bool


class Text(NamedTuple):
    """What is to be found: the words of its head count for more than those of its body."""

    head: str
    body: str


def issue_is_due(db: sqlite3.Connection, number: int, revision: int) -> None:
    """The texts of an issue itself changed with this revision."""
    db.execute("INSERT OR REPLACE INTO due VALUES (?, ?)", (f"issues/{number}", revision))


def mail_is_due(db: sqlite3.Connection, key: str) -> None:
    """A mail is kept; what it says never changes, so once is enough, wherever it goes."""
    known = "SELECT 1 FROM texts WHERE name = ?1"
    db.execute(f"INSERT OR IGNORE INTO due SELECT ?1, 0 WHERE NOT EXISTS ({known})", (key,))


def forget(db: sqlite3.Connection) -> None:
    """Everything is to be read anew."""
    db.execute("DELETE FROM due")
    db.execute("DELETE FROM texts")
    db.execute("INSERT INTO words (words) VALUES ('delete-all')")


def put(db: sqlite3.Connection, due: Due, text: Text | None) -> None:
    """Take a text in, or None when there is nothing to take; one that was noted again meanwhile stays due."""
    # The words of an older text cannot be taken out without that text. They stay, under a number nobody has any more.
    db.execute("DELETE FROM texts WHERE name = ?", (due.name,))
    if text is not None:
        number = db.execute("INSERT INTO texts (name) VALUES (?)", (due.name,)).lastrowid
        head, body = indexed(text.head), indexed(text.body)
        db.execute("INSERT INTO words (rowid, head, body) VALUES (?, ?, ?)", (number, head, body))
    db.execute("DELETE FROM due WHERE name = ? AND revision = ?", (due.name, due.revision))


def indexed(text: str) -> str:
    """A text as it is put in: full-width letters as plain ones, runs without blanks as pairs of their characters."""
    text = unicodedata.normalize("NFKC", text[:LONGEST]).replace("\0", " ")
    return text if text.isascii() else _RUN.sub(_pairs, text)


def _pairs(run: re.Match[str]) -> str:
    # The last character alone as well, so that each can be asked for by itself.
    return f" {' '.join((*_two_by_two(run[0]), run[0][-1]))} "


def _two_by_two(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


def words(query: str) -> list[str]:
    """The words of what somebody typed, as they are looked for; all of them must be there."""
    text = unicodedata.normalize("NFKC", query[:LONGEST_QUERY])
    found: list[str] = []
    for chunk in text.split():
        for piece in _PIECE.finditer(chunk):
            # What is typed without a blank is looked for side by side: an address, a name with a hyphen.
            word = piece[0] if piece["run"] else " ".join(_WORD.findall(piece[0]))
            if word and word not in found:
                found.append(word)
    return found[:MOST_WORDS]


def expression(query: str) -> str:
    """What FTS5 is asked for these words; "" when there is no word in it. Any text is fit to be asked."""
    return " AND ".join(_asked(word) for word in words(query))


def _asked(word: str) -> str:
    # Between quotes nothing is an operator, and no word has a quote in it.
    if _RUN.fullmatch(word):
        return f'"{" ".join(_two_by_two(word))}"' if len(word) > 1 else f'"{word}"*'
    return f'"{word}"*' if len(word.rpartition(" ")[2]) >= PREFIX_FROM else f'"{word}"'
