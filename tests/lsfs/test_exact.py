"""Conditions are exact: the index gives the very files that a reading of their texts gives, whatever the texts and the conditions are."""

import contextlib
import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from search_library import Library, Past, digest_of

from lsfs.engine.document import Document
from lsfs.engine.passages import cut
from lsfs.index import terms
from syscalls.prompt import demanded, parse
from syscalls.terms import fulfils, leaves, tokens

WORDS = [
    "refund", "refunds", "re", "Café", "cafe\u0301", "naïve", "二", "検索", "全文検索", "학교에", "don't", "built-in", "snake_case",
    "parseHeader", "v1.2", "2026", "x", "straße", "мой", "мои", "ﬁle", "file", "🤷", "हिन्दी", "note¹", "a" * 200, "b" * 300,
]  # fmt: skip
WORD = st.one_of(st.sampled_from(WORDS), st.text("abé検-'_*19", min_size=1, max_size=4))
TEXT = st.lists(WORD, max_size=12).flatmap(
    lambda words: st.sampled_from([" ", "\n", ", ", "\n\n"]).map(lambda seam: seam.join(words))
)
NAME = st.lists(WORD, min_size=1, max_size=2).map(lambda words: "-".join(words).replace("/", "")[:60])
LEAF = st.one_of(
    WORD.map(lambda word: ("word", word)),
    st.lists(WORD, min_size=1, max_size=3).map(lambda words: ("phrase", " ".join(words))),
    st.lists(WORD, min_size=1, max_size=2).map(lambda words: ("prefix", " ".join(words)[:-1] or "a")),
)
TREE = st.recursive(
    LEAF,
    lambda part: st.one_of(
        part.map(lambda one: ("not", one)),
        st.tuples(st.sampled_from(["and", "or"]), st.lists(part, min_size=1, max_size=3)),
    ),
    max_leaves=8,
)
FILE = st.tuples(st.lists(NAME, min_size=1, max_size=2).map("/".join), TEXT, st.booleans())


def read(files, tree, exact=True):
    """By reading: the paths that fulfil a condition. files: {path: text, or None where there is no text}."""
    found = []
    for path, text in files.items():
        words, named = tokens(text or ""), tokens(path)
        seen = text is not None or not exact
        seen |= any(fulfils(leaf, named) for leaf in leaves(tree) if tokens(leaf[1]))
        if seen and fulfils(tree, words, named):
            found.append(path)
    return sorted(found)


def put(library, path, text):
    """A file with its text, cut into passages as the engine does; without one where text is None."""
    digest = None if text is None else digest_of(repr(text))
    if text is not None and library.store.known(digest) is None:
        document = Document("text", text)
        cuts = cut(document, lambda parts: [len(part) for part in parts], 60, 10)
        with library.store.writing():
            library.store.add(digest, "text", cuts, False, False, said=list(terms.slices(text)))
    known = ("text", "text") if text is not None else ("binary", "other")
    library._commit(path.encode(), digest, known[0], 1000, 0, known[1])


@contextlib.contextmanager
def library_of(files):
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder))
        for path, text in files.items():
            put(library, path, text)
        yield library
        library.close()


def as_files(rows):
    return {path: text if has else None for path, text, has in rows}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(FILE, max_size=6), st.lists(TREE, min_size=1, max_size=12))
def test_the_index_gives_what_reading_gives(rows, trees):
    files = as_files(rows)
    with library_of(files) as library:
        for tree in trees:
            assert sorted(library.found(condition=tree, exact=True, limit=99)) == read(files, tree), tree
            assert sorted(library.found(condition=tree, limit=99)) == read(files, tree, exact=False), tree


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from("abc"), min_size=30, max_size=120), st.data())
def test_a_phrase_is_found_wherever_a_long_text_was_cut(letters, data):
    kept = terms.SLICE, terms.OVERLAP
    terms.SLICE, terms.OVERLAP = 10, 4
    try:
        with library_of({"f": " ".join(letters)}) as library:
            for size in (1, 2, 4):
                at = data.draw(st.integers(0, len(letters) - size))
                said = letters[at : at + size]
                assert library.found(condition=("phrase", " ".join(said)), exact=True) == ["f"]
            for said in itertools.product("abc", repeat=3):
                tree = ("phrase", " ".join(said))
                assert library.found(condition=tree, exact=True) == read({"f": " ".join(letters)}, tree)
    finally:
        terms.SLICE, terms.OVERLAP = kept


def test_all_of_a_long_text_counts_also_what_has_no_vector():
    text = " ".join(f"word{n}" for n in range(120_000))
    with library_of({"long": text, "other": "x"}) as library:
        for n in (0, 49_999, 50_000, 99_743, 99_744, 119_998):
            assert library.found(condition=("phrase", f"word{n} word{n + 1}"), exact=True) == ["long"], n
        assert library.found(condition=("phrase", " ".join(f"word{n}" for n in range(49_900, 50_156)))) == [
            "long"
        ]
        assert library.found(condition=("phrase", "word1 word3")) == []


def test_every_file_is_a_hit_however_many_there_are():
    with library_of({f"{n:04}": f"refund x{n}" for n in range(1500)}) as library:
        hits = library.ask("refund", condition=("word", "refund"), exact=True, limit=1 << 22)["hits"]
        assert sorted(hit["path"] for hit in hits) == [b"%04d" % n for n in range(1500)]
        assert hits[0]["passages"] and not hits[1200]["passages"], "nobody reads the passages of so many"


def test_what_was_removed_is_found_no_more_and_leaves_nothing(tmp_path):
    library = Library(tmp_path)
    put(library, "a", "refund one")
    put(library, "b", "refund two")
    library.remove("a")
    assert library.found(condition=("word", "refund"), exact=True) == ["b"]
    library.store.db.execute("update content set added = 0")
    library.history.execute("update file set died_at = 1 where died is not null")
    assert len(library.store.collect(0)) == 1
    count = library.store.db.execute(
        "select (select count(*) from said), (select count(*) from terms where terms match 'one')"
    )
    assert count.fetchone() == (1, 0)
    library.store.reset()
    assert library.store.db.execute("select count(*) from terms where terms match 'refund'").fetchone() == (
        0,
    )
    library.close()


def test_the_past_is_as_exact_as_the_present(tmp_path):
    past = Past(tmp_path)
    first = past.write("notes/a.md", "two refunds\n\nneed a signature")
    past.write("b.md", "two refund")
    past.write("notes/a.md", "nothing of it")
    last = past.remove("b.md")
    asked = [
        ("phrase", "refunds need"),
        ("prefix", "refund"),
        ("not", ("word", "two")),
        ("word", "notes"),
        ("phrase", "notes a md"),
    ]
    then = [past.found(condition=tree, exact=True, sequence=first) for tree in asked]
    now = [past.found(condition=tree, exact=True, sequence=last) for tree in asked]
    assert then == [["notes/a.md"], ["notes/a.md"], [], ["notes/a.md"], ["notes/a.md"]]
    assert now == [[], [], ["notes/a.md"], ["notes/a.md"], ["notes/a.md"]]
    past.close()


@settings(max_examples=150, deadline=None)
@given(TREE, st.lists(TEXT, max_size=5))
def test_what_an_expression_demands_survives_being_written_as_a_prompt(tree, texts):
    def said(tree):
        kind, value = tree
        if kind in ("and", "or"):
            return "(" + f" {kind.upper()} ".join(map(said, value)) + ")"
        return (
            f"NOT ({said(value)})"
            if kind == "not"
            else '"' + value.replace("*", "") + '*"' * (kind == "prefix") + '"' * (kind != "prefix")
        )

    if not all(tokens(value) for _, value in leaves(tree)):
        return
    prompt = parse(demanded(said(tree)))
    assert prompt.exact and prompt.notes == () and prompt.mode == "words"
    for words in map(tokens, texts):
        starred = [
            value
            for kind, value in leaves(tree)
            if kind == "prefix" and not value.replace("*", "")[-1:].isalnum()
        ]
        if not starred:
            assert fulfils(prompt.condition, words) == fulfils(tree, words), (said(tree), prompt.condition)


@pytest.mark.parametrize("text", ["", "x", "\0", "\udcff refund"])
def test_texts_that_are_hardly_any_are_kept(text):
    with library_of({"f": text}) as library:
        assert library.found(condition=("not", ("word", "zebra")), exact=True) == ["f"]
