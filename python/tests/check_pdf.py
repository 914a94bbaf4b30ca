"""Reads the PDF report of a Neurotome results folder with somebody else's library, and compares it with the report in HTML.

Usage: python check_pdf.py FOLDER

Needs the package `pypdf`. Prints one line for each check and ends with status 1 when one fails.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

from pypdf import PdfReader

DISCLAIMER = "Research and teaching software, not a medical device."
failures = 0


def check(claim: str, passed: bool, found: object = "") -> None:
    """Prints one check and counts it when it fails."""
    global failures
    failures += not passed
    print(f"{'ok  ' if passed else 'FAIL'} {claim}{f': {found}' if found != '' else ''}")


class Words(HTMLParser):
    """Headings, cells of tables and pictures of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {"h1": [], "h2": [], "td": [], "th": []}
        self.pictures: list[str] = []
        self.inside: str | None = None
        self.signs = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        # Signs and their words differ between the two.
        if self.signs or dict(attributes).get("class") in ("sign", "hidden"):
            self.signs += 1
        if tag in self.found:
            self.inside = tag
            self.found[tag].append("")
        if tag == "img":
            self.pictures.append(dict(attributes).get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        self.signs -= self.signs > 0
        if tag == self.inside:
            self.inside = None

    def handle_data(self, data: str) -> None:
        if self.inside and not self.signs:
            self.found[self.inside][-1] += data


def plain(text: str) -> str:
    """Text without what lines and spaces do to it."""
    return re.sub(r"[\s\u00a0\u2009]+", "", text)


def tags(element: object, kinds: dict[str, list[object]]) -> None:
    """All tags of the structure tree, by kind."""
    element = element.get_object() if hasattr(element, "get_object") else element
    if isinstance(element, list):
        for child in element:
            tags(child, kinds)
    elif isinstance(element, dict):
        if "/S" in element:
            kinds.setdefault(str(element["/S"]), []).append(element)
        if "/K" in element:
            tags(element["/K"], kinds)


def main() -> None:
    folder = Path(sys.argv[1])
    page = Words()
    page.feed((folder / "report.html").read_text(encoding="utf-8"))
    reader = PdfReader(folder / "report.pdf")
    texts = [p.extract_text() for p in reader.pages]
    whole = plain("".join(texts))

    check("the number of pages is sane", 3 <= len(texts) <= 60, len(texts))
    check("pages are A4", all(abs(p.mediabox.width - 595.28) < 0.1 and abs(p.mediabox.height - 841.89) < 0.1 for p in reader.pages))
    bare = [n + 1 for n, t in enumerate(texts) if plain(DISCLAIMER) not in plain(t)]
    check("every page holds the disclaimer", not bare, bare or "")
    numbers = [n + 1 for n, t in enumerate(texts) if f"Page{n + 1}of{len(texts)}" not in plain(t)]
    check("every page holds its number", not numbers, numbers or "")

    title = page.found["h1"][0]
    check("the title is that of the HTML", reader.metadata is not None and reader.metadata.title == title, title)
    check("no day is told when none is given", reader.metadata is not None and reader.metadata.creation_date is None)
    missing = [h for h in page.found["h2"] if plain(h) not in whole]
    check("every section of the HTML is there", len(page.found["h2"]) >= 8 and not missing, missing or len(page.found["h2"]))
    outline = [o.title for o in reader.outline if not isinstance(o, list)]
    check("the bookmarks are the sections", outline == page.found["h2"], len(outline))
    # Words of a cell may be on several lines beside those of another; each word is whole.
    cells = [w for c in page.found["td"] + page.found["th"] for w in c.split() if len(w) < 12]
    absent = sorted({w for w in cells if plain(w) not in whole})
    check("every word of the tables is there", len(cells) > 100 and not absent, absent[:5] or len(cells))

    root = reader.trailer["/Root"]
    check("the file is tagged and tells its language", bool(root.get("/MarkInfo", {}).get("/Marked")) and root.get("/Lang") is not None, root.get("/Lang"))
    kinds: dict[str, list[object]] = {}
    tags(root["/StructTreeRoot"]["/K"], kinds)
    figures = kinds.get("/Figure", [])
    alts = [str(f.get("/Alt", "")) for f in figures]
    check("every picture is tagged with its words", alts == page.pictures, len(alts))
    rows = len(kinds.get("/TR", []))
    check("tables are tagged by rows and cells", rows > 10 and len(kinds.get("/TD", [])) > rows, rows)
    check("headings are tagged", len(kinds.get("/H1", [])) == 1 and len(kinds.get("/H2", [])) == len(page.found["h2"]))

    fonts = {str(f.get_object()["/BaseFont"]) for p in reader.pages for f in p["/Resources"]["/Font"].values()}
    check("fonts are the program's own, in part", bool(fonts) and all(re.match(r"/[A-Z]{6}\+DejaVuSans", f) for f in fonts), sorted(fonts))
    sys.exit(1 if failures else 0)


main()
