"""A sentence that is kept: what was said and what fills its places, so that a screen can say it in another language.

Flows in: a sentence of ours, or an error. Flows out: the same, as it is stored in records under `state/`.
"""

import msgspec

from eventum.errors import EventumError
from eventum.wording import Phrase, Say

LONGEST = 1000  # Letters of a sentence or of a value that are kept: what a server said can be long.


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence; `phrases` are those of its values that are to be translated too."""

    message: str = ""
    values: dict[str, str] = {}
    phrases: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.by(str)

    def by(self, say: Say) -> str:
        """The sentence in some reader's language."""
        if not self.values:
            return say(self.message)
        values = {name: say(value) if name in self.phrases else value for name, value in self.values.items()}
        return say(self.message).format(**values)


def said(sentence: str | EventumError) -> Said:
    """What is to be kept of a sentence."""
    if isinstance(sentence, EventumError) and sentence.values:
        return Said(
            message=sentence.message,
            values={name: str(value)[:LONGEST] for name, value in sentence.values.items()},
            phrases=tuple(name for name, value in sentence.values.items() if isinstance(value, Phrase)),
        )
    return Said(message=(sentence.message if isinstance(sentence, EventumError) else sentence)[:LONGEST])
