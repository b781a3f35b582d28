"""Who may use the server: its own page, and programs that know the token.

A web site elsewhere could make a visitor's browser send requests to this machine. So the Host must be one of the
server's names (against DNS rebinding), and an Origin must be the server's own (against requests from other sites,
WebSockets among them, which browsers let through to any server).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from asr.serve.request_error import RequestError

LOOPBACK_NAMES = frozenset(("localhost", "127.0.0.1", "::1"))

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "cache-control": "no-store",
}
API = "/v1/"
"""Addresses below this need the token."""


@dataclass(frozen=True)
class Access:
    """`names` are the hosts that the server may be called by, None for any; `token` is None where none is needed."""

    names: frozenset[str] | None
    token: str | None

    @classmethod
    def for_host(cls, host: str) -> "Access":
        """This machine only, without a token; or, for another address to listen at, any name with a new token."""
        if is_loopback(host):
            return cls(LOOPBACK_NAMES | {host}, None)
        return cls(None, secrets.token_urlsafe(24))

    def check_origin(self, headers: Mapping[str, str]) -> None:
        """Raises RequestError for another Host or Origin than the server's."""
        host = headers.get("host", "")
        if self.names is not None and host_name(host) not in self.names:
            raise RequestError(403, "this server does not have that name; open the address that asr serve printed")
        origin = headers.get("origin")
        if origin is not None and origin.lower().partition("://")[2] != host.lower():
            raise RequestError(403, "requests from other web sites are not allowed")

    def check_bearer(self, headers: Mapping[str, str]) -> None:
        """Raises RequestError unless the header Authorization has the token."""
        kind, _, given = headers.get("authorization", "").partition(" ")
        self.check_token(given if kind.lower() == "bearer" else "")

    def check_token(self, given: object) -> None:
        """Raises RequestError for a wrong token; the comparison takes the same time for every one."""
        text = given if isinstance(given, str) else ""
        if self.token is not None and not secrets.compare_digest(text.encode(errors="replace"), self.token.encode()):
            raise RequestError(
                401,
                "the token is missing or wrong; send the one that asr serve printed as Authorization: Bearer TOKEN",
                {"www-authenticate": "Bearer"},
            )


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def host_name(host: str) -> str:
    """The name in a Host header, without the port and the brackets of IPv6."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


class Guard:
    """Checks Host, Origin and token before the application sees a request, and adds the headers of HEADERS.

    A WebSocket sends its token in its first message, as browsers cannot set headers there.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app, self.access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                extra = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *(each for each in extra if each[0] not in present)]
            await send(message)

        try:
            self.access.check_origin(headers)
            if scope["type"] == "http" and scope["path"].startswith(API):
                self.access.check_bearer(headers)
        except RequestError as problem:
            if scope["type"] == "http":
                await problem.response()(scope, receive, guarded)
            else:
                await receive()  # websocket.connect
                await send({"type": "websocket.close", "code": 1008, "reason": problem.message})
            return
        await self.app(scope, receive, guarded)
