"""grouping: every hit in exactly one group, under a name that a directory can have."""

import time

import pytest

from syscalls.grouping import GROUPINGS, REST, by_words, grouped
from syscalls.values import Hit, Passage, Topic


def hit(path, text="", modified=None, author=""):
    return Hit(path, 1.0, {}, (Passage(1, 1, text, 1.0),), modified, author)


def at(year, month):
    return int(time.mktime((year, month, 15, 12, 0, 0, 0, 0, -1))) * 10**9


HITS = (
    hit(b"papers/old/a.PDF", "glaciers melt in the arctic", at(2025, 3), "Ann"),
    hit(b"b.md", "lentil soup with onion", at(2026, 11), "Bob"),
    hit(b"papers/c.md", "sea ice and glaciers of the arctic", at(2025, 3), "Ann"),
    hit(b"Makefile", "soup with lentil and cumin"),
    hit(b"papers/.profile", "nothing else", 1 << 62, "a/b"),
)


def names(by, **more):
    return {name: [one.path for one in some] for name, some in grouped(by, HITS, **more).items()}


@pytest.mark.parametrize("by", GROUPINGS)
def test_every_hit_is_in_exactly_one_group(by):
    assert sorted(path for paths in names(by).values() for path in paths) == sorted(one.path for one in HITS)


def test_groups_are_called_by_what_their_files_are_best_hit_first():
    assert list(names("folder")) == ["papers∕old", "∕", "papers"]
    assert list(names("folder", folder=b"papers"))[:1] == ["old"]
    assert list(names("type")) == ["pdf", "md", "none"]
    assert list(names("month"))[:3] == ["2025-03", "2026-11", "unknown"]
    assert list(names("author")) == ["Ann", "Bob", "unknown", "a∕b"]


def test_topics_are_those_of_the_model_and_the_rest():
    topics = [Topic("arctic-ice", (b"papers/old/a.PDF", b"papers/c.md"))]
    assert list(names("topic", topics=topics).items())[0] == (
        "arctic-ice",
        [b"papers/old/a.PDF", b"papers/c.md"],
    )
    assert len(names("topic", topics=topics)[REST]) == 3


def test_without_a_model_words_tell_topics_apart_the_same_way_each_time():
    found = by_words(HITS)
    assert found[b"b.md"] == found[b"Makefile"] == "lentil-soup"
    assert found[b"papers/c.md"] == found[b"papers/old/a.PDF"] == "arctic-glaciers"
    assert found[b"papers/.profile"] == REST
    assert by_words(HITS[::-1]) == found
    assert by_words(()) == {} and by_words(HITS[:1]) == {HITS[0].path: REST}


@pytest.mark.parametrize("author", ["", ".", "..", "\n", "é" * 300, "x" * 256, "a\0b", "\udcff"])
def test_a_group_has_a_name_that_a_directory_can_have(author):
    (name,) = grouped("author", [hit(b"a", author=author)])
    data = name.encode("utf-8", "surrogateescape")
    assert 0 < len(data) <= 255 and name not in (".", "..") and not set(name) & set("/\0\n")
