"""Who may use the server."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from support.commands.asr_command import Command
from support.pages.serving import LIVE, client_of, form

from asr.serve.access import Access, is_loopback
from asr.serve.server import address, listening
from asr.serve.speech import Speech


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"])
def test_the_names_of_this_machine(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "", "[", "localhost."])
def test_another_name_is_refused(client: TestClient, host: str) -> None:
    for path in ("/", "/v1/model", "/openapi.json"):
        assert client.get(path, headers={"host": host}).status_code == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9000", "http://localhost:8000", "file://", "http://["]
)
def test_another_origin_is_refused(client: TestClient, origin: str) -> None:
    response = client.post("/v1/transcribe", files=form(), headers={"origin": origin})
    assert response.status_code == 403
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(LIVE, headers={"origin": origin}):
        pass


def test_the_own_origin_is_let_through(client: TestClient) -> None:
    assert client.post("/v1/transcribe", files=form(), headers={"origin": "http://127.0.0.1:8000"}).status_code == 200


def test_a_token_where_others_can_reach_the_server(speech: Speech) -> None:
    access = Access.for_host("0.0.0.0")
    assert access.token
    assert len(access.token) >= 32
    with client_of(speech, access, "http://machine.example:8000") as client:
        assert client.get("/").status_code == 200
        for given in ("", "Bearer ", "Bearer wrong", f"Basic {access.token}", f"Bearer {access.token}x", "Bearer é"):
            headers = {"authorization": given.encode()}
            response = client.post("/v1/transcribe", files=form(), headers=headers)
            assert response.status_code == 401
            assert "token" in response.json()["error"]["message"]
        good = {"authorization": f"Bearer {access.token}"}
        assert client.post("/v1/transcribe", files=form(), headers=good).status_code == 200
        assert client.get("/openapi.json").json()["security"] == [{"token": []}]
        with client.websocket_connect(LIVE) as socket:
            socket.send_json({"rate": 16000, "token": "\ud800"})
            assert socket.receive_json()["error"]["status"] == 401
        with client.websocket_connect(LIVE) as socket:
            socket.send_json({"rate": 16000, "token": access.token})
            socket.send_bytes(bytes(32000))
            socket.send_json({"end": True})
            while "transcript" not in (told := socket.receive_json()):
                assert "error" not in told


def test_two_servers_have_two_tokens() -> None:
    assert Access.for_host("10.0.0.1").token != Access.for_host("10.0.0.1").token


def test_what_is_this_machine() -> None:
    assert is_loopback("127.0.0.2")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("example.org")


def test_the_token_is_in_the_fragment_alone() -> None:
    assert address("192.168.0.7", 8000, "secret") == "http://192.168.0.7:8000/#token=secret"
    assert address("::1", 80, None) == "http://[::1]:80/"


def test_every_response_forbids_foreign_content(client: TestClient) -> None:
    for response in (client.get("/"), client.get("/nothing"), client.get("/v1/model"), client.get("/live.js")):
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"


def test_the_page_has_no_script_or_style_inside(client: TestClient) -> None:
    text = client.get("/").text
    assert "<style" not in text
    assert "style=" not in text
    assert '<script defer src="live.js"></script>' in text
    assert text.count("<script") == 1
    assert "http://" not in text
    assert "https://" not in text


def test_a_port_that_is_taken_is_said_before_the_model_is_loaded(tiny_run: Path, asr_command: Command) -> None:
    with listening("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        outcome = asr_command("serve", tiny_run, "--port", port)
    assert outcome.status == 1
    assert outcome.err == (
        f"asr: cannot listen at 127.0.0.1, port {port}: Address already in use; choose --host or --port\n"
    )
