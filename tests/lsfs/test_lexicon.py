"""lexicon: what segments and tail say is what FTS5 says, to the bit, whatever came, went or was merged meanwhile."""

import contextlib
import json
import shutil
import sqlite3
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from search_library import Library, digest_of

from lsfs.engine.document import Cut
from lsfs.index import best, lexicon, search, segments, words
from lsfs.index.lexicon import Lexicon
from lsfs.index.source import PATHS, WORDS
from lsfs.index.tail import Stems
from syscalls.errors import TryAgain

VOCABULARY = [
    "refund",
    "refunds",
    "signature",
    "two",
    "zwei",
    "café",
    "cafe",
    "parseHeader",
    "running",
    "run",
    "漢字仮名",
    "x1",
    "the",
    "of",
]
texts = st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=30).map(" ".join)
questions = st.lists(st.sampled_from([*VOCABULARY, "absent", "a·b"]), min_size=1, max_size=6)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Segments of few rows."""
    monkeypatch.setattr(segments, "LEAST", 1)
    monkeypatch.setattr(segments, "SMALL", 1)
    monkeypatch.setattr(segments, "SLICE", 3)


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path)
    yield library
    library.close()


class Reader:
    """A lexicon of each source, asked in a transaction as a search does."""

    def __init__(self, state):
        self.index, self.catalogue = state / "index", str(state / "history.db")
        self.db = segments.connect(self.index, self.catalogue)
        self.stems = Stems()
        self.of = {source.name: Lexicon(self.db, self.index, source, self.stems) for source in (WORDS, PATHS)}

    def close(self):
        for some in (*self.of.values(), self.stems):
            some.close()
        self.db.close()

    @contextlib.contextmanager
    def reading(self):
        self.db.execute("begin")
        try:
            yield {name: some.refresh() for name, some in self.of.items()}
        finally:
            self.db.execute("rollback")

    def agrees(self, said, limit=5):
        """Whether segments are used, and say what FTS5 does of passages, of some contents, and of paths."""
        terms = words.repeated(words.terms(said), said)
        with self.reading() as ready:
            if not all(ready.values()):
                return False
            passages, paths = self.of["words"], self.of["paths"]
            expected = words.match(self.db, terms, limit)
            found = best.match(passages, terms, limit)
            assert found is None or found == expected
            some = [2, 4, 5]
            found = best.match(passages, terms, limit, some)
            assert found is None or found == words.match(self.db, terms, limit, json.dumps(some))
            found = best.match(paths, terms, limit)
            assert found is None or found == self.by_path(terms, limit)
            for term in terms:
                rows = [
                    row[0]
                    for row in self.db.execute("select rowid from words where words match ?", (f'"{term}"',))
                ]
                assert passages.count(term) in (None, len(rows))
                having = passages.having(term, some, limit)
                assert having is None or having == {row >> 20 for row in rows[:limit]} & set(some)
        return True

    def by_path(self, terms, limit):
        return self.db.execute(
            "select rowid, -bm25(path_words) as score from history.path_words where path_words match ? "
            "order by score desc, rowid limit ?",
            (words.any_of(terms), limit),
        ).fetchall()


@pytest.fixture
def reader(tmp_path, library):
    reader = Reader(tmp_path)
    yield reader
    reader.close()


def tend(library, idle=False):
    segments.tend(library.store.path.parent, str(library.store.path.parent.parent / "history.db"), idle)


def begin(library, name):
    """A huge content is written from now on (`Store.add_large`); its id."""
    with library.store.writing() as db:
        content = library.store._reserve(digest_of(name), "text", 0, False)
        db.execute("delete from content where id = ?", (content,))
        db.execute("insert into partial values (?, 'text')", (content,))
    return content


def write_slice(library, content, ordinal, text):
    passage = (content << 20) + ordinal
    with library.store.writing() as db:
        db.execute("insert into passage values (?, 1, 1, null, '', ?)", (passage, text))
        words.insert(db, [(passage, "", text, "text")])


def fill(library, count, first=0, text="refund number"):
    for n in range(first, first + count):
        library.add(f"folder{n % 3}/refund {n}.md", f"{text} {n}\n\nsignature of {n % 4}")


class World:
    """A library and two readers of it: one that is asked often, and one that is asked at the end. Each method is a step."""

    def __init__(self, state):
        self.library, self.often, self.seldom = Library(state), Reader(state), Reader(state)
        self.paths, self.begun, self.number = [], {}, 0

    def close(self):
        self.often.close()
        self.seldom.close()
        self.library.close()

    def add(self, text):
        self.number += 1
        path = f"{text[:40]} {self.number}"
        self.library.add(path, f"{text}\n\n{self.number} {text[::-1]}")
        self.paths.append(path)

    def add_again(self, text):
        """A content that was there, or is, at another path."""
        self.number += 1
        self.library.add(f"again {self.number}", text)
        self.paths.append(f"again {self.number}")

    def remove(self, number):
        """With an even number words.db forgets the content as well, with a multiple of three history the file, whose id it may give
        again."""
        if self.paths:
            self.library.remove(self.paths.pop(number // 6 % len(self.paths)))
        if number % 2 == 0:
            self.library.store.collect(-1.0)
        if number % 3 == 0:
            self.library.history.execute("delete from file where died is not null")

    def replace(self, number):
        """As many passages come as go."""
        self.remove(number)
        self.write_on("refund two")
        self.add_again("refund two")

    def begin(self, _):
        """A huge content, of which slices are written while others come."""
        self.begun[begin(self.library, f"huge {self.number}")] = 0
        self.number += 1

    def write_on(self, text):
        for content, ordinal in self.begun.items():
            write_slice(self.library, content, ordinal, text)
            self.begun[content] += 1

    def sweep(self, _):
        self.begun.clear()
        self.library.store.sweep()

    def reset(self, _):
        self.begun.clear()
        self.library.store.reset()

    def tend(self, idle):
        tend(self.library, idle)

    def interrupt(self, steps):
        """The deadline of a question ends while it learns what is new."""
        db = self.often.db
        db.execute("begin")
        db.set_progress_handler(lambda: True, steps)
        with contextlib.suppress(sqlite3.OperationalError):
            for lexicon_ in self.often.of.values():
                lexicon_.refresh()
        db.set_progress_handler(None, 0)
        db.execute("rollback")


def step(name, values):
    return st.tuples(st.just(name), values, st.none() | questions)


ways = st.integers(0, 35)
steps = st.one_of(
    *(step(name, texts) for name in ("add", "add_again", "write_on")),
    *(step(name, ways) for name in ("remove", "replace", "replace")),
    *(step(name, st.none()) for name in ("begin", "sweep", "reset")),
    step("tend", st.booleans()),
    step("interrupt", st.integers(1, 60)),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happening=st.lists(steps, max_size=20), said=questions, limit=st.integers(1, 8))
def test_segments_and_tail_say_what_fts5_says(tmp_path_factory, happening, said, limit):
    state = tmp_path_factory.mktemp("state")
    world = World(state)
    try:
        for text in ("refund two", "the running", "two"):
            world.add_again(text)
        world.begin(None)
        world.add("refund of two")
        world.tend(False)
        for name, value, asked in happening:
            getattr(world, name)(value)
            if asked:
                world.often.agrees(asked)
        world.often.agrees(said)
        world.add("the last")
        world.tend(False)
        assert world.often.agrees(said, limit) and world.seldom.agrees(said, limit)
    finally:
        world.close()
        shutil.rmtree(state)


def test_common_words_are_not_read_where_they_change_nothing(library, reader, monkeypatch):
    for n in range(300):
        library.add(f"{n}", f"refund {'signature ' if n % 2 else ''}{n}" + (" lisbon" if n < 9 else ""))
    tend(library, True)
    read = []
    monkeypatch.setattr(
        best, "times_of", lambda posting, rows: read.append(len(rows)) or best.np.zeros(len(rows))
    )
    with reader.reading():
        best.match(reader.of["words"], ["lisbon", "signature"], 4)
    assert max(read) <= 9  # those with the rare word


def test_new_passages_are_found_at_once(library, reader):
    fill(library, 12)
    tend(library)
    assert reader.agrees(["refund"])
    library.add("new.md", "lisbon refund")
    with reader.reading() as ready:
        assert ready["words"]
        assert [p >> 20 for p, _ in best.match(reader.of["words"], ["lisbon"], 5)] == [13]


def test_passages_of_a_content_that_is_being_written_are_known_though_later_ones_were_first(library, reader):
    fill(library, 12)
    huge = begin(library, "huge")
    library.add("later.md", "lisbon later")
    tend(library)
    assert reader.agrees(["lisbon"])
    write_slice(library, huge, 0, "lisbon slice")
    assert reader.agrees(["lisbon", "slice"])


@pytest.mark.parametrize("asked_before", [True, False])
def test_a_passage_that_comes_late_is_known_though_another_went_meanwhile(library, reader, asked_before):
    fill(library, 12)
    huge = begin(library, "huge")
    library.add("later.md", "lisbon later")
    tend(library)
    if asked_before:
        assert reader.agrees(["lisbon"])
    library.remove("later.md")
    library.store.collect(-1.0)
    write_slice(library, huge, 0, "lisbon slice")
    assert reader.agrees(["lisbon", "slice"])


def test_what_a_deadline_interrupts_is_learnt_by_the_next_question(library, monkeypatch):
    monkeypatch.setattr(search, "STEPS", 100)
    fill(library, 30)
    tend(library, True)
    assert library.found("signature")
    fill(library, 30, first=30)
    library.add("new.md", "lisbon")
    query = {"words": ["lisbon"], "meaning": "", "limit": 20}
    for _ in range(2):
        with pytest.raises(TryAgain):
            library.search.run(query, until=time.monotonic())
    assert library.found("lisbon") == ["new.md"]
    assert library.search._lexicon.ready and library.search._paths.ready


def test_a_scope_without_a_file_has_no_answer(library):
    fill(library, 6)
    tend(library)
    assert library.found("refund", folder=b"nowhere") == []


@pytest.mark.parametrize("rest", [0, 2])
def test_segments_of_which_nothing_is_left_are_removed(library, reader, rest, tmp_path):
    fill(library, 6)
    tend(library)
    if rest:
        fill(library, rest, first=6)
        tend(library)
    assert reader.agrees(["refund"])
    for n in range(6 + rest):
        library.remove(f"folder{n % 3}/refund {n}.md")
    library.store.collect(-1.0)
    assert reader.agrees(["refund"])
    tend(library, True)
    assert reader.agrees(["refund"])
    fill(library, 3, first=20)
    assert reader.agrees(["refund"])
    tend(library)
    assert reader.agrees(["refund"])


def test_a_segment_without_rows_is_none(tmp_path):
    nothing_ = segments.np.zeros(0, "<i8")
    segments.write(tmp_path / "words-0.segment", nothing_, nothing_, [])
    with pytest.raises(segments.Broken):
        segments.Segment(tmp_path / "words-0.segment")


def test_a_word_too_long_for_a_token_is_left_to_fts5(library, reader):
    fill(library, 6)
    tend(library)
    assert reader.of["words"].stems(["漢" * 20_000]) is None
    assert reader.agrees(["漢" * 20_000, "refund"])


def test_too_many_new_passages_are_left_to_fts5(library, reader, monkeypatch):
    fill(library, 4)
    tend(library)
    monkeypatch.setattr(lexicon, "MOST", 5)
    fill(library, 4, first=4)
    with reader.reading() as ready:
        assert not ready["words"]
    tend(library)
    assert reader.agrees(["refund"])


def test_segments_of_another_epoch_are_not_used(library, reader):
    fill(library, 6)
    tend(library)
    assert reader.agrees(["refund"])
    library.store.reset()
    library.add("new.md", "refund of another epoch")
    with reader.reading() as ready:
        assert not ready["words"]
    tend(library)
    assert reader.agrees(["refund"])


def test_a_path_whose_id_is_given_again_is_not_found_by_its_old_words(library, reader):
    fill(library, 6)
    library.add("lisbon.md", "seven")
    tend(library)
    assert reader.agrees(["lisbon"])
    library.remove("lisbon.md")
    library.history.execute("delete from file where died is not null")
    library.add("porto.md", "eight")
    fresh = Reader(library.store.path.parent.parent)
    for one in (reader, fresh):
        with one.reading() as ready:
            if ready["paths"]:
                assert best.match(one.of["paths"], ["lisbon"], 5) == []
                assert best.match(one.of["paths"], ["porto"], 5) == one.by_path(["porto"], 5)
    fresh.close()
    tend(library)
    assert reader.agrees(["porto"]) and reader.agrees(["lisbon"])


def test_a_new_path_whose_id_is_given_again_is_not_found_by_its_old_words(library, reader):
    fill(library, 6)
    tend(library)
    library.add("lisbon.md", "seven")
    assert reader.agrees(["lisbon"])
    library.remove("lisbon.md")
    library.history.execute("delete from file where died is not null")
    library.add("porto.md", "eight")
    assert reader.agrees(["porto"]) and reader.agrees(["lisbon"])


@pytest.mark.parametrize("harm", ["cut off", "no segment", "gone", "no list"])
def test_damaged_segments_are_not_used_and_made_again(library, reader, harm, tmp_path):
    fill(library, 6)
    tend(library)
    (segment,) = (tmp_path / "index").glob("words-*.segment")
    data = segment.read_bytes()
    match harm:
        case "cut off":
            segment.write_bytes(data[: len(data) // 2])
        case "no segment":
            segment.write_bytes(b"x" * len(data))
        case "gone":
            segment.unlink()
        case "no list":
            (tmp_path / "index" / "words.segments").write_text('{"mark"')
    with reader.reading() as ready:
        assert not ready["words"]
    tend(library)
    assert reader.agrees(["refund"])


def test_a_search_says_the_same_with_segments_as_without(library):
    fill(library, 30)
    library.add("short.md", "two signatures for a refund")
    before = [library.ask(*said.split()) for said in ("refund 7", "signature refund", "the", "short")]
    tend(library, True)
    assert library.search._lexicon.ready is False
    assert before == [library.ask(*said.split()) for said in ("refund 7", "signature refund", "the", "short")]
    assert library.search._lexicon.ready and library.search._paths.ready


def test_a_scope_is_kept_with_segments(library):
    fill(library, 30)
    before = [library.ask(*said.split(), folder=b"folder1", limit=50) for said in ("refund 7", "signature")]
    tend(library, True)
    assert before == [
        library.ask(*said.split(), folder=b"folder1", limit=50) for said in ("refund 7", "signature")
    ]
    assert {hit["path"].split(b"/")[0] for answer in before for hit in answer["hits"]} == {b"folder1"}
    assert library.search._paths.ready


def test_each_passage_lies_in_one_segment_after_merging(library, tmp_path):
    for first in range(0, 60, 6):
        fill(library, 6, first)
        tend(library)
    tend(library, idle=True)
    names = json.loads((tmp_path / "index" / "words.segments").read_text())["segments"]
    kept = sorted(path.name for path in (tmp_path / "index").glob("words-*"))
    assert sorted(names) == kept and len(names) <= 2
    ids = [id_ for name in names for id_ in segments.Segment(tmp_path / "index" / name).ids.tolist()]
    (count,) = library.store.db.execute("select count(*) from passage").fetchone()
    assert len(ids) == len(set(ids)) == count


@pytest.mark.parametrize("step", range(14))
def test_work_that_ends_at_any_step_leaves_nothing_that_answers_wrongly(
    library, reader, step, tmp_path, monkeypatch
):
    fill(library, 6)
    tend(library)
    fill(library, 5, first=6)
    sync, steps = segments.os.fsync, []

    def ends(descriptor):
        steps.append(descriptor)
        if len(steps) > step:
            raise OSError("no power")
        sync(descriptor)

    with monkeypatch.context() as ending:
        ending.setattr(segments.os, "fsync", ends)
        with contextlib.suppress(OSError):
            tend(library, idle=True)
    assert reader.agrees(["refund", "signature"])
    tend(library, idle=True)
    assert reader.agrees(["refund", "signature"])
    assert not list((tmp_path / "index").glob("*.coming"))


@pytest.mark.parametrize(
    ("sizes", "idle", "expected"),
    [
        ([], True, []),
        ([5000], True, []),
        ([5000, 5000, 5000], False, []),
        ([5000, 5000, 90_000, 5000, 5000], False, [0, 1, 3, 4]),
        ([100_000, 1000], True, []),
        ([1000, 100_000, 2000], True, [0, 2]),
        ([1000, 100_000, 20_000], True, [0, 1, 2]),
    ],
)
def test_segments_that_are_due_to_be_merged(sizes, idle, expected, monkeypatch):
    monkeypatch.setattr(segments, "SMALL", 1000)
    assert segments.due(sizes, idle) == expected


def test_a_term_that_is_no_single_token_is_left_to_fts5(library, reader):
    fill(library, 6)
    tend(library)
    with reader.reading():
        assert best.match(reader.of["words"], ["a·b"], 5) is None
        assert reader.of["words"].count("a·b") is None


def test_contents_that_have_a_term(library, reader):
    fill(library, 12)
    tend(library)
    library.add("new.md", "lisbon")
    with reader.reading():
        known = reader.of["words"]
        assert known.having("signature", [1, 2, 13, 99], 1000) == {1, 2}
        assert known.having("lisbon", [1, 13], 1000) == {13}
        assert known.having("signature", range(1, 13), 3) == {1, 2, 3}  # of the first three
        assert known.having("absent", [1], 1000) == set()


def test_what_a_word_is_counted_as_is_what_its_columns_weigh(library, reader):
    with library.store.writing():
        library.store.add(digest_of("x"), "text", [Cut(1, 1, "refund refund", "refund")], False, False)
    tend(library)
    with reader.reading():
        posting = reader.of["words"].segments[0].posting("refund")
    assert posting.times.tolist() == [2 * words.WEIGHTS[0] + words.WEIGHTS[1]]
