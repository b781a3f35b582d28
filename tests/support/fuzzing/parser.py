"""A parser of the package, and small valid inputs for it."""

import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Parser:
    """Reads the file `name` in a folder, in which the other files of `around` are as they should be."""

    name: str
    read: Callable[[Path], object]
    seeds: tuple[bytes, ...]
    around: tuple[tuple[str, bytes], ...] = ()

    def __call__(self, folder: Path, content: bytes) -> object:
        """What is read of `content`. Raises what the parser raises."""
        path = folder / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        for name, other in self.around:
            if not (folder / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(other)
        path.write_bytes(content)
        return self.read(path)


def written(write: Callable[[Path], object], name: str = "file") -> bytes:
    """What a writer of the package writes."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / name)
        return (Path(folder) / name).read_bytes()


def rows(*objects: object) -> bytes:
    """JSON Lines."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in objects)


def exhausted(read: Callable[[Path], Iterable[object]]) -> Callable[[Path], object]:
    """A reader that yields, read to its end."""
    return lambda path: list(read(path))
