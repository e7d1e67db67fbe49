"""From the command line to one of: the app, a command, the demo server, a sentence that says why not.

Exit codes: 0 well ended, 1 a bug, 2 nothing could be shown (a bad flag, a bad configuration, no terminal),
129 hung up, 130 interrupted before the first frame, 143 terminated. What commands add is told in `cli`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from signal import SIGINT
from typing import TYPE_CHECKING, Any, NoReturn

from kbtui import cli
from kbtui import settings as house
from kbtui.rows import Start
from kbtui.settings import BadSettings, Places, Settings, Workspace

if TYPE_CHECKING:
    from kbtui.access import Connect
    from kbtui.answers import Answers
    from kbtui.api import Api
    from kbtui.knowledge_base import KnowledgeBase
    from kbtui.transport import Exchange
    from kbtui.waiting import Wait

NO_DEMO = "The demo is not installed; install kbtui with its extra: pip install 'kbtui[demo]'."


def main(argv: list[str] | None = None) -> int:
    """Run kbtui; the process's exit code."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["serve"]:
        return _serve(argv[1:])
    command, flags = _called(argv)
    if "version" in flags and flags.version:
        print(f"kbtui {_version()}")
        return 0
    with ExitStack() as leaving:
        try:
            settings = _settings(flags, leaving)
            if command:
                flags.settings = settings
                return cli.run(command, _open_answers(settings.workspace), flags, _say)
            return _show(settings, leaving, _start(flags))
        except BadSettings as error:
            _say(str(error))
            return 2
        except KeyboardInterrupt:
            return 128 + SIGINT


def _called(argv: list[str]) -> tuple[str, argparse.Namespace]:
    """The command that needs no screen, or "", and all flags: those of every command may stand before it."""
    flags: argparse.Namespace | None = None
    if not argv or argv[0] not in ("open", *cli.COMMANDS):
        flags, argv = _parser(help=False).parse_known_args(argv)  # a command behind them has its own help
        if not argv:
            return "", flags
    name, *rest = argv
    if name == "open":
        return "", _open_parser().parse_args(rest, flags)
    if name in cli.COMMANDS:
        return name, _command_parser(name).parse_args(rest, flags)
    if name == "serve":
        _parser().error("“serve” goes before its flags")
    return "", _parser().parse_args(argv)  # which tells what is wrong with them, or helps


def _say(sentence: str) -> None:
    """Tell it on the error output, or on the other where only that one is seen by somebody."""
    from kbtui.content import safe

    out, err = sys.stdout, sys.stderr
    unseen = err is None or (not err.isatty() and out is not None and out.isatty())
    print(f"kbtui: {safe(sentence)}", file=out if unseen else err)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        _say(f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.")
        self.exit(2)


def _start(flags: argparse.Namespace) -> Start | None:
    """What the flags of `kbtui open` name, or None without them."""
    return Start(flags.document, flags.chunk or "", flags.edit) if "document" in flags else None


def _open_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="kbtui open", description="Start where a document is shown.", allow_abbrev=False)
    parser.add_argument("document", type=cli.words, metavar="DOC", help="its id, name or path")
    parser.add_argument("--chunk", type=cli.words, metavar="ID", help="show this chunk of it")
    parser.add_argument(
        "--edit", action="store_true", help="open the editor on it, with --chunk at the chunk"
    )
    _add_screen(parser)
    return parser


def _parser(*, help: bool = True) -> argparse.ArgumentParser:
    parser = _Parser(
        add_help=help,
        prog="kbtui",
        description="Browse, search and edit the knowledge base of your ElevenLabs voice agents.",
        epilog="At a document: kbtui open DOC. Without the screen: kbtui {"
        + ",".join(cli.COMMANDS)
        + "}; the demo knowledge base alone: "
        "kbtui serve. Each has a --help of its own.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    _add_screen(parser)
    return parser


def _add_screen(parser: argparse.ArgumentParser) -> None:
    """What is chosen where there is a screen."""
    add = parser.add_argument
    _add_workspace(parser)
    add("--read-only", action="store_true", help="never send anything that changes the knowledge base")
    add("--no-cache", action="store_true", help="keep no mirror on disk; drafts and history stay")
    add("--theme", choices=house.THEMES, help="colours; auto by default")
    add("--no-mouse", action="store_true", help="leave the mouse to the terminal")


def _add_workspace(parser: argparse.ArgumentParser) -> None:
    """What says which workspace is meant."""
    add = parser.add_argument
    add("--demo", action="store_true", help="open the embedded demo knowledge base; needs no key")
    add("--demo-size", type=int, default=0, metavar="N", help="add N generated documents to the demo")
    add("-w", "--workspace", metavar="NAME", help="open this workspace of the configuration")
    add("--region", metavar="NAME", help=f"one of {', '.join(house.REGIONS)}")
    add("--base-url", metavar="URL", help="another address of the service")
    add("--api-key-file", type=Path, metavar="FILE", help="read the API key from a file only you can read")
    add("--config", type=Path, metavar="FILE", help="another configuration than the usual one")


def _command_parser(command: str) -> argparse.ArgumentParser:
    says = cli.COMMANDS[command]
    parser = _Parser(
        prog=f"kbtui {command}", description=f"{says[:1].upper()}{says[1:]}.", allow_abbrev=False
    )
    cli.module(command).add_arguments(parser)
    if command != "cat":
        parser.add_argument("--json", action="store_true", help="an array of the service's own objects")
    _add_workspace(parser)
    return parser


def _settings(flags: argparse.Namespace, leaving: ExitStack) -> Settings:
    if flags.demo_size < 0:
        raise BadSettings("--demo-size takes a number of documents, 0 or more.")
    if flags.demo_size and not flags.demo:
        raise BadSettings("--demo-size belongs to --demo.")
    places = Places.of_user()
    named = flags.workspace or flags.region or flags.base_url or flags.api_key_file
    if flags.demo and named:
        raise BadSettings(
            "--demo opens a knowledge base of its own; leave out workspace, region, URL and key."
        )
    settings = house.load(
        places=places,
        config=flags.config,
        workspace=flags.workspace,
        region=flags.region,
        base_url=flags.base_url,
        key_file=flags.api_key_file,
        **_only_the_screen(flags),
    )
    return start_demo(settings, leaving, flags.demo_size) if flags.demo else settings


def _only_the_screen(flags: argparse.Namespace) -> dict[str, Any]:
    """Settings that commands without the screen have no flags for."""
    if not hasattr(flags, "theme"):
        return {}
    return {
        "read_only": flags.read_only,
        "theme": flags.theme,
        "cache": not flags.no_cache,
        "mouse": not flags.no_mouse,
    }


def start_demo(settings: Settings, leaving: ExitStack, size: int = 0) -> Settings:
    """Start the embedded demo knowledge base; settings that open it and leave nothing behind.

    Raises:
        BadSettings: the extra that it needs is not installed, or it cannot start.
    """
    _clear_up()
    try:
        from kbtui.demo.server import Demo, Unavailable
    except ModuleNotFoundError as error:
        raise BadSettings(NO_DEMO) from error
    try:
        demo = leaving.enter_context(Demo(size=size))
    except Unavailable as error:
        raise BadSettings(str(error)) from error
    home = _demo_home(leaving)
    workspace = Workspace("demo", demo.url, key=demo.key, read_only=settings.workspace.read_only)
    return replace(
        settings,
        places=Places(settings.places.config, home / "state", home / "cache"),
        workspaces=(workspace,),
        workspace=workspace,
        demo=True,
    )


def _demo_home(leaving: ExitStack) -> Path:
    """A folder that is there as long as the demo, with a lock in it that is held as long."""
    from fcntl import LOCK_EX, flock
    from tempfile import TemporaryDirectory

    home = Path(leaving.enter_context(TemporaryDirectory(prefix="kbtui-demo-")))
    new = home / "new"
    flock(leaving.enter_context(new.open("w")), LOCK_EX)
    new.rename(home / "lock")  # only now: a lock that nobody holds is what a killed demo left
    return home


def _clear_up() -> None:
    """Remove what demos left that were killed without a chance to do so themselves."""
    import shutil
    from fcntl import LOCK_EX, LOCK_NB, flock
    from tempfile import gettempdir

    for left in Path(gettempdir()).glob("kbtui-demo-*"):
        with suppress(OSError):  # gone, or of a demo that lives
            if left.lstat().st_uid == os.getuid():
                with (left / "lock").open() as lock:
                    flock(lock, LOCK_EX | LOCK_NB)
                    shutil.rmtree(left, ignore_errors=True)


def _show(settings: Settings, leaving: ExitStack, start: Start | None) -> int:
    import gc

    from kbtui import terminal
    from kbtui.keymap import Keymap

    gc.disable()  # until the first frame is drawn
    reason = terminal.why_not()
    if reason:
        raise BadSettings(reason)
    terminal.prepare()
    try:
        keymap = Keymap(settings.keys)
    except ValueError as error:
        raise BadSettings(f"{settings.config}: {error}") from None
    kb = open_workspace(settings, settings.workspace)

    from kbtui.tui.app import KbApp

    app = KbApp(settings, kb, keymap, open_workspace, lambda: start_demo(settings, leaving), start)
    guard = terminal.Guard(app.keep_words, app.leave, leaving.close)
    guard.watch()
    try:
        # While it hears of the mouse, GNU screen holds a lone Escape until the next key.
        code = app.run(mouse=settings.mouse and not terminal.in_screen())
    finally:
        app.keep_words()
        guard.give_back()
    return app.return_code or code or 0


def open_workspace(settings: Settings, workspace: Workspace) -> KnowledgeBase | None:
    """The knowledge base of a workspace, or None where it has no key.

    Raises:
        BadSettings: a source of the key that was named cannot be read.
    """
    from hashlib import blake2b

    from kbtui.drafts import Drafts
    from kbtui.history import History
    from kbtui.knowledge_base import KnowledgeBase
    from kbtui.mirror import Mirror

    key = workspace.find_key()
    if not key:
        return None
    digest = blake2b(f"{workspace.base_url}\n{key}".encode(), digest_size=16).hexdigest()
    places = settings.places
    return KnowledgeBase(
        workspace.base_url,
        Mirror(places.cache / f"{digest}.mirror" if settings.cache else None),
        History.open(places.state / "state.db"),
        Drafts(places.state / "drafts", workspace.base_url),
        _connector(workspace.base_url, key),
        read_only=workspace.read_only,
    )


def _open_answers(workspace: Workspace) -> Answers:
    """What a workspace answers, with nothing kept on this machine.

    Raises:
        BadSettings: it has no key, or a source of the key that was named cannot be read.
    """
    from kbtui.answers import Answers
    from kbtui.mirror import Mirror

    key = workspace.find_key()
    if not key:
        raise BadSettings("There is no API key; set ELEVENLABS_API_KEY, or see README for other places.")
    return Answers(Mirror(None), _connector(workspace.base_url, key))


def _connector(base_url: str, key: str) -> Connect:
    """What builds the client: here, because nobody behind this door may know it."""

    def connect(on_wait: Callable[[Wait], None], on_exchange: Callable[[Exchange], None]) -> Api:
        from kbtui.api import Api

        return Api(base_url, key, on_wait=on_wait, on_exchange=on_exchange)

    return connect


def _serve(argv: list[str]) -> int:
    try:
        from kbtui.demo.serve import main as serve
    except ModuleNotFoundError:
        print(f"kbtui: {NO_DEMO}", file=sys.stderr)
        return 2
    return serve(argv)


def _version() -> str:
    from importlib.metadata import version

    return version("kbtui")


if __name__ == "__main__":
    sys.exit(main())
