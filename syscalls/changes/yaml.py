"""yaml: the keys of a YAML file, read by its indentation.

Not a parser: mappings, lists, plain and quoted values on one line, and blocks of text (| and >). Values stay as they are written, flow
collections ({…} and […]) too. Whatever else a file has (anchors, tags, several documents, keys given twice) is refused, so that nothing
is told of a file that was not understood.
"""

import re
from dataclasses import dataclass

from syscalls.changes.text import Unreadable

_KEY = re.compile(
    r"""(?P<key>"(?:[^"\\]|\\.){0,200}"|'[^']{0,200}'|[^\s\-?:,\[\]{}#&*!|>'"%@`][^#:"'{}\[\],]{0,200}?"""
    r"""|-?[\w./]{1,200})\s*:(?:\s+|$)"""
)
_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?\s*(?:#.*)?$")
_OPENS = re.compile(r"(?:^|:\s|-\s)\s*[|>][+-]?\d?[+-]?(?:\s+#.*)?$")
_DASHES = re.compile(r"(?:-\s+)+(?=[^\s|>])")
DEEPEST = 60


@dataclass(slots=True)
class _Line:
    indentation: int
    text: str
    number: int


def read_yaml(text: str) -> object:
    """Dictionaries, lists and the values as written (None for an empty one). Unreadable for what is beyond this reader."""
    reader = _Reader(text.split("\n"))
    if not reader.lines:
        return {}
    value = reader.node(reader.lines[0].indentation, 0)
    if reader.at < len(reader.lines):
        raise Unreadable("indentation that leads nowhere")
    return value


class _Reader:
    def __init__(self, raw: list[str]) -> None:
        self.raw = raw
        self.at = 0
        self.lines: list[_Line] = []
        block = -1  # the indentation of the line that a block of text belongs to
        for number, line in enumerate(raw):
            stripped = line.strip()
            indentation = len(line) - len(line.lstrip(" "))
            if block >= 0 and (not stripped or indentation > block):
                continue
            block = -1
            if not stripped or stripped.startswith("#") or (stripped == "---" and not self.lines):
                continue
            if line[indentation] == "\t" or stripped in ("---", "...") or stripped.startswith("%"):
                raise Unreadable("tabs, directives or several documents")
            self.lines.append(_Line(indentation, _uncommented(stripped), number))
            if _OPENS.search(stripped[-200:]):
                dashes = _DASHES.match(stripped)
                block = indentation + (len(dashes[0]) if dashes else 0)

    def node(self, indentation: int, depth: int) -> object:
        if depth > DEEPEST:
            raise Unreadable("nested too deeply")
        first = self.lines[self.at].text
        if first == "-" or first.startswith("- "):
            return self._list(indentation, depth)
        if _KEY.match(first):
            return self._mapping(indentation, depth)
        line = self._next()
        return _plain(line.text)

    def _next(self) -> _Line:
        self.at += 1
        return self.lines[self.at - 1]

    def _here(self, indentation: int) -> bool:
        if self.at >= len(self.lines) or self.lines[self.at].indentation < indentation:
            return False
        if self.lines[self.at].indentation > indentation:
            raise Unreadable("a value that goes on on the next line")
        return True

    def _list(self, indentation: int, depth: int) -> list[object]:
        entries: list[object] = []
        while self._here(indentation):
            line = self.lines[self.at]
            if line.text != "-" and not line.text.startswith("- "):
                break
            rest = line.text[1:].lstrip()
            if not rest:
                self.at += 1
                entries.append(self._below(indentation, depth))
                continue
            if _KEY.match(rest) or rest == "-" or rest.startswith("- "):
                # the entry begins on the line of its dash: the line is read again as if it began after it
                inner = indentation + len(line.text) - len(rest)
                self.lines[self.at] = _Line(inner, rest, line.number)
                entries.append(self.node(inner, depth + 1))
                continue
            self.at += 1
            entries.append(self._value(rest, line, indentation))
        return entries

    def _mapping(self, indentation: int, depth: int) -> dict[str, object]:
        members: dict[str, object] = {}
        while self._here(indentation):
            line = self.lines[self.at]
            match = _KEY.match(line.text)
            if match is None:
                if line.text == "-" or line.text.startswith("- "):
                    break
                raise Unreadable("a line without a key")
            self.at += 1
            key = match["key"].strip("\"'") if match["key"][0] in "\"'" else match["key"]
            if key in members or key == "<<":
                raise Unreadable("a key that is given twice or merged")
            rest = line.text[match.end() :]
            members[key] = (
                self._value(rest, line, indentation) if rest else self._below(indentation, depth, True)
            )
        return members

    def _below(self, indentation: int, depth: int, key: bool = False) -> object:
        if self.at >= len(self.lines):
            return None
        line = self.lines[self.at]
        # a list may stand as far left as the key that it belongs to
        if line.indentation > indentation or (
            key and line.indentation == indentation and line.text.startswith("-")
        ):
            if line.indentation == indentation and not (line.text == "-" or line.text.startswith("- ")):
                return None
            return self.node(line.indentation, depth + 1)
        return None

    def _value(self, rest: str, line: _Line, indentation: int) -> str:
        if not _BLOCK.match(rest):
            return _plain(rest)
        end = self.lines[self.at].number if self.at < len(self.lines) else len(self.raw)
        block = [text.strip() for text in self.raw[line.number + 1 : end]]
        return " ".join(text for text in block if text)


def _plain(text: str) -> str:
    if text[:1] in "&*!%@`":
        raise Unreadable("anchors and tags")
    if text[:1] in "\"'" and (len(text) < 2 or text[-1] != text[0]):
        raise Unreadable("a string of several lines")
    if text[:1] in "{[" and (text.count("{"), text.count("[")) != (text.count("}"), text.count("]")):
        raise Unreadable("a collection of several lines")
    return text


def _uncommented(text: str) -> str:
    if " #" not in text:
        return text
    if '"' in text or "'" in text:
        # a sign within quotes begins no comment
        match = re.match(r"""(?:[^"'#]|"(?:[^"\\]|\\.)*+"|'[^']*+'|(?<!\s)#)*+""", text)
        rest = text[match.end() :] if match else ""
        return text[: -len(rest)].rstrip() if rest.startswith("#") else text
    return text[: text.index(" #")].rstrip()
