"""Failures of the world, as distinct from refusals (values) and our own mistakes (assertions)."""


class OperatingError(Exception):
    """The world failed: the step is skipped and counted, the next one tries again."""


class BadData(OperatingError):
    """A data source cannot be used.  Every problem in one line, with where and what to do."""

    def __init__(self, problems: list[str] | tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)
