"""format=flowed and text/enriched: paragraphs are put together, quotes stay quotes, nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.formats.enriched import enriched_to_text
from eventum.mail.formats.flowed import unflowed


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("one \ntwo \nthree\nfour", "one two three\nfour"),
        ("> one \n> two\n>> three \n>> four", "> one two\n>> three four"),
        ("> one \ntwo", "> one \ntwo"),
        (">one \n> two", "> one two"),
        ("> > not deeper", "> > not deeper"),
        (" >no quote\n From me\n  indented", " >no quote\nFrom me\n indented"),
        ("Hi\n-- \nAlice \nExample", "Hi\n-- \nAlice Example"),
        ("goes on \n-- \nAlice", "goes on \n-- \nAlice"),
        ("> quoted \n> -- \n> Bob", "> quoted \n> -- \n> Bob"),
        ("", ""),
        ("\n\n", "\n\n"),
        ("the end \n", "the end "),
        (">\n> x", ">\n> x"),
    ],
)
def test_lines_that_were_cut_are_put_together(text: str, read: str) -> None:
    assert unflowed(text) == read


def test_with_delsp_the_blank_at_the_end_of_a_line_goes() -> None:
    assert unflowed("障害が \n起きた \n> x", joins_words=True) == "障害が起きた\n> x"


@given(st.text(alphabet="a> -\n", max_size=60), st.booleans())
def test_no_word_is_lost_and_no_text_becomes_a_quote(text: str, joins_words: bool) -> None:
    read = unflowed(text, joins_words)
    assert read.count("a") == text.count("a")
    quoted = [line for line in text.split("\n") if line.startswith(">")]
    assert quoted or not any(line.startswith(">") for line in read.split("\n"))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("<bold>x</bold> y", "x y"),
        ("one\ntwo\n\nthree\n\n\nfour", "one two\nthree\n\nfour"),
        ("<<a> <b", "<a> <b"),
        ("<color><param>red</param>x</color>", "x"),
        ("<nofill>a\nb</nofill>\nc", "a\nb c"),
        ("a<nl>b", "a\nb"),
    ],
)
def test_enriched_text_is_read(text: str, read: str) -> None:
    assert enriched_to_text(text) == read


@given(st.text(alphabet="<>/param \n", max_size=60))
def test_any_enriched_text_is_read_without_an_error(text: str) -> None:
    enriched_to_text(text)
