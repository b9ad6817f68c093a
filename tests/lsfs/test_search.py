"""search: which live files answer a query, over a real words.db, history.db, vectors.db and Lance table."""

import shutil
import threading
import time

import pytest
from search_library import Library, direction

from lsfs.engine.document import Cut
from lsfs.index import cosines, fusion
from lsfs.index.cosines import Cosines
from lsfs.index.search import NotEmbedded, TableBroken
from syscalls.errors import InvalidArgument, TryAgain


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path)
    yield library
    library.close()


def test_the_file_with_the_words_is_found_with_its_lines(library):
    library.add("policies/refund.md", "welcome\n\nrefunds over 500 need two signatures\n\nbye")
    library.add("faq.md", "how to log in")
    (hit,) = library.ask("two", "signatures")["hits"]
    assert hit["path"] == b"policies/refund.md"
    assert hit["passages"][0]["lines"] == [2, 2]
    assert hit["passages"][0]["text"] == "refunds over 500 need two signatures"
    assert 0 < hit["score"] <= 1 and 0 < hit["parts"]["words"] <= 1


def test_meaning_finds_what_no_word_does(library):
    library.add("a.md", "approval of repayments", vector=direction(1, 0, 0, 0))
    library.add("b.md", "the weather", vector=direction(0, 1, 0, 0))
    assert library.found("signature", vector=direction(1, 0.1, 0, 0)) == ["a.md", "b.md"]


def test_words_and_meaning_together_beat_either(library):
    library.add("both.md", "refund rules", vector=direction(1, 0.3, 0, 0))
    library.add("words.md", "refund party", vector=direction(0, 0, 1, 0))
    library.add("meaning.md", "repayment rights", vector=direction(1, 0, 0, 0))
    assert library.found("refund", vector=direction(1, 0, 0, 0))[0] == "both.md"


def test_a_file_found_by_its_words_has_its_true_meaning(library):
    library.add("near.md", "refund one", vector=direction(1, 0, 0, 0), in_lance=False)
    library.add("far.md", "refund two", vector=direction(0, 1, 0, 0))
    hits = library.ask("refund", vector=direction(1, 0, 0, 0))["hits"]
    assert [(hit["path"], hit["parts"]["meaning"]) for hit in hits] == [(b"near.md", 1.0), (b"far.md", 0.0)]


def test_a_mode_uses_one_signal_alone(library):
    library.add("words.md", "refund", vector=direction(0, 1, 0, 0))
    library.add("meaning.md", "repayment", vector=direction(1, 0, 0, 0))
    assert library.found("refund", mode="words") == ["words.md"]
    assert library.found("refund", mode="meaning", vector=direction(1, 0, 0, 0))[0] == "meaning.md"


def test_meaning_without_a_model_falls_back_to_words(library):
    library.add("words.md", "refund")
    assert library.found("refund", mode="meaning") == ["words.md"]


def test_every_live_path_of_a_content_is_a_hit(library):
    library.add("b/copy.md", "refund rules")
    library.add("a/original.md", "refund rules")
    assert library.found("refund") == ["a/original.md", "b/copy.md"]


def test_a_rename_and_a_deletion_hold_at_once(library):
    library.add("old.md", "refund rules")
    assert library.found("refund") == ["old.md"]
    library.remove("old.md")
    library.add("new.md", "refund rules")
    assert library.found("refund") == ["new.md"]
    library.remove("new.md")
    answer = library.ask("refund")
    assert (answer["hits"], answer["sequence"]) == ([], library.sequence)


def test_dead_contents_do_not_crowd_out_live_ones(library):
    for n in range(300):
        library.add(f"dead{n}", f"refund refund refund number{n}")
        library.remove(f"dead{n}")
    library.add(
        "live.md", "one refund among many other words that make it a weaker match than all of the others"
    )
    assert library.found("refund") == ["live.md"]


def test_a_file_without_text_is_found_by_its_path(library):
    library.add("photos/holiday_in_Lisbon.jpg", type="jpeg", state="other")
    library.add("notes.md", "nothing here")
    (hit,) = library.ask("lisbon")["hits"]
    assert (hit["path"], hit["passages"], hit["parts"]["path"]) == (b"photos/holiday_in_Lisbon.jpg", [], 1.0)


def test_a_file_whose_text_could_not_be_had_is_found_by_its_path(library):
    library.add("refund-broken.pdf", type="pdf", state="failed")
    library.add("notes.md", "nothing here")
    (hit,) = library.ask("refund")["hits"]
    assert (hit["path"], hit["passages"]) == (b"refund-broken.pdf", [])


@pytest.mark.parametrize(
    "asked",
    ["quarterly budget", "Quarterly-Budget.xlsx", "money/quarterly-budget", "money/quarterly-budget.xlsx"],
)
def test_a_file_that_is_called_what_was_asked_comes_first(library, asked):
    near = direction(1, 0, 0, 0)
    for number in range(30):
        library.add(f"{number}.md", f"the quarterly budget of year {number}: quarterly budget", vector=near)
    library.add("money/quarterly-budget.xlsx", type="zip", state="other")
    first, second = library.ask(asked, vector=near)["hits"][:2]
    assert first["path"] == b"money/quarterly-budget.xlsx" and first["parts"]["name"] == 1.0
    assert first["score"] > second["score"] and second["parts"]["name"] == 0.0


def test_a_name_is_found_however_many_paths_match_better(library):
    for number in range(260):
        library.add(f"invoice-invoice-{number}.txt", f"text {number}")
    library.add("archive/of/old/deep/things/invoice.md", "bills")
    for limit in (1, 20, 300):
        assert library.found("invoice", limit=limit)[0] == "archive/of/old/deep/things/invoice.md"


def test_only_a_file_that_is_called_so_says_so(library):
    library.add("invoice.md", "bills")
    library.add("other.md", "an invoice")
    assert ["name" in hit["values"] for hit in library.ask("invoice")["hits"]] == [True, False]


def test_a_suffix_is_a_type_whatever_the_content_is(library):
    library.add("table.xlsx", type="zip", state="other")
    library.add("fake.pdf", type="bin", state="other")
    library.add("real.pdf", "text of it", type="pdf")
    assert library.found("", types=["xlsx"]) == ["table.xlsx"]
    assert library.found("", types=["pdf"]) == ["fake.pdf", "real.pdf"]


def test_secret_and_unreadable_files_are_never_hits(library):
    library.add("shown.md", "refund rules")
    for state in ("secret", "unreadable", "new"):
        library.add(f"{state}/refund.md", "refund rules", state=state)
    assert library.found("refund") == ["shown.md"]


def test_a_path_says_something_about_a_file(library):
    library.add("billing/refunds.md", "how we do it here")
    library.add("misc/other.md", "refunds")
    assert set(library.found("refunds")) == {"billing/refunds.md", "misc/other.md"}


SCOPES = [
    ({"folder": b"a"}, ["a/b/two.py", "a/one.md"]),
    ({"folder": b"a/b"}, ["a/b/two.py"]),
    ({"within": [b"a/one.md", b"ab"]}, ["a/one.md", "ab/three.md"]),
    ({"folder": b"a", "within": [b"a/b", b"ab"]}, ["a/b/two.py"]),
    ({"types": ["markdown"]}, ["a/one.md", "ab/three.md"]),
    ({"types": ["code"]}, ["a/b/two.py"]),
    ({"types": ["py", "nothing"]}, ["a/b/two.py"]),
    ({"after": 20}, ["a/b/two.py", "ab/three.md"]),
    ({"before": 20}, ["a/one.md"]),
    ({"after": 10, "before": 30}, ["a/b/two.py", "a/one.md"]),
    ({"uid": 7}, ["ab/three.md"]),
    ({"folder": b"nowhere"}, []),
]


@pytest.mark.parametrize(("scope", "expected"), SCOPES)
@pytest.mark.parametrize("words", [("refund",), ()])
def test_a_scope_narrows_the_search_or_lists_what_is_in_it(library, scope, expected, words):
    library.add("a/one.md", "a refund", type="markdown", mtime=10, vector=direction(1, 0, 0, 0))
    library.add("a/b/two.py", "the refund", type="python", mtime=20, vector=direction(1, 1, 0, 0))
    library.add("ab/three.md", "any refund", type="markdown", mtime=30, uid=7, vector=direction(1, 0, 1, 0))
    assert sorted(library.found(*words, **scope)) == expected
    if words:
        assert sorted(library.found(*words, vector=direction(1, 0, 0, 0), **scope)) == expected


CONDITIONS = [
    (("word", "refund"), ["1", "2", "3"]),
    (("word", "REFUND"), ["1", "2", "3"]),
    (("word", "refunds"), []),
    (("phrase", "two signatures"), ["1"]),
    (("phrase", "refund needs"), ["1"]),
    (("prefix", "sign"), ["1", "2"]),
    (("prefix", "needs two sign"), ["1"]),
    (("prefix", "dra"), ["3", "draft/5.bin"]),
    (("and", [("word", "refund"), ("word", "signatures")]), ["1", "2"]),
    (("or", [("word", "weather"), ("phrase", "two signatures")]), ["1", "4"]),
    (("not", ("word", "refund")), ["4", "draft/5.bin"]),
    (("and", [("word", "refund"), ("not", ("word", "draft"))]), ["1", "2"]),
    (("word", "draft"), ["3", "draft/5.bin"]),
    (("not", ("or", [("word", "refund"), ("word", "draft")])), ["4"]),
    (("word", "?!"), ["1", "2", "3", "4", "draft/5.bin"]),
]


@pytest.mark.parametrize(("tree", "expected"), CONDITIONS)
def test_a_condition_is_met_somewhere_in_the_file_or_its_path(library, tree, expected):
    library.add("1", "a refund\n\nneeds two signatures")
    library.add("2", "signatures: two\n\nrefund")
    library.add("3", "refund, a draft")
    library.add("4", "the weather")
    library.add("draft/5.bin", type="binary", state="other")
    assert sorted(library.found(condition=tree)) == expected


def test_where_only_conditions_are_asked_a_file_without_text_needs_a_word_of_them_in_its_path(library):
    library.add("4", "the weather")
    library.add("draft/5.bin", type="binary", state="other")
    assert library.found(condition=("not", ("word", "refund")), exact=True) == ["4"]
    assert library.found(condition=("word", "draft"), exact=True) == ["draft/5.bin"]
    assert library.found(condition=("not", ("phrase", "draft 6")), exact=True) == ["4"]


def test_what_fulfils_the_conditions_is_a_hit_though_no_word_ranks_it(library):
    library.add("a", "refund")
    library.add("b", "the weather")
    tree = ("or", [("word", "refund"), ("not", ("word", "draft"))])
    assert library.found("refund", condition=tree, exact=True) == ["a", "b"]
    assert library.found("refund", condition=tree) == ["a"], "soft words beside them: what has none is no hit"


def test_a_condition_holds_for_what_meaning_finds(library):
    library.add("a.md", "approval of repayments, draft", vector=direction(1, 0, 0, 0))
    library.add("b.md", "approval of repayments", vector=direction(1, 0, 0, 0))
    assert library.found("sign", vector=direction(1, 0, 0, 0), condition=("not", ("word", "draft"))) == [
        "b.md"
    ]


@pytest.mark.parametrize("tree", [("near", "a"), ("and", []), ("word", 3), "refund", ["not"]])
def test_a_malformed_condition_is_refused(library, tree):
    with pytest.raises(InvalidArgument):
        library.ask("refund", condition=tree)


def test_a_condition_nested_without_end_is_refused(library):
    tree = ("word", "a")
    for _ in range(5000):
        tree = ("not", tree)
    with pytest.raises(InvalidArgument, match="deeply"):
        library.ask(condition=tree)


def test_equal_scores_are_ordered_by_path(library):
    for name in ("c", "a", "b"):
        library.add(name, f"refund {name}{name}{name}")
    assert library.found("refund") == ["a", "b", "c"]


def test_a_limit_is_kept_and_more_is_announced(library):
    for n in range(5):
        library.add(f"{n}", f"refund x{n}x")
    answer = library.ask("refund", limit=3)
    assert ([hit["path"] for hit in answer["hits"]], answer["more"]) == ([b"0", b"1", b"2"], True)
    assert not library.ask("refund", limit=5)["more"]


def test_three_passages_of_a_hit_are_shown_at_most_best_first(library):
    library.add(
        "a",
        "refund\n\nrefund refund signature\n\nrefund other words\n\nrefund again and other words\n\nnothing",
    )
    (hit,) = library.ask("refund", "signature")["hits"]
    assert len(hit["passages"]) == 3
    assert hit["passages"][0]["lines"] == [2, 2]
    scores = [passage["score"] for passage in hit["passages"]]
    assert scores == sorted(scores, reverse=True)


def test_a_prompt_without_anything_to_search_finds_nothing(library):
    library.add("a", "text")
    assert library.ask("?!")["hits"] == []


def test_a_passed_deadline_is_try_again(library):
    with library.store.writing():
        library.store.add(
            b"d" * 32,
            "text",
            [Cut(n, n, "", f"refund number {n} and more words") for n in range(3000)],
            False,
            False,
        )
    library._commit(b"big", b"d" * 32, "text", 0, 0, "text")
    with pytest.raises(TryAgain):
        library.search.run({"words": ["refund", "number"], "limit": 5}, until=time.monotonic() - 1)
    assert library.found("refund") == ["big"]


def test_names_that_are_no_text_are_found(library):
    library._commit(b"caf\xff refund", None, "binary", 0, 0, "other")
    assert library.ask("refund")["hits"][0]["path"] == b"caf\xff refund"


def test_no_signal_swamps_the_others():
    scored = fusion.fuse({"words": {"a": 90.0, "b": 45.0}, "meaning": {"a": 0.1, "b": 0.2}, "path": {}})
    assert scored["a"][1] == {"words": 1.0, "meaning": 0.1, "path": 0.0}
    assert all(0 <= score <= 1 for score, _ in scored.values())


def test_a_signal_that_is_not_in_use_is_not_missed():
    assert fusion.fuse({"words": {"a": 2.0}})["a"][0] == 1.0


def test_a_content_stays_as_long_as_a_row_that_died_lately_names_it(library):
    library.add("a", "refund", vector=direction(1, 0, 0, 0))
    library.store.db.execute("update content set added = added - 9999")
    library.remove("a")
    library.history.execute("update file set died_at = ?", (time.time() - 60,))
    assert library.store.collect(100) == []
    assert len(library.store.collect(30)) == 1


def test_a_hit_says_whether_its_content_may_have_been_replaced(library):
    library.add("a", "refund one")
    library.add("b", "refund two")
    library.history.execute("update file set dirty = 1 where name = ?", (b"a",))
    assert {hit["path"]: hit["stale"] for hit in library.ask("refund")["hits"]} == {b"a": True, b"b": False}


def test_who_may_read_only_some_hits_gets_scores_that_say_nothing_of_the_others(library):
    library.add("secret.md", "refund refund signature", vector=direction(1, 0, 0, 0))
    library.add("mine.md", "refund and the weather", vector=direction(1, 1, 0, 0))
    hits = library.ask("refund", "signature", vector=direction(1, 0, 0, 0))["hits"]

    def again(hits):
        names = hits[0]["values"]
        return fusion.fuse({name: {hit["path"]: hit["values"][name] for hit in hits} for name in names})

    both = again(hits)
    for hit in hits:
        assert hit["values"]["meaning"] == pytest.approx(
            1.0 if hit["path"] == b"secret.md" else 0.7071, abs=1e-3
        )
        assert both[hit["path"]][0] == pytest.approx(hit["score"], abs=1e-5)
    alone = again([hit for hit in hits if hit["path"] == b"mine.md"])
    assert alone[b"mine.md"][1]["words"] != both[b"mine.md"][1]["words"]
    assert alone[b"mine.md"][1]["meaning"] == both[b"mine.md"][1]["meaning"]


def test_a_table_that_was_deleted_under_the_engine_is_told_apart(library):
    library.add("a", "refund", vector=direction(1, 0, 0, 0))
    shutil.rmtree(library.table._folder)
    with pytest.raises(TableBroken):
        library.ask("refund", vector=direction(1, 0, 0, 0))
    assert library.found("refund") == ["a"]


def test_collected_contents_leave_no_trace(library):
    library.add("gone", "refund gone", vector=direction(1, 0, 0, 0))
    library.add("kept", "refund kept", vector=direction(1, 0, 0, 0))
    library.remove("gone")
    library.history.execute("update file set died_at = ? where died is not null", (time.time() - 60,))
    assert library.store.collect(3600) == []
    (content,) = library.store.collect(0)
    library.table.delete([content])
    assert library.vectors.collect(f"file:{library.store.path}?mode=ro", 3600) == 0
    assert library.vectors.collect(f"file:{library.store.path}?mode=ro", 0) == 1
    assert library.found("refund", vector=direction(1, 0, 0, 0)) == ["kept"]
    assert library.store.glance.counts() == {"contents": 1, "passages": 1, "embedded": 1, "waiting": 0}


def test_a_prompt_that_is_embedded_meanwhile_is_answered_as_one_that_was(library):
    library.add("both.md", "refund rules", vector=direction(1, 0.3, 0, 0))
    library.add("meaning.md", "repayment rights", vector=direction(1, 0, 0, 0))
    vector = direction(1, 0, 0, 0)
    assert library.ask("refund", vector=lambda: vector) == library.ask("refund", vector=vector)


def test_what_was_read_before_the_prompt_had_a_vector_changes_no_comparison(library, monkeypatch):
    library.add("long.md", "\n\n".join(f"refund {n}" for n in range(12)), vector=direction(1, 0, 0, 0))
    library.add("short.md", "refund\n\nother", vector=direction(1, 1, 0, 0))
    (long, *_), (short, *_) = (
        [row[0] for row in library.store.db.execute("select id from passage where id >> 20 = ?", (content,))]
        for content in (1, 2)
    )

    def compared(*passages, ahead=()):
        found = Cosines(library.search._db, library.vectors)
        found.read({passage >> 20 for passage in ahead}, ahead)
        return found.of({1, 2}, passages, direction(1, 0, 0, 0))

    asked = (long, long + 3, long + 9, short)
    assert compared(*asked) == compared(*asked, ahead=(long, short)) == compared(*asked, ahead=asked)
    assert set(compared(*asked)) == {*asked, short + 1}
    monkeypatch.setattr(cosines, "MOST", 1)
    assert compared(*asked) == compared(*asked, ahead=(long,)) == {}


def test_a_question_does_not_wait_for_its_vector_beyond_its_deadline_nor_is_the_next_one_answered_by_it(
    library,
):
    library.add("near.md", "refund", vector=direction(1, 0, 0, 0))
    library.add("far.md", "refund", vector=direction(0, 1, 0, 0))
    late = threading.Event()

    def slow():
        late.wait()
        return direction(1, 0, 0, 0)

    query = {"words": ["refund"], "meaning": "refund", "mode": "both", "limit": 5}
    for _ in range(2):
        with pytest.raises(TryAgain):
            library.search.run(query, slow, library.table, time.monotonic() + 0.2)
    late.set()
    assert library.found("refund", vector=lambda: direction(0, 1, 0, 0)) == ["far.md", "near.md"]


def test_a_prompt_without_a_vector_is_left_to_whoever_asked(library):
    library.add("words.md", "refund", vector=direction(1, 0, 0, 0))
    with pytest.raises(NotEmbedded):
        library.ask("refund", vector=lambda: None)
    assert library.found("refund") == ["words.md"]
