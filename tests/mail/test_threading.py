import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventum.mail.message import Message
from eventum.mail.threading import (
    MAX_CANDIDATES,
    MAX_REFERENCES,
    OurId,
    candidates,
    is_whole_id,
    our_id,
    read_our_id,
    recipient_tag,
    references_for,
)

SECRET = b"a secret of the store"
numbers = st.integers(min_value=0, max_value=10**12 - 1)
addresses = st.emails() | st.text()
ids = st.builds(OurId, issue=numbers, event=numbers, recipient=addresses)


def tagged(id: OurId) -> OurId:
    tag = id.recipient if re.fullmatch("[a-z0-9]{1,16}", id.recipient) else recipient_tag(id.recipient)
    return OurId(id.issue, id.event, tag)


@given(ids, st.binary(), st.text())
def test_what_we_wrote_is_read_back(id, secret, host):
    written = our_id(id, secret, host)
    assert is_whole_id(written)
    assert read_our_id(written, secret) == tagged(id)


@given(ids, st.sampled_from([str.upper, str.title, str.swapcase]), st.integers(1, 60))
def test_an_id_survives_folded_case_and_a_wrapped_line(id, fold, place):
    written = fold(our_id(id, SECRET, "tracker.example.org"))
    assert read_our_id(f"{written[:place]}\r\n {written[place:]}", SECRET) == tagged(id)


def test_an_id_is_known_without_brackets_and_under_another_host():
    written = our_id(OurId(42, 7, "anna@example.org"), SECRET, "old.example.org")
    moved = written.replace("old.example.org", "new.example.net").strip("<>")
    assert read_our_id(moved, SECRET) == OurId(42, 7, recipient_tag("anna@example.org"))


def test_an_id_looks_like_this():
    written = our_id(OurId(42, 7, "anna@example.org"), SECRET, "Tracker.Example.org")
    assert re.fullmatch(r"<eventum\.42\.7\.[a-z2-7]{10}\.[a-z2-7]{16}@tracker\.example\.org>", written)
    assert our_id(OurId(42, 0), SECRET, "").startswith("<eventum.42.0.0.")


def test_the_same_id_is_made_every_time():
    assert our_id(OurId(1, 2, "a@b"), SECRET, "h") == our_id(OurId(1, 2, "A@B"), SECRET, "h")


@given(ids, st.data())
def test_an_id_with_one_letter_changed_is_not_ours(id, data):
    left, _, host = our_id(id, SECRET, "h").partition("@")
    place = data.draw(st.integers(len("<eventum."), len(left) - 1))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789"))
    if left[place] != letter:
        assert read_our_id(f"{left[:place]}{letter}{left[place + 1 :]}@{host}", SECRET) is None


@given(ids)
def test_another_secret_knows_nothing(id):
    assert read_our_id(our_id(id, SECRET, "h"), b"another") is None


@given(st.text())
def test_reading_any_text_raises_nothing(text):
    assert read_our_id(text, SECRET) is None


@pytest.mark.parametrize(
    "id",
    [
        "<eventum.-1.0.0.aaaaaaaaaaaaaaaa@h>",
        "<eventum.99999999999999999999.0.0.aaaaaaaaaaaaaaaa@h>",
        "<eventum.１２.0.0.aaaaaaaaaaaaaaaa@h>",
        "<eventum.1.0.0.@h>",
        "<eventum.1.0.0@h>",
        "<eventum." + "1" * 100_000 + "@h>",
    ],
)
def test_odd_numbers_are_not_ours(id):
    assert read_our_id(id, SECRET) is None


def test_a_leading_zero_makes_no_second_form_of_an_id():
    written = our_id(OurId(42, 7), SECRET, "h")
    assert read_our_id(written.replace(".42.", ".042."), SECRET) is None


def test_a_tag_depends_on_the_address_but_not_on_its_case():
    assert recipient_tag("Anna@Example.org") == recipient_tag("anna@example.org")
    assert recipient_tag("anna@example.org") != recipient_tag("otto@example.org")
    assert recipient_tag("") == "0"


def reply(in_reply_to: tuple[str, ...] = (), references: tuple[str, ...] = (), *, forwarded: bool = False) -> Message:
    return Message(message_id="<x@y>", in_reply_to=in_reply_to, references=references, forwarded=forwarded)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (reply(), ()),
        (reply(("<c@x>",), ("<a@x>", "<b@x>", "<c@x>")), ("<c@x>", "<b@x>", "<a@x>")),
        (reply((), ("<a@x>", "<b@x>")), ("<b@x>", "<a@x>")),
        (reply(("<d@x>", "<e@x>"), ("<a@x>", "<a@x>")), ("<d@x>", "<e@x>", "<a@x>")),
        (reply(("<c@x>",), ("<a@x>",), forwarded=True), ()),
    ],
)
def test_what_a_mail_answers_is_tried_newest_first(message, found):
    assert candidates(message) == found


def test_the_newest_candidates_are_kept_when_there_are_too_many():
    found = candidates(reply(references=tuple(f"<{number}@x>" for number in range(500))))
    assert len(found) == MAX_CANDIDATES
    assert found[0] == "<499@x>"


some_ids = st.lists(st.from_regex(r"<[a-z]{1,300}@x>", fullmatch=True) | st.text(), max_size=30)


@given(st.from_regex(r"<[a-z]{1,300}@root>", fullmatch=True) | st.text(), some_ids)
def test_references_keep_the_root_and_the_newest_under_the_limit(root, earlier):
    found = references_for(root, earlier)
    assert len("References: " + "\r\n ".join(found) + "\r\n") <= MAX_REFERENCES
    assert all(map(is_whole_id, found))
    assert len(set(found)) == len(found)
    if is_whole_id(root):
        assert found[0] == root
        whole = [one for one in dict.fromkeys(reversed(earlier)) if is_whole_id(one) and one != root]
        assert list(reversed(found[1:])) == whole[: len(found) - 1]


def test_a_short_thread_is_kept_whole_and_in_order():
    assert references_for("<root@x>", ["<root@x>", "<a@x>", "<b@x>"]) == ("<root@x>", "<a@x>", "<b@x>")


def test_a_long_thread_loses_its_middle():
    earlier = [f"<{number:03}.mail.of.a.long.thread@mail.example.org>" for number in range(100)]
    found = references_for("<root@x>", earlier)
    assert found[0] == "<root@x>"
    assert found[-1] == earlier[-1]
    assert 10 < len(found) < 30
