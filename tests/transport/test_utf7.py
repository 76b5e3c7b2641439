"""Folder names in modified UTF-7."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.transport.utf7 import decode, encode


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("INBOX", "INBOX"),
        ("Tom & Jerry", "Tom &- Jerry"),
        # The example of RFC 3501 section 5.1.3.
        ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("Entwürfe", "Entw&APw-rfe"),
        ("😀", "&2D3eAA-"),
        ("a\r\nb", "a&AA0ACg-b"),
    ],
)
def test_names_are_written_as_servers_expect_them(name: str, wire: str) -> None:
    assert encode(name) == wire
    assert decode(wire) == name


@given(st.text())
def test_every_name_comes_back(name: str) -> None:
    wire = encode(name)
    assert wire.isascii() and wire.isprintable()
    assert decode(wire) == name


@pytest.mark.parametrize("wire", ["&", "&A-", "&!-", "&,,,-x"])
def test_what_is_no_modified_utf7_is_shown_all_the_same(wire: str) -> None:
    assert isinstance(decode(wire), str)
