"""OAuth2 as the API has it: a refresh token buys access tokens of fifteen minutes (section 3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest

from tomking.venue.clock import Wall

LIFE = 900.0
"""Seconds of the wall; tests shorten it."""
QUOTES_LIFE = 86_400.0
FAILURES = 3
"""Failed logins in a row after which the address is blocked: nothing is answered any more (T9)."""


@dataclass(slots=True)
class Tokens:
    """Who may talk to the venue."""

    secret: str
    refresh: str
    wall: Wall
    name: Callable[[], str]
    """A word that was never given out before."""
    life: float = LIFE
    came: Callable[[], object] = bool
    """Called when somebody has logged in."""
    failures: int = 0
    revoked: bool = False
    grants: frozenset[str] = frozenset({"read", "trade", "openid"})
    """Scopes of the grant."""
    _access: dict[str, tuple[float, frozenset[str]]] = field(
        default_factory=dict[str, tuple[float, frozenset[str]]]
    )
    _quotes: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def blocked(self) -> bool:
        """Whether the address hears nothing any more."""
        return self.failures >= FAILURES

    def grant(self, body: Mapping[str, object]) -> tuple[int, dict[str, object]]:
        """Status and body of ``POST /oauth/token``; neither is enveloped."""
        if body.get("grant_type") != "refresh_token":
            return 400, _refused("unsupported_grant_type", "only refresh_token is taken here")
        secret, refresh = str(body.get("client_secret", "")), str(body.get("refresh_token", ""))
        if not compare_digest(secret, self.secret):
            self.failures += 1
            return 401, _refused("invalid_client", "Client authentication failed")
        if self.revoked or not compare_digest(refresh, self.refresh):
            self.failures += 1
            return 400, _refused("invalid_grant", "Grant revoked")
        scope = frozenset(str(body.get("scope") or "read trade").split())
        if not scope <= self.grants:
            return 400, _refused("invalid_scope", "The requested scope exceeds the grant")
        self.failures = 0
        self.came()
        token = self.name()
        self._access[token] = (self.wall() + self.life, scope)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": int(self.life)}

    def allows(self, authorization: str, scope: str = "read") -> bool:
        """Whether a header ``Bearer ...`` is good for this now."""
        until, scopes = self._access.get(authorization.removeprefix("Bearer "), (0.0, frozenset()))
        return authorization.startswith("Bearer ") and self.wall() < until and scope in scopes

    def valid(self) -> frozenset[str]:
        """Every access token that is good now."""
        return frozenset(token for token, (until, _) in self._access.items() if self.wall() < until)

    def expire(self) -> None:
        """Ends every access token at once, as a fault."""
        self._access.clear()

    def quote_token(self) -> str:
        """A token for DXLink."""
        token = self.name()
        self._quotes[token] = self.wall() + QUOTES_LIFE
        return token

    def quotes_allowed(self, token: str) -> bool:
        return self.wall() < self._quotes.get(token, 0.0)


def _refused(code: str, text: str) -> dict[str, object]:
    return {"error_code": code, "error_description": text}
