"""What an S/MIME part holds: signed content comes out of its BER, and any bytes are read without an error."""

from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.formats import cms

SIGNED = bytes.fromhex("06092a864886f70d010702")
ENVELOPED = bytes.fromhex("06092a864886f70d010703")
DATA = bytes.fromhex("06092a864886f70d010701")


def der(tag: int, *contents: bytes) -> bytes:
    data = b"".join(contents)
    size = len(data)
    length = bytes([size]) if size < 128 else b"\x84" + size.to_bytes(4, "big")
    return bytes([tag]) + length + data


def ber(tag: int, *contents: bytes) -> bytes:
    return bytes([tag, 0x80]) + b"".join(contents) + b"\0\0"


def signed(content: bytes, make: type[object] = object) -> bytes:
    inner = der(0x30, DATA, der(0xA0, der(0x04, content)))
    return der(0x30, SIGNED, der(0xA0, der(0x30, der(0x02, b"\1"), der(0x31), inner, der(0x31))))


def test_the_content_of_a_signed_part_comes_out() -> None:
    assert cms.opened(signed(b"Content-Type: text/plain\n\nx" * 100)) == (
        "signed",
        b"Content-Type: text/plain\n\nx" * 100,
    )


def test_a_content_in_pieces_of_unknown_length_is_put_together() -> None:
    pieces = ber(0x24, der(0x04, b"one "), ber(0x24, der(0x04, b"two ")), der(0x04, b"three"))
    inner = ber(0x30, DATA, ber(0xA0, pieces))
    data = ber(0x30, SIGNED, ber(0xA0, ber(0x30, der(0x02, b"\1"), ber(0x31, ber(0x30, DATA)), inner, der(0x31))))
    assert cms.opened(data) == ("signed", b"one two three")


def test_a_signature_alone_has_no_content() -> None:
    data = der(0x30, SIGNED, der(0xA0, der(0x30, der(0x02, b"\1"), der(0x31), der(0x30, DATA), der(0x31))))
    assert cms.opened(data) == ("signed", None)


def test_what_is_encrypted_is_said_to_be() -> None:
    assert cms.opened(der(0x30, ENVELOPED, der(0xA0, b"x"))) == ("encrypted", None)


def test_armour_is_taken_off() -> None:
    import base64

    armoured = b"-----BEGIN PKCS7-----\n" + base64.encodebytes(signed(b"x")) + b"-----END PKCS7-----\n"
    assert cms.opened(armoured) == ("signed", b"x")


def test_what_is_neither_is_none() -> None:
    assert cms.opened(b"") is None
    assert cms.opened(b"0\x80 not really") is None


@given(st.binary(max_size=200))
def test_any_bytes_after_the_beginning_are_read_without_an_error(data: bytes) -> None:
    found = cms.opened(b"0\x80" + SIGNED + data)
    assert found is not None and len(found.content or b"") <= len(data)


@given(st.integers(15, 60), st.binary(min_size=1, max_size=4))
def test_damaged_bytes_are_read_without_an_error(place: int, rubbish: bytes) -> None:
    data = signed(b"some content")
    assert cms.opened(data[:place] + rubbish + data[place + len(rubbish) :]) is not None


def test_pieces_in_pieces_without_end_are_given_up() -> None:
    assert cms.opened(
        b"0\x80" + SIGNED + b"\xa0\x800\x80\2\1\1\x31\0" + b"0\x80" + DATA + b"\xa0\x80" + b"\x24\x80" * 90_000
    )
    many = der(0x04) * (cms.MAX_PIECES + 10)
    data = ber(
        0x30, SIGNED, ber(0xA0, ber(0x30, der(2, b"\1"), der(0x31), ber(0x30, DATA, ber(0xA0, ber(0x24, many)))))
    )
    assert cms.opened(data) == ("signed", None)
