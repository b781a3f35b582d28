"""The JSON API: results, formats, and one clear message for each bad request."""

import io
import json
from pathlib import Path

import pytest
import soundfile
from starlette.testclient import TestClient
from support.pages.serving import client_of, form, recording

from asr.audio import read_audio
from asr.serve.access import Access
from asr.serve.openapi import SCHEMAS
from asr.serve.operations import OPERATIONS
from asr.serve.speech import Speech


def message(response) -> str:
    error = response.json()["error"]
    assert error["status"] == response.status_code
    assert "\n" not in error["message"]
    return error["message"]


def test_a_file_is_transcribed_as_the_library_does(client: TestClient, speech: Speech, tmp_path: Path) -> None:
    (tmp_path / "one.wav").write_bytes(recording())
    response = client.post("/v1/transcribe", files=form())
    assert response.status_code == 200
    expected = speech.recognizer.transcribe(tmp_path / "one.wav").to_json()
    assert response.json() == {**expected, "audio": "one.wav"}
    assert set(response.json()) <= set(SCHEMAS["Transcript"]["properties"])


def test_words_are_aligned_with_a_score_for_each_phone(client: TestClient) -> None:
    row = client.post("/v1/align", files=form(), data={"words": "Hello, hello!"}).json()
    assert [word["word"] for word in row["words"]] == ["hello", "hello"]
    assert all(0 <= phone["score"] <= 1 for phone in row["phones"])
    assert row["utterance"] == "one"
    assert len(row["intervals"]) == len(row["phones"]) - 1


def test_phones_are_aligned(client: TestClient) -> None:
    row = client.post("/v1/align", files=form(), data={"phones": "sil hh ah sil"}).json()
    assert [phone["phone"] for phone in row["phones"]] == ["sil", "hh", "ah", "sil"]


def test_a_recognition_is_scored_against_the_words(client: TestClient) -> None:
    row = client.post("/v1/score", files=form(), data={"words": "hello"}).json()
    assert set(row) == set(SCHEMAS["Comparison"]["properties"])
    recognised = client.post("/v1/transcribe", files=form()).json()["phones"]
    heard = [each["phone"] for each in recognised if each["phone"] != "sil"]
    assert [pair["hypothesis"] for pair in row["pairs"] if pair["hypothesis"]] == heard
    assert [pair["reference"] for pair in row["pairs"] if pair["reference"]] == ["hh", "ah", "l", "ow"]
    errors = row["substitutions"] + row["deletions"] + row["insertions"]
    assert errors == sum(pair["reference"] != pair["hypothesis"] for pair in row["pairs"])
    assert row["per"] == pytest.approx(25 * errors)
    assert all(pair["start"] <= pair["end"] for pair in row["pairs"])


@pytest.mark.parametrize(("name", "beginning"), [("textgrid", "File type"), ("csv", "utterance,"), ("elan", "<?xml")])
def test_other_formats(client: TestClient, name: str, beginning: str) -> None:
    response = client.post("/v1/transcribe", files=form(), data={"format": name})
    assert response.status_code == 200
    assert response.text.startswith(beginning)
    assert "/tmp" not in response.text


def test_wav_is_what_the_model_reads(client: TestClient, tmp_path: Path) -> None:
    stereo = io.BytesIO()
    soundfile.write(stereo, [[0.5, 0.25]] * 44100, 44100, format="FLAC")
    (tmp_path / "two.flac").write_bytes(stereo.getvalue())
    response = client.post("/v1/wav", files=form(stereo.getvalue(), "two.flac"))
    samples, rate = soundfile.read(io.BytesIO(response.content), dtype="float32")
    assert rate == 16000
    assert samples == pytest.approx(read_audio(tmp_path / "two.flac", 16000), abs=1e-4)


@pytest.mark.parametrize(
    ("path", "files", "data", "status", "said"),
    [
        ("/v1/transcribe", form(b"not audio", "a.txt"), {}, 415, "a.txt: not an audio file"),
        ("/v1/transcribe", form(b""), {}, 415, "one.wav: is an empty file"),
        ("/v1/transcribe", form(recording()[:8000]), {}, 415, "one.wav: is truncated"),
        ("/v1/transcribe", form(recording(0.01)), {}, 422, "one.wav: is shorter than one frame"),
        ("/v1/transcribe", form(recording(5.1)), {}, 413, "one.wav: is longer than 5 s"),
        ("/v1/transcribe", form(b"x" * 1_100_000), {}, 413, "larger than 1 MB"),
        ("/v1/transcribe", form(), {"format": "docx"}, 422, "unknown format 'docx'; choose json"),
        ("/v1/transcribe", form(), {"colour": "red"}, 422, "unknown field 'colour'; choose audio, format"),
        ("/v1/transcribe", {"file": ("a.wav", b"x")}, {}, 422, "the recording goes in audio"),
        ("/v1/transcribe", {"x": (None, "y")}, {}, 422, "unknown field 'x'"),
        ("/v1/align", form(), {}, 422, "give either words or phones"),
        ("/v1/align", form(), {"words": "hello", "phones": "hh"}, 422, "give either words or phones"),
        ("/v1/score", form(), {"phones": "sil"}, 422, "one.wav"),
        ("/v1/align", form(), {"words": "Hello Zzyzx"}, 422, "not in the lexicon: zzyzx"),
        ("/v1/align", form(), {"words": "hello " * 50}, 413, "words is longer than 200 characters"),
        ("/v1/align", form(), {"phones": "hh nonsense"}, 422, "nonsense"),
        ("/v1/align", form(recording(0.1)), {"phones": "hh ah l ow " * 10}, 422, "one.wav"),
    ],
)
def test_bad_requests(client: TestClient, path: str, files, data, status: int, said: str) -> None:
    response = client.post(path, files=files, data=data)
    assert response.status_code == status
    assert said in message(response)
    assert "/tmp" not in message(response)
    assert client.post("/v1/transcribe", files=form()).status_code == 200  # the server goes on


def test_a_request_that_is_not_a_form(client: TestClient) -> None:
    response = client.post("/v1/transcribe", content=recording(), headers={"content-type": "audio/wav"})
    assert response.status_code == 415
    assert "curl -F audio=@FILE" in message(response)


def test_a_body_of_unknown_length_is_bounded(client: TestClient) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    head = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
    response = client.post(
        "/v1/transcribe", content=iter([head, *([b"x" * 100_000] * 11), b"\r\n--b--\r\n"]), headers=headers
    )
    assert response.status_code == 413


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\a\\b.wav", "<img src=x>.wav", "ä\x1b[0m.wav", "", "x" * 999])
def test_names_of_files_are_only_names(client: TestClient, name: str) -> None:
    row = client.post("/v1/transcribe", files=form(name=name or "blank")).json()
    assert "/" not in row["audio"]
    assert "\x1b" not in row["audio"]
    assert len(row["audio"]) <= 200


def test_an_error_that_nobody_expected_leaves_the_server_running(
    client: TestClient, speech: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(type(speech.recognizer), "recognize", lambda *_: 1 / 0)
        response = client.post("/v1/transcribe", files=form())
    assert response.status_code == 500
    assert message(response) == "the server failed on this request; its log says why"
    assert client.post("/v1/transcribe", files=form()).status_code == 200


def test_the_document_describes_every_route(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            response = client.request(method, path)
            assert response.status_code in (200, 415)
            assert str(response.status_code) in described["responses"]
    text = json.dumps(document)
    references = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert references <= document["components"]["schemas"].keys()
    assert "security" not in document


def test_the_fields_of_the_document_are_those_that_are_read(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for operation in OPERATIONS:
        schema = paths[operation.path]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
        refused = client.post(operation.path, files=form(), data={"other": "x"})
        listed = message(refused).rpartition("choose ")[2].split(", ")
        assert sorted(schema["properties"]) == sorted(listed)


def test_the_model_and_its_limits(client: TestClient) -> None:
    row = client.get("/v1/model").json()
    assert set(row) == set(SCHEMAS["Model"]["required"])
    assert row["sample_rate"] == 16000
    assert row["limits"]["seconds"] == 5.0


def test_without_a_lexicon_words_say_what_to_do(speech: Speech) -> None:
    plain = Speech(speech.recognizer, "tiny", speech.limits)
    with client_of(plain, Access.for_host("localhost")) as client:
        assert client.get("/v1/model").json()["words"] is False
        response = client.post("/v1/align", files=form(), data={"words": "hello"})
    assert response.status_code == 422
    assert "--lexicon" in message(response)


def test_warming_up_warns_of_nothing(speech: Speech, caplog: pytest.LogCaptureFixture) -> None:
    speech.warm_up()
    assert caplog.records == []
