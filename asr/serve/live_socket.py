"""The WebSocket /v1/live: speech in, phones out while one speaks, and the transcript at the end.

The client sends `{"rate": HZ}` (and `"token"` where the server needs one), then 16-bit samples in pieces of any length,
then `{"end": true}`. The server sends `{"keep": N, "phones": [...]}`, where the first N phones are those of the message
before, and at the end `{"transcript": {...}}`; or `{"error": {"status", "message"}}`, and closes.
"""

import asyncio
import json
import logging
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from asr.audio.opening import HIGHEST_RATE, LOWEST_RATE
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment, Transcript
from asr.serve.access import Access
from asr.serve.live import LiveSpeech, Step, common_phones
from asr.serve.request_error import RequestError
from asr.serve.speech import Speech
from asr.serve.workers import Workers

log = logging.getLogger(__name__)

SILENT_SECONDS = 30.0
"""A connection from which nothing comes for so long is closed."""
REFUSED, DONE = 1008, 1000
"""Status codes of RFC 6455."""


async def live(socket: WebSocket, speech: Speech, workers: Workers, access: Access) -> None:
    """Serves one connection."""
    await socket.accept()
    try:
        first = await _message(socket)
        if not isinstance(first, dict):
            raise RequestError(422, 'the first message must be {"rate": HZ}')
        access.check_token(first.get("token"))
        async with workers.microphone():
            session = LiveSession(socket, LiveSpeech(speech.recognizer, _rate(first)), speech, workers)
            transcript = await session.transcript()
        await socket.send_text(json.dumps({"transcript": transcript.to_json()}))
        await socket.close(DONE)
    except RequestError as problem:
        await _refuse(socket, problem)
    except InputError as error:
        await _refuse(socket, RequestError(422, str(error)))
    except WebSocketDisconnect:
        pass


async def _refuse(socket: WebSocket, problem: RequestError) -> None:
    try:
        await socket.send_text(json.dumps(problem.to_json()))
        await socket.close(REFUSED)
    except (RuntimeError, WebSocketDisconnect):
        log.debug("The client has gone")


class LiveSession:
    """One recording: at most one step is computed at a time, and steps for which there is no time are left out."""

    def __init__(self, socket: WebSocket, live_speech: LiveSpeech, speech: Speech, workers: Workers) -> None:
        self.socket, self.live, self.workers = socket, live_speech, workers
        self.longest = speech.limits.live_seconds
        self._step: asyncio.Task[None] | None = None
        self._sent: list[PhoneSegment] = []

    async def transcript(self) -> Transcript:
        """Takes the speech to its end. Raises RequestError and InputError for what cannot be used."""
        try:
            while isinstance(message := await _message(self.socket), bytes):
                self.live.add(message)
                if self.live.seconds > self.longest:
                    raise RequestError(413, f"a live recording has at most {self.longest:g} s; send a file instead")
                if (self._step is None or self._step.done()) and (step := self.live.next_step()) is not None:
                    self._check_step()
                    self._step = asyncio.create_task(self._recognise(step))
            if message.get("end") is not True:
                raise RequestError(422, 'send samples, or {"end": true}')
        finally:
            if self._step is not None:
                await asyncio.gather(self._step, return_exceptions=True)
        self._check_step()
        return await self.workers.run(self.live.finish)

    def _check_step(self) -> None:
        if self._step is not None:
            self._step.result()

    async def _recognise(self, step: Step) -> None:
        phones = await self.workers.run(lambda: self.live.recognise(step))
        keep = common_phones(self._sent, phones)
        new = Transcript("live", phones[keep:]).to_json()["phones"]
        self._sent = list(phones)
        await self.socket.send_text(json.dumps({"keep": keep, "phones": new}))


async def _message(socket: WebSocket) -> bytes | dict[str, Any]:
    """Samples, or an object. Raises RequestError for anything else and where nothing comes, WebSocketDisconnect where
    the client has gone."""
    try:
        async with asyncio.timeout(SILENT_SECONDS):
            message = await socket.receive()
    except TimeoutError:
        raise RequestError(408, f"nothing came for {SILENT_SECONDS:g} s") from None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", DONE))
    if (content := message.get("bytes")) is not None:
        return bytes(content)
    try:
        value = json.loads(message.get("text") or "")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise RequestError(422, "a message is neither samples nor a JSON object")
    return value


def _rate(first: dict[str, Any]) -> int:
    rate = first.get("rate")
    if isinstance(rate, bool) or not isinstance(rate, int) or not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise RequestError(422, f"rate must be a whole number of Hz between {LOWEST_RATE} and {HIGHEST_RATE}")
    return rate
