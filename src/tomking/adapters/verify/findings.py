"""A finding: one kind of trouble in one place, counted, with an example; for people and for machines."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date

from tomking.adapters.verify.kinds import KINDS, ROW_REASONS, Kind, Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, where, how often, and what it looks like."""

    kind: str
    """A name of ``KINDS``."""
    root: str
    where: str
    """``quotes.csv line 17`` of a file; ``2016-04-29`` or a contract of a session."""
    count: int
    """Rows, contracts, strikes, snapshots or sessions, as the kind's meaning says."""
    example: str
    """The first or the worst of them."""
    session: date | None = None
    """The session where it is of one."""

    @property
    def about(self) -> Kind:
        return KINDS[self.kind]

    @property
    def severity(self) -> Severity:
        return self.about.severity

    @property
    def quarantined(self) -> bool:
        return self.severity is Severity.QUARANTINED

    def __str__(self) -> str:
        return f"{self.root}: {self.count:,} {self.about.meaning} ({self.where}: {self.example})"


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """One finding for each kind and root, counts added, the worst kinds first.

    Place and example are the first one's of rows, and those of the session that has most of sessions.
    """
    found: dict[tuple[str, str], Finding] = {}
    counts = Counter[tuple[str, str]]()
    for each in findings:
        key = each.kind, each.root
        known = found.get(key)
        if known is None or (each.session is not None and each.count > known.count):
            found[key] = each
        counts[key] += each.count
    whole = (replace(one, count=counts[key]) for key, one in found.items())
    return tuple(sorted(whole, key=_rank))


def as_json(finding: Finding) -> dict[str, object]:
    """The finding with what its kind says, as plain values."""
    plain = asdict(finding)
    plain["session"] = None if finding.session is None else finding.session.isoformat()
    return {
        **plain,
        "severity": str(finding.severity),
        "meaning": finding.about.meaning,
        "advice": finding.about.advice,
    }


def _rank(finding: Finding) -> tuple[int, int, str]:
    severity = list(Severity).index(finding.severity)
    order = ROW_REASONS.index(finding.kind) if finding.kind in ROW_REASONS else len(ROW_REASONS)
    return severity, order, finding.root
