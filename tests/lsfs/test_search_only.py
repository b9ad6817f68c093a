"""search among some files, and for all that fulfil something: what nested questions stand on."""

import os

import pytest
from search_library import Library, Past, direction


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path)
    yield library
    library.close()


def test_only_the_files_that_are_named_are_looked_at(library):
    near = direction(1, 0, 0, 0)
    for path in ("a.md", "x/b.md", "x/c.md", "d.md"):
        library.add(path, f"refund {path}", vector=near)
    only = [b"x/b.md", b"d.md", b"not/there.md"]
    assert sorted(library.found("refund", only=only)) == ["d.md", "x/b.md"]
    assert sorted(library.found("elsewhere", vector=near, only=only)) == ["d.md", "x/b.md"]
    assert library.found("refund", only=only, folder=b"x") == ["x/b.md"]
    assert library.found("refund", only=[]) == []
    assert sorted(library.found(only=only)) == ["d.md", "x/b.md"]


def test_names_that_are_no_text_can_be_named(library):
    name = os.fsdecode(b"\xff\n'.md")
    library.history.execute("select 1")
    library.add("refund.md", "refund")
    parent, raw = b"", os.fsencode(name)
    library.history.execute("update file set name = ? where name = ?", (raw, b"refund.md"))
    hits = library.ask("refund", only=[raw])["hits"]
    assert [hit["path"] for hit in hits] == [raw] and parent == b""


def test_a_bare_answer_has_no_passages_and_all_that_fulfils(library):
    for number in range(50):
        library.add(f"{number:02d}.md", f"refund {number}")
    answer = library.ask("refund", bare=True, limit=1 << 22)
    assert len(answer["hits"]) == 50 and not answer["more"]
    assert all(hit["passages"] == [] and hit["author"] == "" for hit in answer["hits"])


def test_a_hit_says_whose_it_is_of_when_and_by_whom(library):
    library.add("a.md", "---\nauthor: Ann\n---\n\nrefund", mtime=7, uid=1234)
    library.add("b.md", "refund")
    first, second = sorted(library.ask("refund")["hits"], key=lambda hit: hit["path"])
    assert (first["mtime_ns"], first["uid"], second["author"]) == (7, 1234, "")


def test_files_of_the_past_can_be_named(tmp_path):
    past = Past(tmp_path)
    try:
        first = past.write("a.md", "refund one")
        past.write("b.md", "refund two")
        second = past.remove("a.md")
        assert past.found("refund", only=[b"a.md", b"b.md"], sequence=first) == ["a.md"]
        assert past.found("refund", only=[b"a.md"], sequence=second) == []
        assert past.found("refund", only=[b"a.md", b"b.md"]) == ["b.md"]
    finally:
        past.close()
