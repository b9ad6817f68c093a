"""outline: where the definitions of a source file begin and end, by the grammar of its language (tree-sitter).

A row of GRAMMARS names the grammars of a type word, best first, and the nodes that are definitions. A grammar is C code that is fed with
whatever lies in a folder, so this module runs in a child (`lsfs.engine.extractor`) and answers with plain numbers. Grammars come with
packages of their own, one each; nothing is downloaded. A language without a row is left to the patterns of `lsfs.engine.units`.

Threading: pure but for the cache of parsers; one thread.
"""

import functools
import importlib
import re
from typing import Any, NamedTuple

from lsfs.engine.document import Section

MAX_SOURCE = 1 << 19  # bytes: what is larger was generated, and may take seconds
MOST = 20_000  # definitions of one file
_TITLE = 80
_SPACE = re.compile(r"\s+")
# what stands above a definition and belongs to it: comments, attributes, decorators
_ATTACHED = re.compile(rb"[ \t]*(?:#|//|/\*|\*|--|;;|\[|@)")


class Grammar(NamedTuple):
    """How a type is parsed. grammars: `package:function`, tried in order until one reads the file without an error. nodes: that define."""

    grammars: tuple[str, ...]
    nodes: tuple[str, ...]


def _row(grammars: str, nodes: str) -> Grammar:
    return Grammar(tuple(grammars.split()), tuple(nodes.split()))


_SCRIPT = "function_declaration generator_function_declaration class_declaration method_definition lexical_declaration variable_declaration"
_TYPED = f"{_SCRIPT} abstract_class_declaration interface_declaration type_alias_declaration enum_declaration internal_module module"
_C = "function_definition struct_specifier union_specifier enum_specifier"
GRAMMARS: dict[str, Grammar] = {
    "python": _row("tree_sitter_python:language", "function_definition class_definition"),
    "javascript": _row("tree_sitter_javascript:language", _SCRIPT),
    "typescript": _row(
        "tree_sitter_typescript:language_typescript tree_sitter_typescript:language_tsx", _TYPED
    ),
    "java": _row(
        "tree_sitter_java:language",
        "class_declaration interface_declaration enum_declaration record_declaration annotation_type_declaration method_declaration "
        "constructor_declaration compact_constructor_declaration",
    ),
    "go": _row("tree_sitter_go:language", "function_declaration method_declaration type_declaration"),
    "rust": _row(
        "tree_sitter_rust:language",
        "function_item struct_item enum_item union_item trait_item impl_item mod_item macro_definition",
    ),
    "c": _row("tree_sitter_c:language tree_sitter_cpp:language", _C),
    "cpp": _row("tree_sitter_cpp:language", f"{_C} class_specifier namespace_definition"),
    "csharp": _row(
        "tree_sitter_c_sharp:language",
        "namespace_declaration class_declaration struct_declaration interface_declaration record_declaration enum_declaration "
        "method_declaration constructor_declaration property_declaration operator_declaration",
    ),
    "ruby": _row("tree_sitter_ruby:language", "module class method singleton_method"),
    "php": _row(
        "tree_sitter_php:language_php",
        "class_declaration interface_declaration trait_declaration enum_declaration function_definition method_declaration",
    ),
    "shell": _row("tree_sitter_bash:language", "function_definition"),
    "kotlin": _row(
        "tree_sitter_kotlin:language", "class_declaration object_declaration function_declaration"
    ),
    "swift": _row(
        "tree_sitter_swift:language",
        "class_declaration protocol_declaration function_declaration init_declaration protocol_function_declaration",
    ),
    "scala": _row(
        "tree_sitter_scala:language",
        "class_definition object_definition trait_definition enum_definition function_definition",
    ),
    "lua": _row("tree_sitter_lua:language", "function_declaration"),
}
# declared, but a definition only where it has a body: `struct x *y;` is a use, `const a = 1` a value
_BODIED = frozenset({"struct_specifier", "union_specifier", "enum_specifier", "class_specifier"})
_VALUES = frozenset({"lexical_declaration", "variable_declaration"})
_FUNCTIONS = frozenset({"arrow_function", "function_expression", "function", "generator_function", "class"})
# what a definition stands in when its first line is not its own
_AROUND = frozenset(
    {"decorated_definition", "export_statement", "template_declaration", "declaration", "type_definition"}
)
# what of that is said in a title
_SAID = frozenset({"export_statement", "declaration", "type_definition"})


@functools.cache
def _tools(name: str, nodes: tuple[str, ...]) -> tuple:
    """The parser and the query of a grammar; nodes that another grammar of the same row has are left out."""
    import tree_sitter

    package, function = name.split(":")
    language = tree_sitter.Language(getattr(importlib.import_module(package), function)())
    known = [node for node in nodes if language.id_for_node_kind(node, True) is not None]
    query = tree_sitter.Query(language, "[" + " ".join(f"({node})" for node in known) + "] @definition")
    return tree_sitter.Parser(language), query


def outline(source: bytes, kind: str) -> list[Section]:
    """The definitions of a source in UTF-8 whose lines end in "\\n", in their order, an enclosing one before what it encloses.

    Raises ValueError where no grammar makes sense of it: where more of it is broken than not, patterns do better."""
    import tree_sitter

    if len(source) > MAX_SOURCE:
        raise ValueError(f"sources above {MAX_SOURCE} bytes are not parsed")
    grammars, nodes = GRAMMARS[kind]
    trees = []
    for name in grammars:
        parser, query = _tools(name, nodes)
        tree = parser.parse(source)
        trees.append((_broken(tree.root_node), tree, query))
        if not trees[-1][0]:
            break
    broken, tree, query = min(trees, key=lambda found: found[0])
    if broken * 2 > len(source):
        raise ValueError("the grammar does not fit this source")
    found = tree_sitter.QueryCursor(query).captures(tree.root_node).get("definition", [])
    lines = source.split(b"\n")
    sections = []
    floor = 0  # no definition reaches up into the one before it
    for node in sorted(found[:MOST], key=lambda node: (node.start_byte, -node.end_byte)):
        body = _body(node)
        if (node.type in _BODIED and body is None) or (node.type in _VALUES and not _function(node)):
            continue
        outer = _outermost(node)
        first = outer.start_point[0]
        column = len(lines[first]) - len(lines[first].lstrip())
        while first > floor and _attached(lines[first - 1], column):
            first -= 1
        floor = node.start_point[0] + 1
        sections.append(Section(first + 1, outer.end_point[0] + 1, _signature(node, outer, body, source)))
    return sections


def _outermost(node: Any) -> Any:
    """A definition with its decorators, its `export` or its template."""
    while (
        node.parent is not None and node.parent.type in _AROUND and node.parent.start_byte <= node.start_byte
    ):
        node = node.parent
    return node


def _signature(node: Any, outer: Any, body: Any, source: bytes) -> str:
    """What stands before a definition's body, in one line, without decorators."""
    start = outer.start_byte if outer.type in _SAID else node.start_byte
    end = body.start_byte if body is not None and body.start_byte > node.start_byte else node.end_byte
    signature = source[start : min(end, start + 400)].decode("utf-8", "replace")
    if body is None:  # all of it is no signature
        signature = signature.split("\n", 1)[0]
    title = _SPACE.sub(" ", signature).replace("( ", "(").replace(" )", ")").replace(",)", ")")
    return title.strip(" {:(;").removesuffix("=>").rstrip(" =")[:_TITLE]


def _attached(line: bytes, column: int) -> bool:
    return _ATTACHED.match(line) is not None and len(line) - len(line.lstrip()) == column


def _broken(root: Any) -> int:
    """Bytes of the topmost nodes that the grammar could not read, looked for three levels deep."""
    if not root.has_error:
        return 0
    if root.type == "ERROR":
        return root.end_byte - root.start_byte
    total, level = 0, [root]
    for _ in range(3):
        below = []
        for node in level:
            for child in node.children:
                if child.type == "ERROR":
                    total += child.end_byte - child.start_byte
                elif child.has_error:
                    below.append(child)
        level = below
    return max(total, 1)


def _body(node: Any) -> Any:
    """The part of a definition after its signature, None where there is none."""
    found = node.child_by_field_name("body")
    if found is not None:
        return found
    for child in node.children:
        if child.type.endswith(("_body", "body", "block", "declaration_list", "body_statement")):
            return child
    return None


def _function(node: Any) -> bool:
    """Whether a declaration's value is a function or a class: `const parse = (x) => …`."""
    for child in node.children:
        value = child.child_by_field_name("value")
        if value is not None and value.type in _FUNCTIONS:
            return True
    return False
