"""Reading the SVG of a report's figures."""

import xml.etree.ElementTree as ElementTree

SVG = "{http://www.w3.org/2000/svg}"


def titles(svg: str) -> list[str | None]:
    """The hints of a figure's elements, in order."""
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}title")]


def outside(svg: str) -> list[str]:
    """The elements that reach beyond the figure."""
    root = ElementTree.fromstring(svg)
    width, height = map(float, root.get("viewBox", "").split()[2:])
    found = []
    for element in root.iter():
        across = [float(element.get(name, 0)) for name in ("x", "x1", "x2", "cx")]
        down = [float(element.get(name, 0)) for name in ("y", "y1", "y2", "cy")]
        if element.tag == f"{SVG}rect":
            across.append(across[0] + float(element.get("width", 0)))
            down.append(down[0] + float(element.get("height", 0)))
        for point in element.get("points", "").split():
            x, y = map(float, point.split(","))
            across, down = [*across, x], [*down, y]
        if min(across + down) < 0 or max(across) > width or max(down) > height:
            found.append(ElementTree.tostring(element, encoding="unicode"))
    return found
