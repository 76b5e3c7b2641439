"""The short form of `make faults`: the same rows with fewer trials, in a process of their own."""

from tests.faults.short import rows


def test_the_harness_finds_the_faults_of_broken_copies() -> None:
    assert rows("broken-kills", "broken-fails") == {"broken-kills": 5, "broken-fails": 1}


def test_a_run_that_is_killed_anywhere_loses_nothing_and_does_nothing_twice() -> None:
    done = rows("kill-maildir", "kill-imap", "kill-pop3-copy", "kill-process-queue")
    assert all(trials >= 3 for trials in done.values()) and len(done) == 4


def test_a_call_that_fails_loses_nothing_and_lets_nothing_be_done_twice() -> None:
    done = rows("fail-maildir", "fail-process-queue", "fail-looking-maildir")
    assert all(trials >= 2 for trials in done.values()) and len(done) == 3


def test_two_runs_started_together_do_nothing_twice_when_one_is_killed() -> None:
    assert rows("kill-one-of-two") == {"kill-one-of-two": 3}


def test_what_people_do_is_done_and_told_or_not_done_at_all() -> None:
    done = rows("kill-reply", "kill-associate", "kill-close-command", "fail-reply")
    assert all(trials >= 1 for trials in done.values()) and len(done) == 4


def test_what_is_taken_back_is_back_and_untold_or_as_it_was() -> None:
    assert len(rows("kill-undo-own-issue", "kill-take-out")) == 2


def test_a_kill_while_events_go_to_the_history_tells_all_and_nothing_twice() -> None:
    assert rows("kill-long") == {"kill-long": 3}


def test_a_data_folder_that_cannot_be_written_is_one_clear_line() -> None:
    assert rows("shut") == {"shut": 5}


def test_a_kill_from_outside_loses_nothing() -> None:
    assert rows("strace") == {"strace": 4}
