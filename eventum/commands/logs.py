"""Where log lines of a command go: to stderr, as text or (`EVENTUM_LOG_FORMAT=json`) as one JSON object a line.

Flows in: log records of the runners. Flows out: lines. What a person has to know a command says itself; as text only
what is unexpected is logged besides, as JSON every outcome, for those who collect logs.
"""

import logging
import sys
from datetime import UTC, datetime

import msgspec


class JsonLines(logging.Formatter):
    """One JSON object a line, whatever the message holds."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for one record."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(fields).decode()


class OneLine(logging.Formatter):
    """The message as one line that is safe on a terminal: a mail server or a sender may have written parts of it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is the standard library's.
        """The line for one record, without its traceback."""
        said = "".join(char if char.isprintable() else " " for char in record.getMessage())
        return f"{record.levelname.lower()}: {said}"


def set_up(log_format: str) -> None:
    """Let the program's log go to stderr in this format; again: no change but the format."""
    logger = logging.getLogger("eventum")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else OneLine())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO if log_format == "json" else logging.WARNING)
    logger.propagate = False
