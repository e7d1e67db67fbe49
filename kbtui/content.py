"""Content in and out: text that a terminal may show, HTML as Markdown, differences, three-way merge.

Everything here is a pure function of text. Names and contents come from strangers; nothing is assumed of
them but that they are strings, and every function takes time that grows with their length alone.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import Match, SequenceMatcher
from functools import cache
from typing import NamedTuple

from kbtui.placing import UNSPACED

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
    return "".join(safe(character, newlines=tabs) for character in line)


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


# Differences and merge

LONG = 200  # characters; a line longer than this is compared and shown by its sentences
_WORK = 2_000_000  # comparisons that one pair of texts may cost where no token is unique
_LINE_ENDS = r"(?<=\n)"
# The blank between two sentences is a token of its own: who changes one of them leaves the other alone.
_TOKEN_ENDS = r"(?<=[>\n])|(?=<)|(?<=\r)(?!\n)|(?<=[.!?:;…])(?=[ \t])|(?<=[.!?:;…][ \t])|(?<=[。！？।؟])"
_SENTENCE_ENDS = (
    r"(?<=\n)|(?<=[.!?…]\s)|(?<=[。！？।؟])"
    r"|(?=<(?!/|(?i:a|abbr|b|code|em|i|img|kbd|mark|s|small|span|strong|sub|sup|u)\b))"
)
_WORDS = r"<[^<>]*>|\w+"
_SPOKEN = rf"(?:[{UNSPACED}]|[^\s{UNSPACED}]+)\s*"  # a word, or a letter where words have no spaces between
_SPOKEN_MOST = 4_000  # words that are compared
_AROUND, _STRETCH, _PLACES = 5, 14, 3  # words around a change, words of one, and changes that are shown
_LETTERS = 200  # characters of one


class Merge(NamedTuple):
    """Three texts made one; where not `clean`, `text` holds conflict markers between "mine" and "theirs"."""

    text: str
    clean: bool


class _Matcher(SequenceMatcher[str]):
    """What two sequences have in common, found by their unique tokens; in bounded time, unlike difflib's.

    Between unique tokens that stand in both in the same order, difflib decides; where that would cost more
    than `_WORK` allows, a stretch counts as replaced whole.
    """

    def __init__(
        self, isjunk: None = None, a: Sequence[str] = "", b: Sequence[str] = "", autojunk: bool = False
    ) -> None:
        super().__init__(None, a, b, autojunk=False)
        self._texts = a, b

    def get_matching_blocks(self) -> list[Match]:
        a, b = self._texts
        blocks: list[Match] = []
        for i, j in sorted(_pairs(a, b)):
            if blocks and (blocks[-1].a + blocks[-1].size, blocks[-1].b + blocks[-1].size) == (i, j):
                blocks[-1] = blocks[-1]._replace(size=blocks[-1].size + 1)
            else:
                blocks.append(Match(i, j, 1))
        return [*blocks, Match(len(a), len(b), 0)]


def _pairs(a: Sequence[str], b: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Index pairs of equal tokens, ascending in both when sorted."""
    work = _WORK
    gaps = [(0, len(a), 0, len(b))]
    while gaps:
        a0, a1, b0, b1 = gaps.pop()
        while a0 < a1 and b0 < b1 and a[a0] == b[b0]:
            yield a0, b0
            a0, b0 = a0 + 1, b0 + 1
        while a0 < a1 and b0 < b1 and a[a1 - 1] == b[b1 - 1]:
            a1, b1 = a1 - 1, b1 - 1
            yield a1, b1
        cost = (a1 - a0) * (b1 - b0)
        work -= a1 - a0 + b1 - b0
        if cost == 0 or work < 0:
            continue
        if anchors := _anchors(a[a0:a1], b[b0:b1]):
            for i, j in [*((a0 + i, b0 + j) for i, j in anchors), (a1, b1)]:
                gaps.append((a0, i, b0, j))
                a0, b0 = i, j
        elif cost <= min(work, 10_000):
            work -= cost
            for block in SequenceMatcher(None, a[a0:a1], b[b0:b1], False).get_matching_blocks():
                yield from ((a0 + block.a + n, b0 + block.b + n) for n in range(block.size))


_Link = tuple[int, int, "_Link | None"]


def _anchors(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """The longest ascending run of tokens that stand exactly once in both, as index pairs."""
    in_a, in_b = Counter(a), Counter(b)
    places = {token: j for j, token in enumerate(b) if in_b[token] == 1 == in_a[token]}
    ends: list[int] = []  # by length: the lowest place at which an ascending run of that length ends
    runs: list[_Link] = []  # and that run, from its end
    for i, token in enumerate(a):
        if (j := places.get(token)) is not None:
            length = bisect_left(ends, j)
            ends[length : length + 1] = [j]
            runs[length : length + 1] = [(i, j, runs[length - 1] if length else None)]
    link = runs[-1] if runs else None
    found = []
    while link is not None:
        found.append(link[:2])
        link = link[2]
    return found[::-1]


def diff(before: str, after: str, *, before_name: str, after_name: str) -> list[str]:
    """A unified diff with three lines around each change; empty where the texts are equal.

    Where a line is longer than `LONG` characters, as whole bodies of HTML are, both texts are cut into
    sentences and blocks, a line of the diff each, and "↵" stands where a line of the text really ends.
    The lines are raw: make them safe before showing them.
    """
    cut = any(len(line) > LONG for text in (before, after) for line in text.split("\n"))
    ends = _SENTENCE_ENDS if cut else _LINE_ENDS
    a, b = (_split(ends, text) for text in (before, after))
    shown: list[str] = []
    for group in _Matcher(None, a, b).get_grouped_opcodes(3):
        a0, a1, b0, b1 = group[0][1], group[-1][2], group[0][3], group[-1][4]
        shown.append(f"@@ -{_span(a0, a1)} +{_span(b0, b1)} @@")
        for kind, i0, i1, j0, j1 in group:
            if kind == "equal":
                shown += [line for piece in a[i0:i1] for line in _shown(" ", piece, cut)]
            else:
                shown += [line for piece in a[i0:i1] for line in _shown("-", piece, cut)]
                shown += [line for piece in b[j0:j1] for line in _shown("+", piece, cut)]
    return [f"--- {before_name}", f"+++ {after_name}", *shown] if shown else []


class Stretch(NamedTuple):
    """Some words of a text: taken out (`-`), put in (`+`), or in both texts ("")."""

    sign: str
    words: str


def reworded(before: str, after: str) -> list[Stretch]:
    """The words that are others now, each place with a few around it; empty where all are the same.

    No more than a few lines, whatever the texts: of many places the first, of many words the first and last.
    """
    a, b = (re.findall(_SPOKEN, text)[:_SPOKEN_MOST] for text in (before, after))
    was, now = ([word.strip() for word in words] for words in (a, b))
    places = list(_Matcher(None, was, now).get_grouped_opcodes(_AROUND))
    found = list[Stretch]()
    for group in places[:_PLACES]:
        found.append(Stretch("", "… " if group[0][1] else ""))
        for kind, i0, i1, j0, j1 in group:
            if kind == "equal":
                found.append(Stretch("", re.sub(r"\s+", " ", "".join(b[j0:j1]))[:_LETTERS]))
            else:
                found += [Stretch("-", _bounded(a[i0:i1])), Stretch("+", _bounded(b[j0:j1]))]
        found.append(Stretch("", "… " if group[-1][2] < len(a) else ""))
    rest = len(places) - _PLACES
    found.append(Stretch("", f"and in {rest} more {'place' if rest == 1 else 'places'}" if rest > 0 else ""))
    return [piece for piece in found if piece.words.strip()]


def _bounded(words: Sequence[str]) -> str:
    if len(words) > _STRETCH:
        words = [*words[: _STRETCH - 4], "… ", *words[-3:]]
    return " ".join("".join(words).split())[:_LETTERS]


def _split(ends: str, text: str) -> list[str]:
    return [piece for piece in re.split(ends, text) if piece]


def _span(start: int, stop: int) -> str:
    return f"{start + (stop > start)},{stop - start}"


def _shown(sign: str, piece: str, cut: bool) -> list[str]:
    if piece.endswith("\n"):
        return [sign + piece[:-1] + ("↵" if cut else "")]
    return [sign + piece] if cut else [sign + piece, "\\ No newline at end of file"]


def merge(base: str, mine: str, theirs: str) -> Merge:
    """Three-way merge by tags, sentences and lines; what neither changed is kept byte for byte.

    Where both changed the same sentence, or lines that touch, the text holds both between conflict markers,
    each on a line of its own.
    """
    if theirs == base:
        return Merge(mine, True)
    if mine in (base, theirs):
        return Merge(theirs, True)
    newline = "\r\n" if "\r\n" in mine else "\n"
    pieces: list[str] = []
    clean = True
    for kind, *sides in _groups(base, mine, theirs):
        if kind != "conflict":
            pieces += sides[0]
            continue
        clean = False
        for marker, side in (("<<<<<<< mine", sides[1]), ("=======", sides[2])):
            pieces += [_line_end(pieces, newline), marker, newline, *side]
        pieces += [_line_end(pieces, newline), ">>>>>>> theirs", newline]
    return Merge("".join(pieces), clean)


def _line_end(pieces: list[str], newline: str) -> str:
    last = next((piece for piece in reversed(pieces) if piece), "\n")
    return "" if last.endswith(("\n", "\r")) else newline


def _groups(base: str, mine: str, theirs: str) -> Iterator[tuple[str, *tuple[Sequence[str], ...]]]:
    """Stretches of tokens: (whose, tokens), or ("conflict", base, mine, theirs).

    They are parted where a token of the base stands in both texts; between two such places a side that
    says what the base says gives way to the other.
    """
    was, my, their = (_split(_TOKEN_ENDS, text) for text in (base, mine, theirs))
    in_mine, in_theirs = dict(_pairs(was, my)), dict(_pairs(was, their))
    shared = [(i, in_mine[i], in_theirs[i]) for i in sorted(in_mine.keys() & in_theirs.keys())]
    i = j = k = 0
    for at, mine_at, theirs_at in [*shared, (len(was), len(my), len(their))]:
        sides = was[i:at], my[j:mine_at], their[k:theirs_at]
        if sides[0] == sides[1]:
            yield "unchanged" if sides[0] == sides[2] else "theirs", sides[2]
        elif sides[0] == sides[2]:
            yield "mine", sides[1]
        elif sides[1] == sides[2]:
            yield "same", sides[1]
        else:
            yield "conflict", *sides
        yield "unchanged", was[at : at + 1]
        i, j, k = at + 1, mine_at + 1, theirs_at + 1


def unresolved(text: str) -> bool:
    """Does the text still hold the conflict markers of `merge`?"""
    return re.search(r"^(<<<<<<< mine|>>>>>>> theirs)\r?$", text, re.MULTILINE) is not None


def keeps(base: str, mine: str, theirs: str) -> bool:
    """Does `theirs` still hold everything that `mine` changed against `base`?

    What was added next to it, or elsewhere, does not matter; a word of mine that is missing, or one that I
    removed and that is back, does. Where repeated tags leave it open what changed, the answer is no.
    """
    if mine in (base, theirs):
        return True
    for kind, *sides in _groups(base, mine, theirs):
        if kind == "mine":
            return False
        if kind == "conflict":
            was, mine_now, theirs_now = (Counter(re.findall(_WORDS, "".join(side))) for side in sides)
            added, removed = mine_now - was, was - mine_now
            if not (added or removed) or added - (theirs_now - was) or removed & (theirs_now - mine_now):
                return False
    return True


# Bytes


def survives(text: str) -> bool:
    """Would an editing widget that keeps a list of lines give the text back byte for byte?

    Such a widget cuts with `str.splitlines`, which also cuts at form feeds, NEL, U+2028 and others, and
    joins with one kind of line end: the first of CRLF, LF, CR that the text holds anywhere.
    """
    newline = next((end for end in ("\r\n", "\n", "\r") if end in text), "\n")
    lines = text.splitlines()
    if not text or text.endswith(("\n", "\r")):
        lines.append("")
    return newline.join(lines) == text


def digest(text: str) -> str:
    """A name for exactly this text: SHA-256 of its UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def suffix(format: str) -> str:
    """How the name of a file with a content of this format ends, so that an editor knows what it is."""
    return {"html": ".html", "markdown": ".md"}.get(format, ".txt")
