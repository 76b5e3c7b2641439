import logging
from collections.abc import Iterator

import msgspec
import pytest

from eventum.commands import logs


@pytest.fixture(autouse=True)
def quiet_afterwards() -> Iterator[None]:
    """The handler of one test writes to a stream that the next one has no more."""
    yield
    logger = logging.getLogger("eventum")
    logger.handlers.clear()
    logger.propagate = True


def test_as_text_only_what_is_unexpected_is_logged_on_one_safe_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("text")
    logging.getLogger("eventum.incoming").info("as always")
    logging.getLogger("eventum.incoming").warning("odd: %s", "a\nb\x1b[31m")
    assert capsys.readouterr().err == "warning: odd: a b [31m\n"


def test_as_json_every_outcome_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("json")
    try:
        raise ValueError("x")
    except ValueError:
        logging.getLogger("eventum.runner").exception("un\nforeseen")
    logging.getLogger("eventum.incoming").info("as always")
    first, second = [msgspec.json.decode(line) for line in capsys.readouterr().err.splitlines()]
    assert (first["message"], first["level"]) == ("un\nforeseen", "error")
    assert "ValueError: x" in first["traceback"]
    assert (second["message"], second["logger"]) == ("as always", "eventum.incoming")


def test_setting_it_up_again_doubles_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("text")
    logs.set_up("text")
    logging.getLogger("eventum").warning("once")
    assert capsys.readouterr().err.count("once") == 1
