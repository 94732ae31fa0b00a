"""Numbers of precautions: buffers before events, months that go too well, bad data (C.1, C.4, C.11)."""

from dataclasses import dataclass
from decimal import Decimal

from tomking.domain.settings import setting
from tomking.risk.stresses import Stresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Precautions(Stresses):
    """Added to the margin buffer on the day of an event and in the session before; the greatest alone."""

    buffer_fomc_share: Decimal = setting(
        Decimal("0.15"),
        low=Decimal(0),
        high=Decimal(1),
        source="C.1",
        doc="Added to the margin buffer before an FOMC statement.",
    )
    buffer_cpi_share: Decimal = setting(
        Decimal("0.10"), low=Decimal(0), high=Decimal(1), source="C.1", doc="Added before a CPI release."
    )
    buffer_earnings_share: Decimal = setting(
        Decimal("0.08"),
        low=Decimal(0),
        high=Decimal(1),
        source="C.1",
        doc="Added before earnings of the name that is traded.",
    )
    buffer_expiration_share: Decimal = setting(
        Decimal("0.12"),
        low=Decimal(0),
        high=Decimal(1),
        source="C.1",
        doc="Added before the monthly expiration.",
    )
    buffer_december_share: Decimal = setting(
        Decimal("0.10"), low=Decimal(0), high=Decimal(1), source="C.1", doc="Added all December."
    )
    # ---------------------------------------------------------------------------- a month too good
    month_gain_share_reduced: Decimal = setting(
        Decimal("0.15"),
        low=Decimal("0.01"),
        high=Decimal(2),
        source="C.4",
        doc="Projected gain of a month from which new sizes shrink.",
    )
    month_size_share: Decimal = setting(
        Decimal("0.5"), low=Decimal(0), high=Decimal(1), source="C.4", doc="Size multiplier while it is."
    )
    # ------------------------------------------------------------------------------- bad data
    bad_readings_max: int = setting(
        3, low=1, high=20, source="C.11", doc="Bad readings in a row, in as many minutes, that suspend."
    )
    suspended_minutes: int = setting(
        10, low=1, high=390, source="C.11", doc="How long a product is then suspended."
    )
    vix_calm_minutes: int = setting(
        30, low=1, high=390, source="C.9, C.11", doc="Good minutes that end a suspension for want of a VIX."
    )
