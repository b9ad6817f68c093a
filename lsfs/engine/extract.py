"""extract: from a file's bytes to its text: plain text here, rich formats in a child that may die of them.

What a source file defines comes from a second child (`lsfs.engine.outline`): a grammar is C code, and nonsense of 200 KB made some of them
take ten seconds, two gigabytes, or the process itself. It answers at once, whatever a PDF is doing in the first.

Threading: `extract` is a function. An Extractor's rich documents belong to one thread at a time (the indexer's second lane); outlines
may be asked for by any thread, one after the other. The children are started when they are needed (`lsfs.engine.child`).
"""

import logging
import re
import threading
from collections.abc import Callable
from types import TracebackType

from lsfs.engine import encoding
from lsfs.engine.child import Child, command
from lsfs.engine.document import Content, Document, Extraction, Section
from lsfs.engine.outline import GRAMMARS, MAX_SOURCE
from lsfs.engine.reader import has_key
from lsfs.engine.types import PARSED, PICTURES

_NAMED = re.compile(r'"(?:title|name)"\s*:\s*"([^"\\\n]{1,160})"')
log = logging.getLogger(__name__)
_OUTLINE = 2.0  # seconds for an outline: a megabyte takes a third of one
_OUTLINE_CPU = (
    1  # of them on the processor: all files wait in this lane, and hostile ones always meet a fresh child
)
_OUTLINE_MEMORY = 1 << 30


class Extractor:
    """The children that parse. `memory` in bytes of address space, `timeout` in seconds for each document."""

    def __init__(
        self,
        memory: int = 2 << 30,
        timeout: float = 30.0,
        command: Callable[[int, int, int], list[str]] = command,
    ) -> None:
        self._documents = Child(memory, timeout, command)
        self._outlines = Child(min(memory, _OUTLINE_MEMORY), min(timeout, _OUTLINE), command, _OUTLINE_CPU)
        # the models of OCR and what else a child has loaded need more than one document may
        self._pictures = Child(2 * memory, timeout, command)
        self._outlining = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The process id of the child for documents, None while there is none."""
        return self._documents.pid

    def __enter__(self) -> "Extractor":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the children, if there are any. A later request starts others."""
        self._documents.close()
        self._pictures.close()
        with self._outlining:
            self._outlines.close()

    def extract(self, kind: str, data: bytes) -> Extraction:
        """Parse `data` as the rich type `kind`. A crash, a hang or a lack of memory is state "failed" with a sentence."""
        child = self._pictures if kind in PICTURES else self._documents
        answer = child.ask({"type": kind}, data)
        if answer is None:
            answer = {"error": f"The {kind} parser crashed on this file."}
        if "error" in answer:
            return Extraction("failed", kind, error=str(answer["error"]))
        found = answer["ok"]
        sections = found.get("sections")
        document = Document(
            found["type"],
            found["text"],
            found["title"],
            tuple(found["pages"]),
            None if sections is None else tuple(Section(*section) for section in sections),
        )
        return Extraction("text", kind, document)

    def outline(self, kind: str, text: str) -> tuple[Section, ...] | None:
        """The definitions of a source; None where there is no grammar for it, or it makes no sense of this one."""
        if kind not in GRAMMARS or len(text) > MAX_SOURCE or not text:
            return None
        with self._outlining:
            answer = self._outlines.ask({"type": kind, "want": "outline"}, text.encode("utf-8", "replace"))
        if answer is None or "error" in answer:
            log.info("no outline of a %s source: %s", kind, "crash" if answer is None else answer["error"])
            return None
        return tuple(Section(*section) for section in answer["ok"]["sections"])


def extract(content: Content, extractor: Extractor, outline: bool = True) -> Extraction:
    """The text of what `read_file` gave with state "text"; other states are passed on. Never raises for a bad document.

    outline: also what a source file defines, for who cuts it into passages."""
    if content.state != "text" or content.data is None:
        return Extraction(content.state, content.type, error=content.error)
    if content.type in PARSED and content.data:
        extraction = extractor.extract(content.type, content.data)
    else:
        text = encoding.decode(content.data)
        if text is None:
            return Extraction("other", "binary", error="The file is in no encoding that lsfs knows.")
        sections = extractor.outline(content.type, text) if outline else None
        document = Document(content.type, text, title_of(text, content.type), sections=sections)
        extraction = Extraction("text", content.type, document)
    if extraction.document is not None and _hides_key(extraction.document.text):
        return Extraction("secret", content.type)
    return extraction


def _hides_key(text: str) -> bool:
    """A private key that the file's bytes did not show: UTF-16, or inside a document."""
    if "PRIVATE KEY" not in text and "PuTTY-User-Key-File-" not in text and "AGE-SECRET-KEY-1" not in text:
        return False
    return has_key(text.encode("utf-8"))


def title_of(text: str, kind: str) -> str:
    """A plain text's title: the first heading or, failing that, its first line that says something; at most 160 characters."""
    start = text[:16384].split("\n")
    if start[0].strip() == "---":  # front matter
        for line in start[1:50]:
            if line.startswith("title:"):
                return line[6:].strip().strip("\"'")[:160]
            if line.strip() in ("---", "..."):
                break
    if kind == "json":  # its first line says no more than its keys do
        found = _NAMED.search(text[:4096])
        return found[1] if found is not None else ""
    if kind == "markdown":
        for line in start:
            if line.startswith("# "):
                return line[2:].strip().rstrip("#").strip()[:160]
    for line in start:
        words = line.strip(" \t#*=-/;\"'<>!_~`|+{}[]()%.:")
        if words and not line.startswith("#!"):
            return words[:160]
    return ""
