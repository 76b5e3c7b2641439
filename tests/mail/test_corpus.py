"""Each mail of tests/corpus is read as is written down beside it, and every promise of `parse` holds for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from eventum.mail.message import parse, part_bytes
from eventum.mail.parts import fast_tree, prepared
from tests.mail.corpus_mails import CORPUS, MAILS, expected_of, misses, raw_of
from tests.mail.corpus_run import differ, survives_json


def test_every_mail_has_its_expectation_and_says_what_is_odd_about_it() -> None:
    assert sorted(path.stem for path in CORPUS.glob("*.json")) == MAILS
    assert [name for name in MAILS if len(expected_of(name)) < 2 or not expected_of(name)["what"]] == []


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_says_what_is_expected(name: str) -> None:
    assert misses(raw_of(name), expected_of(name)) == []


def test_both_readers_make_the_same_of_every_mail() -> None:
    assert [name for name in MAILS if differ(raw_of(name))] == []


def test_every_mail_comes_back_from_json_and_from_msgpack() -> None:
    assert [name for name in MAILS if not survives_json(parse(raw_of(name)))] == []


def test_each_attachment_can_be_fetched_and_has_the_size_that_was_said() -> None:
    for name in MAILS:
        raw = raw_of(name)
        for attachment in parse(raw).attachments[:20]:
            assert len(part_bytes(raw, attachment.part)) == attachment.size, (name, attachment)


def test_line_ends_do_not_change_what_a_mail_is() -> None:
    names = [name for name in MAILS if not name.startswith(("bare-cr", "nested-2000", "many", "megabyte"))]
    for name in names:
        crlf = raw_of(name).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        lf = crlf.replace(b"\r\n", b"\n")
        one, other = parse(crlf), parse(lf)
        assert (one.digest, one.text, one.message_id) == (other.digest, other.text, other.message_id), name


def test_ordinary_mails_take_the_fast_reader() -> None:
    for name in ("gmail-reply", "outlook-reply", "apple-mail-reply", "thunderbird-reply", "signed", "dsn", "tnef"):
        assert fast_tree(*prepared(raw_of(name))) is not None, name


def test_the_run_over_a_folder_finds_nothing_bad() -> None:
    # By itself: it forks, and this process has threads.
    script = Path(__file__).with_name("corpus_run.py")
    ran = subprocess.run([sys.executable, str(script), str(CORPUS)], capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout + ran.stderr
    assert ran.stdout.startswith(f"{len(MAILS)} mails, 0 bad")
