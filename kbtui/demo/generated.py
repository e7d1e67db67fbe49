"""Documents made by arithmetic: name, body, size, type and place of number `seed`, nothing stored.

A body is one of 3,000 texts (40 towns x 25 subjects, crossed with a run of 1 to 4 out of 30 paragraphs);
number `seed` has text `seed % PERIOD`. So the content of a million is searched by searching 3,000.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

# fmt: off
_TOWNS = (
    "Rotterdam", "Utrecht", "Antwerp", "Ghent", "Lyon", "Nantes", "Lille", "Bordeaux",
    "Berlin", "Hamburg", "Leipzig", "Cologne", "Munich", "Graz", "Linz", "Vienna",
    "Zurich", "Basel", "Turin", "Bologna", "Verona", "Porto", "Braga", "Lisbon",
    "Seville", "Bilbao", "Valencia", "Athens", "Patras", "Thessaloniki", "Aarhus", "Odense",
    "Malmo", "Uppsala", "Bergen", "Tampere", "Turku", "Gdansk", "Krakow", "Osaka",
)
# fmt: on
_SUBJECTS = (
    ("Refund rules", "Money goes back the way it came, within fourteen days of the parcel reaching us."),
    ("Delivery windows", "Vans run from eight to six; the caller may choose a half day, never an hour."),
    (
        "Installer bookings",
        "A visit is booked by postcode. The first free date is read out, then the second.",
    ),
    (
        "Warranty claims",
        "Ask for the serial number first; it begins with two letters and is on the left side.",
    ),
    ("Invoice questions", "The invoice lists the device, the visit and the cable; travel is never charged."),
    ("Meter readings", "A reading has six figures before the comma. Photographs are accepted by mail."),
    ("Battery care", "Keep the battery between ten and thirty degrees, and away from a dryer's exhaust."),
    ("Inverter errors", "An error with a zero in front clears by itself. Others need a visit."),
    ("Wallbox cables", "Cables of five and seven metres are in stock. Ten metres takes three weeks."),
    ("Thermostat pairing", "Hold the dial for six seconds until the ring turns white, then wait a minute."),
    ("Moving house", "The contract moves along; the old address is read out and confirmed."),
    ("Payment plans", "Twelve or twenty-four instalments, without interest, from four hundred euros."),
    ("Opening hours", "Monday to Saturday from seven to nine in the evening; Sundays for outages only."),
    ("Storm outages", "Say first whether the home is safe. The gateway restarts when the grid returns."),
    ("Spare parts", "Fans, seals and feet are sent free of charge in the first five years."),
    ("Recycling", "Old batteries are collected with the new delivery. Nothing is to be unscrewed before."),
    ("Accessibility", "Letters come in large print on request, calls with a relay service at any hour."),
    ("Tariff changes", "A new tariff begins on the first of a month, and never backwards."),
    ("Solar forecasts", "The forecast is renewed every three hours and drawn for two days."),
    ("Gateway updates", "Updates come at night. A red lamp for up to ten minutes is nothing to worry about."),
    ("Complaints", "A complaint has a number and a name. It is answered within five working days."),
    ("Privacy requests", "Identity is checked by a question only the customer can answer, never by a code."),
    ("Business accounts", "Three users are included. The tax number is needed before the first order."),
    ("Partner referrals", "The bonus is paid when the referred home has produced for thirty days."),
    ("Price protection", "If the price falls within a month of the order, the difference is credited."),
)
_PARAGRAPHS = (
    "If the line is bad, offer to call back and read the number aloud in pairs.",
    "The customer hears one sentence first, then the detail, then what happens next.",
    "Colleagues in the shop see the same note and will say the same thing.",
    "A photograph of the type plate answers most questions faster than a description.",
    "When two dates are possible, name the earlier one first and wait.",
    "Nothing is promised that the calendar does not show.",
    "Amounts are read with the currency, dates with the weekday.",
    "The case is closed only when the caller says that it is.",
    "An engineer looks at the log of the device before a visit is arranged.",
    "For tenants, the landlord's consent is kept with the contract.",
    "Heat pumps of other makers are supported from firmware nine onwards.",
    "The fuse box must be reachable, and a car moved away from the wall.",
    "In winter the forecast is cautious, and that is on purpose.",
    "Parcels above thirty kilograms come on a pallet with a tail lift.",
    "Where the lift is too small, two people carry, and the visit takes longer.",
    "A copy of the signed form goes to the customer the same evening.",
    "The hotline for emergencies is answered by people, never by a menu.",
    "Discounts are not combined; the larger one counts.",
    "If the application shows a grey house, the gateway has lost its network.",
    "The password is never asked for, not even its first letter.",
    "A neighbour may receive the parcel if the caller names the house number.",
    "Please note the noise: a fan that hums is normal, one that clicks is not.",
    "In the garage, the device hangs at shoulder height and above any flood line.",
    "Reports are sent on the third working day of the month.",
    "Where the meter is locked, the network operator opens it within a week.",
    "For a second opinion, offer the installer from the next town.",
    "The test drive of a wallbox takes four minutes and needs a car.",
    "An export of all readings is ready in a quarter of an hour.",
    "Old contracts keep their old notice period.",
    "If in doubt, apologise, write it down, and pass it on to a person.",
)
# fmt: off
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August",
    "September", "October", "November", "December",
)
# fmt: on
PLACES = len(_TOWNS) * len(_SUBJECTS)
PERIOD = 3000  # the least common multiple of the 1,000 places and the 120 runs of paragraphs
_DAY = 86_400
AGE = 1000 * _DAY  # seconds since the first of them was made


def _mixed(seed: int) -> int:
    return (seed * 2_654_435_761 + 12_345) & 0xFFFFFFFF


def _where(seed: int) -> tuple[int, int]:
    """Which town and which subject number `seed` is about, as numbers."""
    place = seed % PLACES
    return place % len(_TOWNS), place // len(_TOWNS)


@cache
def _template(residue: int) -> str:
    town, about = _where(residue)
    start, count = residue % len(_PARAGRAPHS), 1 + residue // len(_PARAGRAPHS) % 4
    chosen = [_PARAGRAPHS[(start + step) % len(_PARAGRAPHS)] for step in range(count)]
    title, rule = _SUBJECTS[about]
    return "\n\n".join((f"# {title} in {_TOWNS[town]}", rule, *chosen))


@cache
def _template_size(residue: int) -> int:
    return len(_template(residue).encode())


def templates() -> Iterator[tuple[int, str]]:
    """The 3,000 texts by their residue."""
    return ((residue, _template(residue)) for residue in range(PERIOD))


def text(seed: int) -> str:
    """The body of number `seed`, in markdown."""
    return f"{_template(seed % PERIOD)}\n\nNote KB-{seed:07}.\n"


def size(seed: int) -> int:
    """Bytes of `text(seed)`."""
    return _template_size(seed % PERIOD) + 12 + max(7, len(str(seed)))


def url(seed: int, base: str) -> str:
    """The address of a generated url document, on the demo's own site."""
    return f"{base}/site/notes/{seed}"


def name(seed: int) -> str:
    town, about = _where(seed)
    month = _mixed(seed) % 96
    return f"{_SUBJECTS[about][0]}, {_TOWNS[town]}, {_MONTHS[month % 12]} {2018 + month // 12} ({seed:07})"


def filename(seed: int) -> str:
    """The name under which a generated file document was uploaded."""
    return f"{name(seed)}.txt"


def kind(seed: int) -> str:
    return ("text", "text", "text", "url", "text", "file", "text", "url")[_mixed(seed) >> 16 & 7]


def path(seed: int) -> list[tuple[tuple[int, ...], str]]:
    """The folders that number `seed` lies in, outermost first: what tells one from another, and its name."""
    town, about = _where(seed)
    return [((), "Branch notes"), ((town,), _TOWNS[town]), ((town, about), _SUBJECTS[about][0])]


def times(seed: int, now: int) -> tuple[int, int]:
    """When number `seed` was made and last changed, Unix seconds."""
    mixed = _mixed(seed)
    created = now - _DAY - mixed % (AGE - _DAY)
    return created, created + (mixed >> 8) % (now - created)
