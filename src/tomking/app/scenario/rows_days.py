"""Expected outcomes of the historic days (methodology H.2) and of the August proof (issue 6, item 9)."""

from tomking.app.scenario.expected import IMPLICIT, Row, at_least, at_most, between, exactly, none

HELD = "an LT112, an IPMCC, an MGC strangle and 3 hedge rungs, as the gate permits them; every strategy runs"

EVERY_DAY = (
    at_most("short_vol", 5, "short-volatility positions at once"),
    at_least("worst_session", -0.30, "worst session (H.4)"),
)

ROWS = (
    Row(
        "august-2024",
        "H.2, C.5, C.9",
        "real: 2024-07-31 to 2024-08-30; SPX 5,346.56 to 5,186.33 (-3.00 %) on 5 August, VIX 23.39 to "
        "38.57 with a "
        "high of 65.73",
        f"$200,000 in P4: {HELD}",
        (
            between("move", -0.0301, -0.0299, "index on 5 August"),
            at_most("loss", 0.10, "greatest loss from the close of 31 July to 8 August, share of net liq"),
            at_least("worst_day", -0.10, "worst day"),
            at_least("emergency_level", 3, "highest emergency level on 5 August"),
            none("entries_5_to_7", "entries from 5 to 7 August"),
            none("liquidated_before_open", "orders before 09:30 on 5 August"),
            at_most("size_after", 0.5, "size multiplier at the close of 9 August"),
            at_least("entries_later", 1, "entries from 9 to 30 August: it resumes"),
            at_least("drawdown_level", 0, "drawdown level reached"),
            at_most("drawdown_level_most", 1, "the same: YELLOW at worst"),
            *EVERY_DAY,
            *IMPLICIT,
        ),
    ),
    Row(
        "august-2024-narrative",
        "H.2",
        "as told: 5 August opens 4.5 % down at VIX 65 and stays there until noon, then closes at the "
        "real close",
        f"$200,000 in P4: {HELD}",
        (
            between("move_at_open", -0.0451, -0.0449, "index at the open of 5 August"),
            at_most("loss", 0.10, "greatest loss from the close of 31 July to 8 August, share of net liq"),
            at_least("emergency_level", 3, "highest emergency level on 5 August"),
            none("entries_5_to_7", "entries from 5 to 7 August"),
            *EVERY_DAY,
            *IMPLICIT,
        ),
    ),
    Row(
        "july-2024-attempts",
        "H.2, C.5",
        "real: 2024-07-03 to 2024-07-19 at 10:35, one attempt after the other",
        "$673,100 (530,000 pounds) in P4: 6 LT112 on one expiry, 3 IPMCC, 3 strangles, 2 0DTE are offered",
        (
            exactly("attempts", 14, "attempts"),
            at_most("admitted", 6, "admitted"),
            at_least("rejected", 8, "rejected, each with its code"),
            at_most("lt112_admitted", 2, "LT112 admitted"),
            at_most("short_vol", 5, "short-volatility positions held at the end"),
            at_least("corr_rejections", 4, "rejections that name CORR"),
            exactly("vix_rejections", 2, "0DTE attempts refused, VIX below 22 among the reasons"),
        ),
    ),
    Row(
        "august-proof",
        "issue 6 item 9, C.5, H.2",
        "real: 2024-07-31 10:05 to 2024-08-08",
        "$673,100 (530,000 pounds): six LT112 on one expiry, five ES units each, offered to the gate one "
        "by one; "
        "and the same book unprotected",
        (
            at_most("units_permitted", 6, "ES units that the gate permits of the 30"),
            at_most("positions_permitted", 2, "positions of the six"),
            exactly("refused_from", 2, "number of the first position that is refused"),
            at_least(
                "limits_that_refuse",
                4,
                "limits that refuse the third even if two had been let in at full size",
            ),
            exactly(
                "groups_refuse_from",
                3,
                "position from which the correlation group refuses in that scan (A1: 2)",
            ),
            at_most("stress_refuses_from", 3, "position from which S-20 refuses in it"),
            at_most("permitted_loss", 0.10, "greatest loss of the permitted book, share of net liq"),
            between("unprotected_loss", 0.20, 0.60, "loss of the unprotected book at the close of 5 August"),
            at_least("unprotected_worst", 0.25, "its greatest loss, at the drawn minutes"),
            at_least("times", 4, "the one over the other"),
            at_most("narrative_permitted_loss", 0.10, "the permitted book's on the narrative tape"),
            at_least(
                "narrative_unprotected_loss", 0.40, "the unprotected book's on the narrative tape (58 % told)"
            ),
        ),
    ),
    Row(
        "covid-2020",
        "H.2",
        "real: 2020-02-19 to 2020-04-30 with the exchange's halts of 9, 12, 16 and 18 March",
        f"$200,000 in P4: {HELD}",
        (
            between("move", -0.34, -0.335, "index from 19 February to 23 March"),
            at_least("level_from_27_february", 2, "highest emergency level from 27 February to 6 March"),
            at_most("loss", 0.20, "greatest loss, share of net liq"),
            at_most("reds", 1, "times RED was reached"),
            none("entries_above_40", "entries at VIX above 40"),
            none("orders_in_halts", "orders sent while the exchange was halted"),
            at_least("hedge_gain", 0, "gain of the hedge rungs, dollars"),
            *EVERY_DAY,
            *IMPLICIT,
        ),
    ),
    Row(
        "volmageddon-2018",
        "H.2, C.1, C.8",
        "real: 2018-02-02 to 2018-02-16; 5 February with its fall between 14:40 and 15:10; -4.10 %, VIX "
        "17.31 to 37.32",
        f"$200,000 in P4: {HELD}",
        (
            between("move", -0.0411, -0.0409, "index on 5 February"),
            exactly("crash_flag", 1, "VIX crash flag on 5 February"),
            at_least("breaker_level", 2, "highest breaker level on 5 February"),
            at_most("loss", 0.10, "greatest loss, share of net liq"),
            none("entries_5_to_7", "entries from 5 February after the flag to 6 February"),
            *EVERY_DAY,
            *IMPLICIT,
        ),
    ),
    Row(
        "august-2015",
        "H.2, C.11",
        "real: 2015-08-20 to 2015-09-04; on 24 August no VIX until 10:00 and spreads ten times as wide "
        "until 10:15; "
        "1,970.89 to 1,867.01 to 1,893.21, VIX 28.03 to 53.29 to 40.74",
        f"$200,000 in P4: {HELD}",
        (
            between("move", -0.0395, -0.0393, "index on 24 August"),
            none("entries_24", "entries on 24 August"),
            # It said before that nothing may be closed before 10:15.  But exits are never blocked (C.0): C.11
            # is about what they pay, and that is claimed instead, by the bound of flash-crash-2010.
            at_most(
                "paid_over_model", 1.25, "price paid over the model's mid, at worst, in closings before 10:15"
            ),
            at_least("emergency_level", 3, "highest emergency level on 24 August"),
            at_most("loss", 0.10, "greatest loss, share of net liq"),
            *EVERY_DAY,
            *IMPLICIT,
        ),
    ),
    Row(
        "flash-crash-2010",
        "H.2, C.8, C.11",
        "real day with its minutes told: 2010-05-06, 1,165.87 to 1,065.79 at 14:45 and 1,128.15, VIX "
        "24.91 to 40.71 to "
        "32.80; spreads ten times as wide from 14:40 to 15:00",
        f"$200,000 in P4: {HELD}",
        (
            between("move", -0.0326, -0.0322, "index on 6 May"),
            at_least("breaker_level", 2, "highest breaker level on 6 May"),
            between("breaker_hour", 14.4, 15.0, "hour at which it was reached"),
            none("opened_in_crash", "options opened between 14:30 and the close"),
            at_most(
                "paid_over_model",
                1.25,
                "price paid over the model's mid, at worst, in closings of that hour",
            ),
            at_most("loss", 0.10, "greatest loss, share of net liq"),
            *EVERY_DAY,
            *IMPLICIT,
        ),
    ),
    Row(
        "october-1987",
        "H.2 (S-CRASH parameters), H.4",
        "made up on 2018-06-20: -20.47 % in one session without halts, VIX 13 to 150; three flat sessions",
        "$100,000 in P3: the book of crash-20",
        (
            at_most("loss", 0.30, "greatest loss, share of net liq"),
            at_most("drawdown_level", 3, "drawdown level"),
            none("entries", "entries after the fall began"),
            *IMPLICIT,
        ),
    ),
    Row(
        "december-2018",
        "H.2",
        "real: 2018-10-03 to 2018-12-31, a slow decline to 2,351.10 (VIX 36.07) on 24 December",
        f"$200,000 in P4: {HELD}",
        (
            between("move", -0.0273, -0.0269, "index on 24 December"),
            at_most("loss", 0.15, "greatest loss, share of net liq"),
            none(
                "held_past_21", "components with short legs opened above 21 DTE and held below it at a close"
            ),
            at_most("drawdown_level", 2, "drawdown level"),
            *EVERY_DAY,
            *IMPLICIT,
        ),
    ),
    Row(
        "april-2025",
        "H.2",
        "made up on the sessions from 2024-04-01 with the real moves: -4.84 %, -5.97 %, -0.23 % (VIX "
        "60.13), -1.57 % "
        "(VIX 52.33), +9.52 % and a week of calm",
        f"$200,000 in P4: {HELD}",
        (
            between("up_move", 0.0950, 0.0954, "index on the ninth"),
            at_least("emergency_level", 3, "highest emergency level"),
            none("rolled_losers", "IPMCC weeklies sold on the day of the rise"),
            at_least("worst_day", -0.10, "worst day, of the falls and of the rise"),
            at_most("loss", 0.15, "greatest loss, share of net liq"),
            *EVERY_DAY,
            *IMPLICIT,
        ),
    ),
    Row(
        "oil-2020",
        "H.2, F.4",
        "none: WTI at -37.63 on 2020-04-20; no oil price after 2019-01-03 is at hand",
        "options on May and June WTI, 1 and 30 days out",
        (
            none("not_numbers", "prices, deltas and vegas that are not finite (Bachelier)"),
            at_most("parity_error", 1e-9, "greatest put-call parity error, dollars"),
            exactly("months_out", 1, "the 21-DTE rule has closed what expires within 21 days"),
        ),
    ),
)
