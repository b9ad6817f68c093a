"""retrieve: the viewer's own answer, from an index that knows no permissions."""

from types import SimpleNamespace

import pytest
import trio

from lsfs.index.code import fused
from lsfs.index.fusion import fuse, trust
from syscalls.confidence import LOW
from syscalls.prompt import MOST_HITS, parse
from syscalls.retrieve import AT_ONCE, MORE, ONLY_NEAR, demands, is_exact, retrieve, understood
from syscalls.values import Viewer

VIEWER = Viewer(1000, 1000)


class Index:
    """An index of numbered files, all of which match."""

    def __init__(self, count):
        self.paths = [b"%d.md" % number for number in range(count)]
        self.queries = []

    async def search(self, query):
        self.queries.append(query)
        hits = [
            {
                "path": path,
                "score": 1.0,
                "parts": {"words": 1.0},
                "passages": [{"lines": [1, 2], "text": "text", "score": 0.5}],
            }
            for path in self.paths[: query["limit"]]
        ]
        return {"hits": hits, "more": len(self.paths) > query["limit"], "sequence": 7, "meaning": "used"}


class Folder:
    """Files of which some are readable; `waited` is how long it was asked to settle."""

    def __init__(self, readable=lambda path: True):
        self._readable = readable
        self.waited = None

    async def settle(self, deadline):
        self.waited = deadline

    def readable(self, path, viewer):
        return self._readable(path)

    async def pending(self, within, viewer, deadline):
        self.left = deadline
        return {b"": 9, b"a": 4, b"b": 2}.get(within, 1)


def ask(text, index, files=None, folder=b"", viewer=VIEWER, owner=1000, **more):
    async def main():
        return await retrieve(
            text,
            folder=folder,
            viewer=viewer,
            searcher=index,
            files=files or Folder(),
            owner=owner,
            fuse=fused,
            **more,
        )

    return trio.run(main)


def test_hits_come_with_their_passages_and_the_state_of_the_index():
    results = ask("word limit:3", Index(10))
    assert [hit.path for hit in results.hits] == [b"0.md", b"1.md", b"2.md"]
    assert results.hits[0].passages[0].last_line == 2
    assert (results.sequence, results.pending, results.meaning) == (7, 9, "used")


def test_what_the_viewer_may_not_read_is_replaced_by_what_he_may():
    index = Index(3000)
    results = ask("word limit:5", index, Folder(lambda path: path > b"8"))
    assert len(results.hits) == 5 and all(hit.path > b"8" for hit in results.hits)
    assert [query["limit"] for query in index.queries] == [10, 40, 160]


def test_the_search_for_readable_files_ends():
    index = Index(100_000)
    assert ask("word", index, Folder(lambda path: False)).hits == ()
    assert index.queries[-1]["limit"] == 10_000


def test_a_scope_lies_below_the_folder_that_is_asked():
    index = Index(1)
    ask("word in:x in:files/y", index, folder=b"papers")
    assert index.queries[0]["within"] == [b"papers/x", b"papers/files/y"]
    ask("word in:files/y", index)
    assert index.queries[-1]["within"] == [b"files/y", b"y"]


def test_pending_files_are_those_of_the_scope():
    assert ask("word in:a in:b in:a/deeper", Index(1)).pending == 6


def test_an_owner_is_looked_up_and_an_unknown_one_is_a_word():
    index = Index(1)
    ask("word by:me", index)
    assert index.queries[-1]["uid"] == 1000
    results = ask("word by:no-such-user", index)
    assert index.queries[-1]["uid"] is None and "no-such-user" in index.queries[-1]["words"]
    assert "no such user" in results.prompt.notes[0]


def test_by_words_alone_nothing_is_embedded():
    index = Index(1)
    ask("word mode:words", index)
    assert index.queries[-1]["meaning"] == ""


class Strict(Index):
    """An index in which no file meets any condition."""

    async def search(self, query):
        answer = await super().search(query)
        return answer if query["condition"] is None else {**answer, "hits": [], "more": False}


def test_a_quoted_title_that_stands_nowhere_is_searched_as_words_and_says_so():
    results = ask('did she read "Little Women" in May', Strict(3))
    assert len(results.hits) == 3
    assert results.prompt.condition is None and "Little" in results.prompt.words
    assert any("mode:words insists" in note for note in results.prompt.notes)


def test_operators_and_mode_words_are_never_loosened():
    for prompt in ("cat AND dog", "cat -dog", '"little women" -dog', '"little women" mode:words'):
        assert ask(prompt, Strict(3)).hits == ()


class Given(Index):
    """An index that answers with these hits: (path, values, stale)."""

    def __init__(self, *rows):
        super().__init__(0)
        self.rows = rows

    async def search(self, query):
        values = {path: found for path, found, _ in self.rows}
        signals = {name: {p: found[name] for p, found in values.items()} for name in ("words", "meaning")}
        scored = fuse(signals)
        hits = [
            {
                "path": path,
                "score": scored[path][0],
                "parts": scored[path][1],
                "values": found,
                "stale": stale,
                "passages": [{"lines": [1, 1], "text": "text", "score": scored[path][0]}],
            }
            for path, found, stale in self.rows
        ]
        hits.sort(key=lambda hit: -hit["score"])
        return {"hits": hits, "more": False, "sequence": 7, "meaning": "used"}


def said(words, meaning):
    return {"words": words, "meaning": meaning}


def test_pending_gets_what_is_left_of_the_deadline(monkeypatch):
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr("syscalls.retrieve.time", SimpleNamespace(monotonic=lambda: clock.now))

    class Slow(Folder):
        async def settle(self, deadline):
            clock.now += 2

    files = Slow()
    ask("word", Index(1), files, deadline=5)
    assert files.left == 3
    ask("word", Index(1), files, deadline=1)
    assert files.left == 0


def test_words_that_stand_nowhere_are_said_so():
    far = Given((b"a", said(0.0, 0.3), False), (b"b", said(0.0, 0.2), False))
    assert ONLY_NEAR in ask("zxqv", far).prompt.notes
    assert ONLY_NEAR not in ask("zxqv mode:meaning", far).prompt.notes
    assert ONLY_NEAR not in ask("type:md", far).prompt.notes
    assert ONLY_NEAR not in ask("word", Given((b"a", said(2.0, 0.3), False))).prompt.notes


def test_a_replaced_file_is_shown_to_the_owner_and_root_alone():
    index = Given((b"new", said(2.0, 0.3), True), (b"old", said(1.0, 0.3), False))
    for viewer, expected in ((VIEWER, 2), (Viewer(0, 0), 2), (Viewer(7, 7), 1)):
        assert len(ask("word", index, viewer=viewer).hits) == expected


def test_scores_say_nothing_of_what_the_viewer_may_not_read():
    mine = ((b"a", said(0.4, 0.1), False), (b"b", said(0.2, 0.4), False))
    secret = (b"secret", said(0.9, 0.9), False)
    readable = Folder(lambda path: path != b"secret")
    stranger = Viewer(7, 7)
    with_it = ask("word", Given(*mine, secret), readable, viewer=stranger)
    without = ask("word", Given(*mine), readable, viewer=stranger)
    assert with_it.hits == without.hits
    assert with_it.hits[0].parts["words"] == pytest.approx(
        0.2 / 0.4**0.5 * trust(0.4, 0.4)
    )  # the best that he may read
    assert ask("word", Given(*mine, secret), readable).hits[0].score < with_it.hits[0].score
    assert [hit.path for hit in with_it.hits] == [b"b", b"a"], "and they are in the order of these scores"


def test_the_confidence_says_nothing_of_what_the_viewer_may_not_read():
    mine = ((b"a", said(0.01, 0.1), False), (b"b", said(0.02, 0.15), False))
    secret = (b"secret", said(0.9, 0.9), False)
    readable = Folder(lambda path: path != b"secret")
    stranger = Viewer(7, 7)
    with_it = ask("word", Given(*mine, secret), readable, viewer=stranger)
    without = ask("word", Given(*mine), readable, viewer=stranger)
    assert (with_it.confidence, with_it.signals) == (without.confidence, without.signals)
    assert with_it.confidence < LOW < ask("word", Given(*mine, secret)).confidence


def test_a_name_in_a_file_that_the_viewer_may_not_read_is_no_signal_in_use():
    called = (b"secret", {**said(0.9, 0.9), "name": 1.0}, False)
    index = Given((b"a", said(0.01, 0.1), False), called)
    readable = Folder(lambda path: path != b"secret")
    assert ask("word", index, readable, viewer=Viewer(7, 7)).signals == ("words", "meaning")
    assert ask("word", index).signals == ("words", "meaning", "name")


def test_what_was_not_ranked_has_no_confidence_and_what_was_not_found_none_to_speak_of():
    assert ask("type:md", Index(3)).confidence is None and ask("type:md", Index(3)).signals == ()
    assert ask("word", Index(0)).confidence == 0.0
    assert ask("word mode:words b", Index(3), every=True).confidence is None


def test_quotes_in_a_long_question_demand_nothing():
    prose = " ".join(f"word{number}" for number in range(30))
    results = ask(f'{prose} about the "threshold" of it', Strict(3))
    assert results.prompt.condition is None and len(results.hits) == 3
    assert ask(f'{prose} about the "threshold" of it mode:words', Strict(3)).hits == ()


def test_only_some_files_are_asked_for_where_some_are_named():
    index = Index(3)
    ask("word", index, among={b"1.md"})
    ask("word", index, among=())
    ask("word", index)
    assert [query.get("only") for query in index.queries] == [[b"1.md"], [], None]


def test_all_that_fulfils_a_prompt_is_asked_for_bare_and_unfiltered():
    index = Index(300)
    results = ask("type:md a b", index, Folder(lambda path: False), every=True)
    (query,) = index.queries
    assert len(results.hits) == 300 and query["bare"] and query["limit"] >= MOST_HITS
    assert query["words"] == [] and query["meaning"] == "" and query["types"] == ["md"]
    ask("mode:words a b", index, every=True)
    assert index.queries[-1]["words"] == ["a", "b"]


@pytest.mark.parametrize("every", [False, True])
def test_a_phrase_in_what_may_not_be_read_is_as_good_as_no_phrase(every):
    """Otherwise `"a phrase"/and/b` would tell whether it stands in somebody else's file."""

    class Secretive(Index):
        async def search(self, query):
            answer = await super().search(query)
            return answer if query["condition"] is None else {**answer, "hits": answer["hits"][:2]}

    files = Folder(lambda path: path not in (b"0.md", b"1.md"))
    stands, absent = (ask('"a phrase"', index, files, every=every) for index in (Secretive(9), Strict(9)))
    assert len(stands.hits) == 7
    assert stands.hits == absent.hits and stands.prompt == absent.prompt


def test_what_answers_a_prompt_that_demands_nothing_are_its_hits():
    index = Index(300)
    assert len(ask("plain words limit:7", index, every=True).hits) == 7
    assert "bare" not in index.queries[-1]


def test_a_phrase_is_insisted_on_among_named_files():
    index = Strict(10)
    assert ask('"no such phrase"', index).hits, "otherwise it is searched as words"
    assert ask('"no such phrase"', index, among=[b"1.md"]).hits == ()
    assert ask('"no such phrase"', index, among=[b"1.md"], every=True).hits == ()


def test_a_limit_given_beside_the_prompt_counts():
    assert len(ask("word limit:3", Index(50), limit=40).hits) == 40
    assert ask("word", Index(1), limit=1 << 31).prompt.limit == MOST_HITS


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("plain words", False),
        ("mode:meaning plain", False),
        ("limit:3 x", False),
        ("by:no-such-user x", False),
    ]
    + [
        (text, True)
        for text in (
            "mode:words x",
            '"a phrase"',
            "a AND b",
            "-x y",
            "type:md",
            "in:a",
            "after:2025 x",
            "by:me x",
        )
    ],
)
def test_a_prompt_demands_something_or_not(text, yes):
    assert demands(understood(text, VIEWER)) is yes and parse(text)


def test_many_hits_are_looked_at_with_pauses():
    taken = []

    async def pause():
        taken.append(1)

    assert len(ask("word limit:5000", Index(5000), pause=pause).hits) == 5000
    assert len(taken) >= 5000 / AT_ONCE


def borrowed(path, *lenders, words=0.0):
    return path, {"words": words, "context": 0.3, "path": 0.0}, False, lenders


class Lending(Index):
    """An index of hits that are given with who lent them what speaks for them."""

    def __init__(self, *hits):
        self.hits = hits

    async def search(self, query):
        hits = [
            {
                "path": path, "score": 0.5, "parts": {}, "values": values, "stale": stale, "passages": [],
                **({"lenders": list(lenders)} if lenders else {}),
            }
            for path, values, stale, lenders in self.hits
        ]  # fmt: skip
        return {"hits": hits, "more": False, "sequence": 7, "meaning": "off"}


@pytest.mark.parametrize("lenders", [(b"secret",), (b"open", b"secret"), ()])
def test_what_a_file_lends_that_the_viewer_may_not_read_does_not_count(lenders):
    index = Lending(borrowed(b"mine", *lenders), borrowed(b"said", *lenders, words=0.2))
    readable = Folder(lambda path: path != b"secret")
    (hit,) = ask("word", index, readable, viewer=Viewer(7, 7)).hits
    assert (hit.path, hit.parts["context"]) == (b"said", 0.0)
    assert [hit.path for hit in ask("word", index, readable).hits] == [b"mine", b"said"]


def test_what_is_lent_by_files_that_the_viewer_may_read_counts_for_him():
    index = Lending(borrowed(b"mine", b"open", b"other"))
    (hit,) = ask("word", index, Folder(lambda path: True), viewer=Viewer(7, 7)).hits
    assert hit.path == b"mine" and hit.parts["context"] > 0


@pytest.mark.parametrize(
    ("text", "exact"), [("type:md", True), ('"two words"', True), ("word type:md", False), ("word", False)]
)
def test_only_what_is_nothing_but_conditions_and_fields_is_exact(text, exact):
    assert is_exact(parse(text)) == exact


def test_where_the_limit_leaves_out_what_fulfils_a_condition_a_note_says_so():
    assert MORE.format(3) in ask("type:md limit:3", Index(10)).prompt.notes
    assert ask("type:md limit:10", Index(10)).prompt.notes == ()
    assert ask("word limit:3", Index(10)).prompt.notes == ()
    some = Folder(lambda path: path in (b"0.md", b"1.md", b"2.md"))
    assert ask("type:md limit:3", Index(10), some, viewer=Viewer(7, 7)).prompt.notes == ()


class Compared(Index):
    """An index that knows some files by the number of their passages: 0 has no text, None is of a content that was replaced."""

    def __init__(self, **known):
        super().__init__(2)
        self.known = {name.encode(): passages for name, passages in known.items()}
        self.changed = {path for path, passages in self.known.items() if passages is None}

    async def search(self, query):
        answer = await super().search(query)
        if "like" in query:
            answer["like"] = [
                {"path": path, "passages": 1 if self.known[path] is None else self.known[path],
                 "stale": path in self.changed, "embedded": True}
                for path in query["like"] if path in self.known
            ]  # fmt: skip
        return answer


OTHER = Viewer(2000, 2000)


def test_what_hits_are_to_be_like_lies_below_the_folder_that_is_asked():
    index = Compared(**{"notes/a": 1, "a": 1})
    results = ask("like:a", index, folder=b"notes")
    assert index.queries[-1]["like"] == index.queries[-1]["without"] == [b"notes/a"]
    assert results.like == (b"notes/a",) and results.prompt.notes == ()
    there = Folder(lambda path: path in (b"a", b"0.md"))
    assert (
        ask("like:files/a", index, there).like == ask("like:/files/a", index, there, b"notes").like == (b"a",)
    )


@pytest.mark.parametrize("viewer", [VIEWER, OTHER])
def test_a_file_that_may_not_be_read_is_one_that_is_not_there(viewer):
    said = []
    for known, readable in (({"a": 1}, False), ({}, False), ({}, True)):
        index = Compared(**known)
        results = ask(
            "like:a type:md", index, Folder(lambda path, may=readable: path != b"a" or may), viewer=viewer
        )
        used = index.queries[0]["like"]
        said.append((results.hits, results.prompt.notes, results.like, results.confidence))
        assert used == ([b"a"] if readable else [])
    assert said[0] == said[1] == said[2] and "`like:a` was left out" in said[0][1][0]


def test_a_file_that_is_named_twice_is_compared_once():
    index = Compared(a=1)
    results = ask("like:a like:files/a", index, Folder(lambda path: path != b"files/a"))
    assert results.like == (b"a",) and index.queries[0]["like"] == [b"a"]


def test_a_file_that_has_no_text_yet_is_one_to_ask_for_again():
    index = Compared(a=0)
    index.changed.add(b"a")
    assert all("ask again" in ask("like:a", index, viewer=who).prompt.notes[0] for who in (VIEWER, OTHER))


def test_a_file_without_text_is_left_out_and_a_note_says_what_to_do():
    index = Compared(a=0, b=3)
    results = ask("like:a like:b", index)
    assert results.like == (b"b",) and "name a file with text" in results.prompt.notes[0]
    assert len(index.queries) == 1  # it added nothing, so what was found stays


def test_a_content_that_was_replaced_is_not_compared_for_others():
    index = Compared(a=None, b=1)
    assert ask("like:a like:b", index).like == (b"a", b"b") and len(index.queries) == 1
    results = ask("like:a like:b", index, viewer=OTHER)
    assert results.like == (b"b",) and "ask again" in results.prompt.notes[0]
    assert [query["like"] for query in index.queries[1:]] == [[b"a", b"b"], [b"b"]]


def test_a_file_that_is_closed_while_the_index_answers_is_left_out():
    index, files = Compared(a=1), Folder()
    files._readable = lambda path: path != b"a" or not index.queries
    results = ask("like:a", index, files)
    assert index.queries[-1]["like"] == [] and results.like == () and "`like:a`" in results.prompt.notes[0]


def test_a_file_to_be_like_ranks_and_is_neither_a_demand_nor_a_doubt():
    prompt = understood("like:a", VIEWER)
    assert not demands(prompt) and not is_exact(prompt) and demands(understood("like:a type:md", VIEWER))
    assert ask("like:a", Compared(a=1)).confidence is None
    assert ask("word like:a", Compared(a=1)).confidence is None


def test_all_that_fulfils_a_demand_is_not_compared_but_by_words():
    index = Compared(a=1)
    ask("like:a type:md", index, every=True)
    assert "like" not in index.queries[-1] and index.queries[-1]["without"] == [b"a"]
    ask("like:a mode:words", index, every=True)
    assert index.queries[-1]["like"] == [b"a"]
    ask("like:a", index, every=True)  # demands nothing: its hits answer it
    assert index.queries[-1]["limit"] == 40
