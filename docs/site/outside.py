"""Files outside docs/ that the site shows."""

from pathlib import Path

RENAMED = {
    "README.md": "index.md",
    "recipes/timit_sample/dropout.md": "results/dropout.md",
    "recipes/mini_librispeech/dropout.md": "results/mini_librispeech_dropout.md",
    "recipes/mini_librispeech/gru_lstm.md": "results/gru_lstm.md",
}
PICTURES = ("recipes/*/*.svg", "recipes/*/*.png")


def outside_files(root: Path) -> dict[str, str]:
    """The path in the repository of each such file, by its path in the site."""
    found = {page: source for source, page in RENAMED.items() if (root / source).exists()}
    for path in sorted(root.glob("recipes/*/RESULTS.md")):
        found[f"results/{path.parent.name}.md"] = path.relative_to(root).as_posix()
    for pattern in PICTURES:
        for path in sorted(root.glob(pattern)):
            found[f"results/{path.parent.name}/{path.name}"] = path.relative_to(root).as_posix()
    return found
