"""lexicon: what segments and tail say is what FTS5 says, to the bit, whatever came, went or was merged meanwhile."""

import contextlib
import json
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from search_library import Library, digest_of

from lsfs.engine.document import Cut
from lsfs.index import best, lexicon, segments, words
from lsfs.index.lexicon import Lexicon
from lsfs.index.source import PATHS, WORDS
from lsfs.index.tail import Stems

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
                (count,) = self.db.execute(
                    "select count(*) from words where words match ?", (f'"{term}"',)
                ).fetchone()
                assert passages.count(term) in (None, count)
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


def fill(library, count, first=0, text="refund number"):
    for n in range(first, first + count):
        library.add(f"folder{n % 3}/refund {n}.md", f"{text} {n}\n\nsignature of {n % 4}")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("add"), texts),
            st.tuples(st.just("remove"), st.integers(0, 30)),
            st.tuples(st.just("collect"), st.none()),
            st.tuples(st.just("tend"), st.booleans()),
            st.tuples(st.just("ask"), questions),
        ),
        max_size=25,
    ),
    asked=questions,
    limit=st.integers(1, 8),
)
def test_segments_and_tail_say_what_fts5_says(tmp_path_factory, steps, asked, limit):
    state = tmp_path_factory.mktemp("state")
    library, there = Library(state), []
    reader = Reader(state)
    try:
        for number, (step, value) in enumerate([("add", "refund two"), ("tend", False), *steps]):
            if step == "add":
                library.add(f"{value[:40]} {number}", f"{value}\n\n{number} {value[::-1]}")
                there.append(f"{value[:40]} {number}")
            elif step == "remove" and there:
                library.remove(there.pop(value % len(there)))
            elif step == "collect":
                library.store.collect(-1.0)
            elif step == "tend":
                tend(library, value)
            elif step == "ask":
                reader.agrees(value)
        assert reader.agrees(asked, limit)
    finally:
        reader.close()
        library.close()
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
    with library.store.writing() as db:
        db.execute("insert into partial values (13, 'text')")
        db.execute("update sqlite_sequence set seq = 13 where name = 'content'")
    library.add("later.md", "lisbon later")
    tend(library)
    assert reader.agrees(["lisbon"])
    with library.store.writing() as db:
        db.execute("insert into passage values (13 << 20, 1, 1, null, '', 'lisbon slice')")
        words.insert(db, [(13 << 20, "", "lisbon slice", "text")])
    assert reader.agrees(["lisbon", "slice"])


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
