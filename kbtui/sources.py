"""Where documents come from: pages that are fetched again, at once or by auto-sync."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kbtui.changes import image, sync_image
from kbtui.documents import auto_sync
from kbtui.errors import Refused
from kbtui.rows import FOLDER, AutoSync
from kbtui.searching import Searching

if TYPE_CHECKING:
    from kbtui.history import Change
    from kbtui.models import Document

CHILDREN = ("", "tighten", "force")
"""What becomes of what is in a folder: it stays as it is, becomes at least as strict, or the same."""


class Sources(Searching):
    """What has to do with the sources of documents."""

    def edited_by_hand(self, id: str) -> Change | None:
        """The newest edit made from here that a page fetched again would replace; without its images."""
        for change in self.history.changes(self.base_url, id, limit=20, images=False):
            if change.kind in ("edit", "fetch") and change.state in ("done", "pending"):
                return change if change.kind == "edit" else None
        return None

    async def refetch(self, id: str) -> tuple[int, int] | None:
        """Have the service fetch the page of a URL document again.

        Its size before and after, in bytes; None: its text is as it was.
        """
        self._may_write()
        async with self._changing(id):
            api = await self.api()
            document, before = await self._fetch(id)
            self._resolve(document, before.text)
            self._may_replace(before)
            with self._sending(document, "fetch", image(before), {}) as change:
                await self._store(await api.refresh(id))
            now, after = await self._fetch(id)
            if after.text == before.text:
                self.history.abandon(change)
                return None
            self._finish(change, now, {"content": after.text})
        return len(before.text.encode()), len(after.text.encode())

    async def read_auto_sync(self, id: str) -> AutoSync | None:
        """Whether and how the service renews a document by itself; None: it does not.

        Raises:
            errors.Error: it cannot be told.
        """
        document = await (await self.api()).get(id)
        await self._store(document)
        return auto_sync(document.raw())

    async def set_auto_sync(self, id: str, wanted: AutoSync | None, children: str = "") -> AutoSync | None:
        """Turn auto-sync on, off, or to other settings; those that hold then.

        Undo puts them back, but for what becomes of the documents in a folder.

        Args:
            children: one of `CHILDREN`, for a folder.

        Raises:
            Refused: the service keeps other settings.
            errors.Error: nothing was sent, or nobody knows whether it arrived.
        """
        self._may_write()
        async with self._changing(id):
            api = await self.api()
            document = await api.get(id)
            self._resolve(document)
            before = {"sync": sync_image(document)}
            with self._sending(document, "auto-sync", before, {"sync": sync_image(wanted)}) as change:
                now = await api.update(id, **_asked(document, wanted, children))
            await self._store(now)
            held = auto_sync(now.raw())
            if held == auto_sync(document.raw()):
                self.history.abandon(change)
            else:
                self._finish(change, now, {"sync": sync_image(held)})
        if (held is None) != (wanted is None):
            raise Refused(f"The service leaves the auto-sync of “{now.name}” as it was.")
        return held

    async def _undo_sync(self, change: Change) -> None:
        api = await self.api()
        document = await api.get(change.document)
        if sync_image(document) != change.after.get("sync"):
            self.history.supersede(change)
            raise Refused(f"The auto-sync of “{change.name}” was changed again since; nothing was undone.")
        wanted = settings_of(change.before)
        now = await api.update(change.document, **_asked(document, wanted, ""))
        await self._store(now)
        if auto_sync(now.raw()) != wanted:
            raise Refused(f"The service does not set the auto-sync of “{change.name}” as it was; look at it.")


def settings_of(image: Mapping[str, Any]) -> AutoSync | None:
    """Settings of auto-sync from what the history kept of them; None where it was off."""
    kept = image.get("sync")
    if not isinstance(kept, dict):
        return None
    days = kept.get("days")
    return AutoSync(days if isinstance(days, int) else AutoSync().days, bool(kept.get("remove")))


def in_words(settings: AutoSync | None) -> str:
    """What a person is told of settings of auto-sync."""
    if settings is None:
        return "off"
    often = "every day" if settings.days == 1 else f"at least every {settings.days} days"
    return f"on, {often}" + (", and what is gone is removed" if settings.remove else "")


def _asked(document: Document, wanted: AutoSync | None, children: str) -> dict[str, Any]:
    """What an update says to bring the settings about."""
    spread = {"tighten_only": children == "tighten"} if children and document.type == FOLDER else {}
    if wanted is None:
        return {"enable_auto_sync": False, **spread}
    return {
        "enable_auto_sync": True,
        "minimum_frequency_days": wanted.days,
        "auto_remove": wanted.remove,
        **spread,
    }
