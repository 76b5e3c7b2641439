"""The short form of the rows of poison."""

from tests.faults.short import rows


def test_mail_that_breaks_its_reader_is_laid_aside_and_stops_nobody_here_nor_in_the_web() -> None:
    done = rows("poison", "poison-web", "poison-no-reader", "broken-poison")
    assert done == {"poison": 1, "poison-web": 1, "poison-no-reader": 1, "broken-poison": 1}
