"""An HTML page, parsed by the standard library."""

from __future__ import annotations

from html.parser import HTMLParser

from personae.project import Project
from personae.report import write_report

VOID_ELEMENTS = {"meta", "img", "link", "br", "input", "hr"}


class Page(HTMLParser):
    """Elements with their attributes, and the text of each element by its tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        """Tags without an end so far; empty for a well-formed page."""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.setdefault(tag, [])
        if tag not in VOID_ELEMENTS:
            self.open.append(tag)
            self.texts[tag].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def find_all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements with a tag; values are compared by first word."""
        return [
            attrs
            for name, attrs in self.elements
            if name == tag
            and all(
                (attrs.get(key.strip("_")) or "").split()[:1] == [value]
                for key, value in attributes.items()
            )
        ]

    def ids(self) -> list[str]:
        """Return the ids of all elements."""
        return [attrs["id"] for _, attrs in self.elements if attrs.get("id")]


def report_page(project: Project) -> Page:
    """Write the report of a project, and check that it is well formed and its links work."""
    path = write_report(project)
    page = Page(path.read_text(encoding="utf-8"))
    assert page.open == [], "every element is closed"
    assert len(page.ids()) == len(set(page.ids()))
    for link in page.find_all("a"):
        assert (link["href"] or "")[1:] in page.ids(), f"{link} leads nowhere"
    return page
