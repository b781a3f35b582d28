"""A stand-in for the Hugging Face Hub: the two calls and the downloads that huggingface_hub's snapshots need."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" * 6 + "c0ff"


@dataclass
class Hub:
    """Repositories by name, each a folder with one commit, which has the given revisions; `paths` are the requests."""

    repositories: dict[str, Path]
    revisions: tuple[str, ...] = ("main", "v1", COMMIT)
    address: str = ""
    paths: list[str] = field(default_factory=list)

    @property
    def downloaded(self) -> set[str]:
        """The names of the files that were asked for."""
        return {path.partition(f"/resolve/{COMMIT}/")[2] for path in self.paths if "/resolve/" in path}


@contextmanager
def serving(repositories: dict[str, Path]) -> Iterator[Hub]:
    """Serves the repositories on this machine."""
    hub = Hub(repositories)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path).strip("/")
            hub.paths.append(path)
            parts = path.split("/")
            if path.startswith("api/models/"):
                self._describe(parts[2:])
            elif "/".join(parts[:2]) in hub.repositories:
                self._send_file(parts)
            else:
                self._refuse("EntryNotFound")

        do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

        def log_message(self, *_: object) -> None:
            pass

        def _describe(self, parts: list[str]) -> None:
            folder = self._repository(parts)
            if folder is None:
                return
            files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
            if parts[2] == "tree":
                self._send([self._entry(path, folder) for path in files])
            else:
                siblings = [{"rfilename": path.relative_to(folder).as_posix()} for path in files]
                self._send({"id": "/".join(parts[:2]), "sha": COMMIT, "siblings": siblings})

        def _entry(self, path: Path, folder: Path) -> dict[str, object]:
            name, size = path.relative_to(folder).as_posix(), path.stat().st_size
            return {"type": "file", "path": name, "size": size, "oid": sha1(path.read_bytes()).hexdigest()}

        def _repository(self, parts: list[str]) -> Path | None:
            """The folder of a repository, if it has the revision that is asked for."""
            folder = hub.repositories.get("/".join(parts[:2]))
            if folder is None:
                self._refuse("RepoNotFound")
            elif parts[3] not in hub.revisions:
                self._refuse("RevisionNotFound")
            else:
                return folder
            return None

        def _send_file(self, parts: list[str]) -> None:
            path = hub.repositories["/".join(parts[:2])].joinpath(*parts[4:])
            content = path.read_bytes()
            headers = {"ETag": f'"{sha1(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
            self._answer(200, content, "application/octet-stream", headers)

        def _send(self, value: object) -> None:
            self._answer(200, json.dumps(value).encode(), "application/json", {})

        def _refuse(self, code: str) -> None:
            self._answer(404, b"{}", "application/json", {"X-Error-Code": code})

        def _answer(self, status: int, content: bytes, kind: str, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
