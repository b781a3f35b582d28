"""Reading the SVG of a report's figures."""

import xml.etree.ElementTree as ElementTree

SVG = "{http://www.w3.org/2000/svg}"


def titles(svg: str) -> list[str | None]:
    """The hints of a figure's elements, in order."""
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}title")]
