"""From the bytes of a file or a page to the content of a document.

Plain text and Markdown are kept as they are; everything else becomes HTML without scripts, styles,
comments and the attributes that a reader has no use for. Bytes come from strangers: whatever a parser
makes of them, the answer is a content or a refusal, in bounded memory.
"""

from __future__ import annotations

import codecs
import io
import logging
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from html import escape, unescape
from urllib.parse import unquote

from kbtui.demo.contract import ApiError

LIMIT = 20 * 1024 * 1024  # bytes of one file
_TEXT_LIMIT = 20 * 1024 * 1024  # characters that a packed file may unfold to
_UNPACKED_LIMIT = 64 * 1024 * 1024  # bytes of all that is in a zip archive
_XML_LIMIT = 10 * 1024 * 1024  # bytes of XML in a .docx
_MARKS_LIMIT = 300_000  # tags and attributes therein: each takes most of a kilobyte to read
_PARTS_LIMIT = 5_000  # files in an archive, pages of a PDF


def extract(data: bytes, filename: str) -> tuple[str, str]:
    """The content and its format ("html" or "markdown"); blocks, so call it in a thread.

    Raises ApiError 400: `invalid_file_type` for other kinds and for damaged or encrypted files,
    `request_too_large` above 20 MB, `text_too_long` for what unfolds to more than is reasonable.
    """
    if len(data) > LIMIT:
        raise ApiError(400, "request_too_large", "Files may have at most 20 MB.", param="file")
    kind = posixpath.splitext(filename.lower())[1]
    if kind not in _READERS:
        known = ", ".join(_READERS)
        raise _refused(f"Files of type {kind or 'unknown'} cannot be read. Allowed: {known}.")
    read, format = _READERS[kind]
    try:
        content = read(data)
    except ApiError:
        raise
    except Exception as error:  # a parser that meets a stranger's bytes may raise anything
        raise _refused(f"The file is no readable {kind[1:]}: {type(error).__name__}.") from None
    return content.encode("utf-8", "replace").decode(), format


def _refused(message: str) -> ApiError:
    return ApiError(400, "invalid_file_type", message, param="file")


def _too_long() -> ApiError:
    return ApiError(400, "text_too_long", "The file holds more text than can be kept.", param="file")


# Text

_CHARSETS = re.compile(
    r"utf-?(8|(16|32)(le|be)?)|iso-?8859-\d+|latin-?1|us-ascii|windows-\d+|cp\d+|koi8-[ru]|shift[_-]jis|euc-(jp|kr)"
    r"|iso-2022-jp|gb(2312|k|18030)|big5",
    re.IGNORECASE,
)
_DECLARED = re.compile(rb"""<meta[^<>]{0,200}?charset\s{0,9}=\s{0,9}["']?([\w-]{2,20})""", re.IGNORECASE)
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def decoded(data: bytes, charset: str = "") -> str:
    """The text of bytes: by the byte order mark, by `charset`, which is what their sender says, by the
    declaration of HTML, as UTF-8, else as windows-1252."""
    for mark, marked in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(marked, "replace")
    declared = _DECLARED.search(data, 0, 2048)
    inside = declared[1].decode() if declared else ""
    if inside.lower().startswith(("utf-16", "utf-32")):
        inside = ""  # it could not be read if it were true
    for name in (charset, inside):
        if _CHARSETS.fullmatch(name):
            with suppress(LookupError):  # a number that no charset has
                return data.decode(name, "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("windows-1252", "replace")


def _plain(data: bytes) -> str:
    text = decoded(data)
    if "\0" in text:
        raise _refused("The file is no text.")
    return text


# HTML. Every expression here ends at the next "<" at the latest, so that the work is linear.

_TAG = re.compile(
    r"<!--|<[!?][^<>]*+>|<(?P<end>/?)(?P<name>[a-zA-Z][\w:-]*+)"
    r"(?P<attributes>(?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+')*+|[^<>]*+)>"
)
_ATTRIBUTE = re.compile(
    r"(?<![^\s\"'/])(?P<name>[a-zA-Z:-]++)\s*+=\s*+(?:\"(?P<a>[^\"]*+)\"|'(?P<b>[^']*+)'|(?P<c>[^\s\"'<>]++))"
)
_HIDDEN = ("script", "style", "noscript", "template", "svg", "math", "iframe", "object", "title", "select")
_CLOSING = {name: re.compile(rf"</{name}\b[^<>]*+>", re.IGNORECASE) for name in _HIDDEN}
_FRAME = ("html", "head", "body", "meta", "link", "base", "input", "button", "form", "label", "canvas")
_KEPT = ("href", "src", "alt", "id", "lang", "dir", "colspan", "rowspan", "start", "datetime", "cite")
_CONTROL = re.compile(r"[\x00-\x20]+")
_SCHEME = re.compile(r"(?:javascript|vbscript|data):", re.IGNORECASE)


def cleaned(html: str) -> str:
    """The inner HTML of a page: what a reader sees, with links, tables and lists, and nothing that acts."""
    pieces: list[str] = []
    unclosed: set[str] = set()
    at = 0
    while found := _TAG.search(html, at):
        pieces.append(html[at : found.start()].replace("<", "&lt;"))
        at = found.end()
        name = (found["name"] or "").lower()
        if found[0] == "<!--":
            at = html.find("-->", at) + 3
            if at == 2:
                return "".join(pieces).strip()
        elif name in _HIDDEN:
            if not found["end"] and name not in unclosed:
                if close := _CLOSING[name].search(html, at):
                    at = close.end()
                else:
                    unclosed.add(name)
        elif name and name not in _FRAME:
            pieces.append(_tag(name, found["end"], found["attributes"]))
    pieces.append(html[at:].replace("<", "&lt;"))
    return "".join(pieces).strip()


def _tag(name: str, end: str, attributes: str) -> str:
    if end:
        return f"</{name}>"
    kept = [f' {key}="{escape(value)}"' for key, value in _attributes(attributes).items() if key in _KEPT]
    return f"<{name}{''.join(kept)}>"


def _attributes(text: str) -> dict[str, str]:
    """The attributes of a tag, unescaped, without addresses that would run something."""
    found = {m["name"].lower(): unescape(m["a"] or m["b"] or m["c"] or "") for m in _ATTRIBUTE.finditer(text)}
    return {key: value for key, value in found.items() if not _SCHEME.match(_CONTROL.sub("", value))}


def tags(markup: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The opening tags of HTML or XML in order: the name in lower case without prefix, and the attributes."""
    for found in _TAG.finditer(markup):
        if found["name"] and not found["end"]:
            yield found["name"].lower().rpartition(":")[2], _attributes(found["attributes"])


def _html(data: bytes) -> str:
    text = decoded(data)
    if "\0" in text:
        raise _refused("The file is no HTML.")
    return _within(cleaned(text))


# Packed files


def _pdf(data: bytes) -> str:
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its remarks would land on the terminal
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise _refused("The file is protected by a password.")
    pieces: list[str] = []
    left = _TEXT_LIMIT
    for number, page in enumerate(reader.pages):
        text = page.extract_text()
        left -= len(text)
        if left < 0 or number >= _PARTS_LIMIT:
            raise _too_long()
        blocks = (block.strip() for block in re.split(r"\n\s*\n", text))
        pieces.extend(f"<p>{_lines(block)}</p>" for block in blocks if block)
    return "\n".join(pieces).replace("\0", "")


def _lines(block: str) -> str:
    return escape(block, quote=False).replace("\n", "<br>\n")


def _docx(data: bytes) -> str:
    import mammoth

    words = _only_xml(_archive(data))
    no_pictures = mammoth.images.img_element(lambda image: {})
    result = mammoth.convert_to_html(words, convert_image=no_pictures)
    return _within(cleaned(result.value.replace("<img />", "")))


def _only_xml(archive: zipfile.ZipFile) -> io.BytesIO:
    """An archive with what is read of a .docx, which may have far less of it than of pictures."""
    names = {name for name in archive.namelist() if name.lower().endswith((".xml", ".rels"))}
    if sum(archive.getinfo(name).file_size for name in names) > _XML_LIMIT:
        raise _too_long()
    parts = {name: archive.read(name) for name in names}
    if sum(part.count(b"<") + part.count(b"=") for part in parts.values()) > _MARKS_LIMIT:
        raise _too_long()
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as copy:
        for name, part in parts.items():
            copy.writestr(name, part)
    return kept


def _epub(data: bytes) -> str:
    """The chapters in reading order, by the package file that the container names."""
    archive = _archive(data)
    container = decoded(archive.read("META-INF/container.xml"))
    package = next(found["full-path"] for name, found in tags(container) if name == "rootfile")
    entries = list(tags(decoded(archive.read(package))))
    items = {found["id"]: found["href"] for name, found in entries if name == "item"}
    chapters = [items[found["idref"]] for name, found in entries if name == "itemref"]
    if len(chapters) > _PARTS_LIMIT:
        raise _too_long()
    pieces: list[str] = []
    left = _TEXT_LIMIT
    for chapter in chapters:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(package), unquote(chapter)))
        left -= archive.getinfo(path).file_size
        if left < 0:
            raise _too_long()
        pieces.append(cleaned(decoded(archive.read(path))))
    return _within("\n".join(pieces))


def _archive(data: bytes) -> zipfile.ZipFile:
    """A zip archive whose parts, unpacked together, stay within the limit by their own account.

    `zipfile` never unpacks more of a part than the archive says it has.
    """
    archive = zipfile.ZipFile(io.BytesIO(data))
    parts = archive.infolist()
    if len(parts) > _PARTS_LIMIT or sum(part.file_size for part in parts) > _UNPACKED_LIMIT:
        raise _too_long()
    return archive


def _within(content: str) -> str:
    if len(content) > _TEXT_LIMIT:
        raise _too_long()
    return content


_READERS: dict[str, tuple[Callable[[bytes], str], str]] = {
    ".pdf": (_pdf, "html"),
    ".docx": (_docx, "html"),
    ".txt": (_plain, "markdown"),
    ".md": (_plain, "markdown"),
    ".html": (_html, "html"),
    ".htm": (_html, "html"),
    ".epub": (_epub, "html"),
}
