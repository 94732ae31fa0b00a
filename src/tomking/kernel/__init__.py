"""The one loop that backtest, paper and live share."""

from tomking.kernel.loop import Kernel
from tomking.kernel.parts import Parts, Risk, Strategy

__all__ = ["Kernel", "Parts", "Risk", "Strategy"]
