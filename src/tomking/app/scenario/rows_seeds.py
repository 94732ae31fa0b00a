"""Expected outcomes of the seed scenarios (methodology H.1) and of the issue's list."""

from tomking.app.scenario.expected import IMPLICIT, Row, at_least, at_most, between, exactly, none

ROWS = (
    Row(
        "vix-15-40-20",
        "H.1 S-VIX, C.1, C.9, C.12",
        "made up on the sessions from 2018-06-22: VIX closes 15, 18, 22, 27, 32, 36, 41, 33, 27, 23, 20 and "
        "six more at 19; the index falls 8 % on the way up and regains 6 %",
        "$63,500 in P2: 2 MES LT112 units, a MCL strangle; friday_0dte and lt112 run",
        (
            exactly("zero_dte_entries", 1, "0DTE entries: on the Friday at 23, not at 15 and 19, nor at 36"),
            exactly("fridays_refused_by_vix", 3, "Fridays on which the 0DTE was declined with VIX"),
            exactly("level_at_27", 1, "emergency level at the close of the day VIX reaches 27"),
            exactly("level_at_36", 2, "emergency level at the close of the day VIX reaches 36"),
            exactly("level_at_41", 3, "emergency level at the close of the day VIX reaches 41"),
            none("closed_below_level_3", "positions closed by a level before level 3"),
            at_least("closed_at_level_3", 1, "positions closed by the halving at level 3"),
            none("permitted_at_36", "units of a probe the gate permits at VIX 36 and above"),
            at_least("permitted_at_15", 1, "units of the same probe at VIX 15"),
            exactly("cap_at_32", 0.25, "share of net liq that capital in use may reach at VIX 32"),
            none("level_at_end", "emergency level after six quiet sessions at 19"),
            at_least("level_steps_down", 3, "single steps down of the level (3 to 2 to 1 to 0)"),
            between("size_after_release", 0.0, 0.5, "size multiplier at the first close after the release"),
            *IMPLICIT,
        ),
    ),
    Row(
        "crash-20",
        "H.1 S-CRASH, C.4, C.7, C.8",
        "made up on 2018-06-20: -3 % at the open, -7 % at 09:45 (halt of 15 minutes), -13 % at 11:30 "
        "(halt of 15 "
        "minutes), -20 % at 14:00 (halt for the day), VIX 13 to 82; spreads five times as wide; ten flat "
        "sessions",
        "$100,000 in P3: an IPMCC on SPY, 3 MES LT112 units, an MGC strangle (for GLD: no prices of it), "
        "2 hedge "
        "rungs; every strategy runs",
        (
            at_least("breaker_minutes_before_7", 0, "minutes from the breaker's level 2 to -7 %"),
            at_least("emergency_level", 3, "highest emergency level"),
            none("orders_in_halts", "orders sent while the exchange was halted"),
            none("entries_after", "orders that open, in the crash and the ten sessions after it"),
            none("rungs_taken", "hedge rungs closed by anything but their own harvest"),
            at_most("estimate_20", 0.30, "S-20 stress of the book before the crash, share of net liq"),
            at_most("loss_over_estimate", 1.25, "greatest loss over that estimate"),
            at_least("worst_stop", 3.0, "cost to close of the naked puts over their credit: a real price"),
            none("lost_by_restart", "levels and positions that a restart in the halt would lose"),
            *IMPLICIT,
        ),
    ),
    Row(
        "crash-20-at-the-limit",
        "H.1 S-CRASH, C.4, C.7",
        "made up on 2018-06-20: the day opens 20 % down at VIX 82 and is halted to its end; the next is "
        "flat at 82, "
        "then fourteen flat sessions at 40",
        "$100,000 in P3: as many MES LT112 units as reach the 30 % that S-20 may lose, nothing else",
        (
            between("estimate_20", 0.20, 0.31, "S-20 stress of the book before the crash, share of net liq"),
            at_most("loss_over_estimate", 1.25, "greatest loss over that estimate"),
            at_least("drawdown_level", 3, "drawdown level (3 RED, 4 TERMINAL)"),
            none("entries_in_lock", "orders that open within 14 days"),
            none("orders_in_halt", "orders sent while the exchange was halted"),
            none("shorts_left", "short legs held at the end"),
            exactly("phases_lost", 1, "phases that RED costs"),
            at_most("loss", 0.45, "greatest loss, share of net liq"),
            *IMPLICIT,
        ),
    ),
    Row(
        "expiry-friday",
        "H.1 S-EXP, D.4",
        "made up in the week of the third Friday 2018-06-15: VIX 13 to 24 by Thursday, +0.8 % and +0.6 % "
        "on the last two days; no quotes on the Friday from 15:20 on",
        "$200,000: an IPMCC whose weekly call expires in the money, a 0DTE condor in ES, a SPXW fly, a "
        "SPY put "
        "sold 3 % in the money, and another that nobody can close in the last forty minutes",
        (
            none("shorts_left", "short legs of that expiry open after the close"),
            none("overnight_futures", "futures held at the close"),
            at_most("zero_dte_closed_at", 15.51, "hour of the 0DTE's last close"),
            none("settled_twice", "legs whose settlement was booked twice"),
            at_least("assigned", 1, "short options assigned into shares"),
            none(
                "shares_left",
                "components that still hold delivered shares after the next session's first step",
            ),
            at_least("fly_settled", 1, "settlements of the fly from the official close"),
            exactly("left_assigned", 1, "of these, the put that nobody closed"),
            exactly("income_closed", 1, "the ladder's put in the money, closed before its expiry (S2)"),
            exactly(
                "weekly_rolled",
                1,
                "weekly calls sold on the Friday in place of the one that expired",
            ),
            none("restart_differs", "differences between the book and the journal folded anew"),
            *IMPLICIT,
        ),
    ),
    Row(
        "empty-and-thin-chains",
        "H.1 S-LIQ, C.11",
        "made up on Wednesday 2018-06-20 to Friday 2018-06-22, VIX 24: the same three days with empty "
        "chains, no "
        "bids, spreads eight times as wide, no expiry listed, volatilities and deltas missing; and once "
        "untouched",
        "$200,000; an LT112 held; friday_0dte and lt112 run",
        (
            at_least("entries_untouched", 1, "entries where nothing is wrong"),
            none("entries_empty", "entries with empty chains"),
            none("entries_one_sided", "entries without bids"),
            none("entries_wide", "entries at spreads eight times as wide"),
            none("entries_missing", "entries without a listed expiry"),
            none("entries_bad_greeks", "entries without volatilities and deltas"),
            none(
                "other_codes",
                "refusals with codes other than DATA, LIQ, STRUCT, PRICE, CAP, CORR, TECH, VIX, SIZE",
            ),
            none("lost_positions", "held positions that disappeared"),
            *IMPLICIT,
        ),
    ),
    *(
        Row(
            name,
            "H.1 S-PHASE, A.1, A.2",
            f"1995, real and calm; deposits and withdrawals move net liq: {walk}; each for 25 sessions",
            f"{first}; nothing held: the account is cash",
            (
                exactly("steps_as_expected", 17, "of 17 stations, those that end in the expected phase"),
                exactly("promotions", 4, "promotions on the way up"),
                exactly("demotions", 4, "demotions on the way down, each below 93.3 % of a floor"),
                none("hair_below", "promotions one dollar below a floor"),
                none("oscillations", "changes while net liq swings 0.1 % around a floor for 25 sessions"),
                exactly("closes_to_promotion", 5, "fewest closes at or above a floor before a promotion"),
                *IMPLICIT,
            ),
        )
        for name, walk, first in (
            (
                "phases-audit",
                "39.9k, 40.1k, 49.9k, 50.1k, 79.9k, 80.1k, 99.9k, 100.1k and back (profile seed_audit)",
                "$39,000 in P0",
            ),
            (
                "phases-default",
                "44,499, 44,501, 63,499, 63,501, 95,249, 95,251, 126,999, 127,001 and back (default floors)",
                "$40,000 in P0",
            ),
        )
    ),
    Row(
        "frequency",
        "H.1 S-FREQ, 0.3",
        "real: 2022-01-03 to 2023-12-29",
        "$200,000; friday_0dte with its VIX gate and without",
        (
            between("fridays", 95, 104, "Fridays played"),
            between("gate_on_entries", 1, 60, "Fridays traded with the gate"),
            none("outside_gate", "of these, with VIX outside (22, 35] at the entry"),
            at_least(
                "gate_off_entries",
                1,
                "Fridays traded without it: reported, not required (52 a year claimed)",
            ),
            at_least("gate_costs", 0, "trades that the gate costs"),
            *IMPLICIT,
        ),
    ),
    Row(
        "win-rate",
        "H.1 S-WIN, J",
        "none: trades drawn with a win rate of 80 %, 200 samples of 175",
        "none",
        (
            between("covered", 0.90, 0.99, "share of Wilson's 95 % intervals that hold the true rate"),
            exactly("few_said", 1, "a sample of 5 is called insufficient"),
        ),
    ),
    Row(
        "exit-thresholds",
        "H.1 S-EXIT, ruling 10",
        "quotes by hand on one Friday and one LT112's life",
        "an ES condor sold for 10.00; an LT112 at 23, 22 and 21 DTE",
        (
            none("stop_below", "closings at a cost of 29.95 (2.995 times the credit)"),
            exactly("stop_at", 1, "closings at a cost of 30.05 (above three times the credit)"),
            none("target_below", "profit targets filled while the condor costs 5.30"),
            exactly("target_at", 1, "profit targets filled once it costs 4.00"),
            none("time_before", "closings at 14:59"),
            exactly("time_at", 1, "closings from 15:00 on"),
            none("dte_22", "closings at 22 DTE"),
            exactly("dte_21", 1, "closings at 21 DTE"),
            exactly("one_group", 1, "closing orders where stop and time come in the same minute"),
        ),
    ),
    Row(
        "same-second",
        "H.1 S-CONC, E.5",
        "made up on Friday 2018-06-29 at VIX 24; at 10:30 -0.6 % and VIX 26",
        "$200,000: an LT112 at 21 DTE whose exit is due at 10:30, an IPMCC whose weekly is due, 0DTE and "
        "butterfly",
        (
            none("exits_after_entries", "exits sent after an entry of the same instant"),
            at_least("exits_at_1030", 1, "exits sent at 10:30 sharp"),
            at_least("wishes_at_1030", 1, "0DTE wishes judged at 10:30 sharp"),
            at_most("capital_share", 0.75, "greatest capital in use, share of net liq"),
            none("within_5_minutes", "entries of different strategies less than 5 minutes apart"),
            *IMPLICIT,
        ),
    ),
    Row(
        "data-outage",
        "H.1 S-DATA, C.11",
        "made up on Friday 2018-06-22 at VIX 24: VIX stale from 10:20 to 11:05; every quote gone from "
        "12:00 to "
        "12:30; a level of NaN at 13:00; VIX missing from 13:30 to 13:40",
        "$200,000: a 0DTE condor and an LT112 held; friday_0dte and lt112 run; and once with the LT112 alone",
        (
            none("entries", "entries while VIX was stale or missing"),
            at_least("refused_data", 1, "entries declined with DATA"),
            none("orders_in_outage", "orders sent while no quote was to be had"),
            none("lost_positions", "positions that disappeared in the outage"),
            between("closed_at", 12.5, 15.1, "hour at which the condor is closed after all"),
            *IMPLICIT,
        ),
    ),
    Row(
        "hours",
        "H.1 S-HOURS, D.8",
        "real: steps before the open, after the close, on weekends, Good Friday 2022 and New Year; 0DTE "
        "Fridays "
        "around both clock changes of 2022; the first Wednesday of 2020, a holiday",
        "$200,000; friday_0dte (gate off) and lt112 run",
        (
            none("events_outside", "events of steps outside sessions"),
            none("other_wall_times", "0DTE wishes that were not first judged at 10:30 New York"),
            at_least("fridays_seen", 4, "Fridays with such a wish"),
            exactly("holiday_wednesday_moved", 1, "LT112 asked on 2020-01-02 for the closed 2020-01-01"),
            *IMPLICIT,
        ),
    ),
    Row(
        "half-day",
        "H.1 S-HOURS, H.3, D.8",
        "real: 2021-11-22 to 2021-11-29, the half day of 2021-11-26 with VIX 28",
        "$200,000: an LT112 held; friday_0dte and lt112 run",
        (
            none("zero_dte_entries", "0DTE entries on the half day"),
            exactly("declined_cal", 1, "0DTE declined with CAL on it"),
            none("after_one", "orders sent after 13:00 on it"),
            exactly("ended_at", 13.0, "hour of its closing snapshot"),
            *IMPLICIT,
        ),
    ),
    Row(
        "extreme-inputs",
        "H.1 S-EXTREME",
        "made up on 2018-06-22: VIX 0, 5, 149 and 500; level 0, NaN and ten times itself; net liq 0 and "
        "-1,000",
        "$200,000, $0 and -$1,000; an LT112 wish is judged in each",
        (
            none("permitted", "wishes permitted"),
            none("raised", "judgements that raised"),
            at_least("judged", 8, "wishes judged"),
            at_least("permitted_untouched", 1, "units permitted where nothing is wrong"),
        ),
    ),
    Row(
        "restart",
        "H.1 S-RESTART, E.4",
        "that of crash-20, its first three sessions",
        "that of crash-20; the process is killed after every 20 events and folds its journal",
        (
            at_least("restarts", 10, "restarts"),
            none("differs", "restarts after which the book was another"),
            none("filled_twice", "orders filled twice"),
            none("head_differs", "difference of the journal from that of a run without restarts"),
            none(
                "levels_too_high",
                "emergency levels above those of a run without restarts, on the day with halts",
            ),
            none(
                "head_differs_in_halts",
                "the same with the day's halts: restarts while no leg has a quote",
            ),
        ),
    ),
    Row(
        "whole-day",
        "H.1 S-24H",
        "real: 2020-03-09 00:00 to 24:00 New York, a step each minute",
        "$200,000: an LT112 held; every strategy runs",
        (
            none("outside", "events of steps outside the session"),
            at_most("growth_mb", 40, "memory gained, MB"),
            at_most("orders_a_minute", 30, "most orders sent in a minute"),
            *IMPLICIT,
        ),
    ),
    Row(
        "correlation-spike",
        "C.5, C.8, C.9",
        "made up on the 40 sessions from 2018-05-01: gold follows the index's daily returns exactly for "
        "25 of them",
        "$200,000: an LT112 and a GC strangle held",
        (
            at_most("before", 0.6, "average correlation of the held complexes before"),
            at_least("after", 0.9, "average correlation at its height"),
            at_least("breaker_level", 2, "highest breaker level"),
            exactly("emergency_level", 4, "highest emergency level: all short premium goes"),
            none("held_at_end", "positions left"),
            none("entries_at_height", "entries"),
            none(
                "permitted_at_height",
                "units of a probe permitted at 0.80 and above while both are held or the breaker holds",
            ),
            *IMPLICIT,
        ),
    ),
    Row(
        "consecutive-losses",
        "C.4, C.8",
        "made up on 2018-06-18 to 2018-06-21: the index rises 1.5 % each day through the strikes of what "
        "was sold",
        "$200,000: call spreads that expire the same day: three on the first morning, one on each of the "
        "next two",
        (
            at_least("run", 5, "losing closes in a row"),
            exactly("half_from", 3, "length of the run from which sizes are halved"),
            exactly("pause_from", 5, "length of the run that pauses entries for a session"),
            none(
                "permitted_after_three_in_a_day",
                "units of a probe permitted after three losing closes in a day",
            ),
            none("permitted_in_pause", "units permitted in the pause"),
            *IMPLICIT,
        ),
    ),
)
