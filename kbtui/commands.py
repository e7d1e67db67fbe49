"""Every command once: what it is called, which keys press it, where it works, and when it is off and why.

The keyboard, the footer, the list of keys (`?`), the palette (`:`), the table in README and the check of
`[keys]` in the configuration are all made from `COMMANDS`. A screen carries a command out in a method named
after its id: `document.rename` is `do_document_rename`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from kbtui.documents import LOCKS
from kbtui.rows import FOLDER, DocumentRow


class Situation(NamedTuple):
    """What a command may depend on, at the moment a key is pressed."""

    row: DocumentRow | None = None  # the document under the cursor
    read_only: str = ""  # why nothing can be changed here
    filtered: bool = False
    undoable: bool = False  # there is something to take back
    marked: bool = False  # at least one document is
    hits: bool = False  # those of a search stand beside an answer
    kept: bool = False  # questions that are kept are shown
    full: bool = False  # the text has the whole screen
    changed: bool = False  # kbtui has changed the document
    overlaps: int = 0  # places that both sides changed
    undecided: int = 0  # of these, those where nobody has said yet what is to stand there


Off = Callable[[Situation], str | None]


class Command(NamedTuple):
    """One thing a person can do.

    `keys` are as the terminal names them, two separated by a space for one after the other. `places` are where
    it works, the narrowest first. `footer` is its rank in the footer there, 0 for never. `off` gives the reason
    why it cannot be done now. `typed` is what runs it after `:`, besides its name.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    places: tuple[str, ...]
    footer: int = 0
    off: Off | None = None
    destroys: bool = False
    typed: str = ""

    def reason(self, situation: Situation) -> str | None:
        """Why the command is off now, or None where it can be done."""
        return self.off(situation) if self.off else None


PLACES = {
    "everywhere": "Everywhere",
    "browse": "Browse",
    "move": "Moving in a list, the tree or a text",
    "list": "Document list",
    "tree": "Folder tree",
    "view": "Document view",
    "find": "While typing what to find in a text",
    "pipe": "While typing a command for a text",
    "filter": "While typing a filter",
    "rename": "While typing a name",
    "search": "While typing what to search for",
    "results": "Search results",
    "chunks": "Chunks of a document",
    "unindexed": "Where there are no chunks",
    "compared": "Two models side by side",
    "whole": "One chunk alone",
    "chunk_words": "While typing what to find in the chunks",
    "index": "RAG indexes",
    "ask": "While typing a question",
    "answer": "What an agent would retrieve",
    "hits": "What the search finds beside it",
    "agents": "While choosing an agent",
    "knowledge": "What agents know",
    "agent_words": "While typing an agent's name",
    "editor": "Editor",
    "conflict": "When both sides changed",
    "differs": "When the service holds another text than was sent",
    "history": "What was changed in a document",
    "auto_sync": "Auto-sync",
    "choose": "Drafts and workspaces",
    "columns": "Columns of the list",
    "views": "Saved views",
    "view_name": "While typing a name for a view",
    "keys": "List of keys",
    "tasks": "Tasks in the background",
    "requests": "Requests to the service",
    "facts": "One request, or the last error",
    "palette": "While typing a command, or a name to go to",
    "drafts": "Drafts",
    "around": "Over Browse, wherever nothing is typed",
    "welcome": "First run",
    "question": "Before something is lost",
    "notice": "When something has to be read",
}
"""Where commands work, by the words for them in the list of keys; after all others, "everywhere" is asked."""

TYPING = frozenset(
    "filter find pipe rename search chunk_words ask agents agent_words view_name editor keys palette".split()  # noqa: SIM905
)
"""Places where a text field has the keys: there a character is a character, and never a command."""


def _needs_document(now: Situation) -> str | None:
    return None if now.row else "nothing is selected"


def _needs_chunks(now: Situation) -> str | None:
    if now.row is not None and now.row.type == FOLDER:
        return "a folder has no chunks, the documents in it have"
    return _needs_document(now)


def _needs_writing(now: Situation) -> str | None:
    if now.row is None:
        return "nothing is selected"
    if now.read_only:
        return now.read_only
    if now.row.role in ("viewer", "commenter"):
        return f"your role on this document is {now.row.role}"
    return None


def _needs_service_to_write(now: Situation) -> str | None:
    return now.read_only or None


def _needs_content(now: Situation) -> str | None:
    return _needs_writing(now) or (now.row.lock if now.row else None)


def _needs_url(now: Situation) -> str | None:
    if now.row is not None and now.row.type != "url":
        return "only URL documents have a page to fetch again"
    return _needs_writing(now)


def _needs_source(now: Situation) -> str | None:
    elsewhere = (LOCKS["google_drive"], LOCKS["external"])
    if now.row is not None and now.row.type not in ("url", FOLDER) and now.row.lock not in elsewhere:
        return "only URL documents, folders and what is synced from elsewhere renew themselves"
    return _needs_writing(now)


def _needs_address(now: Situation) -> str | None:
    if now.row is not None and not now.row.url:
        return "only URL documents have an address"
    return _needs_document(now)


def _needs_text(now: Situation) -> str | None:
    return "a folder has no text" if now.row is not None and now.row.type == FOLDER else _needs_document(now)


def _needs_undo(now: Situation) -> str | None:
    if now.read_only:
        return now.read_only
    return None if now.undoable else "nothing to undo"


def _needs_overlaps(now: Situation) -> str | None:
    return None if now.overlaps else "both sides go together: nothing is to be decided"


def _needs_decisions(now: Situation) -> str | None:
    if now.undecided:
        return f"{now.undecided} {'place is' if now.undecided == 1 else 'places are'} still to be decided"
    return None


def _needs_changes(now: Situation) -> str | None:
    return _needs_writing(now) if now.changed else "nothing was changed here"


def _needs(what: str, reason: str) -> Off:
    """Off, with the reason, where this is not so in the situation."""
    return lambda now: None if getattr(now, what) else reason


_needs_marks = _needs("marked", "nothing is marked")
_needs_hits = _needs("hits", "the search shows none here")
_needs_kept = _needs("kept", "gq lists the questions, to be forgotten there")
_needs_filter = _needs("filtered", "no filter is set")

COMMANDS: tuple[Command, ...] = (
    # Moving
    Command("move.down", ("j", "down"), "down", "one line down", ("move",)),
    Command("move.up", ("k", "up"), "up", "one line up", ("move",)),
    Command("move.half_down", ("ctrl+d",), "half page down", "half a page down", ("move",)),
    Command("move.half_up", ("ctrl+u",), "half page up", "half a page up", ("move",)),
    Command("move.page_down", ("pagedown", "ctrl+f"), "page down", "a page down", ("move",)),
    Command("move.page_up", ("pageup", "ctrl+b"), "page up", "a page up", ("move",)),
    Command("move.top", ("g g", "home"), "top", "to the first line", ("move",)),
    Command("move.bottom", ("G", "end"), "bottom", "to the last line", ("move",)),
    Command("move.in", ("l", "right", "enter"), "open", "into a folder, or to the document's text", ("browse",)),
    Command("move.out", ("h", "left"), "out", "back to the list, or to the folder above", ("browse",)),
    # Panes
    Command("pane.tree", ("1",), "folders", "go to the folder tree", ("browse",)),
    Command("pane.list", ("2",), "documents", "go to the document list", ("browse",)),
    Command("pane.view", ("3",), "text", "go to the document view", ("browse",)),
    Command("pane.next", ("tab",), "next pane", "go to the next pane", ("browse",)),
    Command("pane.previous", ("shift+tab",), "previous pane", "go to the previous pane", ("browse",)),
    Command("zoom.in", ("+",), "larger", "more room for the pane with the keys, then all", ("browse",)),
    Command("zoom.out", ("_",), "smaller", "less room for it, back to its normal size", ("browse",)),
    Command("go.root", ("g h",), "root", "go to the root folder", ("browse",)),
    Command("go.parent", ("g p",), "parent", "go to the folder above", ("browse",)),
    Command("go.all", ("g a",), "all", "all documents, flat", ("browse",)),
    Command("go.back", ("H",), "back", "back to where you looked before", ("browse",)),
    Command("go.forward", ("L",), "forward", "forward again, after going back", ("browse",)),
    Command("go.last", ("-",), "last place", "to where you were before this; again, back here", ("browse",)),
    Command("tree.unfold", ("z R",), "unfold all", "unfold every folder of the tree", ("browse",)),
    Command("tree.fold", ("z M",), "fold all", "fold every folder of the tree", ("browse",)),
    # Finding
    Command("list.filter", ("/",), "filter", "show only names that hold words; or type:url size:>1mb …", ("browse",), 1),
    Command("list.unfilter", ("F",), "clear filter", "show everything again", ("browse",), 0, _needs_filter),
    Command("list.mark", ("space",), "mark", "mark the document, or take its mark back", ("browse", "results", "hits"), 0, _needs_document),
    Command("list.unmark", ("g u",), "unmark all", "mark no document any more", ("browse", "results", "hits"), 0, _needs_marks),
    Command("list.range", ("v",), "range", "begin a range of marks, or end it: what it holds is marked", ("browse",)),
    Command("list.mark_all", ("*",), "mark all", "mark all that is shown: with a filter, all that matches it", ("browse",)),
    Command("list.mark_others", ("~",), "mark others", "of what is shown, mark what is not, and unmark the rest", ("browse",)),
    Command("filter.text", ("f t",), "text", "only texts; other types add up, again takes it back", ("browse", "results")),
    Command("filter.url", ("f u",), "url", "only URL documents; other types add up, again takes it back", ("browse", "results")),
    Command("filter.file", ("f f",), "file", "only files; other types add up, again takes it back", ("browse", "results")),
    Command("filter.folder", ("f d",), "folder", "only folders; other types add up, again takes it back", ("browse",)),
    Command("filter.agent", ("f a",), "as an agent", "only what one agent can retrieve; Esc shows all again", ("browse",)),
    Command("filter.marked", ("f m",), "marked", "only what is marked; again shows the rest too", ("browse",)),
    Command("filter.mine", ("f o",), "mine", "only what you own; again shows the rest too", ("browse",)),
    Command("filter.synced", ("f s",), "synced", "only what is kept in sync with its source; again shows all", ("browse",)),
    Command("filter.failed", ("f x",), "failed", "only what could not be indexed; again shows the rest too", ("browse",)),
    Command("filter.keep", ("enter", "down"), "keep", "keep the filter and go to the list", ("filter",), 1),
    Command("filter.drop", ("escape",), "drop", "drop the filter", ("filter",), 2),
    Command("sort.menu", ("s",), "sort", "choose the order of the list", ("browse",), 2),
    Command("sort.name", ("s n",), "name", "sort by name", ("browse",)),
    Command("sort.name_down", ("s N",), "name", "sort by name, backwards", ("browse",)),
    Command("sort.updated", ("s u",), "updated", "sort by last change, oldest first", ("browse",)),
    Command("sort.updated_down", ("s U",), "updated", "sort by last change, newest first", ("browse",)),
    Command("sort.created", ("s c",), "created", "sort by creation, oldest first", ("browse",)),
    Command("sort.created_down", ("s C",), "created", "sort by creation, newest first", ("browse",)),
    Command("sort.size", ("s z",), "size", "sort by size, smallest first", ("browse",)),
    Command("sort.size_down", ("s Z",), "size", "sort by size, largest first", ("browse",)),
    Command("columns.open", ("g c",), "columns", "the columns of the list, and how wide they are", ("browse",)),
    Command("columns.turn", ("space", "enter"), "show or hide", "show the column, or hide it", ("columns",), 1),
    Command("columns.narrower", ("<", "h", "left"), "narrower", "make the column narrower", ("columns",), 2),
    Command("columns.wider", (">", "l", "right"), "wider", "make the column wider", ("columns",), 3),
    Command("columns.usual", ("=",), "as usual", "all columns as they are without a change", ("columns",), 4),
    Command("views.open", ("g v",), "views", "saved views: a folder, its order and its filter, by name", ("browse",)),
    Command("views.add", ("a",), "save this one", "save what the list shows now under a name", ("views",), 2),
    Command("views.forget", ("x",), "delete", "delete the selected view, after a question", ("views",), 4, None, True),
    Command("view_name.save", ("enter",), "save", "save what the list shows now under this name", ("view_name",), 1),
    Command("view_name.leave", ("escape",), "leave", "save nothing", ("view_name",), 2),
    Command("search.open", ("S",), "search", "find words in the contents of all documents", ("browse", "around"), 2),
    Command("search.again", ("g s",), "results", "back to what a search found, where you opened a result", ("browse", "around")),
    Command("search.results", ("enter", "tab"), "results", "go to what was found", ("search",), 1),
    Command("search.scope", ("f4",), "where", "search everything, the open folder, or what is marked", ("search",), 4),
    Command("search.leave", ("escape",), "close", "back to where you were", ("search",), 2),
    Command("search.older", ("up",), "older", "the words of the search before", ("search",), 3),
    Command("search.newer", ("down",), "newer", "the words of the search after it, or to what was found", ("search",)),
    Command("results.open", ("enter", "l", "right"), "open", "show the document where the words stand", ("results", "hits"), 1, _needs_document),
    Command("results.words", ("/", "S", "tab"), "other words", "type other words", ("results",), 2),
    Command("results.ask", ("]", "g q"), "ask an agent", "ask an agent for these words", ("results",), 3),
    Command("results.scope", ("o", "f4"), "where", "search everything, the open folder, or what is marked", ("results",), 3),
    Command("results.info", ("i",), "info", "everything known of the document", ("results", "answer"), 0, _needs_document),
    Command("results.leave", ("escape", "q", "h", "left"), "back", "back to the words", ("results",), 4),
    # Chunks
    Command("chunks.open", ("c",), "chunks", "the chunks of the document, which agents retrieve", ("browse", "results", "answer"), 5, _needs_chunks),
    Command("unindexed.build", ("b",), "build index", "have the index built, or one that failed built again", ("unindexed",), 1, _needs_writing),
    Command("unindexed.model", ("m",), "other model", "the chunks under the next embedding model", ("unindexed",), 2),
    Command("chunks.whole", ("enter", "v"), "whole chunk", "one chunk alone, as the service has it", ("chunks",), 1),
    Command("chunks.pane", ("tab", "shift+tab"), "chunks or text", "between the chunks and the text they were cut from", ("chunks",), 2),
    Command("chunks.list", ("1",), "chunks", "go to the chunks", ("chunks",)),
    Command("chunks.text", ("2",), "text", "go to the text", ("chunks",)),
    Command("chunks.find", ("/",), "find", "find words in the chunks", ("chunks",), 4),
    Command("chunks.next_hit", ("n",), "next hit", "the next place with the words, also in the same chunk", ("chunks",)),
    Command("chunks.previous_hit", ("N",), "previous hit", "the place before, with the words", ("chunks",)),
    Command("chunks.model", ("m",), "other model", "the chunks under the next embedding model", ("chunks",), 5),
    Command("chunks.compare", ("M",), "compare models", "the chunks under two models side by side", ("chunks",)),
    Command("compared.open", ("enter",), "go there", "the chunk in its document, under its model", ("compared",), 1),
    Command("compared.pane", ("tab", "shift+tab", "l", "right"), "other side", "to the chunks of the other model", ("compared",), 2),
    Command("compared.reload", ("R", "ctrl+r"), "reload", "ask the service for the chunks of both again", ("compared",), 4),
    Command("compared.leave", ("escape", "q", "h", "left"), "back", "back to the chunks", ("compared",), 3),
    Command("chunks.build", ("b",), "build index", "have the index built, or one that failed built again", ("chunks",), 0, _needs_writing),
    Command("chunks.reload", ("R", "ctrl+r"), "reload", "ask the service for the chunks again", ("chunks",), 7),
    Command("chunks.leave", ("escape", "q", "h", "left"), "back", "back to where you were", ("chunks",), 6),
    Command("whole.back", ("enter", "v", "escape", "q", "h", "left"), "all chunks", "back to all chunks", ("whole",), 1),
    Command("whole.next", (")",), "next", "the next chunk", ("whole",), 2),
    Command("whole.previous", ("(",), "previous", "the chunk before", ("whole",), 3),
    Command("whole.next_hit", ("n",), "next hit", "the next place with the words, or the next chunk", ("whole",)),
    Command("whole.previous_hit", ("N",), "previous hit", "the place before, with the words; or the chunk before", ("whole",)),
    Command("chunk_words.find", ("enter", "down"), "go on", "to the first place with the words, from this chunk on", ("chunk_words",), 1),
    Command("chunk_words.drop", ("escape",), "drop", "find nothing", ("chunk_words",), 2),
    # Indexes
    Command("index.open", ("I",), "index", "the RAG indexes of what is marked, or of what is here", ("browse", "results", "answer")),
    Command("index.build", ("b",), "build", "have the index built, or one that failed built again", ("index",), 1, _needs_writing),
    Command("index.build_all", ("B",), "build all", "build all that are missing or failed, after a question", ("index",), 2, _needs_service_to_write),
    Command("index.next_problem", ("n",), "next problem", "the next document without an index, or whose index failed", ("index",), 8),
    Command("index.previous_problem", ("N",), "problem before", "the one before it", ("index",)),
    Command("index.model", ("m",), "model", "the indexes under one embedding model, the next, or all", ("index",), 3),
    Command("index.chunks", ("c", "enter", "l", "right"), "chunks", "the chunks of the index", ("index",), 4, _needs_document),
    Command("index.delete", ("x",), "delete", "delete the index, after a question", ("index",), 5, _needs_writing, True),
    Command("index.reload", ("R", "ctrl+r"), "reload", "ask the service for all of it again", ("index",), 7),
    Command("index.leave", ("escape", "q", "h", "left"), "back", "back to where you were", ("index",), 6),
    # Asking
    Command("ask.open", ("g q",), "ask", "ask as an agent asks: the chunks that it would be given", ("browse", "around"), 8),
    Command("ask.last", (".",), "ask again", "ask the last question again, and tell what moved", ("browse",)),
    Command("ask.again", (".",), "ask again", "ask again, and tell what moved", ("answer",), 2),
    Command("ask.now", ("enter",), "ask", "ask it", ("ask",), 1),
    Command("ask.agent", ("f3",), "agent", "choose the agent that is asked", ("ask",), 2),
    Command("ask.results", ("down", "tab"), "answer", "to the answer, or to the questions you asked", ("ask",), 3),
    Command("ask.leave", ("escape",), "close", "back to where you were", ("ask",), 4),
    Command("answer.open", ("enter", "l", "right"), "open", "the chunk in its document, or a kept question", ("answer",), 1),
    Command("answer.hits", ("tab", "shift+tab"), "hits", "to what the search finds for the same words", ("answer",), 4, _needs_hits),
    Command("answer.words", ("/",), "other words", "type another question", ("answer",), 4),
    Command("answer.agent", ("a", "f3"), "agent", "choose the agent that is asked", ("answer",), 5),
    Command("answer.strategy", ("s",), "by words", "by meaning, or by words", ("answer",), 6),
    Command("answer.settings", ("o",), "settings", "with the agent's own settings, or neutral ones", ("answer",), 7),
    Command("answer.search", ("[", "S"), "search", "search the contents for these words", ("answer",), 4),
    Command("answer.kept", ("g q",), "questions", "the questions you asked", ("answer",)),
    Command("answer.forget", ("x",), "forget", "forget the selected question and its answers", ("answer",), 0, _needs_kept, True),
    Command("answer.leave", ("escape", "q", "h", "left"), "back", "back to the question", ("answer",), 8),
    Command("hits.leave", ("escape", "tab", "shift+tab", "q", "h", "left"), "back", "back to the answer", ("hits",), 8),
    Command("agents.choose", ("enter",), "choose", "choose this agent, or this branch of it", ("agents",), 1),
    Command("agents.branches", ("tab",), "branches", "show the branches of the agent, or hide them", ("agents",), 3),
    Command("agents.down", ("down", "ctrl+n"), "down", "one line down", ("agents",)),
    Command("agents.up", ("up", "ctrl+p"), "up", "one line up", ("agents",)),
    Command("agents.leave", ("escape",), "close", "choose none", ("agents",), 2),
    # What agents know
    Command("go.agents", ("g A",), "agents", "the agents of the workspace, and what each of them knows", ("browse", "around")),
    Command("knowledge.open", ("enter", "l", "right"), "open", "what the agent knows, and from there the document in Browse", ("knowledge",), 1),
    Command("knowledge.eye", ("v",), "as it sees", "only what this agent can retrieve, in Browse", ("knowledge",), 2),
    Command("knowledge.branch", ("b",), "branch", "what the next branch of the agent knows", ("knowledge",), 3),
    Command("knowledge.words", ("/",), "find", "only agents whose names or ids hold the words you type", ("knowledge",), 4),
    Command("knowledge.pane", ("tab", "shift+tab"), "other list", "between the agents and what one of them knows", ("knowledge",), 5),
    Command("knowledge.reload", ("R", "ctrl+r"), "reload", "ask the service again", ("knowledge",), 7),
    Command("knowledge.leave", ("escape", "q", "h", "left"), "back", "back to the agents, and to where you were", ("knowledge",), 6),
    Command("agent_words.keep", ("enter", "down", "tab"), "keep", "keep the words and go to the agents", ("agent_words",), 1),
    Command("agent_words.drop", ("escape",), "drop", "show all agents", ("agent_words",), 2),
    # Reading
    Command("view.next_hit", ("n",), "next hit", "the next place with the words that are looked for", ("browse",)),
    Command("view.previous_hit", ("N",), "previous hit", "the place before, with these words", ("browse",)),
    Command("view.down", ("J",), "scroll text", "scroll the text down, from any pane", ("browse", "answer", "compared", "history")),
    Command("view.up", ("K",), "scroll text up", "scroll the text up, from any pane", ("browse", "answer", "compared", "history")),
    Command("view.next_tab", ("]",), "next tab", "the next tab of the document view", ("browse",)),
    Command("view.previous_tab", ("[",), "previous tab", "the previous tab of the document view", ("browse",)),
    Command("view.info", ("i",), "info", "everything known of the document", ("browse",), 6, _needs_document),
    Command("view.agents", ("A",), "agents", "the agents that use the document, and by which way", ("browse",), 0, _needs_document),
    Command("view.mode", ("V",), "mode", "the text rendered, its source, or its plain words", ("browse",), 0, _needs_text),
    Command("view.wrap", ("w",), "wrap", "break long lines to fit the view, or leave them whole", ("browse",), 0, _needs_text),
    Command("view.numbers", ("#",), "line numbers", "number the lines of the text, or not", ("browse",), 0, _needs_text),
    Command("view.right", (">",), "right", "scroll right, where lines are not wrapped", ("browse",)),
    Command("view.left", ("<",), "left", "scroll back to the left", ("browse",)),
    Command("view.full", ("enter", "l", "right"), "whole screen", "the text alone on the whole screen, till h or Esc", ("view",), 2, lambda now: "it has it; h leads back" if now.full else None),
    Command("view.next_document", (")",), "next", "the next document of the list, shown in the same way", ("view",), 3),
    Command("view.previous_document", ("(",), "previous", "the document before it, shown in the same way", ("view",), 4),
    Command("find.open", ("/",), "find", "find words in the text", ("view",), 1),
    Command("find.keep", ("enter", "down"), "go on", "keep the words: n and N go to where they stand", ("find",), 1),
    Command("find.drop", ("escape",), "drop", "find nothing, and go back to where you were", ("find",), 2),
    Command("view.pipe", ("|",), "pipe", "give the text to a command of the shell, in its terminal", ("browse",), 0, _needs_text),
    Command("view.pager", ("g |",), "pager", "the text in $PAGER", ("browse",), 0, _needs_text),
    Command("pipe.run", ("enter",), "run", "run the command; none is $PAGER", ("pipe",), 1),
    Command("pipe.older", ("up",), "older", "the command before", ("pipe",), 3),
    Command("pipe.newer", ("down",), "newer", "the command after it", ("pipe",)),
    Command("pipe.leave", ("escape",), "leave", "run nothing", ("pipe",), 2),
    # Changing
    Command("document.edit", ("e",), "edit", "edit the text here", ("browse", "results", "chunks", "whole", "answer"), 3, _needs_content),
    Command("document.edit_outside", ("E",), "$EDITOR", "edit the text in $EDITOR; leaving it saves", ("browse", "results", "answer"), 0, _needs_content),
    Command("document.rename", ("r",), "rename", "change the name", ("browse",), 4, _needs_writing),
    Command("document.refetch", ("g R",), "fetch again", "fetch the page of a URL document again", ("browse", "results", "answer"), 0, _needs_url, True),
    Command("document.auto_sync", ("g S",), "auto-sync", "whether and how often the service renews it by itself", ("browse", "results", "answer"), 0, _needs_source),
    Command("auto_sync.more", ("l", "right", "space", "enter"), "change", "the other value, or one day more", ("auto_sync",), 2),
    Command("auto_sync.less", ("h", "left"), "less", "the value before, or one day less", ("auto_sync",), 3),
    Command("auto_sync.week_more", ("]",), "a week more", "a week more", ("auto_sync",), 5),
    Command("auto_sync.week_less", ("[",), "a week less", "a week less", ("auto_sync",), 6),
    Command("auto_sync.apply", ("s", "ctrl+s", "f2"), "apply", "send these settings to the service", ("auto_sync",), 1, _needs_service_to_write),
    Command("auto_sync.leave", ("escape", "q"), "cancel", "leave everything as it is", ("auto_sync",), 4),
    Command("yank.id", ("y i",), "id", "copy the id of the document", ("browse", "results", "answer"), 0, _needs_document),
    Command("yank.name", ("y n",), "name", "copy its name", ("browse", "results", "answer"), 0, _needs_document),
    Command("yank.path", ("y p",), "path", "copy its path, as the command line takes it", ("browse", "results", "answer"), 0, _needs_document),
    Command("yank.url", ("y u",), "URL", "copy the address of its page", ("browse", "results", "answer"), 0, _needs_address),
    Command("yank.text", ("y c",), "content", "copy its content", ("browse", "results", "answer"), 0, _needs_text),
    Command("yank.facts", ("y a",), "all", "copy everything known of it, as the info page tells it", ("browse", "results", "answer"), 0, _needs_document),
    Command("yank.request", ("y r",), "request", "copy the request for it as curl, without the key", ("browse", "results", "answer"), 0, _needs_document),
    Command("address.open", ("o",), "open page", "open the page of a URL document; over SSH copy its address", ("browse",), 0, _needs_address),
    Command("change.undo", ("u",), "undo", "take back the last rename, edit or fetch", ("browse", "results", "answer"), 5, _needs_undo),
    Command("document.history", ("g l",), "history", "what was changed in the document from here, to be put back", ("browse", "results", "answer"), 0, _needs_document),
    Command("history.restore", ("p", "enter"), "put back", "what was before this change: in the editor, to be saved", ("history",), 1, _needs_changes),
    Command("history.pane", ("tab", "shift+tab"), "other pane", "between the changes and what one of them changed", ("history",), 2),
    Command("history.leave", ("escape", "q", "h", "left"), "back", "back to where you were", ("history",), 3),
    Command("rename.save", ("enter",), "save", "save the new name", ("rename",), 1),
    Command("rename.leave", ("escape",), "leave", "leave the name as it was", ("rename",), 2),
    Command("edit.save", ("ctrl+s", "f2"), "save", "save to the service and check it arrived", ("editor",), 1, typed="w"),
    Command("edit.leave", ("escape",), "leave, draft kept", "leave; what you typed is kept as a draft", ("editor",), 2, typed="q"),
    Command("edit.outside", ("f4",), "$EDITOR", "go on in $EDITOR; its text comes back here, not saved yet", ("editor",), 3),
    Command("edit.discard", ("f8",), "discard", "throw the draft away, after a question", ("editor",), 4, None, True),
    # In a text, by the names of Textual's text area
    Command("text.undo", ("ctrl+z",), "undo", "take back what was typed last", ("editor",)),
    Command("text.redo", ("ctrl+y",), "redo", "type again what was taken back", ("editor",)),
    Command("text.cut", ("ctrl+x",), "cut", "cut what is selected, or the line", ("editor",)),
    Command("text.copy", ("ctrl+c",), "copy", "copy what is selected", ("editor",)),
    Command("text.paste", ("ctrl+v",), "paste", "put in what was cut or copied here", ("editor",)),
    Command("text.cursor_line_start", ("home", "ctrl+a"), "line start", "to the start of the line", ("editor",)),
    Command("text.cursor_line_end", ("end", "ctrl+e"), "line end", "to the end of the line", ("editor",)),
    Command("text.document_start", ("ctrl+home",), "start", "to the start of the text", ("editor",)),
    Command("text.document_end", ("ctrl+end",), "end", "to the end of the text", ("editor",)),
    Command("text.cursor_word_left", ("ctrl+left",), "word left", "one word to the left", ("editor",)),
    Command("text.cursor_word_right", ("ctrl+right",), "word right", "one word to the right", ("editor",)),
    Command("text.delete_right", ("delete", "ctrl+d"), "delete", "delete the character under the cursor", ("editor",)),
    Command("text.delete_word_left", ("ctrl+w", "alt+backspace"), "delete word", "delete back to the start of the word", ("editor",)),
    Command("text.delete_word_right", ("alt+delete",), "delete word", "delete to the end of the word", ("editor",)),
    Command("text.delete_to_start_of_line", ("ctrl+u",), "delete back", "delete back to the start of the line", ("editor",)),
    Command("text.delete_to_line_end", ("ctrl+k",), "delete rest", "delete to the end of the line, or the line end", ("editor",)),
    Command("text.delete_line", ("ctrl+shift+k",), "delete line", "delete the line", ("editor",)),
    Command("text.select_left", ("shift+left",), "select", "select a character to the left", ("editor",)),
    Command("text.select_right", ("shift+right",), "select", "select a character to the right", ("editor",)),
    Command("text.select_up", ("shift+up",), "select", "select up to the line above", ("editor",)),
    Command("text.select_down", ("shift+down",), "select", "select down to the line below", ("editor",)),
    Command("text.select_word_left", ("ctrl+shift+left",), "select", "select a word to the left", ("editor",)),
    Command("text.select_word_right", ("ctrl+shift+right",), "select", "select a word to the right", ("editor",)),
    Command("text.select_line_start", ("shift+home",), "select", "select to the start of the line", ("editor",)),
    Command("text.select_line_end", ("shift+end",), "select", "select to the end of the line", ("editor",)),
    Command("text.select_line", ("f6",), "select line", "select the line", ("editor",)),
    Command("text.select_all", ("f7",), "select all", "select the whole text", ("editor",)),
    # Questions
    Command("question.cancel", ("n", "escape", "q"), "cancel", "cancel: nothing is lost", ("question",), 1),
    Command("question.verb", ("y",), "yes", "do what the other button says", ("question",), 2),
    Command("question.other", ("tab", "right", "left", "l", "h", "shift+tab"), "other button", "go to the other button", ("question",), 3),
    Command("question.press", ("enter", "space"), "press", "press the button with the ▸", ("question",), 4),
    Command("notice.go_on", ("enter", "space", "escape", "q", "y", "n"), "go on", "go on", ("notice",), 1),
    Command("conflict.here_mine", ("m",), "mine here", "take mine at this place", ("conflict",), 2, _needs_overlaps),
    Command("conflict.here_theirs", ("t",), "theirs here", "take theirs at this place", ("conflict",), 3, _needs_overlaps),
    Command("conflict.here_both", ("b",), "both here", "take both at this place, mine first", ("conflict",), 4, _needs_overlaps),
    Command("conflict.next", ("n",), "next place", "the next place that both sides changed", ("conflict",), 0, _needs_overlaps),
    Command("conflict.previous", ("N",), "place before", "the place before, that both sides changed", ("conflict",), 0, _needs_overlaps),
    Command("conflict.pane", ("tab", "shift+tab"), "other pane", "between the place and what would be saved", ("conflict",), 0, _needs_overlaps),
    Command("conflict.save", ("enter", "ctrl+s", "f2"), "save", "save the text that both sides make; u puts theirs back", ("conflict",), 1, _needs_decisions),
    Command("conflict.merge", ("e", "g m"), "edit", "go on in the editor with both joined, open places marked", ("conflict",), 5),
    Command("conflict.mine", ("a m",), "all mine", "save mine alone, nothing of theirs; u puts theirs back", ("conflict",), 7, None, True),
    Command("conflict.theirs", ("a t",), "all theirs", "keep theirs alone; u brings mine back as a draft", ("conflict",), 8, None, True),
    Command("conflict.new", ("w",), "new document", "save mine as a new document beside theirs", ("conflict",), 6),
    Command("conflict.back", ("escape", "q"), "back to mine", "go on editing mine as it was; nothing is saved", ("conflict",), 9),
    Command("differs.accept", ("t", "a"), "accept", "accept the text as the service holds it", ("differs",), 1),
    Command("differs.edit", ("e", "escape", "q"), "edit mine", "go on editing mine", ("differs",), 2),
    # The service
    Command("sync.refresh", ("R", "ctrl+r"), "refresh", "ask the service for everything again, now", ("browse",)),
    Command("sync.stop", ("X", "f9"), "stop waiting", "stop waiting to try again", ("browse", "editor")),
    # The rest
    Command("go.drafts", ("g d",), "drafts", "words typed and not yet saved", ("browse",)),
    Command("go.workspaces", ("g w",), "workspaces", "open another workspace", ("browse", "welcome")),
    Command("choose.open", ("enter",), "open", "open the selected line", ("choose",), 1),
    Command("keys.run", ("enter",), "run", "run the selected command", ("keys",), 1),
    Command("keys.down", ("down", "ctrl+n"), "down", "one line down", ("keys",)),
    Command("keys.up", ("up", "ctrl+p"), "up", "one line up", ("keys",)),
    Command("keys.page_down", ("pagedown",), "page down", "a page down", ("keys",)),
    Command("keys.page_up", ("pageup",), "page up", "a page up", ("keys",)),
    Command("keys.leave", ("escape", "f1"), "close", "close", ("keys",), 2),
    Command("palette.run", ("enter",), "go", "run the command, or go to the folder or document", ("palette",), 1),
    Command("palette.down", ("down", "ctrl+n"), "down", "one line down", ("palette",)),
    Command("palette.up", ("up", "ctrl+p"), "up", "one line up", ("palette",)),
    Command("palette.page_down", ("pagedown",), "page down", "a page down", ("palette",)),
    Command("palette.page_up", ("pageup",), "page up", "a page up", ("palette",)),
    Command("palette.leave", ("escape",), "close", "close", ("palette",), 2),
    Command("go.tasks", ("T",), "tasks", "what runs or waits in the background", ("everywhere",)),
    Command("go.requests", ("@",), "requests", "the last requests to the service", ("everywhere",)),
    Command("go.error", ("!",), "last error", "the last error, in detail", ("everywhere",)),
    Command("requests.open", ("enter", "l", "right"), "details", "all that is known of the request", ("requests",), 1),
    Command("requests.copy", ("y",), "copy as curl", "copy it as a command for curl, without the key", ("requests",), 2),
    Command("requests.leave", ("escape", "q", "h", "left", "@"), "back", "back to where you were", ("requests",), 3),
    Command("facts.copy", ("y",), "copy", "copy what is told here; of a request, the command for curl", ("facts",), 1),
    Command("facts.leave", ("escape", "q", "h", "left", "enter"), "back", "back to where you were", ("facts",), 2),
    Command("tasks.cancel", ("x",), "cancel", "cancel the task, if it can be", ("tasks",), 1),
    Command("tasks.leave", ("escape", "q", "h", "left", "T"), "back", "back to where you were", ("tasks",), 2),
    Command("choose.discard", ("x",), "discard", "discard the selected draft, after a question", ("drafts",), 2, None, True),
    Command("choose.new", ("w",), "new document", "write the selected draft as a document of its own", ("drafts",), 3),
    Command("choose.leave", ("escape", "q"), "close", "close", ("choose",), 4),
    Command("welcome.check", ("enter",), "check the key", "look for a key again and try it", ("welcome",), 1),
    Command("welcome.demo", ("d",), "open the demo", "open the embedded demo knowledge base", ("welcome",), 2),
    Command("help.keys", ("?", "f1"), "keys", "all keys, those that work here first; type to filter", ("everywhere",), 8),
    Command("help.palette", (":", "ctrl+p"), "commands", "commands, folders and documents by name", ("everywhere",)),
    Command("screen.theme", ("g t",), "dark or light", "change between dark and light", ("everywhere",)),
    Command("screen.redraw", ("ctrl+l",), "redraw", "draw the screen anew", ("everywhere",)),
    Command("app.read_only", (), "read-only", "change nothing in this visit", ("everywhere",), typed="set ro"),
    Command("app.write", (), "writing", "allow changes again", ("everywhere",), typed="set rw"),
    Command("app.suspend", ("ctrl+z",), "suspend", "back to the shell; fg returns", ("everywhere",)),
    Command("app.back", ("escape",), "back", "give up a range, undo the newest filter, or go back", ("browse",)),
    Command("app.leave", ("q",), "quit", "go back, and quit where there is nothing to go back from", ("browse", "welcome"), 7),
    Command("app.quit", ("Q",), "quit", "quit; drafts are kept", ("browse", "around", "welcome", "choose"), typed="q"),
)  # fmt: skip

BY_ID: Mapping[str, Command] = {command.id: command for command in COMMANDS}
