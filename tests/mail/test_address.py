"""Addresses are split strictly, and a sender is clear or nobody."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.address import (
    Address,
    clear_sender,
    format_address,
    is_address,
    normalise,
    one_person,
    parse_addresses,
)

EVE = "eve@evil.example"
ADMIN = "admin@tracker.example"


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("", []),
        ("a@b", [("", "a@b")]),
        ("A.B@Example.ORG", [("", "a.b@example.org")]),
        ("Alice <a@b>", [("Alice", "a@b")]),
        ('"Doe, John" <j@x>', [("Doe, John", "j@x")]),
        (r'"a \"b\" c" <j@x>', [('a "b" c', "j@x")]),
        ("Doe, John <j@x>", [("Doe", ""), ("John", "j@x")]),
        ("a@b (Bob)", [("Bob", "a@b")]),
        ("a@b (Bob (of sales))", [("Bob (of sales)", "a@b")]),
        ("Team: a@b, c@d;", [("", "a@b"), ("", "c@d")]),
        ("undisclosed-recipients:;", []),
        ("<@relay,@other:a@b>", [("", "a@b")]),
        ("<a@b> <c@d>", [("", "a@b"), ("", "c@d")]),
        ("a@b c@d", [("", "a@b"), ("", "c@d")]),
        ("A a@b", [("A", "a@b")]),
        ('"A, B" a@b, "C" d@e', [("A, B", "a@b"), ("C", "d@e")]),
        ("A B C", [("A B C", "")]),
        ("a@b about c@d", [("a@b about c@d", "")]),
        ("A <mailto:a@b>", [("A", "a@b")]),
        ("<<a@b>>", [("", "a@b")]),
        ("<A <a@b>>", [("A", "a@b")]),
        ("a @ b . example", [("", "a@b.example")]),
        ("<a@b.>", [("", "a@b")]),
        ('"taro..y."@keitai.example', [("", "taro..y.@keitai.example")]),
        ('太郎 <"taro..y."@keitai.example>', [("太郎", "taro..y.@keitai.example")]),
        ('"a b"@c', [("a b@c", "")]),
        ("<a@bücher.example>", [("", "a@xn--bcher-kva.example")]),
        ("<a@\uff42.example>", [("<a@\uff42.example>", "")]),
        ("<ü@b>", [("<ü@b>", "")]),
        ("unlisted-recipients:; (no To-header on input)", []),
        ("nobody", [("nobody", "")]),
        ("Root <root>", [("Root <root>", "")]),
        ("x <>", [("x", "")]),
        ("=?utf-8?b?5bGx55Sw?= <a@b>", [("山田", "a@b")]),
        ('"=?utf-8?b?5bGx55Sw?=" <a@b>', [("山田", "a@b")]),
        ("=?utf-8?q?Doe,_J=2E:?= <a@b>", [("Doe, J.:", "a@b")]),
        ("'a@b' <a@b>", [("a@b", "a@b")]),
        ('"a@b"', [("a@b", "")]),
        ('"unclosed <a@b>', [("unclosed", "a@b")]),
        ("foo..bar.@docomo.example", [("", "foo..bar.@docomo.example")]),
        (",, ,a@b,,", [("", "a@b")]),
    ],
)
def test_a_field_is_split_into_its_mailboxes(field: str, found: list[tuple[str, str]]) -> None:
    assert [(entry.name, entry.address) for entry in parse_addresses(field)] == found


@pytest.mark.parametrize(
    ("field", "sender"),
    [
        (ADMIN, ADMIN),
        ("ADMIN@Tracker.Example", ADMIN),
        (f"Admin <{ADMIN}>", ADMIN),
        (f"{ADMIN} <{ADMIN}>", ADMIN),
        (f"{ADMIN} (Admin)", ADMIN),
        (f"Group: {ADMIN};", ADMIN),
        ("Doe, John <j@x.example>", "j@x.example"),
        (f"{ADMIN} <{EVE}>", ""),
        (f'"{ADMIN}" <{EVE}>', ""),
        (f"=?utf-8?q?admin=40tracker=2Eexample?= <{EVE}>", ""),
        (f"admin\uff20tracker.example <{EVE}>", ""),
        (f"{ADMIN}(<{EVE}>)", ""),
        (f"{ADMIN}\0 <{EVE}>", ""),
        (f"{ADMIN}, {EVE}", ""),
        (f"{ADMIN}, {ADMIN}", ""),
        (f"<{ADMIN}> <{EVE}>", ""),
        (f"<{EVE}> {ADMIN}", ""),
        (f"{ADMIN} {EVE}", ""),
        (f'"{ADMIN}" {EVE}', ""),
        (f'"{ADMIN}"@evil.example', ""),
        (f"x {EVE} ({ADMIN})", ""),
        ("admin@\uff54racker.example", ""),
        (f"Admin {ADMIN}", ADMIN),
        (f"<<{ADMIN}>>", ADMIN),
        ("=?utf-8?b?PGFkbWluQHRyYWNrZXIuZXhhbXBsZT4=?=", ""),
        ("admin@=?utf-8?q?tracker.example?=", ""),
        (f"=?utf-8?q?Eve=0D=0ABcc:_victim@x?= <{EVE}>", ""),
        ("admin", ""),
        ("", ""),
    ],
)
def test_a_sender_is_clear_or_nobody(field: str, sender: str) -> None:
    assert clear_sender(parse_addresses(field), 1) == sender


@pytest.mark.parametrize("fields", [0, 2, 3])
def test_without_exactly_one_from_line_nobody_is_the_sender(fields: int) -> None:
    assert clear_sender((Address("", ADMIN),), fields) == ""


@pytest.mark.parametrize(
    "text", ["a@b", "a+b@c.example", "x_y.z@sub-domain.example", "a@[192.0.2.1]", "o'neil@x.example"]
)
def test_a_strict_address_is_one(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "@",
        "a@",
        "@b",
        "a@b@c",
        "a b@c",
        "-a@b",
        "a@-b",
        "a@b-",
        "a@b..c",
        "a@.b",
        "a@b\r\n",
        "a@b\n",
        '"a b"@c',
    ]
    + ["a@b c", "ü@b", "a@ü", "=?utf-8?q?a?=@b", "a@b,c@d", "<a@b>", "a" * 300 + "@b", "a@" + "b" * 300],
)
def test_anything_else_is_no_address(text: str) -> None:
    assert not is_address(text)


@given(st.text(max_size=40), st.sampled_from(["a@b", "first.last+tag@sub.example", EVE]))
def test_a_mailbox_that_was_written_into_a_header_is_read_back(name: str, address: str) -> None:
    line = format_address(Address(name, address))
    assert line.isascii() and line.isprintable()
    (entry,) = parse_addresses(line)
    assert entry.address == address
    assert format_address(entry) == format_address(parse_addresses(format_address(entry))[0])


@given(st.text("abc äß山田", min_size=1, max_size=30))
def test_a_plain_name_comes_back_as_it_was(name: str) -> None:
    (entry,) = parse_addresses(format_address(Address(name, "a@b")))
    assert entry.name == " ".join(name.split())


@given(st.text("aB'\"&. \t@<>,(x)", max_size=30))
def test_the_short_way_through_the_splitter_leads_to_the_same(field: str) -> None:
    assert parse_addresses(field) == parse_addresses(" " * 400 + field)


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("Doe, John <j@x.example>", "Doe, John"),
        ('"Doe, John" <j@x.example>', "Doe, John"),
        ("John <j@x.example>", "John"),
        ("nobody, j@x.example", "nobody"),
        ("eve@evil, John <j@x.example>", "eve@evil"),
        ("A, B, C <j@x.example>", "A"),
    ],
)
def test_a_comma_that_was_not_quoted_parts_no_name_of_a_sender(field: str, name: str) -> None:
    assert one_person(parse_addresses(field))[0].name == name or (name == "eve@evil" and "@" in field)


def test_an_address_that_is_not_strict_never_reaches_a_header() -> None:
    assert format_address(Address("x", "a@b\r\nBcc: c@d")) == ""


def test_addresses_are_compared_in_lower_case() -> None:
    assert normalise(" A@B ") == "a@b"


@given(st.text('ab@<>(),:;"\\= ?.\r\n\0', max_size=80))
def test_any_text_is_split_and_yields_only_strict_addresses(field: str) -> None:
    for entry in parse_addresses(field):
        assert entry.address == "" or is_address(entry.address)
        assert entry.name == "" or entry.name.isprintable() or " " in entry.name


def test_no_more_mailboxes_are_read_than_the_limit() -> None:
    assert len(parse_addresses("a@b," * 2_000)) == 500
    assert len(parse_addresses("a@b," * 20, limit=3)) == 3


@pytest.mark.parametrize(
    "piece", ['"\\', "<", "(", "@:", '"', ",", " ", "a@b,", "a<", '"\\"', "=?a?q?", "=?utf-8?q?a?= "]
)
def test_the_time_for_a_hostile_field_grows_no_faster_than_its_size(piece: str) -> None:
    def seconds(size: int) -> float:
        start = time.process_time()
        parse_addresses(piece * (size // len(piece)))
        return time.process_time() - start

    short, long = (min(seconds(size) for _ in range(3)) for size in (6_000, 60_000))
    assert long < 30 * short + 0.1
