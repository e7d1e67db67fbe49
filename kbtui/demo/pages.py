"""The company's web site, served under /site: pages that are fetched, crawled and fetched anew.

Some pages are a function of the time (prices by the hour, the status by ten minutes, news by the week),
so that a refresh brings a difference. One is slow, one is gone, one holds nothing but its navigation, and
robots.txt keeps a part to itself.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kbtui.demo import generated

ROOT = "/site"
SLOW_SECONDS = 2.0
clock: Callable[[], float] = time.time  # Unix seconds; a test may set it

_FOLDER = Path(__file__).parent / "sample" / "site"


class Page(NamedTuple):
    """One answer of the site; `delay` seconds pass before it."""

    body: str
    mime: str = "text/html"
    status: int = 200
    delay: float = 0.0


def page(path: str, now: float, base: str = "") -> Page:
    """What the site answers at `path` ("/site/help/refunds") at `now`; `base` begins absolute addresses."""
    path = path.rstrip("/") or ROOT
    if path == "/robots.txt":
        rules = f"User-agent: *\nDisallow: {ROOT}/private/\n\nSitemap: {base}{ROOT}/sitemap.xml\n"
        return Page(rules, "text/plain")
    if path == f"{ROOT}/sitemap.xml":
        return Page(_sitemap(now, base), "application/xml")
    note = re.fullmatch(rf"{ROOT}/notes/(\d{{1,12}})", path)
    if note:
        return _note(int(note[1]))
    found = _known().get(path.removeprefix(ROOT) or "/")
    if found is None:
        missing = "<p>Sorry, this page has moved out and left no address.</p>"
        return Page(_framed("Not found", missing), status=404)
    title, body = found
    if path == f"{ROOT}/app":  # a page that only a browser can draw
        return Page(f"<!doctype html><title>{title}</title><body><script>draw()</script></body>\n")
    body = "" if body is None else _filled(body, datetime.fromtimestamp(now, UTC))
    return Page(_framed(title, body), delay=SLOW_SECONDS if path == f"{ROOT}/archive" else 0.0)


@cache
def _known() -> dict[str, tuple[str, str | None]]:
    """Every page by its path: title and body, None where there is none."""
    listed = json.loads((_FOLDER / "site.json").read_text("utf-8"))
    return {
        path: (title, (_FOLDER / file).read_text("utf-8") if file else None)
        for path, (title, file) in listed.items()
    }


def _note(seed: int) -> Page:
    title, *paragraphs = generated.text(seed).strip().split("\n\n")
    body = "".join(f"<p>{escape(each)}</p>\n" for each in paragraphs)
    return Page(_framed(title.lstrip("# "), f"<h1>{escape(title.lstrip('# '))}</h1>\n{body}"))


_NAVIGATION = (
    ("", "Home"),
    ("/products", "Products"),
    ("/help", "Help"),
    ("/tariffs/flex", "Flex prices"),
    ("/status", "Status"),
    ("/stores", "Stores"),
    ("/news", "News"),
)


def _framed(title: str, body: str) -> str:
    links = "\n".join(f'<li><a href="{ROOT}{path}">{label}</a></li>' for path, label in _NAVIGATION)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{escape(title)} | Solvane</title>
<style>body {{ font: 17px/1.5 sans-serif; max-width: 44rem; margin: auto }}</style>
<script>window.visits = (window.visits || 0) + 1</script>
</head>
<body>
<nav><ul>
{links}
</ul></nav>
<main>
{body}
</main>
<footer><p>Solvane B.V., Wijnhaven 88, Rotterdam. <a href="{ROOT}/press">Press</a>,
<a href="{ROOT}/archive">Archive</a>, <a href="{ROOT}/jobs">Jobs</a>,
<a href="{ROOT}/private/partners">Partners</a>, <a href="https://www.solvane.example/legal">Legal</a></p></footer>
</body>
</html>
"""


def _sitemap(now: float, base: str) -> str:
    day = datetime.fromtimestamp(now, UTC).date().isoformat()
    listed = [path for path in _known() if not path.startswith("/private")]
    entries = "\n".join(
        f"<url><loc>{base}{ROOT}{path.rstrip('/')}</loc><lastmod>{day}</lastmod></url>" for path in listed
    )
    start = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    )
    return f"{start}\n{entries}\n</urlset>\n"


# What the clock says


def _filled(body: str, now: datetime) -> str:
    """The body with `{{word}}` replaced by what holds at `now`."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: _MOVING[match[1]](now), body)


def _prices(now: datetime) -> str:
    """Six hours of prices in cents, from the hour of `now` on: cheap at noon, dear in the evening."""
    rows = []
    for step in range(6):
        hour = now.replace(minute=0, second=0) + timedelta(hours=step)
        curve = (14, 12, 11, 11, 13, 18, 24, 27, 22, 16, 10, 6, 4, 4, 7, 12, 19, 28, 33, 31, 26, 22, 18, 16)
        cents = curve[hour.hour] + (hour.toordinal() * 7 + hour.hour * 3) % 9 - 4
        rows.append(f"<tr><td>{hour:%d %b %H}:00</td><td>{cents}.{hour.day % 10}</td></tr>")
    return "\n".join(rows)


_TROUBLES = (
    "All systems work.",
    "All systems work.",
    "Values of the Pulse arrive up to 20 minutes late. The battery is steered as usual.",
    "All systems work.",
    "Sign-in by the web is slow. The app is not affected.",
    "The telephone has a waiting time of about 6 minutes.",
)
_NEWS = (
    "Night charge now knows public holidays.",
    "The store in Osaka shows the Cell 5 for flats.",
    "Firmware 4.3 makes island mode start twice as fast.",
    "Venlo: our warehouse runs on its own roof since May.",
    "The Pulse reads the meters of two more grid operators.",
)


def _ten_minutes(now: datetime) -> int:
    return int(now.timestamp()) // 600


def _week(now: datetime) -> int:
    return int(now.timestamp()) // (7 * 86_400)


_MOVING: dict[str, Callable[[datetime], str]] = {
    "now": lambda now: f"{now:%d %B %Y, %H}:{now.minute // 10}0 UTC",
    "year": lambda now: str(now.year),
    "prices": _prices,
    "status": lambda now: _TROUBLES[_ten_minutes(now) % len(_TROUBLES)],
    "lead": lambda now: f"{10 + _week(now) % 6} to {15 + _week(now) % 6}",
    "news": lambda now: "\n".join(
        f"<li><b>Week {(now - timedelta(weeks=back)).isocalendar().week}:</b> "
        f"{_NEWS[(_week(now) - back) % len(_NEWS)]}</li>"
        for back in range(4)
    ),
}


async def _serve(request: Request) -> Response:
    base = str(request.base_url).rstrip("/")
    found = page(request.url.path, clock(), base)
    if found.delay:
        await asyncio.sleep(found.delay)
    return Response(found.body, found.status, media_type=f"{found.mime}; charset=utf-8")


routes = [Route(path, _serve, methods=["GET"]) for path in ("/robots.txt", ROOT, f"{ROOT}/{{path:path}}")]
