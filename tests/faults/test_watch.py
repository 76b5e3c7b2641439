"""The short form of the rows of `watch`."""

from tests.faults.short import rows


def test_mail_that_comes_while_a_watch_dies_or_a_server_breaks_off_is_there_once() -> None:
    assert rows("watch", "watch-ear") == {"watch": 3, "watch-ear": 2}
