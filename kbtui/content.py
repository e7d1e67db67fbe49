"""Content in and out: text that a terminal may show, HTML as Markdown, and the bytes themselves.

Everything here is a pure function of text. Names and contents come from strangers; nothing is assumed of
them but that they are strings, and every function takes time that grows with their length alone.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from itertools import repeat

# Text that is safe to show

MARKS = 8  # on one base character; no script needs more, and hundreds climb over the neighbouring lines
_UNSHOWN = "\N{REPLACEMENT CHARACTER}"
_NAMED = {
    "\x7f": "␡",
    "\x85": "␤",
    "\xad": "‧",  # a soft hyphen, as dictionaries print it
    "\u2028": "↵",
    "\u2029": "¶",
}
# C1 and bidi controls, all that Unicode calls ignorable by default, lone surrogates, noncharacters.
_HIDDEN = (
    "\x80-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U00013430-\U00013440\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_JOINING = "[\u0620-\u06d5\u06ee-\u07ff\u0840-\u109f\u1780-\u17d3\u1800-\u18af\ufb50-\ufdcf\ufe70-\ufefc]"


def safe(text: str, *, newlines: bool = False) -> str:
    """The text with nothing in it that a terminal obeys or that the eye cannot see.

    Controls, escapes, bidi controls, invisible and ignorable characters, lone surrogates: each is shown as
    a visible character of one column (a control picture where there is one). Right-to-left letters stay, and
    so do zero-width joiners where they belong to the spelling (Persian, Indic scripts) or hold an emoji
    together. Variation selectors of symbols are left out: terminals disagree about the width they give. More
    than `MARKS` combining marks on one character become one stand-in.

    The result is one display line, unless `newlines`: then tabs and line ends stay, each line end as a
    newline. Harmless text is given back as it is.
    """
    if newlines and "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii():
        text = _without_piles(text)
    suspect = _suspect(newlines, text.isascii())
    if suspect.search(text) is None:
        return text
    return suspect.sub(_stand_in, text)


def in_place(line: str, *, tabs: bool = False) -> str:
    """A line as `safe` shows it, a character for each character: for fields, whose cursor counts them."""
    shown = safe(line, newlines=tabs)
    if len(shown) == len(line):
        return shown
    return "".join(map(_alone, line, repeat(tabs)))


@lru_cache(maxsize=4096)
def _alone(character: str, tabs: bool) -> str:
    return safe(character, newlines=tabs)


@cache
def _suspect(newlines: bool, ascii: bool) -> re.Pattern[str]:
    controls = "\x00-\x08\x0b-\x1f\x7f" if newlines else "\x00-\x1f\x7f"
    return re.compile(f"[{controls}{'' if ascii else _HIDDEN}]")


def _without_piles(text: str) -> str:
    marks = "".join(c for c in set(text) if unicodedata.category(c)[0] == "M")
    if not marks:
        return text
    return re.sub(f"([{marks}]{{{MARKS}}})[{marks}]+", rf"\1{_UNSHOWN}", text)


def _stand_in(match: re.Match[str]) -> str:
    found, text = match[0], match.string
    if found < "\x20":
        return chr(0x2400 + ord(found))
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    if found in "\u200c\u200d" and before:
        in_emoji = found == "\u200d" and _is_symbol(after) and (_is_symbol(before) or before == "\ufe0f")
        return found if in_emoji or re.match(_JOINING, before) else _UNSHOWN
    if found in "\ufe0e\ufe0f" and (_is_symbol(before) or before in "#*0123456789") and before:
        return ""
    if "\U000e0100" <= found <= "\U000e01ef" and "\u3400" <= before <= "\U0003ffff" and before.isalpha():
        return found  # which shape of an ideograph is meant
    return _NAMED.get(found, _UNSHOWN)


def _is_symbol(character: str) -> bool:
    return character > "\x7f" and unicodedata.category(character) in ("So", "Sk", "Sm", "Po")


# HTML as Markdown

DEPTH = 64  # nested elements; what the converter does with more grows with the square, or is nothing
_TAG = r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)[^<>]*+>"
_NEVER_NEST = frozenset(
    "area base br col dd dt embed hr img input li link meta option p source tbody td th thead tr".split()  # noqa: SIM905
)
_HEAVY = {"blockquote": 4}  # each level of quotation rewrites every line in it


def to_markdown(text: str, format: str, *, broke: Callable[[], object] = lambda: None) -> str:
    """What a rendered view shows of a content: HTML as Markdown, every other format as it is.

    Every word is kept, navigation, forms and hidden parts too: an agent reads them. Scripts, styles and
    embedded image data are left out. HTML that would not survive the conversion is given as its source, in
    a block of code under a sentence that says so.

    `broke` is called where the converter broke down: it has written about that on stderr, past Python.
    """
    if format != "html":
        return text
    if _depth(text) > DEPTH:
        return _as_source(text, "The markup of this document is nested too deeply to be drawn")
    markdown = _convert(text)
    if markdown is None:
        broke()
        return _as_source(text, "The markup of this document is not understood")
    if len(markdown) > 8 * len(text) + 10_000:
        return _as_source(text, "The tables of this document are too wide to be drawn")
    if not markdown.strip() and re.sub(_TAG, "", text).strip():
        return _as_source(text, "The markup of this document shows no words")
    return markdown


def _convert(html: str) -> str | None:
    """HTML as Markdown; None for what the converter has a fault with."""
    from html_to_markdown import ConversionError, ConversionOptions, PreprocessingOptions, convert

    options = ConversionOptions(
        preprocessing=PreprocessingOptions(enabled=False, remove_navigation=False, remove_forms=False),
        hidden_content="all",
        inline_data_media="alt_text_only",
        extract_metadata=False,
        compact_tables=True,
        escape_asterisks=True,
        escape_underscores=True,
        escape_misc=True,
    )
    try:
        return convert(html.encode("utf-8", "replace").decode("utf-8"), options).content or ""
    except ConversionError:
        return None


def _depth(html: str) -> int:
    """How deeply elements can at most be nested, those left out that close by themselves."""
    depth = deepest = 0
    for match in re.finditer(_TAG, html):
        name = match[2].lower()
        if name not in _NEVER_NEST and not match[0].endswith("/>"):
            weight = _HEAVY.get(name, 1)
            depth = max(0, depth - weight) if match[1] else depth + weight
            deepest = max(deepest, depth)
    return deepest


def _as_source(text: str, reason: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"*{reason}; this is its source.*\n\n{fence}\n{text}\n{fence}\n"


# Bytes


def digest(text: str) -> str:
    """A name for exactly this text: SHA-256 of its UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def suffix(format: str) -> str:
    """How the name of a file with a content of this format ends, so that an editor knows what it is."""
    return {"html": ".html", "markdown": ".md"}.get(format, ".txt")
