"""kbtui and `kbtui serve` as processes of their own, and what a person does in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
from elevenlabs import ElevenLabs

from kbtui.drafts import Draft, Drafts
from tests.e2e.terminal import PATIENCE, Terminal
from tests.e2e.warm import Copy, Warm

HOUSE = Path(__file__).resolve().parent.parent.parent
KBTUI = (sys.executable, "-m", "kbtui")
NOWHERE = {"HOME": "/nowhere", "TMPDIR": "/nowhere"}  # of what is only loaded
READ_LATE = {"EDITOR", "TERM", "STY"}  # of the environment: when it is needed, and not while loading


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a fresh login with this home would set, and `more`."""
    home.mkdir(exist_ok=True)
    keep = ("PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
    kept = {name: os.environ[name] for name in keep if name in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "TMPDIR": str(home.parent),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(HOUSE),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        **more,
    }


LOADED = Warm("kbtui", lambda: environment(HOUSE) | NOWHERE)


class Server:
    """`kbtui serve --json --data DIR` in another process; a context manager."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._port = 0
        self._wire = httpx.Client(trust_env=False, timeout=PATIENCE)
        self.url = self.key = ""

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wire.close()
        self.kill()

    def start(self) -> None:
        """Start it, at the address it had before if it had one; returns when it answers."""
        flags = ("serve", "--json", "--data", str(self._data), "--port", str(self._port))
        home = environment(self._data.parent / "server-home")
        said, says = os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        self._process = LOADED.start(*flags, env=home, handles=(nothing, says, 2), how="detached")
        os.close(nothing)
        os.close(says)
        with os.fdopen(said) as answer:
            line = answer.readline()
        if not line:
            self.kill()
            raise AssertionError("kbtui serve did not start; what it said is above")
        told = json.loads(line)
        self.url, self.key = told["url"], told["key"]
        self._port = int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def sdk(self) -> Any:
        """The knowledge base as the service's official SDK sees it."""
        client = ElevenLabs(api_key=self.key, base_url=self.url, httpx_client=self._wire)
        return client.conversational_ai.knowledge_base

    def create(self, name: str, text: str) -> str:
        """A new text document; its id."""
        return str(self.sdk().documents.create_from_text(text=text, name=name).id)

    def text(self, id: str) -> str:
        return str(self.sdk().documents.get_content(id))

    def name(self, id: str) -> str:
        return str(self.sdk().documents.get(id).name)


class Visit(Terminal):
    """kbtui in a terminal, on the knowledge base at `url`.

    It is loaded before it is started, except where it matters what is there while it is loaded.

    Args:
        home: the person's home; what one visit leaves there, the next one finds.
        script: Python that is run before kbtui starts, to put a fault into it.
        cold: it is started as a shell starts it, by an interpreter of its own.
    """

    def __init__(
        self,
        home: Path,
        *flags: str,
        url: str = "",
        key: str = "",
        script: str = "",
        env: Mapping[str, str] | None = None,
        cold: bool = False,
        **rest: Any,
    ) -> None:
        self.home, self.url = home, url
        self._script = script
        self._cold = cold or "stderr" in rest or not {*(env or {})} <= READ_LATE
        where = ("--base-url", url) if url else ()
        keys = {"ELEVENLABS_API_KEY": key} if key else {}
        super().__init__(*where, *flags, env=environment(home, **keys, **(env or {})), **rest)

    def _begin(
        self, command: Sequence[str], handles: Sequence[int], **rest: Any
    ) -> subprocess.Popen[bytes] | Copy:
        if not self._cold:
            return LOADED.start(*command, handles=handles, script=self._script, **rest)
        start = "import sys; from kbtui.__main__ import main; sys.exit(main())"
        program = (sys.executable, "-c", f"{self._script}\n{start}") if self._script else KBTUI
        return super()._begin((*program, *command), handles, **rest)

    def settle(self) -> None:
        """Wait until everything the service has is here."""
        self.until(r"(?m)(?<!· )online$")

    def browse_all(self) -> None:
        """Wait for everything, and put the cursor on the first of all documents."""
        self.settle()
        self.press("g", "a")
        self.until(r"\b1 of \d+")

    def nothing_is_left_over(self) -> None:
        """Fail where the screen is another one when all of it is drawn anew."""
        self.quiet(1.0)
        shown = self.text
        self.press("ctrl+l")
        self.quiet(1.0)
        assert self.text == shown

    def select(self, name: str) -> None:
        """Put the cursor on the document of this name, wherever it is."""
        self.press("g", "a", "/", "ctrl+u")
        self.type(name)
        self.until(r"1 of 1 ")
        self.press("enter")

    def edit(self, name: str) -> None:
        """Open the editor on a document, as soon as it is there."""
        self.until("/ filter")
        self.select(name)
        self.press("e")
        self.until("as in the service")

    def drafts(self) -> list[Draft]:
        """The drafts on the disk."""
        return Drafts(self.home / ".local/state/kbtui/drafts", self.url).all()

    def words(self) -> str:
        """What the disk has of the one draft there is."""
        return "".join(draft.text for draft in self.drafts())
