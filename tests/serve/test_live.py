"""Phones while one speaks."""

import json

import numpy as np
import pytest
from starlette.testclient import TestClient
from support.corpora.audio_files import tone
from support.pages.serving import LIVE, client_of, recording

from asr.audio.waveform import Waveform
from asr.errors import InputError
from asr.formats.transcript import PhoneSegment
from asr.recognizer import Recognizer
from asr.serve.live import STEP, WINDOW, LiveSpeech, common_phones
from asr.serve.speech import Speech


def pcm(samples: Waveform) -> bytes:
    return np.round(samples * 32767).astype("<i2").tobytes()


def spoken(seconds: float, rate: int = 16000) -> Waveform:
    noise = np.random.default_rng(0).normal(0, 0.05, round(seconds * rate)).astype(np.float32)
    return noise + tone(rate, seconds)[: len(noise)] * np.sin(np.arange(len(noise)) / rate * 9)


def test_the_end_is_what_a_file_gives(client: TestClient) -> None:
    content, received = pcm(spoken(2.0)), []
    with client.websocket_connect(LIVE) as socket:
        socket.send_json({"rate": 16000})
        for start in range(0, len(content), 9600):
            socket.send_bytes(content[start : start + 9600])
        socket.send_json({"end": True})
        while "transcript" not in (told := socket.receive_json()):
            received.append(told)
    assert received
    phones: list = []
    for each in received:
        assert 0 <= each["keep"] <= len(phones)
        phones = phones[: each["keep"]] + each["phones"]
    file = recording(2.0)[:44] + content
    row = client.post("/v1/transcribe", files={"audio": ("a.wav", file)}).json()
    assert told["transcript"]["phones"] == row["phones"]
    assert told["transcript"]["duration"] == 2.0


@pytest.mark.parametrize(
    ("messages", "status", "said"),
    [
        (["nonsense"], 422, "neither samples nor a JSON object"),
        (["[1]"], 422, "neither samples nor"),
        ([b"ab"], 422, "the first message"),
        ([{"rate": 5}], 422, "rate must be"),
        ([{"rate": True}], 422, "rate must be"),
        ([{"rate": 16000}, b"abc"], 422, "whole samples"),
        ([{"rate": 16000}, {"stop": 1}], 422, '{"end": true}'),
        ([{"rate": 16000}, {"end": True}], 422, "nothing was recorded"),
        ([{"rate": 16000}, bytes(2 * 16000 * 21)], 413, "at most 20 s"),
    ],
)
def test_bad_messages(client: TestClient, messages: list, status: int, said: str) -> None:
    with client.websocket_connect(LIVE) as socket:
        for each in messages:
            if isinstance(each, bytes):
                socket.send_bytes(each)
            else:
                socket.send_text(each if isinstance(each, str) else json.dumps(each))
        error = socket.receive_json()["error"]
    assert error["status"] == status
    assert said in error["message"]


def test_only_so_many_microphones(speech: Speech) -> None:
    with (
        client_of(speech) as client,
        client.websocket_connect(LIVE) as one,
        client.websocket_connect(LIVE) as two,
    ):
        for socket in (one, two):
            socket.send_json({"rate": 16000})
            socket.send_bytes(bytes(2 * 16000))
            socket.receive_json()
        with client.websocket_connect(LIVE) as three:
            three.send_json({"rate": 16000})
            assert three.receive_json()["error"]["status"] == 503
        for socket in (one, two):
            socket.send_json({"end": True})
            while "transcript" not in socket.receive_json():
                pass
        with client.websocket_connect(LIVE) as four:
            four.send_json({"rate": 16000})
            four.send_bytes(bytes(2 * 16000))
            assert "keep" in four.receive_json()


def test_a_step_costs_the_same_however_long_one_speaks(speech: Speech) -> None:
    live = LiveSpeech(speech.recognizer, 16000)
    content = pcm(spoken(30.0))
    longest, steps = 0, 0
    for start in range(0, len(content), 3200):
        live.add(content[start : start + 3200])
        if (step := live.next_step()) is not None:
            longest = max(longest, len(step.samples))
            phones = live.recognise(step)
            steps += 1
            starts = [phone.start for phone in phones]
            assert starts == sorted(starts)
            assert all(phone.start < phone.end <= live.seconds + 0.001 for phone in phones)
    assert longest <= (WINDOW + STEP) * 16000
    assert steps > 60
    assert phones[-1].end > 28


def test_another_rate_ends_as_a_file_of_that_rate(speech: Speech) -> None:
    recognizer: Recognizer = speech.recognizer
    samples = spoken(1.5, 44100)
    live = LiveSpeech(recognizer, 44100)
    for part in np.array_split(samples, 11):
        live.add(pcm(part))
    whole = np.frombuffer(pcm(samples), "<i2").astype(np.float32) / np.float32(32768)
    assert live.finish().phones == recognizer.transcribe(whole, 44100).phones


def test_silence_of_no_length(speech: Speech) -> None:
    live = LiveSpeech(speech.recognizer, 48000)
    assert live.next_step() is None
    with pytest.raises(InputError, match="nothing was recorded"):
        live.finish()


def test_common_phones() -> None:
    one, two, three = (PhoneSegment(phone, 0.0, 0.1) for phone in "abc")
    assert common_phones([one, two], [one, three]) == 1
    assert common_phones([one, two], [one, two, three]) == 2
    assert common_phones([], [one]) == 0
