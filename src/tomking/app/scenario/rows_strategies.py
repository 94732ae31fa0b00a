"""Expected outcomes of the strategy scenarios (methodology H.3)."""

from tomking.app.scenario.expected import IMPLICIT, Row, at_least, at_most, between, exactly, none

ROWS = (
    Row(
        "vix-gate",
        "H.3, B.1",
        "made up on Friday 2018-06-22: VIX 21.90, 22.00 and 22.01 all day",
        "$200,000; friday_0dte runs",
        (
            none("entries_2190", "entries at 21.90"),
            none("entries_2200", "entries at 22.00"),
            exactly("entries_2201", 1, "entries at 22.01"),
            *IMPLICIT,
        ),
    ),
    Row(
        "zero-dte-up-2",
        "H.3, B.1",
        "made up on Friday 2018-06-22: +0.7 % at 10:30, +2 % by noon, VIX 26",
        "$200,000; friday_0dte runs",
        (
            exactly("entries", 1, "entries: a call-biased one"),
            exactly("call_side_only", 1, "the entry sells calls alone"),
            at_least("loss_share_least", 0.0001, "loss, share of net liq: it does lose"),
            at_most("loss_share", 0.02, "loss, share of net liq"),
            exactly("closed_before_15", 1, "closed by stop or touched strike before 15:00"),
            *IMPLICIT,
        ),
    ),
    Row(
        "zero-dte-flat",
        "H.3, B.1",
        "made up on Friday 2018-06-22: within 0.3 % all day, VIX 24",
        "$200,000; friday_0dte runs",
        (
            exactly("entries", 1, "entries: a condor"),
            between(
                "short_distance", 0.4, 1.5, "distance of the shorts, in 14-day ATRs (0.5, or out to 25 delta)"
            ),
            exactly("closed_by_target_or_time", 1, "closed by its target, the time line or at 15:00"),
            at_least("gain", 0, "dollars won"),
            *IMPLICIT,
        ),
    ),
    Row(
        "gap-1.5",
        "H.3, B.1",
        "made up on Friday 2018-06-22: gaps of 1.4 % and 1.6 %, VIX 24",
        "$200,000; friday_0dte runs",
        (
            exactly("entries_14", 1, "entries after a gap of 1.4 %"),
            none("entries_16", "entries after a gap of 1.6 %"),
            exactly("declined_gap", 1, "declined for its gap of 1.6 % (H.3 says EVT, the strategy TECH)"),
            *IMPLICIT,
        ),
    ),
    Row(
        "lt112-45-dte-half",
        "H.3, B.2",
        "made up from 2018-06-20: calm, VIX falls to 12; 120 DTE to 40 DTE",
        "$200,000: an ES LT112; lt112 runs without weekly sales",
        (
            at_least(
                "best_share", 0.5, "best profit over the net credit while more than 45 DTE remain or later"
            ),
            none("closed_as_whole", "closings of the whole position above 21 DTE: component targets only"),
            *IMPLICIT,
        ),
    ),
    Row(
        "lt112-21-dte",
        "H.3, ruling 10",
        "made up from 2018-06-20: a fall of 9 % by 30 DTE, VIX 22; to 21 DTE",
        "$200,000: an ES LT112 opened at 60 DTE; lt112 runs without weekly sales",
        (
            exactly("closed_on_the_day", 1, "everything closed in the session of 21 DTE or before"),
            none("short_below_21", "short legs left after that session"),
            *IMPLICIT,
        ),
    ),
    Row(
        "lt112-minus-10",
        "H.3, B.2",
        "made up from 2018-06-20: SPX -10 % in four sessions, VIX 13 to 36, at 60 DTE",
        "$200,000: an ES LT112; lt112 runs",
        (
            exactly("np_closed", 1, "naked puts closed by stop, delta or 2 % of net liq"),
            at_least("pds_gain", 0, "dollars won by the debit spread"),
            at_most("loss_share", 0.06, "loss of the whole, share of net liq"),
            *IMPLICIT,
        ),
    ),
    Row(
        "weekly-call-uncovered",
        "H.3, B.2",
        "real: 2018-07-23, a Monday 33 days after the entry",
        "$200,000: an LT112 held 33 days",
        (
            none("below_spot", "weekly calls sold at or below the index"),
            none("uncovered", "weekly calls sold without a bought call above"),
        ),
    ),
    Row(
        "ipmcc-floor",
        "H.3, B.5",
        "made up from 2018-06-20: SPY falls 20 % in sixteen weeks",
        "$200,000: an IPMCC on SPY; ipmcc runs",
        (
            none("below_leap", "weeklies sold below the LEAP's strike"),
            none("sold_deep", "weeklies sold after the LEAP had lost 20 % of its cost"),
            at_least("sold", 3, "weeklies sold"),
            *IMPLICIT,
        ),
    ),
    Row(
        "second-leap",
        "H.3, B.5",
        "real: 2018-06-20 to 2018-08-31",
        "$200,000: an IPMCC on SPY; ipmcc runs",
        (
            exactly("leaps", 1, "most LEAPs on SPY held at once"),
            at_least("weeklies_joined", 1, "weeklies that joined the position"),
            *IMPLICIT,
        ),
    ),
    Row(
        "crude-plus-15",
        "H.3, B.4",
        "made up on the sessions from 2018-06-20: WTI +15 % in a week",
        "$200,000: an MCL strangle; futures_strangle runs",
        (
            exactly("call_side_tested", 1, "the call side is the one that is defended"),
            at_most("loss_share", 0.02, "loss, share of net liq"),
        ),
    ),
    Row(
        "crude-range",
        "H.3, B.4",
        "made up on the sessions from 2018-06-20: WTI within 2 % for 30 days",
        "$200,000: an MCL strangle; futures_strangle runs",
        (exactly("closed_at_target", 1, "closed once, at half its credit"),),
    ),
    Row(
        "short-leap-puts-off",
        "H.3, B.6b",
        "real: 2018-06-20 to 2018-07-31",
        "$200,000; every strategy at its defaults",
        (
            none("candidates", "wishes and refusals of leap_put_income"),
            *IMPLICIT,
        ),
    ),
    Row(
        "butterfly-debit-160",
        "H.3, B.7",
        "real Fridays 2018-06-22 to 2018-12-28",
        "$200,000; butterfly_9b runs",
        (
            at_most("dearest", 150, "dearest debit paid for a 10-wide fly at 5,500, dollars"),
            at_least("bought", 1, "flies bought"),
            exactly("at_the_limit", 1, "products in which a debit at the limit can be had"),
            none("above_the_limit", "products in which one 16/15 of it can ($160 for $150)"),
            at_least("judged", 1, "Fridays with a wish or a refusal"),
            *IMPLICIT,
        ),
    ),
    Row(
        "box-rate",
        "H.3, B.11",
        "none: broker 6 %, Treasury 4.2 %",
        "a short box at 4.8 % and at 5.1 %",
        (
            exactly("permitted_48", 1, "permitted at 4.8 %"),
            none("permitted_51", "permitted at 5.1 %"),
        ),
    ),
    Row(
        "phase-paths",
        "H.3 (BTS), A.2",
        "1995, real and calm; deposits stand for gains: 2.5 % a month, alternating 4 % and -2 %, and -4 "
        "% a month",
        "$60,000 in P1; nothing held",
        (
            exactly("winning_phase", 2, "phase after 12 months of 2.5 %"),
            exactly("mixed_phase", 2, "phase after 12 months of +4 % and -2 %"),
            exactly("drawdown_phase", 0, "phase after 12 months of -4 %"),
            *IMPLICIT,
        ),
    ),
)
