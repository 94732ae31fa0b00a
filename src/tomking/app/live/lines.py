"""What a run needs of its line to the account, whoever is at the other end."""

from typing import Protocol

from tomking.execution.wire import Wire


class RunLine(Wire, Protocol):
    """A ``Wire`` that is started and ended: ``TastytradeLine``, or the simulated one."""

    def start(self) -> None: ...

    def close(self) -> None: ...

    def abreast(self, patience: float) -> bool:
        """Whether all that it had to tell by now has come in."""
        ...
