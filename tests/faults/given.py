"""What a row is asked for: how many trials, whether only the short form, and the seed of what it chooses at random."""

import random
from collections.abc import Sequence
from typing import NamedTuple


class Given(NamedTuple):
    """What the person or the test who starts a row wants of it."""

    trials: int | None = None  # at most so many of each part of a row; None: all there are
    short: bool = False  # the form that `make test` has time for
    seed: int = 1

    @property
    def keep(self) -> bool:
        """Whether this is the whole row, whose lines and numbers are kept."""
        return self.trials is None and not self.short

    def some(self, jobs: Sequence[str], short: int = 10) -> list[str]:
        """All jobs of a whole row; else as many as are wanted, the same for the same seed, in the order of the jobs."""
        count = self.trials if self.trials is not None else short if self.short else len(jobs)
        if count >= len(jobs):
            return list(jobs)
        return [jobs[at] for at in sorted(random.Random(self.seed).sample(range(len(jobs)), count))]
