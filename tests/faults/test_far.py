"""The short form of the rows of the far end."""

from tests.faults.short import rows


def test_a_far_end_that_is_cut_odd_or_hostile_loses_and_doubles_nothing() -> None:
    assert {"cut-imap", "cut-pop3", "cut-smtp", "answers-imap", "hostile-smtp", "broken-far-cut"} <= set(rows("far"))
