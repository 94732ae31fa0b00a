"""The server's side of one connection to the account streamer, without the connection.

``connect`` comes first and is answered with its own ``request-id``; heartbeats are answered and, in strict
mode, required; nothing is replayed to who comes late (tastytrade page, section 8; facts T11, T12).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

Message = dict[str, object]
SILENCE = timedelta(minutes=1)
"""Strict mode: without a heartbeat for so long the venue sends nothing more, and says nothing."""
_OTHERS = frozenset({"public-watchlists-subscribe", "quote-alerts-subscribe", "user-message-subscribe"})


@dataclass(slots=True)
class AlertLink:
    """One connection's state."""

    session: str
    """The id of this connection."""
    accounts: frozenset[str]
    """Those the user may listen to."""
    valid: frozenset[str] = frozenset()
    """Access tokens that are good; looked at with every message."""
    strict: bool = False
    """Whether a heartbeat a minute is required: the Python SDK sends none."""
    connected: frozenset[str] = frozenset()
    beat: datetime | None = field(default=None)

    def receive(self, message: Mapping[str, object], now: datetime) -> list[Message]:
        """The answer to one message."""
        action = str(message.get("action"))
        if str(message.get("auth-token", "")).removeprefix("Bearer ") not in self.valid:
            return [self._refused(message, "not authorized")]
        self.beat = now
        match action:
            case "connect" | "account-subscribe":
                return [self._connect(message)]
            case _ if not self.connected:
                return [self._refused(message, "connect-not-completed", with_request=False)]
            case "heartbeat":
                return [self._fine(message, "")]
            case _ if action in _OTHERS:
                return [self._fine(message, message.get("value", ""))]
            case _:
                return [self._refused(message, f"there is no action {action}")]

    def sends(self, account: str, now: datetime) -> bool:
        """Whether news of this account go out on this connection now."""
        if account not in self.connected:
            return False
        return not self.strict or (self.beat is not None and now - self.beat <= SILENCE)

    def _connect(self, message: Mapping[str, object]) -> Message:
        value = message.get("value")
        asked = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        known = frozenset(one for one in asked if isinstance(one, str)) & self.accounts
        if not asked or len(known) < len(asked):
            return self._refused(message, "there is no such account")
        self.connected |= known
        return self._fine(message, value)

    def _fine(self, message: Mapping[str, object], value: object) -> Message:
        return {
            "status": "ok",
            "action": message.get("action"),
            "web-socket-session-id": self.session,
            "value": value,
            "request-id": message.get("request-id"),
        }

    def _refused(self, message: Mapping[str, object], text: str, *, with_request: bool = True) -> Message:
        answer: Message = {
            "status": "error",
            "action": message.get("action"),
            "web-socket-session-id": self.session,
            "message": text,
        }
        return {**answer, "request-id": message.get("request-id")} if with_request else answer


def notification(kind: str, data: object, at: datetime) -> Message:
    """One piece of news: the whole object, in the shape that REST shows it in."""
    return {"type": kind, "data": data, "timestamp": int(at.timestamp() * 1000)}
