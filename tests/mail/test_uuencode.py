"""Files between the lines of a text come out, and nothing else does; also signatures of OpenPGP."""

import binascii
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.formats import armour, uuencode


def uu(name: bytes, data: bytes, end: bytes = b"`\nend\n") -> bytes:
    lines = [binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45)]
    return b"begin 644 " + name + b"\n" + b"".join(lines) + end


def test_files_come_out_of_a_text_and_the_text_stays() -> None:
    text = b"Hello,\n" + uu(b"a b.txt", b"one" * 50) + b"and\n" + uu(b"b", b"", b"end\n") + b"bye"
    assert uuencode.split(text) == (b"Hello,\nand\nbye", [(b"a b.txt", b"one" * 50), (b"b", b"")])


def test_line_ends_of_all_kinds_are_read() -> None:
    text = uu(b"a", b"one" * 50).replace(b"\n", b"\r\n")
    assert uuencode.split(text) == (b"", [(b"a", b"one" * 50)])


@pytest.mark.parametrize(
    "text",
    [
        b"begin 644 a file tomorrow\nHello\nend\n",
        b"begin 644 a\n",
        uu(b"a", b"one", b"`\n"),
        b"> " + uu(b"a", b"one"),
        b"begin 644 a\nM short\n`\nend\n",
    ],
)
def test_a_text_that_only_looks_so_stays_as_it_is(text: bytes) -> None:
    assert uuencode.split(text) == (text, [])


@given(st.binary(max_size=300))
def test_what_was_encoded_comes_back(data: bytes) -> None:
    blanks = uu(b"a", data).replace(b"`", b" ")
    assert uuencode.split(uu(b"a", data))[1] == uuencode.split(blanks)[1] == [(b"a", data)]
    assert uuencode.uudecoded(b"some words\n" + uu(b"a", data)) == data


SIGNED = b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n- -- \nx\n-----BEGIN PGP SIGNATURE-----\n\nabc\n"


def test_a_signed_text_is_taken_out_of_its_armour() -> None:
    end = b"-----END PGP SIGNATURE-----"
    text, signatures, seals = armour.split(b"a\n" + SIGNED + end + b"\nb\n" + SIGNED + end)
    assert text == b"a\n-- \nx\n\nb\n-- \nx\n" and seals == ["pgp-signed"]
    assert signatures == [b"-----BEGIN PGP SIGNATURE-----\n\nabc\n" + end + b"\n"] * 2


def test_a_signature_without_its_end_goes_to_the_end() -> None:
    assert armour.split(SIGNED)[0] == b"-- \nx\n"


@pytest.mark.parametrize("text", [b"> " + SIGNED, SIGNED[:60], b"x" + SIGNED, SIGNED.replace(b"PGP SIGNATURE", b"X")])
def test_armour_that_is_quoted_or_broken_stays(text: bytes) -> None:
    assert armour.split(text) == (text, [], [])


def test_an_encrypted_text_stays_and_is_marked() -> None:
    text = b"Hello\n-----BEGIN PGP MESSAGE-----\n\nabc\n"
    assert armour.split(text) == (text, [], ["pgp-encrypted"])


@pytest.mark.parametrize(
    "piece",
    [
        b"begin 644 a\n",
        b"begin 644 a\nM\n",
        b"begin 644 a\n" + b"`\n" * 50,
        b"-----BEGIN PGP SIGNED MESSAGE-----\n\n",
        SIGNED,
    ],
)
def test_a_hostile_text_takes_time_that_grows_with_its_size(piece: bytes) -> None:
    text = piece * (1_000_000 // len(piece))
    start = time.process_time()
    uuencode.split(text)
    armour.split(text)
    assert time.process_time() - start < 2
