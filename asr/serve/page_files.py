"""Where the page's files are."""

from pathlib import Path

PAGE = Path(__file__).parent / "page"
"""Those of every page."""
WORKER = Path(__file__).parent / "web"
"""Those that only a page without a server has."""
INDEX = "index.html"
