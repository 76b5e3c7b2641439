"""Encoded words are read and written, and every header value becomes one clean line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.words import base64, clean_line, decode_words, encode_words


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?a_b=C3=BC?=", "a bü"),
        ("=?UTF-8?B?w7w=?=", "ü"),
        ("=?iso-8859-1?Q?=FC?= =?iso-8859-1?Q?=E4?=", "üä"),
        ("=?utf-8?b?5bGx55Q=?= =?utf-8?b?sA==?=", "山田"),
        ("=?iso-2022-jp?B?GyRCPmM=?= =?ISO-2022-JP?B?MzIbKEI=?=", "障害"),
        ("a =?utf-8?q?b?= c =?utf-8?q?d?=", "a b c d"),
        ("=?utf-8?q?a?= =?latin1?q?=FC?=", "aü"),
        ("x=?utf-8?q?a?=y", "xay"),
        ("=?utf-8*en?q?colour?=", "colour"),
        ("=?utf-8?q?with blanks inside?=", "with blanks inside"),
        ("=?utf-8?Q??=", ""),
        ("=?x-none?q?=FC?=", "ü"),
        ("=?utf-8?b?w7w?=", "ü"),
        ("=?utf-8?b?YQ==YQ==?=", "aa"),
        ("=?utf-8?q?unfinished", "=?utf-8?q?unfinished"),
        ("=?utf-8?x?unknown?=", "=?utf-8?x?unknown?="),
        ("2 =? 3 ?= 4", "2 =? 3 ?= 4"),
    ],
)
def test_encoded_words_are_read_and_anything_else_stays(text: str, read: str) -> None:
    assert decode_words(text) == read


@given(st.text("abcäöü山田😀 =?_", max_size=80))
def test_words_that_were_encoded_are_read_back(text: str) -> None:
    words = encode_words(text)
    assert all(len(word) <= 75 for word in words.split(" "))
    assert decode_words(words) == text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\r\nBcc: b", "a Bcc: b"),
        ("a\0b\x1bc", "a b c"),
        ("a\u2028b\x85c", "a b c"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("\ud800x", "\ufffdx"),
        ("  a\u3000b  ", "a\u3000b"),
        ("x" * 20, "x" * 10),
    ],
)
def test_a_value_becomes_one_clean_line(text: str, line: str) -> None:
    assert clean_line(text, 10 if text.startswith("xx") else 100) == line


@given(st.text(max_size=300), st.integers(1, 50))
def test_a_clean_line_is_short_and_can_be_encoded(text: str, limit: int) -> None:
    line = clean_line(text, limit)
    assert len(line) <= limit and len(line.splitlines()) <= 1 and line.encode("utf-8") is not None


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (b"", b""),
        (b"YWJj", b"abc"),
        (b"YW\r\nJj\r\n", b"abc"),
        (b"YQ==", b"a"),
        (b"YQ", b"a"),
        (b"YWJ", b"ab"),
        (b"YWJjY", b"abc"),
        (b"YQ==\r\nYg==\r\n", b"ab"),
        (b"*Y!W-Jj", b"abc"),
        (b"====", b""),
        (b"=" * 20_000 + b"YWJj", b"abc"),
    ],
)
def test_base64_is_read_as_far_as_it_goes(data: bytes, read: bytes) -> None:
    assert base64(data) == read
