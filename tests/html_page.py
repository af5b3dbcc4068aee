"""An HTML page taken apart by the standard library's parser."""

from __future__ import annotations

from html.parser import HTMLParser

from personae.project import Project
from personae.report import write_report

VOID = {"meta", "img", "link", "br", "input", "hr"}


class Page(HTMLParser):
    """Elements with their attributes, and the text between them by the innermost element of interest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.setdefault(tag, [])
        if tag not in VOID:
            self.open.append(tag)
            self.texts[tag].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [
            attrs
            for name, attrs in self.elements
            if name == tag
            and all(
                (attrs.get(key.strip("_")) or "").split()[:1] == [v] for key, v in wanted.items()
            )
        ]

    def ids(self) -> list[str]:
        return [attrs["id"] for _, attrs in self.elements if attrs.get("id")]


def page_of(project: Project) -> Page:
    path = write_report(project)
    page = Page(path.read_text(encoding="utf-8"))
    assert page.open == [], "every element is closed"
    assert len(page.ids()) == len(set(page.ids()))
    for link in page.all("a"):
        assert (link["href"] or "")[1:] in page.ids(), f"{link} leads nowhere"
    return page
