"""Public corpora are fetched from a server that cuts connections, and unpacked safely."""

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.commands.asr_command import Command

from asr.corpora.public.archives import unpack
from asr.corpora.public.download import download
from asr.corpora.public.fetching import fetch
from asr.corpora.public.sources import PublicCorpus, RemoteFile
from asr.errors import InputError, OutputError


class Server(ThreadingHTTPServer):
    """Serves `content` at any path; each answer ends after `most` bytes, without warning."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = b""
        self.most = 1 << 30
        self.ranges = True
        self.status = 200
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        content = self.server.content
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        if start and start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : start + self.server.most])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    serving = Server()
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield serving
    serving.shutdown()
    thread.join()
    serving.server_close()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def packed(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return content.getvalue()


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


@pytest.mark.parametrize("ranges", [True, False])
def test_a_cut_connection_is_gone_on_with(ranges: bool, server: Server, tmp_path: Path) -> None:
    server.content = bytes(range(256)) * 40
    server.most, server.ranges = (3000 if ranges else 1 << 30), ranges
    (tmp_path / "a.tar.part").write_bytes(server.content[:1000])
    path = download(RemoteFile(f"{server.url}/a.tar", md5(server.content)), tmp_path, pause=0)
    assert path.read_bytes() == server.content
    expected = ["bytes=1000-", "bytes=4000-", "bytes=7000-", "bytes=10000-"] if ranges else ["bytes=1000-"]
    assert server.asked == expected
    download(RemoteFile(f"{server.url}/a.tar", md5(server.content)), tmp_path, pause=0)
    assert server.asked == expected


def test_a_part_that_is_whole_or_too_long(server: Server, tmp_path: Path) -> None:
    server.content = b"archive"
    for name, part in (("whole", b"archive"), ("long", b"archive and more")):
        (tmp_path / f"{name}.part").write_bytes(part)
        assert download(RemoteFile(f"{server.url}/{name}"), tmp_path, pause=0).read_bytes() == b"archive"


def test_a_server_without_end_or_file_is_one_line(server: Server, tmp_path: Path) -> None:
    server.content, server.most = b"archive", 0
    with pytest.raises(InputError, match="cannot be fetched: the connection ended early; run the same command"):
        download(RemoteFile(f"{server.url}/a.tar"), tmp_path, pause=0)
    assert len(server.asked) == 5
    server.status = 404
    with pytest.raises(InputError, match=r"a\.tar: the server answers 404 Not Found; .*--from FILE"):
        download(RemoteFile(f"{server.url}/a.tar"), tmp_path, pause=0)


def test_a_full_disk_is_not_a_lost_connection(server: Server, tmp_path: Path) -> None:
    server.content = b"archive"
    (tmp_path / "a.tar.part").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="cannot write: No space left on device"):
        download(RemoteFile(f"{server.url}/a.tar"), tmp_path, pause=0)
    assert len(server.asked) == 1


def test_a_wrong_checksum_is_refused(server: Server, tmp_path: Path) -> None:
    server.content = b"damaged"
    with pytest.raises(InputError, match=r"a\.tar\.part: its MD5 checksum is .* it is damaged; delete it"):
        download(RemoteFile(f"{server.url}/a.tar", md5(b"archive")), tmp_path, pause=0)
    assert not (tmp_path / "a.tar").exists()


def test_a_corpus_is_fetched_once_whole_or_not_at_all(server: Server, cache: Path) -> None:
    server.content = packed({"./mine/a.txt": b"she", "mine/b/c.txt": b"had"})
    sources = {"mine": PublicCorpus("", "", (RemoteFile(f"{server.url}/mine.tar.gz"),), "csv", "mine")}
    unfinished = cache / "corpora" / "mine" / ".unfinished" / "mine"
    unfinished.mkdir(parents=True)
    (unfinished / "half").write_text("of an unpacking that was killed")
    folder = fetch("mine", sources=sources)
    assert sorted(path.name for path in folder.iterdir()) == ["a.txt", "b"]
    assert folder == cache / "corpora" / "mine" / "corpus" / "mine"
    assert (folder / "b" / "c.txt").read_text() == "had"
    assert fetch("mine", sources=sources) == folder
    assert len(server.asked) == 1
    with pytest.raises(InputError, match="no corpus 'yours' is known; choose mine"):
        fetch("yours", sources=sources)
    server.content = server.content[:60]
    sources = {"half": PublicCorpus("", "", (RemoteFile(f"{server.url}/half.tar.gz"),), "csv")}
    with pytest.raises(InputError, match=r"half\.tar\.gz: is not a complete .zip or .tar archive"):
        fetch("half", sources=sources)
    assert not (cache / "corpora" / "half" / "corpus").exists()


def test_a_file_that_is_there_is_used(cache: Path, tmp_path: Path, asr_command: Command) -> None:
    archive = tmp_path / "speechocean762.tar.gz"
    archive.write_bytes(packed({"speechocean762/README": b"sample"}))
    outcome = asr_command("corpus", "get", "speechocean762", "--from", archive)
    assert outcome.status == 0, outcome.err
    assert (cache / "corpora" / "speechocean762" / "corpus" / "speechocean762" / "README").read_text() == "sample"
    assert "no published checksum is known" in outcome.err
    assert "next: asr prepare speechocean762" in outcome.out
    assert archive.exists()
    outcome = asr_command("corpus", "get", "timit_sample", "--from", archive)
    assert "is not one of the archives of this corpus: timit.zip" in outcome.err


@pytest.mark.parametrize(("name", "file"), [("timit_sample", "timit.zip"), ("mini_librispeech", "dev-clean-2.tar.gz")])
def test_a_damaged_file_is_refused(name: str, file: str, cache: Path, tmp_path: Path, asr_command: Command) -> None:
    (tmp_path / file).write_bytes(b"other")
    outcome = asr_command("corpus", "get", name, "--from", tmp_path / file)
    assert "its MD5 checksum is" in outcome.err


@pytest.mark.parametrize("name", ["../out.txt", "/tmp/out.txt", "a/../../out.txt", "a\\..\\out.txt"])
def test_names_that_lead_out_of_the_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(packed({name: b"x"}))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, "x")
    for archive in ("a.tar.gz", "a.zip"):
        with pytest.raises(InputError, match="leads out of its folder; do not use this archive"):
            unpack(tmp_path / archive, tmp_path / "in" / "folder")
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith("out.txt")]


def test_links_in_an_archive_are_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(link)
    with pytest.raises(InputError, match="'link' in it is a link or a device"):
        unpack(tmp_path / "a.tar", tmp_path / "in")
