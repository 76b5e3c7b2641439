"""Which PDFs can be looked at."""

import time
import zlib

import pytest

from eventum.mail.formats.pdf import MAX_PDF, is_at_rest


def pdf(*objects: bytes) -> bytes:
    """A PDF of these objects."""
    numbered = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, one) for number, one in enumerate(objects, start=1))
    return b"%PDF-1.7\n" + numbered + b"trailer << /Root 1 0 R >>\n%%EOF\n"


def stream(head: bytes, data: bytes, packed: bool = True) -> bytes:
    data = zlib.compress(data) if packed else data
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), head, data)


CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
ACTION = b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>"
FLATE = b"/Filter /FlateDecode"
OBJECTS = b"/Type /ObjStm /N 1 /First 4 " + FLATE


@pytest.mark.parametrize(
    "data",
    [
        pdf(CATALOG),
        pdf(CATALOG, stream(FLATE, b"BT (Hello) Tj ET")),
        pdf(CATALOG, stream(OBJECTS, b"7 0 << /Type /Page >>")),
        pdf(CATALOG, stream(b"/Type /XRef /DecodeParms << /Predictor 12 >> " + FLATE, b"\x01\x02")),
        pdf(CATALOG, b"<< /BaseFont /ABCDEF+My#20Font >>"),
        pdf(CATALOG, b"<< /S /Named /N /NextPage >>", b"<< /Usage << /Print << /PrintState /ON >> >> >>"),
    ],
)
def test_one_that_does_nothing_is_at_rest(data: bytes) -> None:
    assert is_at_rest(data)


@pytest.mark.parametrize(
    "data",
    [
        pdf(CATALOG, ACTION),
        pdf(CATALOG, b"<< /S /J#61vaScript >>"),
        pdf(CATALOG, b"<< /AA << /O 4 0 R >> >>"),
        pdf(CATALOG, b"<< /S /Launch >>"),
        pdf(CATALOG, b"<< /S/SubmitForm/F(x)>>"),
        pdf(b"<< /Type /Catalog /OpenAction << /S /Named /N /Print >> >>"),
        pdf(CATALOG, stream(OBJECTS, b"7 0 " + ACTION)),
        pdf(CATALOG, stream(OBJECTS, b"7 0 " + ACTION).replace(b"stream\n", b"stream   \r\n", 1)),
        pdf(CATALOG, stream(b"/Type /ObjStm " + b"/Filter [/FlateDecode /FlateDecode]", zlib.compress(ACTION))),
        pdf(CATALOG, stream(b"/Type /ObjStm /DecodeParms << /Predictor 12 >> " + FLATE, b"\x02" + ACTION)),
        pdf(CATALOG, stream(b"/Type /ObjStm /Filter /ASCIIHexDecode", ACTION.hex().encode() + b">", packed=False)),
        pdf(CATALOG, stream(b"/Type 9 0 R /Filter /FlateDecode", b"x"), b"/ObjStm"),
        pdf(CATALOG, b"<< /Encrypt 3 0 R >>"),
        pdf(CATALOG, stream(FLATE, b"\0" * 40_000_000)),
        b"%PDF-" + b"x" * MAX_PDF,
        b"<html>%PDF-1.4",
        b"",
    ],
)
def test_one_that_may_do_something_or_cannot_be_looked_into_is_not(data: bytes) -> None:
    assert not is_at_rest(data)


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-" + b"/A" * 2_000_000,
        b"%PDF-" + b"stream\n" * 500_000,
        b"%PDF-" + b"stream" * 600_000,
        b"%PDF-" + b"/Type " * 600_000,
        b"%PDF-" + b"/ObjStm " * 500_000,
        b"%PDF-" + b"stream\n\x78\x9c" * 400_000,
        b"%PDF-" + b"/ObjStm obj stream " * 200_000,
    ],
)
def test_no_bytes_take_long(data: bytes) -> None:
    began = time.process_time()
    is_at_rest(data)
    assert time.process_time() - began < 4


def test_a_small_one_that_unpacks_to_millions_of_names_takes_little() -> None:
    began = time.process_time()
    is_at_rest(b"%PDF-1.7\nstream\n" + zlib.compress(b"/a" * 14_900_000))
    assert time.process_time() - began < 2
