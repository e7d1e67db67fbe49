"""How files and pages become content."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kbtui.demo.contract import ApiError
from kbtui.demo.extract import LIMIT, cleaned, extract
from kbtui.demo.sample import FOLDER
from kbtui.demo.server import Demo
from tests.caller import KB, Caller, refused

FILES = sorted((FOLDER / "files").glob("*.*"))


@pytest.fixture
def call(demo: Demo) -> Iterator[Caller]:
    with Caller(demo) as caller:
        yield caller


def test_text_and_markdown_are_kept_to_the_byte() -> None:
    text = "# Ü\r\n\r\n<b>&amp;\tx\u2028y  \n"
    assert extract(text.encode(), "a.MD") == (text, "markdown")
    assert extract(text.encode("utf-8-sig"), "a.txt") == (text, "markdown")
    assert extract("Grüße".encode("latin-1"), "a.txt") == ("Grüße", "markdown")
    assert extract("Grüße".encode("utf-16"), "a.txt") == ("Grüße", "markdown")


def test_html_loses_what_acts_and_keeps_what_reads() -> None:
    page = b"""<html><head><meta charset=iso-8859-2><title>T</title><style>p{}</style></head><body onload=x>
    <script>alert("</p>")</script><!-- no --><p class=a id=b>5 < 6 &amp; \xb1 <a href="JAVA\nscript:x()">x</a>
    <a href='/y?a=1&b=2' onclick=z>y</a><br/><table><tr><td colspan=2>q</table></body></html>"""
    content, format = extract(page, "p.htm")
    assert format == "html"
    assert " ".join(content.split()) == (
        '<p id="b">5 &lt; 6 &amp; ą <a>x</a> <a href="/y?a=1&amp;b=2">y</a>'
        '<br><table><tr><td colspan="2">q</table>'
    )


@pytest.mark.parametrize(
    "unit", ["<!--", '<a "', "<svg>", "<a x='", "<", "<!", "<script>", "<p a", "</svg", "&"]
)
def test_cleaning_takes_time_in_proportion(unit: str) -> None:
    began = time.perf_counter()
    cleaned(unit * 150_000)
    assert time.perf_counter() - began < 3


def test_packed_files_are_read_in_order() -> None:
    by_name = {
        file.name: extract(file.read_bytes(), file.name)[0] for file in FILES if file.suffix != ".content"
    }
    booklet = by_name["energy-at-home.epub"]
    assert booklet.index("One house") < booklet.index("kilowatt") < booklet.index("Three habits")
    assert "<h1>SEPA" in by_name["sepa-mandate.docx"] and "<td>" in by_name["sepa-mandate.docx"]
    assert "Page 2: for our partner" in by_name["warranty-claim-form.pdf"]


@pytest.mark.parametrize("kind", [".pdf", ".docx", ".epub", ".txt", ".html"])
def test_damaged_files_are_refused_in_words(kind: str) -> None:
    with pytest.raises(ApiError) as refusal:
        extract(b"PK\x03\x04 nothing \x00 of the kind", f"a{kind}")
    assert (refusal.value.http, refusal.value.status) == (400, "invalid_file_type")


@pytest.mark.parametrize("name", ["a.exe", "a", ".pdf.zip", ""])
def test_other_types_are_refused(name: str) -> None:
    with pytest.raises(ApiError, match="Allowed"):
        extract(b"x", name)


def test_too_much_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(ApiError) as large:
        extract(b"x" * (LIMIT + 1), "a.txt")
    assert large.value.status == "request_too_large"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * 80_000_000)
    for name in ("bomb.docx", "bomb.epub"):
        with pytest.raises(ApiError) as bomb:
            extract(packed.getvalue(), name)
        assert bomb.value.status == "text_too_long"


def zipped(parts: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return packed.getvalue()


def too_long(data: bytes, filename: str) -> bool:
    with pytest.raises(ApiError) as refusal:
        extract(data, filename)
    return refusal.value.status == "text_too_long"


def test_a_docx_of_more_tags_than_can_be_read_in_bounded_memory_is_refused() -> None:
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    for marks in ("<w:r/>" * 300_000, "<w:p " + "".join(f' a{n}=""' for n in range(300_000)) + "/>"):
        document = f'<w:document xmlns:w="{space}"><w:body>{marks}</w:body></w:document>'
        assert too_long(zipped({"word/document.xml": document}), "a.docx")


def test_the_pictures_of_a_docx_do_not_count() -> None:
    picture = io.BytesIO(FILES_BY[".docx"].read_bytes())
    with zipfile.ZipFile(picture, "a") as archive:
        archive.writestr("word/media/image.png", b"<=" * 6_000_000)
    assert extract(picture.getvalue(), "a.docx") == extract(FILES_BY[".docx"].read_bytes(), "a.docx")


def test_what_unfolds_to_more_text_than_can_be_kept_is_refused() -> None:
    assert too_long(b"<" * (LIMIT // 2), "a.html")
    book = '<rootfile full-path="p"/>'
    parts = '<item id="a" href="c"/>' + '<itemref idref="a"/>' * 3
    assert too_long(zipped({"META-INF/container.xml": book, "p": parts, "c": " " * 8_000_000}), "a.epub")


def test_the_paragraphs_of_a_pdf_are_told_apart_by_blank_lines() -> None:
    lines = b"BT /F 1 Tf 5 TL (one) Tj T* (more) Tj" + b" T* ( ) Tj" * 3 + b" T* (two) Tj ET"
    assert extract(pdf(lines), "a.pdf")[0].split() == ["<p>one<br>", "more</p>", "<p>two</p>"]


def pdf(page: bytes) -> bytes:
    """A PDF of one page that draws this; without a table of its parts, which readers then look for."""
    parts = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(page), page),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    objects = b"".join(b"%d 0 obj%sendobj\n" % (n, part) for n, part in enumerate(parts, 1))
    return b"%PDF-1.4\n" + objects + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n0\n%%EOF"


def test_a_damaged_upload_is_the_services_400(call: Caller) -> None:
    answer = call.post(f"{KB}/file", files={"file": ("a.pdf", b"%PDF-1.7 broken", "application/pdf")})
    refused(answer, 400, "invalid_file_type")
    made = call.made(call.post(f"{KB}/file", files={"file": ("b.epub", FILES_BY[".epub"].read_bytes())}))
    assert call.document(made)["content_format"] == "html"


FILES_BY: dict[str, Path] = {file.suffix: file for file in FILES}
KINDS = st.sampled_from([".pdf", ".docx", ".epub", ".html", ".txt", ".md"])
quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@quick
@given(st.binary(max_size=400), KINDS)
def test_random_bytes_are_read_or_refused(data: bytes, kind: str) -> None:
    read_or_refused(data, kind)


@quick
@given(st.data(), st.sampled_from([".pdf", ".docx", ".epub"]))
def test_files_with_damage_are_read_or_refused(data: st.DataObject, kind: str) -> None:
    whole = FILES_BY[kind].read_bytes()
    at = data.draw(st.integers(0, len(whole)))
    damaged = whole[:at] + data.draw(st.binary(max_size=20)) + whole[at + data.draw(st.integers(0, 40)) :]
    read_or_refused(damaged, kind)


@quick
@given(st.text(st.sampled_from("<>/!-\"'= &;abpscript\n"), max_size=80))
def test_cleaned_html_holds_no_script(text: str) -> None:
    result = cleaned(text)
    assert "<script" not in result.lower() and "<!--" not in result
    assert cleaned(result) == result


def read_or_refused(data: bytes, kind: str) -> None:
    try:
        content, format = extract(data, f"file{kind}")
    except ApiError as refusal:
        assert refusal.http == 400
    else:
        content.encode()
        assert format in ("html", "markdown")
