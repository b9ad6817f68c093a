"""source: what a source defines: functions, classes and methods, and which lines are whose.

Python is read with its own parser. For other languages a table says what a line that begins a definition looks like; a definition ends
where its first line's indentation is reached again. That is no parser: what it does not see counts as lines of what it stands in.
"""

import ast
import re
from collections import Counter
from dataclasses import dataclass, field

from syscalls.changes.outline import MOST_NODES, Node
from syscalls.changes.text import code, counted

MOST_PARSED = 512 << 10  # of Python source; more is read by the table
DEEPEST = 8
SUFFIXES = {  # suffix -> row of the table below
    **dict.fromkeys(["py", "pyi", "pyw"], "python"),
    **dict.fromkeys(["js", "jsx", "mjs", "cjs", "ts", "tsx", "mts"], "script"),
    **dict.fromkeys(["go"], "go"),
    **dict.fromkeys(["rs"], "rust"),
    **dict.fromkeys(["java", "cs", "kt", "kts", "scala", "swift", "php", "dart", "groovy"], "java"),
    **dict.fromkeys(["c", "h", "cc", "cpp", "cxx", "hh", "hpp", "hxx", "m", "mm"], "c"),
    **dict.fromkeys(["rb", "ex", "exs", "lua", "jl"], "ruby"),
    **dict.fromkeys(["sh", "bash", "zsh", "ksh"], "shell"),
    **dict.fromkeys(["pl", "pm"], "perl"),
    **dict.fromkeys(["sql"], "sql"),
}
_CLASSES = "class|struct|interface|enum|trait|union|record|object|protocol|extension|namespace|module|type"
_MODIFIERS = (
    r"(?:(?:public|private|protected|internal|static|final|abstract|override|open|sealed|virtual|async|export|default"
    r"|declare|inline|partial|data|suspend|fileprivate|mutating|external|const|unsafe|extern|synchronized|native|case|implicit|lazy)\s+){0,8}"
)
_NOT = (
    r"(?!(?:if|else|for|foreach|while|switch|return|catch|do|case|new|throw|using|lock|with|await|yield|typeof"
    r"|sizeof|delete|in|when|match|print|assert|super|this)\b)"
)
_TYPE = r"(?:[\w.<>\[\],?]{1,100}\s+)?"
_N = r"(?P<name>[A-Za-z_$][\w$]{0,199})"
_DEFINITIONS: dict[str, list[tuple[str, re.Pattern[str]]]] = {
    row: [(kind, re.compile(r"\s*" + pattern)) for kind, pattern in patterns]
    for row, patterns in {
        "python": [("class", rf"class\s+{_N}"), ("function", rf"(?:async\s+)?def\s+{_N}")],
        "script": [
            ("class", rf"{_MODIFIERS}(?:class|interface|enum|namespace|type)\s+{_N}\b(?!\s*:)"),
            ("function", rf"{_MODIFIERS}function\s*\*?\s*{_N}"),
            (
                "function",
                rf"{_MODIFIERS}(?:const|let|var)\s+{_N}\s*(?::[^=]{{1,80}})?=\s*(?:async\s*)?(?:function\b|\w+\s*=>|\([^)]{{0,300}}\)[^=;]{{0,80}}=>)",
            ),
            ("method", rf"{_MODIFIERS}(?:get\s+|set\s+)?{_NOT}{_N}\s*(?:<[^>]{{1,80}}>)?\([^()]{{0,300}}\)[^;=()]{{0,80}}\{{\s*$"),
        ],
        "go": [
            ("method", rf"func\s+\([^)]{{1,120}}\)\s*{_N}"),
            ("function", rf"func\s+{_N}"),
            ("type", rf"type\s+{_N}\s+"),
        ],
        "rust": [
            ("function", rf"(?:pub(?:\([^)]{{1,40}}\))?\s+)?(?:(?:const|async|unsafe|extern(?:\s+\"[^\"]{{1,20}}\")?)\s+){{0,4}}fn\s+{_N}"),
            ("type", rf"(?:pub(?:\([^)]{{1,40}}\))?\s+)?(?:struct|enum|trait|union|mod|type|macro_rules!)\s+{_N}"),
            ("impl", r"(?:unsafe\s+)?impl\b(?:<[^>]{1,80}>)?\s*(?P<name>[^{]{1,160}?)\s*(?:\{|where\b|$)"),
        ],
        "java": [
            ("class", rf"{_MODIFIERS}(?:{_CLASSES})\s+{_N}"),
            ("function", rf"{_MODIFIERS}(?:fun|func|def|function)\s+(?:<[^>]{{1,80}}>\s*)?{_N}"),
            ("method", rf"{_MODIFIERS}{_NOT}{_TYPE}{_N}\s*\([^;={{}}]{{0,300}}\)[^;=(){{}}]{{0,120}}\{{\s*$"),
            ("method", rf"(?=(?:public|private|protected|internal|static)\s){_MODIFIERS}{_TYPE}{_N}\s*\([^;={{}}]{{0,300}}\)\s*$"),
        ],
        "c": [
            ("type", rf"(?:typedef\s+)?(?:class|struct|union|enum(?:\s+class)?|namespace)\s+{_N}[^;()]{{0,120}}$"),
            ("macro", rf"#\s*define\s+{_N}"),
            ("function", rf"(?<!\s){_NOT}{_N}\s*\([^;{{}}]{{0,300}}\)\s*$"),
            ("function", rf"{_NOT}(?:[A-Za-z_][\w:<>,~]{{0,80}}+[\s*&]++){{1,6}}(?:[\w]{{1,80}}::)?{_N}\s*\([^;]{{0,300}}$"),
        ],
        "ruby": [
            ("class", r"(?:class|module|defmodule|struct|mutable\s+struct)\s+(?P<name>[\w.:]{1,200})"),
            ("function", r"(?:local\s+)?(?:def|defp|defmacro|function|macro)\s+(?P<name>[\w.:?!=]{1,200})"),
        ],
        "shell": [
            ("function", r"(?:function\s+(?P<name>[\w.:-]{1,200})|(?P<other>[\w.:-]{1,200})\s*\(\s*\))\s*(?:\(\s*\))?\s*[{(]?"),
        ],
        "perl": [("package", r"package\s+(?P<name>[\w:]{1,200})"), ("function", rf"sub\s+{_N}")],
        "sql": [
            (
                "definition",
                r"(?i:create\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+|unique\s+|materialized\s+)?(?:table|view|index|function|procedure|trigger|type)\s+(?:if\s+not\s+exists\s+)?)(?P<name>[\w.\"`\[\]]{1,200})",
            )
        ],
    }.items()
}  # fmt: skip
_ATTACHED = re.compile(r"\s*(?://|#|\*|/\*|--|@|\[[\w(]|\"\"\")")
_CLOSING = re.compile(r"\s*(?:[})\]]|end\b|fi\b|done\b|\$\$)")


@dataclass(slots=True)
class Source:
    """Definitions as nodes, the first for what stands outside of them, and for each what the fields say."""

    nodes: list[Node] = field(default_factory=lambda: [Node("", 0)])
    spans: list[tuple[int, int]] = field(default_factory=list)  # first and end line of each node
    lines: list[list[str]] = field(default_factory=list)  # of each node, without those of the nodes within
    trees: list[ast.AST | None] = field(default_factory=lambda: [None])
    heads: list[str] = field(default_factory=lambda: [""])

    def title(self, index: int) -> str:
        node, names = self.nodes[index], [self.nodes[index].name]
        while node.parent:
            node = self.nodes[node.parent]
            names.append(node.name)
        return code(".".join(reversed(names)), 120)

    def told(self, index: int) -> str:
        return f"the {self.nodes[index].kind} {self.title(index)}"

    def size(self, index: int) -> str:
        first, end = self.spans[index]
        return counted(end - first, "line")


def read_source(text: str, row: str) -> Source:
    """What `text` defines; `row` is a value of SUFFIXES. Never raises."""
    lines = text.split("\n")
    source = Source()
    source.spans.append((0, len(lines)))
    if row != "python" or len(text) > MOST_PARSED or not _by_parser(source, text):
        _by_table(source, lines, row)
    owner = [0] * len(lines)
    for index, (first, end) in enumerate(source.spans):
        if index:
            owner[first:end] = [index] * (end - first)
    source.lines = [[] for _ in source.nodes]
    for number, index in enumerate(owner):
        source.lines[index].append(lines[number])
    for index, node in enumerate(source.nodes):
        own = source.lines[index]
        while index and own and not own[-1].strip():
            own.pop()
        node.bag = Counter(
            line.strip() for line in own if len(line.strip()) > 2 and line.strip() != source.heads[index]
        )
    return source


def _by_parser(source: Source, text: str) -> bool:
    if "\f" in text or "\r" in text:  # Python and lsfs would count lines differently
        return False
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    lines = text.split("\n")
    queue: list[tuple[ast.AST, int, int]] = [(tree, 0, 0)]
    while queue:
        node, parent, depth = queue.pop()
        inner = []
        for child in getattr(node, "body", []):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                if len(source.nodes) >= MOST_NODES or depth >= DEEPEST:
                    break
                kind = "class" if isinstance(child, ast.ClassDef) else "method" if parent else "function"
                first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)]) - 1
                while first and lines[first - 1].lstrip().startswith("#"):
                    first -= 1
                source.nodes.append(Node(child.name, parent, kind))
                source.spans.append((first, child.end_lineno or first + 1))
                source.trees.append(None if kind == "class" else child)
                source.heads.append(lines[child.lineno - 1].strip())
                if kind == "class":
                    inner.append((child, len(source.nodes) - 1, depth + 1))
        queue.extend(reversed(inner))
    return True


def _by_table(source: Source, lines: list[str], row: str) -> None:
    open_nodes: list[tuple[int, int]] = []  # (indentation, index), outermost first
    indentations = [len(line) - len(line.lstrip()) for line in lines]
    spans = source.spans
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        indentation = indentations[number]
        while open_nodes and open_nodes[-1][0] >= indentation:
            closes = _CLOSING.match(line) and open_nodes[-1][0] == indentation
            # a brace on its own line begins the body rather than ending the definition
            if line.strip() == "{" or line.lstrip().startswith((")", "where")) and not closes:
                break
            _, index = open_nodes.pop()
            spans[index] = (spans[index][0], number + 1 if closes else number)
            if closes:
                break
        found = _definition(line, row)
        if found is None or len(open_nodes) >= DEEPEST or len(source.nodes) >= MOST_NODES:
            continue
        kind, name = found
        first = number
        floor = spans[open_nodes[-1][1]][0] + 1 if open_nodes else 0
        while first > floor and indentations[first - 1] >= indentation and _ATTACHED.match(lines[first - 1]):
            first -= 1
        source.nodes.append(Node(name, open_nodes[-1][1] if open_nodes else 0, kind))
        spans.append((first, len(lines)))
        source.trees.append(None)
        source.heads.append(line.strip())
        open_nodes.append((indentation, len(source.nodes) - 1))


def _definition(line: str, row: str) -> tuple[str, str] | None:
    for kind, pattern in _DEFINITIONS[row]:
        match = pattern.match(line[:500])
        if match:
            parts = match.groupdict()
            return kind, " ".join((parts["name"] or parts.get("other") or "").split())
    return None
