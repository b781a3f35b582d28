"""What MkDocs needs to know of this repository: pages from elsewhere in it, generated pages, and links between them."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from outside import outside_files
from reference import generated_pages
from site_links import rewritten

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^(`{3,}\w+) needs=\w+$", re.MULTILINE)
"""The part of a fence's info that only tests/docs reads."""

SHIM, OURS = "https://unpkg.com/iframe-worker/shim", "site/iframe-worker.js"
"""A script that pages would load from elsewhere for the search, and the copy here."""

_sources: dict[str, str] = {}
"""The path in the repository of each page that is not in docs/, by its path in the site."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds README.md as the home page, the results next to the recipes, and the generated reference."""
    for page, source in outside_files(ROOT).items():
        _sources[page] = source
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    for page, text in generated_pages().items():
        files.append(File.generated(config, page, content=text))
    config.nav = _existing(config.nav, {file.src_uri for file in files})
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns links that are right in the repository into links of the site."""
    source = _sources.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    pages = {source: page for page, source in _sources.items()}
    return rewritten(FENCE.sub(r"\1", markdown), PurePosixPath(source), PurePosixPath(page.file.src_uri), pages, ROOT)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Has the page ask no other host."""
    return output.replace(SHIM, "../" * page.file.src_uri.count("/") + OURS)


def on_post_template(output_content: str, template_name: str, config: MkDocsConfig) -> str:
    """The same for the page of broken links, which is at the top."""
    return output_content.replace(SHIM, OURS)


def _existing(nav: Any, pages: set[str]) -> Any:
    """The navigation without the pages that are not there."""
    return [kept for item in nav for kept in _kept(item, pages)]


def _kept(item: Any, pages: set[str]) -> Iterator[Any]:
    if isinstance(item, str):
        if item in pages:
            yield item
        return
    ((title, content),) = item.items()
    if isinstance(content, list):
        yield {title: _existing(content, pages)}
    elif content in pages:
        yield {title: content}
