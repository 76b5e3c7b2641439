"""Header blocks are split on bytes, and parameters are read as clients write them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.headers import MAX_FIELDS, parameters, split_block, strict_block

Expected = tuple[dict[str, tuple[str, ...]], bytes, tuple[str, ...]]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"A: b\n\nbody", ({"a": ("b",)}, b"body", ())),
        (b"A: b\r\n\r\nbody", ({"a": ("b",)}, b"body", ())),
        (b"A: b\r\n c\n\td\r\n\r\nbody", ({"a": ("b c d",)}, b"body", ())),
        (b"A: 1\nB: 2\na: 3\n\n", ({"a": ("1", "3"), "b": ("2",)}, b"", ())),
        (b"A : b\n\n", ({"a": ("b",)}, b"", ())),
        (b"A:\n\nx", ({"a": ("",)}, b"x", ())),
        (b"A: b", ({"a": ("b",)}, b"", ())),
        (b"A: b\n", ({"a": ("b",)}, b"", ())),
        (b"", ({}, b"", ())),
        (b"\nbody", ({}, b"body", ())),
        (b"\r\n\r\nbody", ({}, b"\r\nbody", ())),
        (b"\n \n\nA: b\n\nbody", ({"a": ("b",)}, b"body", ("blank-lines-first",))),
        (b"From x Mon\nA: b\n\nbody", ({"a": ("b",)}, b"body", ("mbox-line",))),
        (b">From x Mon\nA: b\n\nbody", ({"a": ("b",)}, b"body", ("mbox-line",))),
        (b"A: b\njunk\nC: d\n\nbody", ({"a": ("b",), "c": ("d",)}, b"body", ("junk-in-headers",))),
        (b"A: b\ntext\nmore text\n\nbody", ({"a": ("b",)}, b"text\nmore text\n\nbody", ("no-blank-line",))),
        (b"A: b\ntext\n\nbody", ({"a": ("b",)}, b"text\n\nbody", ("no-blank-line",))),
        (b"text\n\nbody", ({}, b"text\n\nbody", ("no-blank-line",))),
        (b" text\n\nbody", ({}, b" text\n\nbody", ("no-blank-line",))),
        (b"A: =?utf-8?q?=C3=BC=0Ax?=\n\n", ({"a": ("ü x",)}, b"", ())),
        (b"A: \xc3\xbc\n\n", ({"a": ("ü",)}, b"", ())),
        (b"A: b\rC: d\n\n", ({"a": ("b C: d",)}, b"", ())),
    ],
)
def test_a_block_is_split_into_fields_and_body(data: bytes, expected: Expected) -> None:
    block = split_block(data)
    assert (dict(block.headers), data[block.body :], block.defects) == expected


def test_a_field_that_is_absent_is_asked_for_without_an_error() -> None:
    headers = split_block(b"A: b\n\n").headers
    assert headers.get("b", ()) == () and headers.first("b") is None and headers.texts("b") == ()
    assert "b" not in headers and len(headers) == 1
    with pytest.raises(KeyError):
        headers["b"]


def test_undecoded_text_keeps_its_encoded_words() -> None:
    assert split_block(b"From: =?utf-8?q?a?= <a@b>\n\n").headers.texts("from") == ("=?utf-8?q?a?= <a@b>",)


def test_more_fields_than_anybody_needs_are_left_out_and_the_body_is_found() -> None:
    block = split_block(b"A: b\n" * (MAX_FIELDS + 10) + b"\nbody")
    assert len(block.headers.texts("a")) == MAX_FIELDS and block.defects == ("limit-headers",)
    assert block.body == 5 * (MAX_FIELDS + 10) + 1


@pytest.mark.parametrize("data", [b"A: b\nC: d\n", b"A: b\r\n c\r\n", b""])
def test_a_strict_block_is_read(data: bytes) -> None:
    assert strict_block(data, 0, len(data)) is not None


@pytest.mark.parametrize("data", [b"A: b\njunk\n", b" A: b\n", b"A : b\n", b"junk", b"From x\nA: b\n"])
def test_an_odd_block_is_not_read_strictly(data: bytes) -> None:
    assert strict_block(data, 0, len(data)) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text/plain", ("text/plain", {})),
        ("Text/Plain; Charset=UTF-8", ("text/plain", {"charset": "UTF-8"})),
        ('a/b; name="c d.txt"; x=y', ("a/b", {"name": "c d.txt", "x": "y"})),
        (r'a/b; name="q\"q\\q"', ("a/b", {"name": r"q" + '"q\\q'})),
        (r'a/b; name="C:\dir\f.txt"', ("a/b", {"name": r"C:\dir\f.txt"})),
        ("a/b; name=raw name.pdf; x=1", ("a/b", {"name": "raw name.pdf", "x": "1"})),
        ("a/b; name==?utf-8?q?=C3=BC?=.txt", ("a/b", {"name": "ü.txt"})),
        ("a/b; name*=utf-8'en'%C3%BC.txt", ("a/b", {"name": "ü.txt"})),
        ("a/b; name*=%C3%BC.txt", ("a/b", {"name": "ü.txt"})),
        ("a/b; name*1*=%BC.txt; name*0*=utf-8''%C3", ("a/b", {"name": "ü.txt"})),
        ("a/b; name*0=one; name*1=two", ("a/b", {"name": "onetwo"})),
        ("a/b; name*0*=utf-8''%C3%BC; name*1=%41", ("a/b", {"name": "ü%41"})),
        ("a/b; name=first; name=second", ("a/b", {"name": "first"})),
        ("a/b; name=plain; name*=utf-8''star", ("a/b", {"name": "star"})),
        ('a/b; name="unclosed; x=1', ("a/b", {"name": "unclosed", "x": "1"})),
        ("a/b; name='quoted so'; charset='x'", ("a/b", {"name": "quoted so", "charset": "x"})),
        ('a/b; name="a "b" c.txt"; x=1', ("a/b", {"name": "a b c.txt", "x": "1"})),
        ("a/b name=x.txt", ("a/b", {"name": "x.txt"})),
        ("a/b (comment); (another) charset=utf-8 (third)", ("a/b", {"charset": "utf-8"})),
        ('a/b; boundary="x;y" (c)', ("a/b", {"boundary": "x;y"})),
        ("a/b; name=x (1).txt", ("a/b", {"name": "x (1).txt"})),
        ("a/b; name*0*=utf-8''%C; name*1*=3%BC", ("a/b", {"name": "ü"})),
        ("a/b; name*0*=shift_jis''%8F%E1%8A; name*2*=Q%95%5C", ("a/b", {"name": "障害表"})),
        ("a/b; name*0=a; name*0=b; name*1=c", ("a/b", {"name": "ac"})),
        ("a/b; name=%E9%9A%9C%20.txt", ("a/b", {"name": "障 .txt"})),
        ("a/b; name=100%25.txt", ("a/b", {"name": "100%25.txt"})),
        ("a/b; name=\"utf-8''%E9%9A%9C.txt\"", ("a/b", {"name": "障.txt"})),
        ('a/b; name="&#38556;&#60;.txt"', ("a/b", {"name": "障&#60;.txt"})),
        ("a/b; name=障害.txt; name*=iso-8859-1''%3F%3F.txt", ("a/b", {"name": "障害.txt"})),
        ("a/b;;; =; ;x", ("a/b", {})),
        ("", ("", {})),
    ],
)
def test_parameters_are_read_as_clients_write_them(value: str, expected: tuple[str, dict[str, str]]) -> None:
    assert parameters(value) == expected


def test_a_line_of_an_encoded_word_that_was_not_indented_belongs_to_the_one_before() -> None:
    block = split_block(b"Subject: =?utf-8?q?a?=\n=?utf-8?q?b?=\n=?utf-8?q?c?=\nTo: x\n\nbody\n")
    assert block.headers["subject"] == ("abc",) and block.headers["to"] == ("x",)
    assert block.defects == ("broken-folding",) and block.body == 58
    assert split_block(b"A: b\n=?utf-8?q?b?=\n=?\nTo: x\n\nbody\n").defects == ("no-blank-line",)
    assert split_block(b"A: b\n=?utf-8?q?c?=\n").headers["a"] == ("b c",)


def test_the_charset_of_a_writer_is_that_of_his_words() -> None:
    assert (
        split_block(b"To: =?utf-8?q?a?=\nSubject: x =?ISO-2022-JP*ja?b??=\n\n").headers.words_charset() == "ISO-2022-JP"
    )
    assert split_block(b"Subject: x\n\n").headers.words_charset() is None


@given(st.binary(max_size=200))
def test_any_bytes_are_a_block(data: bytes) -> None:
    block = split_block(data)
    assert 0 <= block.body <= len(data)
    for name, values in block.headers.items():
        assert name == name.lower() and all(value.encode("utf-8") is not None for value in values)


@given(st.text("ab;=*'\"\\% 0123\n", max_size=100))
def test_any_text_has_parameters(value: str) -> None:
    main, found = parameters(value)
    assert all(isinstance(text, str) for text in (main, *found, *found.values()))


@pytest.mark.parametrize(
    "piece", [b"a: b\n", b"a\n", b" a\n", b"\n ", b"From x\n", b" \n", b": \n", b"a: =?utf-8?q?", b'a:;x="\\']
)
def test_the_time_for_a_hostile_block_grows_no_faster_than_its_size(piece: bytes) -> None:
    def seconds(size: int) -> float:
        data = b"X: " + piece * (size // len(piece))
        start = time.process_time()
        block = split_block(data)
        for name in block.headers:
            parameters(block.headers[name][0])
        return time.process_time() - start

    short, long = (min(seconds(size) for _ in range(3)) for size in (50_000, 500_000))
    assert long < 30 * short + 0.1
