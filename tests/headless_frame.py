"""Draws one frame of the demo without a terminal and checks that it shows the knowledge base.

Run on an installed wheel, outside the checkout: style sheets, sample and all.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from kbtui.__main__ import open_workspace, start_demo
from kbtui.keymap import Keymap
from kbtui.settings import Places, load
from kbtui.tui.app import KbApp
from kbtui.tui.screens.browse import Browse


async def frame(app: KbApp) -> str:
    async with app.run_test(size=(120, 36)) as pilot:
        async with asyncio.timeout(30):
            while not (isinstance(app.screen, Browse) and app.screen.documents.count):
                await pilot.pause(0.05)
        return app.export_screenshot()


with ExitStack() as leaving:
    settings = start_demo(load(places=Places.of_user(), environ={}), leaving)
    app = KbApp(
        settings, open_workspace(settings, settings.workspace), Keymap(), open_workspace, lambda: settings
    )
    picture = asyncio.run(frame(app))
    assert "Support" in picture, "the frame does not show the folders of the demo"
    print(f"drew a frame of {len(picture):,} characters")
