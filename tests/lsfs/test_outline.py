"""Outline: every grammar names definitions, and a source that no grammar survives costs neither its words nor the engine."""

import importlib
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
import tree_sitter

from lsfs.engine.child import command
from lsfs.engine.document import Content, Section
from lsfs.engine.extract import Extractor, extract
from lsfs.engine.outline import GRAMMARS, MAX_SOURCE, outline
from lsfs.engine.passages import cut

SOURCES = {
    "python": (
        "import os\n\n\n# keeps accounts\n@cached\nclass Ledger(Base):\n    @property\n    def total(\n"
        "        self,\n    ) -> int:\n        return 1\n\nasync def add(x): return x\n",
        [(4, 11, "class Ledger(Base)"), (7, 11, "def total(self) -> int"), (13, 13, "async def add(x)")],
    ),
    "javascript": (
        "const limit = 3\nexport const add = async (x) => {\n  return x\n}\nclass A extends B {\n  run(n) {\n  }\n}\n",
        [(2, 4, "export const add = async (x)"), (5, 8, "class A extends B"), (6, 7, "run(n)")],
    ),
    "typescript": (
        "export interface Item {\n  id: number\n}\nfunction View(): any {\n  return <p>x</p>\n}\n",
        [(1, 3, "export interface Item"), (4, 6, "function View(): any")],
    ),
    "java": (
        "package a;\n/** Adds. */\npublic class A {\n  int add(int x) {\n    return x;\n  }\n}\n",
        [(2, 7, "public class A"), (4, 6, "int add(int x)")],
    ),
    "go": (
        "package a\n\n// Add adds.\nfunc (l *Ledger) Add(x int) error {\n\treturn nil\n}\n",
        [(3, 6, "func (l *Ledger) Add(x int) error")],
    ),
    "rust": (
        "#[derive(Debug)]\nstruct A {\n    x: u8,\n}\nimpl B for A {\n    /// adds\n    fn add(&self) -> u8 {\n        1\n    }\n}\n",
        [(1, 4, "struct A"), (5, 10, "impl B for A"), (6, 9, "fn add(&self) -> u8")],
    ),
    "c": (
        "/* adds */\nstatic int\nadd(struct item *x)\n{\n  return 1;\n}\nstruct item {\n  int a;\n};\n",
        [(1, 6, "static int add(struct item *x)"), (7, 9, "struct item")],
    ),
    "cpp": (
        "namespace n {\ntemplate <class T>\nclass A : public B {\n  int add() { return 1; }\n};\n}\n",
        [(1, 6, "namespace n"), (2, 5, "class A : public B"), (4, 4, "int add()")],
    ),
    "csharp": (
        "namespace N {\n  class A {\n    int Add(int x) {\n      return x;\n    }\n  }\n}\n",
        [(1, 7, "namespace N"), (2, 6, "class A"), (3, 5, "int Add(int x)")],
    ),
    "ruby": (
        "module M\n  class A < B\n    def add(x)\n      x\n    end\n  end\nend\n",
        [(1, 7, "module M"), (2, 6, "class A < B"), (3, 5, "def add(x)")],
    ),
    "php": (
        "<?php\nclass A {\n  public function add($x) {\n    return $x;\n  }\n}\n",
        [(2, 6, "class A"), (3, 5, "public function add($x)")],
    ),
    "shell": ("set -e\nadd() {\n  echo\n}\n", [(2, 4, "add()")]),
    "kotlin": (
        "class A(val x: Int) {\n  fun add(y: Int): Int {\n    return y\n  }\n}\n",
        [(1, 5, "class A(val x: Int)"), (2, 4, "fun add(y: Int): Int")],
    ),
    "swift": ("struct A {\n  func add(x: Int) -> Int {\n    return x\n  }\n}\n", [(1, 5, "struct A"), (2, 4, "func add(x: Int) -> Int")]),
    "scala": ("object A {\n  def add(x: Int): Int = {\n    x\n  }\n}\n", [(1, 5, "object A"), (2, 4, "def add(x: Int): Int")]),
    "lua": ("local function add(x)\n  return x\nend\n", [(1, 3, "local function add(x)")]),
}  # fmt: skip


@pytest.mark.parametrize("kind", GRAMMARS)
def test_each_language_has_its_definitions_with_what_belongs_to_them(kind: str) -> None:
    source, expected = SOURCES[kind]
    assert [tuple(section) for section in outline(source.encode(), kind)] == expected


@pytest.mark.parametrize("kind", GRAMMARS)
def test_a_grammar_knows_every_node_that_its_row_names(kind: str) -> None:
    grammars, nodes = GRAMMARS[kind]
    known = set()
    for name in grammars:
        package, function = name.split(":")
        language = tree_sitter.Language(getattr(importlib.import_module(package), function)())
        known |= {node for node in nodes if language.id_for_node_kind(node, True) is not None}
    assert set(nodes) - known == set()


def test_what_is_no_source_of_that_language_is_left_to_patterns() -> None:
    with pytest.raises(ValueError, match="fit"):
        outline(b"%%% this is ??? no ))) program !!! at ((( all ]]]\n" * 20, "java")
    with pytest.raises(ValueError, match="bytes"):
        outline(b"#" * (MAX_SOURCE + 1), "python")


def sections_of(extractor: Extractor, kind: str, data: bytes) -> tuple[Section, ...] | None:
    extraction = extract(Content("text", kind, b"d" * 16, data), extractor)
    assert extraction.state == "text" and extraction.document is not None
    assert extraction.document.text == data.decode()
    return extraction.document.sections


def test_a_source_that_kills_its_parser_keeps_its_words_and_the_next_one_its_definitions() -> None:
    with Extractor() as one:
        fine = (Section(1, 2, "def f()"),)
        assert sections_of(one, "python", b"def f():\n    return 1") == fine
        hostile = extract(Content("text", "java", b"d" * 16, b"a<" * 200_000), one)
        assert hostile.document is not None and hostile.document.sections is None
        assert cut(hostile.document, lambda texts: [len(text) for text in texts])[0].text.startswith("a<")
        assert sections_of(one, "python", b"def f():\n    return 1") == fine


def test_an_outline_needs_no_documents_child_and_survives_a_kill() -> None:
    with Extractor() as one:
        assert sections_of(one, "go", b"package a\n") == ()
        assert one.pid is None
        child = one._outlines.pid
        assert child is not None
        os.kill(child, signal.SIGKILL)
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        assert sections_of(one, "go", b"package a\nfunc F() {\n}\n") == (Section(2, 3, "func F()"),)
    assert one._outlines.pid is None


def test_a_language_without_a_grammar_asks_no_child() -> None:
    with Extractor() as one:
        assert sections_of(one, "haskell", b"main = print 1\n") is None
        assert one._outlines.pid is None


def test_an_outline_has_a_second_of_the_processor_though_a_fresh_child_may_take_longer() -> None:
    """The lane of all files waits for it: sources that kill their parser one after the other cost no more than that each."""
    granted = []

    def started(fd: int, memory: int, seconds: int) -> list[str]:
        granted.append(seconds)
        return command(fd, memory, seconds)

    with Extractor(command=started) as one:
        for _ in range(3):
            assert sections_of(one, "java", b"a<" * 200_000) is None
        assert sections_of(one, "python", b"def f():\n    return 1") == (Section(1, 2, "def f()"),)
    assert len(granted) >= 3 and set(granted) == {1}


def test_a_source_has_its_outline_though_the_thread_that_started_the_child_is_gone() -> None:
    with Extractor() as one:
        for number in range(3):
            source = b"def f%d():\n    return 1" % number
            with ThreadPoolExecutor(1) as thread:
                said = thread.submit(sections_of, one, "python", source).result()
            assert said == (Section(1, 2, f"def f{number}()"),)
