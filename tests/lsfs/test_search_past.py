"""search in the past: the same query with another sequence answers from what was visible then, and from nothing else."""

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from search_library import Past, digest_of, direction

from lsfs.index import view
from lsfs.index.search import Search


@pytest.fixture
def past(tmp_path):
    past = Past(tmp_path)
    yield past
    past.close()


def test_a_changed_file_is_found_by_the_words_it_had(past):
    first = past.write("plan.md", "refund within a week")
    second = past.write("plan.md", "voucher within a week")
    assert past.found("refund", sequence=first) == ["plan.md"] == past.found("voucher", sequence=second)
    assert past.found("voucher", sequence=first) == [] == past.found("refund", sequence=second)
    assert past.found("refund") == []
    (hit,) = past.ask("refund", sequence=first)["hits"]
    assert (hit["passages"][0]["text"], hit["stale"]) == ("refund within a week", False)


def test_a_renamed_file_is_found_where_it_was(past):
    first = past.write("drafts/plan.md", "refund within a week")
    second = past.rename("drafts/plan.md", "final/plan.md")
    assert past.found("refund", sequence=first) == ["drafts/plan.md"]
    assert past.found("refund", sequence=second) == ["final/plan.md"]
    assert past.found("drafts", sequence=first) == ["drafts/plan.md"]
    assert past.found("drafts", sequence=second) == [] == past.found("final", sequence=first)


def test_a_deleted_file_is_found_and_a_later_one_is_not(past):
    first = past.write("old.md", "refund rules")
    second = past.remove("old.md")
    third = past.write("new.md", "refund rules")
    assert [past.found("refund", sequence=s) for s in (first, second, third)] == [["old.md"], [], ["new.md"]]
    assert past.ask("refund", sequence=first)["sequence"] == first
    assert past.found("refund", sequence=0) == []


@pytest.mark.parametrize("captured", [True, False])
def test_while_nothing_changes_the_past_answers_as_the_present(past, captured):
    near = direction(1, 0, 0, 0)
    past.write("a/refund.md", "refund refund rules\n\nother words", captured=captured, vector=near)
    past.write(
        "a/b/two.py", "the refund of two", type="python", captured=captured, vector=direction(1, 1, 0, 0)
    )
    past.write("refund.jpg", type="jpeg", state="other", captured=captured)
    past.write("empty.md", "", captured=captured)
    past.remove("refund.jpg")  # its path is in both tables of words afterwards
    sequence = past.write("refund.jpg", type="jpeg", state="other", captured=captured)
    for query in (
        {},
        {"vector": near},
        {"mode": "words", "folder": b"a"},
        {"types": ["code"]},
        {"types": ["image"]},
        {"types": ["doc", "jpg"]},
        {"condition": ("not", ("word", "two"))},
        {"condition": ("word", "refund")},
    ):
        for words in (("refund", "two"), ("refund",), ()):
            now, then = past.ask(*words, **query), past.ask(*words, sequence=sequence, **query)
            assert now == then, (words, query)
            assert then["hits"] or not (words or {"types", "condition"} & query.keys())


def test_what_is_not_captured_is_the_live_file_itself(past):
    first = past.write("a.md", "refund rules", captured=False)
    second = past.rename("a.md", "b.md")
    assert past.found("refund", sequence=first) == ["a.md"]
    assert past.found("refund", sequence=second) == ["b.md"]
    third = past.write("b.md", "voucher", captured=False)
    assert past.found("refund", sequence=first) == ["a.md"]
    assert past.found("refund", sequence=third) == []


def test_a_file_that_waits_to_be_read_has_not_the_words_it_had_before(past):
    first = past.write("a.md", "refund rules")
    second = past.write("a.md", "voucher rules", captured=False, read=False)
    assert past.found("refund") == ["a.md"]  # the live answer says that it is stale
    assert past.found("refund", sequence=first) == ["a.md"]
    assert past.found("refund", sequence=second) == [] == past.found("voucher", sequence=second)
    past.read("a.md")
    assert past.found("voucher", sequence=second) == ["a.md"]


def test_ignored_files_folders_and_links_are_never_hits(past):
    past.write("refund.log", "refund rules", ignored=True)
    past.write("shown.md", "refund rules")
    past._enter(b"", b"refund", 0o40755, 0, 0, None, True)
    sequence = past.sequence
    assert past.found("refund", sequence=sequence) == ["shown.md"]
    assert past.found(condition=("word", "refund"), sequence=sequence) == ["shown.md"]


SCOPES = [
    ({"folder": b"a"}, ["a/b/two.py", "a/one.md"]),
    ({"folder": b"a/b"}, ["a/b/two.py"]),
    ({"within": [b"a/one.md", b"ab"]}, ["a/one.md", "ab/three.md"]),
    ({"types": ["markdown"]}, ["a/one.md", "ab/three.md"]),
    ({"types": ["code"]}, ["a/b/two.py"]),
    ({"types": ["py", "nothing"]}, ["a/b/two.py"]),
    ({"after": 20}, ["a/b/two.py", "ab/three.md"]),
    ({"before": 20}, ["a/one.md"]),
    ({"uid": 7}, ["ab/three.md"]),
    ({"folder": b"nowhere"}, []),
    ({"folder": b"moved"}, []),
    ({"condition": ("phrase", "the refund")}, ["a/b/two.py"]),
    ({"condition": ("not", ("word", "three"))}, ["a/b/two.py", "a/one.md"]),
    ({"condition": ("and", [("word", "refund"), ("word", "one")])}, ["a/one.md"]),
]


@pytest.mark.parametrize(("scope", "expected"), SCOPES)
@pytest.mark.parametrize("words", [("refund",), ()])
def test_scopes_and_conditions_look_at_what_was_there(past, scope, expected, words):
    past.write("a/one.md", "a refund", type="markdown", mtime=10, vector=direction(1, 0, 0, 0))
    past.write("a/b/two.py", "the refund", type="python", mtime=20, vector=direction(1, 1, 0, 0))
    sequence = past.write(
        "ab/three.md", "any refund", type="markdown", mtime=30, uid=7, vector=direction(1, 0, 1, 0)
    )
    past.rename("a/b/two.py", "moved/two.md")
    past.write("a/one.md", "a voucher", type="markdown", mtime=40)
    past.remove("ab/three.md")
    past.write("a/four.py", "the refund three", type="python", mtime=20)
    assert sorted(past.found(*words, sequence=sequence, **scope)) == expected
    if words:
        assert (
            sorted(past.found(*words, vector=direction(1, 0, 0, 0), sequence=sequence, **scope)) == expected
        )


def test_a_type_is_what_the_name_says_of_a_content_read_under_another_one(past):
    past.write("one.txt", "refund rules", type="text")
    sequence = past.write("two.py", "refund rules", type="python")
    past.write("script", "refund script", type="python")
    past.write("pages.txt", "refund pages", type="html")
    assert past.found(types=["python"], sequence=sequence) == ["two.py"]
    assert past.found(types=["text"], sequence=sequence) == ["one.txt"]
    assert past.found(types=["code"], sequence=past.sequence) == ["script", "two.py"]
    assert past.found(types=["html"], sequence=past.sequence) == ["pages.txt"]


def test_a_content_that_history_names_is_kept_and_one_that_it_forgot_is_not(past):
    first = past.write("a.md", "refund rules")
    past.write("a.md", "voucher")
    past.history.execute("delete from file where died is not null")
    past.store.db.execute("update content set added = 0")
    assert past.store.collect(0) == []
    assert past.found("refund", sequence=first) == ["a.md"]
    past.history.execute("delete from entry where died is not null")
    assert len(past.store.collect(0)) == 1


def test_a_passage_waits_awake_for_as_long_as_a_snapshot_shows_it(past):
    sequence = past.write("a.md", "refund rules")
    with past.store.writing():
        past.store.add(digest_of("voucher"), "text", [], False, False)
    (content,) = past.store.db.execute(
        "select id from content where digest = ?", (digest_of("refund rules"),)
    ).fetchone()
    backlog = past.store.backlog
    backlog._asked.clear()
    assert backlog._dead({content}) == set()
    past.write("a.md", "voucher")
    assert backlog._dead({content}) == {content}
    for name, at in ((b"before", sequence - 1), (b"after", past.sequence)):
        past.history.execute("insert into snapshot values (?, ?, 0, 0)", (name, at))
    assert backlog._dead({content}) == {content}
    past.history.execute("insert into snapshot values (?, ?, 0, 0)", (b"then", sequence))
    assert backlog._dead({content}) == set()


def test_paths_of_other_times_do_not_crowd_out_those_of_then(past, monkeypatch):
    monkeypatch.setattr("lsfs.index.search.CANDIDATES", 2)
    past.write("some/where/deep/refund.txt", "rules")
    sequence = past.write("some/where/deep/refund-too.txt", "laws")
    for number in range(9):
        past.write(f"refund{number} refund", "bills")
    for number in range(9):
        past.write(f"left{number} refund", "bills")
        past.remove(f"left{number} refund")
    query = {"mode": "words", "limit": 1, "sequence": sequence}
    assert past.found("refund", **query) == ["some/where/deep/refund.txt"]
    assert past.ask("refund", **query)["more"]


def test_a_catalogue_without_history_still_answers_of_the_present(past):
    past.write("a.md", "refund rules")
    for table in ("entry", "content", "snapshot", "dead_path", "dead_path_words"):
        past.history.execute(f"drop table {table}")
    search = Search(past.store.path, past.search._db.execute("pragma database_list").fetchall()[1][2])
    assert [hit["path"] for hit in search.run({"words": ["refund"]})["hits"]] == [b"a.md"]
    search.close()
    past.store.db.execute("update content set added = 0")
    assert past.store.collect(0) == []
    assert past.store.backlog._dead({99}) == {99}


def test_every_way_to_a_file_of_the_past_goes_over_an_index(past):
    then = view.at(3)

    def plan(sql, *values):
        rows = past.search._db.execute(f"explain query plan select f.id {sql}", values)
        return [row[3] for row in rows]

    ways = [
        plan(f"from json_each('[1]') j {then.of_contents} where {then.seen}"),
        plan(f"from {then.by_path.format(best=view.BEST.format(9))} where {then.seen}", "x", "x"),
        plan(f"from history.entry f {then.content} where {then.seen} and f.parent = x'61'"),
    ]
    for way in ways:
        scans = [step for step in way if step.startswith("SCAN") and "VIRTUAL TABLE" not in step]
        assert set(scans) <= {"SCAN p"}, way  # what matched, a few paths
    assert any("content_digest" in step for step in ways[0])


WORDS = ["apple", "river", "stone"]
PATHS = ["apple.md", "one.md", "river/one.md", "river/two.py"]
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("write"),
            st.sampled_from(PATHS),
            st.lists(st.sampled_from(WORDS), max_size=2).map(" ".join),
            st.sampled_from(["captured", "live", "unread", "ignored"]),
        ),
        st.tuples(st.just("remove"), st.sampled_from(PATHS)),
        st.tuples(st.just("rename"), st.sampled_from(PATHS), st.sampled_from(PATHS)),
        st.tuples(st.just("capture"), st.sampled_from(PATHS)),
        st.tuples(st.just("read"), st.sampled_from(PATHS)),
    ),
    min_size=1,
    max_size=12,
)


class Model:
    """Every state of a handful of files, as frozen copies: path → (what was written, its text)."""

    def __init__(self):
        self.live, self.states, self.unread, self.captured, self.known = {}, {}, set(), set(), set()
        self.numbers = itertools.count()

    def found(self, sequence, word):
        """What a question for one word finds at a sequence."""
        return sorted(
            path
            for path, (number, text, ignored) in self.states[sequence].items()
            if not ignored and (word in path or (word in text.split() and self._readable(number, text)))
        )

    def _readable(self, number, text):
        # the engine has read such bytes; of a content that history has not, it must have read this very file
        return text in self.known and (number in self.captured or number not in self.unread)


def apply(past, model, step):
    kind, path, *rest = step
    if kind == "write":
        text, how = rest
        if path in model.live:
            model.captured.add(model.live[path][0])
        number = next(model.numbers)
        past.write(path, text, captured=how == "captured", read=how != "unread", ignored=how == "ignored")
        model.live[path] = (number, text, how == "ignored")
        model.captured |= {number} if how == "captured" else set()
        model.unread |= {number} if how in ("unread", "ignored") else set()
        model.known |= {text} if how in ("captured", "live") else set()
    elif path not in model.live:
        return
    elif kind == "remove":
        model.captured.add(model.live.pop(path)[0])
        past.remove(path)
    elif kind == "rename" and rest[0] not in model.live:
        past.rename(path, rest[0])
        model.live[rest[0]] = model.live.pop(path)
    elif kind == "capture":
        past.capture(path)
        model.captured.add(model.live[path][0])
    elif kind == "read" and model.live[path][0] in model.unread and not model.live[path][2]:
        past.read(path)
        model.unread.discard(model.live[path][0])
        model.known.add(model.live[path][1])
    model.states[past.sequence] = dict(model.live)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_any_history_answers_at_each_of_its_sequences_what_was_visible_then(steps):
    with tempfile.TemporaryDirectory() as folder:
        past, model = Past(Path(folder)), Model()
        try:
            for step in steps:
                apply(past, model, step)
            for sequence in model.states:
                for word in WORDS:
                    expected = model.found(sequence, word)
                    query = {"mode": "words", "sequence": sequence}
                    assert sorted(past.found(word, **query)) == expected, (sequence, word)
                    assert sorted(past.found(condition=("word", word), **query)) == expected
                    rest = {p for p, (_, _, ignored) in model.states[sequence].items() if not ignored}
                    assert set(past.found(condition=("not", ("word", word)), **query)) == rest - set(expected)
                    if not model.unread and sequence == past.sequence:
                        assert past.ask(word, mode="words") == past.ask(word, **query)
        finally:
            past.close()
