"""What of a mail was not read is said."""

import re
from pathlib import Path

from eventum.mail import parts
from eventum.tracker.shortcomings import seals, shortcomings

MAIL = Path(parts.__file__).parent


def test_every_limit_that_a_reader_can_name_has_a_sentence() -> None:
    named = {name for path in MAIL.glob("*.py") for name in re.findall(r'"(limit-[a-z]+)"', path.read_text("utf-8"))}
    assert len(named) > 5
    for name in named:
        assert len(shortcomings((name,))) == 1, name


def test_a_sentence_has_its_values_and_comes_once() -> None:
    (found,) = shortcomings(("limit-parts", "no-date", "limit-parts"))
    assert found.sentence % found.values == "Only the first 1,000 parts were read; download the raw mail to see all."


def test_every_seal_has_a_badge() -> None:
    named = ("pgp-signed", "pgp-encrypted", "smime-signed", "smime-encrypted")
    assert len(seals(named)) == 4
