"""document: a text as its headings and, below each, sentences, list items, table rows and lines of code.

Reads what is common to Markdown, reStructuredText, AsciiDoc, Org, LaTeX and plain text with underlined headings; never raises.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from syscalls.changes.outline import MOST_NODES, Node
from syscalls.changes.text import words

TOP = "the beginning"

_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_RULE = re.compile(r"\s{0,3}([=\-~^*#\"+])\1{2,}\s*$")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,9}[.)])\s+(?:\[[ xX]\]\s+)?")
_ROW = re.compile(r"\s*\|.*\|\s*$")
_END = re.compile(r"(?<![.!?…])([.!?…]++[\"”’»')\]*_`]*+)\s+|(?<![。！？])([。！？]++[」』”）]*+)\s*")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[])(?:[A-Za-z]|e\.g|i\.e|z\.\s?B|d\.\s?h|u\.\s?a|cf|vs|etc|approx|ca|bzw|[Dd]r|[Mm]rs?|[Mm]s|Prof|St|No|Nr|Fig|pp?|Vol|Inc|Ltd)\.$"
)
_HEADINGS = {  # how a heading is marked in front, by suffix; what has none here is underlined, if anything
    "md": re.compile(r"\s{0,3}(#{1,6})\s+(.*)"),
    "adoc": re.compile(r"(={1,6})\s+(.*)"),
    "org": re.compile(r"(\*{1,8})\s+(.*)"),
    "tex": re.compile(r"\s*\\((?:sub){0,3})(?:section|chapter|paragraph)\*?\{([^}]{1,200})\}"),
}


@dataclass(slots=True)
class Unit:
    """What is compared as one; `noun` says what it is. Blanks within are single."""

    noun: str
    text: str


@dataclass(slots=True)
class Document:
    """Nodes for headings, the first for what stands before them; the units of each; how often a name occurs."""

    nodes: list[Node] = field(default_factory=lambda: [Node("", 0)])
    units: list[list[Unit]] = field(default_factory=lambda: [[]])
    names: Counter[str] = field(default_factory=Counter)

    def heading(self, level: int, name: str) -> None:
        parent = len(self.nodes) - 1
        while parent and self.nodes[parent].level >= level:
            parent = self.nodes[parent].parent
        self.nodes.append(Node(name, parent, level=level))
        self.units.append([])
        self.names[name] += 1

    def title(self, index: int) -> str:
        """The name of a section, with its parent's where others are called the same."""
        node = self.nodes[index]
        if not index:
            return TOP if len(self.nodes) > 1 else ""
        if node.parent and self.names[node.name] > 1:
            return f"{self.nodes[node.parent].name} › {node.name}"
        return node.name


def read_document(text: str, suffix: str) -> Document:
    """Headings as `suffix` ("md", "adoc", "org", "tex", "rst", "txt") writes them."""
    document = Document()
    marked = _HEADINGS.get(suffix)
    lines = text.split("\n")
    paragraph: list[str] = []
    noun = "sentence"
    fence = ""

    def close() -> None:
        nonlocal noun
        joined = " ".join(" ".join(paragraph).split())
        parts = sentences(joined) if noun == "sentence" else [joined]
        document.units[-1].extend(Unit(noun, part) for part in parts if part)
        paragraph.clear()
        noun = "sentence"

    start = 0
    if suffix == "md" and lines[0].rstrip() == "---":
        end = next((n for n, line in enumerate(lines[1:200], 1) if line.rstrip() in ("---", "...")), 0)
        document.units[0].extend(
            Unit("line of front matter", line.strip()) for line in lines[1:end] if line.strip()
        )
        start = end + 1 if end else 0
    for number in range(start, len(lines)):
        line = lines[number]
        opened = _FENCE.match(line) if suffix == "md" else None
        if fence:
            if opened and opened[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
            elif line.strip():
                document.units[-1].append(Unit("line of code", line.rstrip()))
            continue
        if opened:
            close()
            fence = opened[1]
            continue
        heading = marked.match(line[:1000]) if marked else None
        full = len(document.nodes) >= MOST_NODES
        if heading and not full:
            close()
            depth = len(heading[1]) // 3 + 1 if suffix == "tex" else len(heading[1])
            name = " ".join(heading[2].split())
            closed = name.rstrip("#")  # a heading of Markdown may end as it begins
            document.heading(depth, closed.rstrip() if not closed or closed.endswith(" ") else name)
        elif _is_underline(line, paragraph, noun, suffix) and not full:
            name = " ".join(paragraph[0].split())
            paragraph.clear()
            document.heading(1 + "=-~^\"'+*#".find(line.strip()[0]), name)
        elif not line.strip():
            close()
        elif _ROW.match(line):
            close()
            if line.strip(" |:-\t"):
                document.units[-1].append(Unit("table row", " ".join(line.split())))
        elif _ITEM.match(line):
            close()
            noun = "list item"
            paragraph.append(_ITEM.sub("", line, count=1))
        else:
            paragraph.append(re.sub(r"^\s*(?:>\s?)+", "", line))
    close()
    for node, units in zip(document.nodes, document.units, strict=True):
        node.bag = Counter(word for unit in units for word in words(unit.text))
    return document


def _is_underline(line: str, paragraph: list[str], noun: str, suffix: str) -> bool:
    rule = _RULE.match(line[:1000])
    if rule is None or len(paragraph) != 1 or noun != "sentence" or suffix not in ("md", "rst", "txt"):
        return False
    return rule[1] in "=-" if suffix == "md" else len(line.strip()) >= min(4, len(paragraph[0].strip()))


def sentences(text: str) -> list[str]:
    """A paragraph's sentences. An abbreviation, an initial, and a stop before a small letter end none."""
    result = []
    start = 0
    for match in _END.finditer(text):
        if match[1]:
            after = text[match.end() : match.end() + 1]
            if after.islower() or (
                match[1] == "." and _ABBREVIATION.search(text[max(0, match.end(1) - 12) : match.end(1)])
            ):
                continue
        result.append(text[start : match.end()].strip())
        start = match.end()
    result.append(text[start:].strip())
    return [part for part in result if part]
