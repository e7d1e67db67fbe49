"""A page of the web as a document keeps it: fetched, decoded as its server or itself declares, and read."""

from __future__ import annotations

import re
from html import unescape
from typing import NamedTuple
from urllib.parse import urljoin

from kbtui.demo.extract import decoded, extract, tags
from kbtui.demo.fetch import fetch

_ENDINGS = {"text/plain": "page.txt", "text/markdown": "page.md", "application/pdf": "page.pdf"}
_TITLE = re.compile(r"<title\b[^<>]*>([^<]*)", re.IGNORECASE)
_LOCATION = re.compile(r"<loc>([^<]*)</loc>", re.IGNORECASE)


class WebPage(NamedTuple):
    """A page that was fetched; `links` are absolute, or those that a sitemap names."""

    title: str
    text: str
    format: str
    links: list[str]
    is_sitemap: bool


def read(address: str, any_host: bool) -> WebPage:
    """Fetch a page or a sitemap; blocks, so call it in a thread; raises ApiError."""
    found = fetch(address, any_host)
    ending = _ENDINGS.get(found.kind, "page.html")
    if ending == "page.pdf":
        return WebPage("", *extract(found.data, ending), [], False)
    markup = decoded(found.data, found.charset)
    text, format = extract(markup.encode("utf-8-sig"), ending)  # the mark overrules what the page declares
    if ending != "page.html":
        return WebPage("", text, format, [], False)
    opened = list(tags(markup))
    if any(name in ("urlset", "sitemapindex") for name, _ in opened[:2]):
        return WebPage("", "", "html", [unescape(each).strip() for each in _LOCATION.findall(markup)], True)
    title = _TITLE.search(markup)
    hrefs = [attributes["href"] for name, attributes in opened if name == "a" and "href" in attributes]
    links = [link for href in hrefs if (link := _joined(found.address, href))]
    return WebPage(unescape(" ".join(title[1].split())) if title else "", text, format, links, False)


def _joined(base: str, href: str) -> str:
    try:
        return urljoin(base, href)
    except ValueError:
        return ""
