import re

import pytest

from eventum.mail.safe import LONGEST, disposition, file_label


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "etc passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a\r\nSet-Cookie: x=y.txt", "a Set-Cookie x=y.txt"),
        ("gpj.\u202eexe", "gpj. exe"),
        ("\ud800.txt", "txt"),
        ("見積依頼書.pdf", "見積依頼書.pdf"),
        ("e\u0301.txt", "é.txt"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("...", "file"),
        ("", "file"),
        ("a\u200bb", "a b"),
        ('"; filename=x.exe', "; filename=x.exe"),
    ],
)
def test_a_label_is_no_path_and_no_trick(name: str, label: str) -> None:
    assert file_label(name) == label


def test_a_long_name_keeps_its_extension() -> None:
    label = file_label("x" * 5000 + ".jpeg")
    assert len(label) <= LONGEST and label.endswith(".jpeg")


@pytest.mark.parametrize("name", ["a.txt", 'a"b\\c.txt', "é\r\nX: y", "見積.pdf", "\ud800", "a;b,c=d'e%f"])
def test_a_disposition_is_one_clean_header(name: str) -> None:
    said = disposition("attachment", name)
    assert re.fullmatch(r"attachment; filename=\"[A-Za-z0-9 ._()+,=@-]+\"; filename\*=UTF-8''[A-Za-z0-9._~%-]+", said)
