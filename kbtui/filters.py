"""What a person types to filter a list, as the parts of a view, and back again.

    refund "two words" !draft type:url,file size:>1mb updated:<7d index:failed owner:me sync:on id:abc

Words must occur in the name, in any case, one in quotes as it stands. A word behind one of `KEYS` and a colon
is about something else; `!` before a part turns it round. The order is free, and all parts must hold; types
add up. In quotes a colon is a character like any other, and a quote is written twice. What people write who
come from another language, `size>1mb` or a bare `|`, is told as wrong: as a word it would find nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from kbtui.rows import FOLDER, TYPES, Term, View

INDEX = ("ready", "building", "failed", "full", "small", "none")
SYNC = ("on", "off", "failing", "drive")
KEYS: Mapping[str, str] = {
    "type": f"takes {','.join(TYPES)}; one or several",
    "owner": "takes me, or a piece of a name or an address",
    "index": f"takes {','.join(INDEX)}; one or several",
    "size": "takes >1mb, <500, 10kb..2mb",
    "updated": "takes <7d (newer), >6mo (older), 2026-11-01..2026-11-30",
    "created": "takes <7d (newer), >6mo (older), 2026-11-01..2026-11-30",
    "sync": f"takes {', '.join(SYNC[:-1])} or {SYNC[-1]}",
    "id": "takes a piece of an id",
    "marked": "takes yes or no",
}
HINT = f'{" ".join(f"{key}:" for key in KEYS)} !not "two words"'

_LISTED: Mapping[str, tuple[str, ...]] = {
    "type": TYPES,
    "index": INDEX,
    "sync": SYNC,
    "marked": ("yes", "no"),
}
_SEVERAL = ("type", "index")
_KEY = re.compile(r"(?!word:)[A-Za-z]+(?=:)", re.IGNORECASE)  # that is what plain words are kept under
_COMPARED = re.compile(rf"({'|'.join(KEYS)})([<>=].*)", re.ASCII | re.IGNORECASE | re.DOTALL)
_OR = ("|", "||")
_RANGE = re.compile(r"(?P<sign>[<>]=?)(?P<than>.+)|(?P<low>.*?)\.\.(?P<high>.*)")
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)([kmg]?)b?", re.ASCII)
_BYTE = re.compile(r"([kmg]?b|[kmg])(\.\..*)?", re.ASCII | re.IGNORECASE)
_TIME = re.compile(r"(min|h|d|w|mo|y)(\.\..*)?", re.ASCII | re.IGNORECASE)
_UNITS = {"size": _BYTE, "updated": _TIME, "created": _TIME}  # and how a range goes on behind it
_SPAN = re.compile(r"(\d{1,6})(min|h|d|w|mo|y)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_BYTES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_SECONDS = {"min": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "mo": 30 * 86400, "y": 365 * 86400}
_MOST = 2**62  # more than any size or time, and still a number for SQLite

Interval = tuple[int, int]  # the least and the most


class Wrong(NamedTuple):
    """The first part that says nothing: where it begins in what was typed, and what would be right."""

    start: int
    why: str
    key: str  # what it would be about


class Filter(NamedTuple):
    """The parts of a view that were typed, by the names that it has for them."""

    text: str = ""
    types: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()
    wrong: Wrong | None = None


@lru_cache(maxsize=64)
def parse(typed: str) -> Filter:
    """What was typed, as far as it is right."""
    words, types, terms = list[str](), set[str](), dict[Term, None]()
    wrong: Wrong | None = None
    before, began = Term("word", ""), 0
    for start, term, quoted in _parts(typed):
        unit = None if quoted else _unit(term, before)
        about, why = unit or (("", "") if quoted else _meant(term))
        why = why or _why_wrong(term)
        if why and (wrong is None or (unit and wrong.start == began)):
            wrong = Wrong(start, why, about or term.key)
        before, began = term, start
        if why:
            continue
        if term.key == "word" and not term.inverted and not quoted:
            words.append(term.value)
        elif term.key == "type" and not term.inverted:
            types.update(term.value.split(","))
        elif term.value:
            terms[_in_full(term)] = None
    return Filter(" ".join(words), tuple(each for each in TYPES if each in types), (*terms,), wrong)


def _parts(typed: str) -> Iterator[tuple[int, Term, bool]]:
    """Each part with its place, and whether it is a word in quotes."""
    at = 0
    while at < len(typed):
        if typed[at].isspace():
            at += 1
            continue
        start = at
        inverted = typed[at] == "!"
        at += inverted
        key = _KEY.match(typed, at)
        at = key.end() + 1 if key else at
        quoted = typed[at : at + 1] == '"'
        value, at = _quoted(typed, at + 1) if quoted else _plain(typed, at)
        name = key.group().lower() if key else "word"
        if name in _LISTED:
            value = _in_order(name, value)
        elif name in ("size", "updated", "created") or (name == "owner" and value.lower() == "me"):
            value = value.lower()
        if name != "word" or value.strip():
            yield start, Term(name, value, inverted), quoted


def _plain(typed: str, at: int) -> tuple[str, int]:
    end = next((end for end in range(at, len(typed)) if typed[end].isspace()), len(typed))
    return typed[at:end], end


def _quoted(typed: str, at: int) -> tuple[str, int]:
    """What stands up to the closing quote, or to the end; and where it goes on."""
    value = ""
    while at < len(typed):
        if typed[at] == '"':
            if typed[at + 1 : at + 2] != '"':
                return value, at + 1
            at += 1
        value += typed[at]
        at += 1
    return value, at


def _in_order(key: str, value: str) -> str:
    """Values that are listed, in their own order and each once, so that the same is written the same way."""
    known = _LISTED[key]
    values = [each for each in value.lower().split(",") if each]
    return ",".join(
        sorted(dict.fromkeys(values), key=lambda each: known.index(each) if each in known else 99)
    )


def _unit(term: Term, before: Term) -> tuple[str, str] | None:
    """As `_meant`, of a word that is the unit of the number before it."""
    unit = _UNITS.get(before.key)
    if unit is None or not before.value[-1:].isdigit() or term.key != "word" or term.inverted:
        return None
    if not unit.fullmatch(term.value) or (before.key != "size" and not _why_wrong(before)):
        return None
    joined = f"{'!' * before.inverted}{before.key}:{before.value}{term.value.lower()}"
    return before.key, f'no blank before {term.value}: {joined}; "{term.value}" is a word'


def _meant(term: Term) -> tuple[str, str]:
    """What a word is about that is none if it is not in quotes, and what would be right; else twice ""."""
    if term.key != "word":
        return "", ""
    if term.value in _OR:
        return "or", f'there is no “or”: all parts must hold; type:url,file adds up; "{term.value}" is a word'
    found = _COMPARED.fullmatch(term.value)
    if found is None:
        return "", ""
    key, value = found[1].lower(), found[2].removeprefix("=")
    right = f"a colon goes behind {key}: {key}:{value}; in quotes it is a word"
    return key, _why_wrong(Term(key, value.lower())) or right


def _why_wrong(term: Term) -> str:
    """What would be right instead, or ""."""
    key, value = term.key, term.value
    if key == "word":
        return ""
    if key not in KEYS:
        return f"no key “{key}:”; in quotes it is a word. Keys: {' '.join(KEYS)}"
    if key in _LISTED:
        values = value.split(",")
        right = set(values) <= set(_LISTED[key]) and (key in _SEVERAL or len(values) == 1)
    elif key == "size":
        right = sizes(value) is not None
    elif key in ("updated", "created"):
        right = moments(value, 0.0) is not None
    else:
        right = bool(value.strip())
    return "" if right else f"{key}: {KEYS[key]}"


def _in_full(term: Term) -> Term:
    """A size with its unit: what is shown of it must not take a word behind it for one."""
    is_bare = term.key == "size" and term.value[-1:].isdigit()
    return term._replace(value=f"{term.value}b") if is_bare else term


# What values mean


def sizes(value: str) -> Interval | None:
    """The bytes that a value of `size:` allows; None where it says nothing."""
    return _between(value, _bytes)


def moments(value: str, now: float) -> Interval | None:
    """The seconds that a value of `updated:` allows; None where it says nothing.

    A span is an age (`<7d` is newer than that), a date a day of the calendar here.
    """
    ages = _between(value, _age)
    if ages is not None:
        return int(now) - ages[1], int(now) - ages[0]
    return _day(value) or _between(value, _day)


def _between(value: str, read: Callable[[str], Interval | None]) -> Interval | None:
    """`>1`, `<=1`, `1..2` or `2..1`, `1..` or `..2`, of what `read` takes for one of them."""
    found = _RANGE.fullmatch(value)
    if found is None:
        return None
    if sign := found["sign"]:
        than = read(found["than"])
        if than is None:
            return None
        least, most = than
        return {">": (most + 1, _MOST), ">=": (least, _MOST), "<": (-_MOST, least - 1), "<=": (-_MOST, most)}[
            sign
        ]
    low = read(found["low"]) if found["low"] else (-_MOST, -_MOST)
    high = read(found["high"]) if found["high"] else (_MOST, _MOST)
    if low is None or high is None or not (found["low"] or found["high"]):
        return None
    return (low[0], high[1]) if low <= high else (high[0], low[1])


def _bytes(value: str) -> Interval | None:
    found = _SIZE.fullmatch(value)
    if found is None:
        return None
    size = min(round(float(found[1]) * _BYTES[found[2]]), _MOST - 1)
    return size, size


def _age(value: str) -> Interval | None:
    found = _SPAN.fullmatch(value)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    return (seconds, seconds) if found else None


def _day(value: str) -> Interval | None:
    """The seconds of a day."""
    if not _DAY.fullmatch(value):
        return None
    try:
        day = datetime.fromisoformat(value)
        return int(day.timestamp()), int((day + timedelta(days=1)).timestamp()) - 1
    except (ValueError, OverflowError, OSError):
        return None


# What is shown


def show(view: View) -> tuple[str, str]:
    """What would have to be typed for the filter of a view: all but the plain words, and these."""
    types = [f"type:{','.join(view.types)}"] if view.types else []
    return " ".join([*types, *map(_shown, view.terms)]), " ".join(view.text.split())


def _shown(term: Term) -> str:
    key = "" if term.key == "word" else f"{term.key}:"
    bare = not (term.value[:1] == '"' or any(map(str.isspace, term.value)))
    if not key:
        bare = bare and term.inverted and not _KEY.match(term.value) and not any(_meant(term))
    value = term.value if bare else '"' + term.value.replace('"', '""') + '"'
    return "!" * term.inverted + key + value


def chips(view: View) -> list[Term]:
    """The parts of a filter, one by one: plain words have the key `text`, the rest what a view calls them."""
    parts = [Term("text", word) for word in dict.fromkeys(view.text.split())]
    parts += [Term("types", ",".join(view.types))] if view.types else []
    return [*parts, *view.terms, *([Term("eye", view.eye.name)] if view.eye else [])]


def aged(before: Sequence[Term], view: View) -> list[Term]:
    """The parts of a filter, the newest last, where `before` were those of a moment ago."""
    now = chips(view)
    kept = [chip for chip in before if chip in now]
    return [*kept, *(chip for chip in now if chip not in kept)]


def without(view: View, chip: Term) -> View:
    """The view without one part of its filter."""
    if chip.key == "text":
        return view._replace(text=" ".join(word for word in view.text.split() if word != chip.value))
    if chip.key in ("types", "eye"):
        return view._replace(**{chip.key: View._field_defaults[chip.key]})
    return view._replace(terms=tuple(term for term in view.terms if term != chip))


def unfiltered(view: View) -> View:
    """The view without any filter."""
    return View(view.scope, view.sort, view.descending)


def but_index(view: View) -> View:
    """All documents that the rest of a filter lets through, whatever their indexes."""
    rest = (term for term in view.terms if term.key != "index")
    return view._replace(terms=(*rest, Term("type", FOLDER, inverted=True)))


def is_about(view: View, key: str) -> bool:
    """Whether a part of the filter is about this."""
    return any(term.key == key for term in view.terms)
