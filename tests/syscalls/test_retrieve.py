"""retrieve: the viewer's own answer, from an index that knows no permissions."""

import trio

from syscalls.retrieve import retrieve
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

    async def pending(self, within, viewer):
        return {b"": 9, b"a": 4, b"b": 2}.get(within, 1)


def ask(text, index, files=None, folder=b"", viewer=VIEWER):
    async def main():
        return await retrieve(text, folder=folder, viewer=viewer, searcher=index, files=files or Folder())

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
