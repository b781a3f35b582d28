"""What is wrong with a request, as the client is told."""

from typing import Any

from starlette.responses import JSONResponse


class RequestError(Exception):
    """A request that is refused, with its HTTP status and one line that says why and what to do."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers or {}

    def response(self) -> JSONResponse:
        return JSONResponse(self.to_json(), self.status, self.headers)

    def to_json(self) -> dict[str, Any]:
        return {"error": {"status": self.status, "message": self.message}}


def busy(message: str) -> RequestError:
    return RequestError(503, message, {"retry-after": "5"})
