import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.store import fulltext
from eventum.store.fulltext import LONGEST_QUERY, MOST_WORDS, Due, Text, expression, indexed, words


def due(name: str = "key", revision: int = 0) -> Due:
    return Due(name, revision, 0, name, "account", "digest", False)


def opened() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.executescript(fulltext.SCHEMA)
    return db


def finds(body: str, query: str) -> bool:
    """Whether a text with this body is found by this query."""
    db = opened()
    fulltext.put(db, due(), Text("", body))
    asked = expression(query)
    found = bool(asked) and db.execute("SELECT 1 FROM words WHERE words MATCH ?", (asked,)).fetchone() is not None
    db.close()
    return found


@pytest.mark.parametrize(
    ("body", "query", "is_found"),
    [
        ("The printer is on fire", "printer", True),
        ("The printer is on fire", "PRINT", True),
        ("The printer is on fire", "fire printer", True),
        ("The printer is on fire", "printer water", False),
        ("The printer is on fire", "rinter", False),
        ("The printer is on fire", "t", False),
        ("Case a", "a", True),
        ("ネットワークの障害が発生", "障害", True),
        ("ネットワークの障害が発生", "ネットワーク", True),
        ("ネットワークの障害が発生", "発", True),
        ("ネットワークの障害が発生", "生", True),
        ("ネットワークの障害が発生", "害障", False),
        ("ネットワークの障害が発生", "障 発生", True),
        ("基板", "基板", True),
        ("한국어로 씁니다", "국어", True),
        ("iPhone修理の件", "iphone 修理", True),
        ("iPhone修理の件", "iPhone修理", True),
        ("ＡＢＣ－１２３", "abc-123", True),
        ("ｶﾀｶﾅ", "カタカナ", True),
        ("Größe, café", "grosse", False),
        ("Größe, café", "große", True),
        ("Größe, café", "cafe", True),
        ("from ana@customer.example today", "ana@customer.example", True),
        ("from ana@customer.example today", "ana@cust", True),
        ("from ana@other.example, customer", "ana@customer", False),
        ("order SUP-4321", "SUP-4321", True),
        ("order SUP-4321", "4321", True),
        ("order SUP-4322", "SUP-4321", False),
        ("snake_case_name", "case_name", True),
    ],
)
def test_words_are_found_by_their_beginning_and_unspaced_writing_by_any_part(
    body: str, query: str, is_found: bool
) -> None:
    assert finds(body, query) == is_found


@pytest.mark.parametrize(
    "query",
    [
        '"',
        '""',
        '" OR "',
        "a AND",
        "NOT",
        "(",
        "*",
        "^x",
        "head:x",
        "x NEAR y",
        "\0",
        "a\0b",
        "-",
        "%",
        "'",
        "{head}: x",
        "😀",
    ],
)
def test_operators_are_plain_text(query: str) -> None:
    assert not finds("some text of ours", query)


@given(st.text(max_size=300))
def test_any_text_may_be_asked(query: str) -> None:
    finds("some text", query)


@given(st.text(st.characters(min_codepoint=0x3041, max_codepoint=0x3096), min_size=1, max_size=30), st.data())
def test_every_part_of_unspaced_writing_is_found(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    assert finds(text, text[start:end])


@given(st.lists(st.text("abcdefghij0123", min_size=2, max_size=12), min_size=1, max_size=10), st.data())
def test_every_beginning_of_a_word_is_found(spaced: list[str], data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(spaced))
    assert finds(" ".join(spaced), word[: data.draw(st.integers(2, len(word)))])


def test_a_query_has_bounds() -> None:
    assert len(words(" ".join(f"w{number}" for number in range(100)))) == MOST_WORDS
    assert words("x" * 10_000) == ["x" * LONGEST_QUERY]
    assert len(indexed("x" * 1_000_000)) == fulltext.LONGEST


def test_a_text_that_changed_is_found_by_its_new_words_only() -> None:
    db = opened()
    for revision, body in enumerate(("the old words", "the new ones")):
        fulltext.put(db, due("issues/1", revision), Text("", body))
    sql = "SELECT name FROM words JOIN texts ON texts.id = words.rowid WHERE words MATCH ?"
    assert db.execute(sql, (expression("old"),)).fetchall() == []
    assert db.execute(sql, (expression("new"),)).fetchall() == [("issues/1",)]
    db.close()


def test_what_was_noted_again_while_it_was_read_stays_due() -> None:
    db = opened()
    fulltext.issue_is_due(db, 1, 4)
    fulltext.issue_is_due(db, 1, 5)
    fulltext.put(db, due("issues/1", 4), Text("", "older"))
    assert db.execute("SELECT name, revision FROM due").fetchall() == [("issues/1", 5)]
    fulltext.put(db, due("issues/1", 5), Text("", "newer"))
    assert db.execute("SELECT * FROM due").fetchall() == []
    db.close()


def test_a_mail_is_due_once_wherever_it_goes() -> None:
    db = opened()
    fulltext.mail_is_due(db, "aa")
    fulltext.put(db, due("aa"), Text("", "hello"))
    fulltext.mail_is_due(db, "aa")
    assert db.execute("SELECT * FROM due").fetchall() == []
    fulltext.forget(db)
    assert db.execute("SELECT * FROM texts").fetchall() == []
    db.close()
