"""Encoded words are read and written, and every header value becomes one clean line."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.words import base64, clean_line, decode_words, encode_words, without_marks


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
        ("=?utf-8?b?5bGx5?= =?utf-8?b?5Sw?=", "山田"),
        ("=?utf-8?q?=E5=B1=B?= =?UTF8?q?1=E7=94=B0?=", "山田"),
        ("=?utf-8?q?=E5=B1?= =?UTF8?q?=B1=E7=94=B0?=", "山田"),
        ("=? utf-8 ?q?=C3=BC?=", "ü"),
        ("=??q?=C3=BC?=", "ü"),
        ("=?utf-8?b?5bGx =?utf-8?b?55Sw?=", "山田"),
        ("Re: =?utf-8?b?5bGx55Sw", "Re: 山田"),
        ("=?utf-8?q?=E5=B1=B1", "山"),
        ("=?utf-8?q?Am=C3=A9rica? x", "América x"),
        ("=?utf-8?b?R3L832U=?=", "Grüße"),
        ("=?utf-8?b?//5hAGIAYwA=?=", "abc"),
        ("=?utf-16be?b?lpxbsw==?=", "障害"),
        ("=?utf-7?q?Fr+APY-sche?=", "Fr+APY-sche"),
        ("=?UTF-8?b?nnDusSNdG92w6Fuw61fMjAx?=", "=?UTF-8?b?nnDusSNdG92w6Fuw61fMjAx?="),
        ("=?utf-8?b?6Zqc5a6zC+WgseWRig==?=", "障害\x0b報告"),
        ("=?utf-8?q?unfinished", "=?utf-8?q?unfinished"),
        ("=?utf-8?x?unknown?=", "=?utf-8?x?unknown?="),
        ("2 =? 3 ?= 4", "2 =? 3 ?= 4"),
    ],
)
def test_encoded_words_are_read_and_anything_else_stays(text: str, read: str) -> None:
    assert decode_words(text) == read


def test_marks_of_direction_do_not_count_where_lines_are_compared() -> None:
    assert without_marks(clean_line("המדפסת\u200f HP", 50)) == "המדפסת HP"
    assert without_marks("plain") == "plain"


@pytest.mark.parametrize("piece", ["=?x?Q? ", "=?x?B?AAAA", "=?", "=?x?Q?=41", "=?x?q?a?= ", "?=", "=?x?b?A?= "])
def test_the_time_for_hostile_words_grows_no_faster_than_their_size(piece: str) -> None:
    def seconds(size: int) -> float:
        start = time.process_time()
        decode_words(piece * (size // len(piece)))
        decode_words(piece * (size // len(piece)) + "?=")
        return time.process_time() - start

    short, long = (min(seconds(size) for _ in range(3)) for size in (10_000, 100_000))
    assert long < 30 * short + 0.1


@given(st.text("=?utf-8BQbq?=\r\n AZ+/áあ", max_size=120))
def test_any_text_is_read_without_fail(text: str) -> None:
    assert isinstance(decode_words(text), str)


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
        ("\u2067a\u2069 \u202bשלום\u202c", "a שלום"),
        ("המדפסת\u200f HP (x)", "המדפסת\u200f HP (x)"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\u200eRe: x\u200f", "Re: x"),
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
        (b"YQ==\n_______\nA list\n", b"a\n_______\nA list\n"),
        (b"YWJj\n\n-- \nA list\n", b"abc\n-- \nA list\n"),
        (b"====", b""),
        (b"=" * 20_000 + b"YWJj", b"abc"),
    ],
)
def test_base64_is_read_as_far_as_it_goes(data: bytes, read: bytes) -> None:
    assert base64(data) == read
