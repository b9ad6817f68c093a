"""lexing: a process makes the segments when they are due, and none is left where something was purged."""

import os
import threading

import pytest
from search_library import Library

from lsfs.engine import lexing
from lsfs.engine.lexing import Lexing
from lsfs.index import segments


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path)
    yield library
    library.close()


@pytest.fixture
def work(tmp_path, library, monkeypatch):
    """Lexing over the library, for which few rows are many; what the process would do is done here and noted."""
    monkeypatch.setattr(lexing, "LEAST", 4)
    monkeypatch.setattr(lexing, "SMALL", 3)
    monkeypatch.setattr(segments, "LEAST", 1)
    monkeypatch.setattr(segments, "SMALL", 1)
    made = []

    class Noted(Lexing):
        def _make(self, idle):
            made.append(idle)
            segments.tend(tmp_path / "index", str(tmp_path / "history.db"), idle)

    lexing_ = Noted(tmp_path / "index", str(tmp_path / "history.db"))
    lexing_.made = made
    return lexing_


def fill(library, count, first=0):
    for n in range(first, first + count):
        library.add(f"{n}.md", f"refund {n}")


def kept(tmp_path):
    return sorted(path.name.partition("-")[0] for path in (tmp_path / "index").glob("*.segment"))


def test_a_small_folder_has_no_segments(library, work, tmp_path):
    fill(library, 3)
    for _ in range(2 * lexing.QUIET):
        work.look()
    assert work.made == [] and kept(tmp_path) == []


def test_segments_are_made_when_enough_is_new_and_merged_when_nothing_is(library, work, tmp_path):
    fill(library, 5)
    work.look()
    assert work.made == [False] and kept(tmp_path) == ["paths", "words"]
    fill(library, 2, 5)
    work.look()
    assert work.made == [False]
    fill(library, 1, 7)
    work.look()
    assert work.made == [False, False]
    for _ in range(3 * lexing.QUIET):
        work.look()
    assert work.made == [False, False, True]
    assert library.found("refund") and library.search._lexicon.ready


def test_what_went_makes_segments_due_as_well(library, work):
    fill(library, 9)
    work.look()
    for n in range(3):
        library.remove(f"{n}.md")
    library.store.collect(-1.0)
    work.look()
    assert work.made == [False, False]


def test_segments_of_a_words_db_made_anew_are_removed(library, work, tmp_path):
    fill(library, 5)
    work.look()
    library.store.reset()
    for n in range(5):
        library.remove(f"{n}.md")
    work.look()
    assert kept(tmp_path) == [] and not list((tmp_path / "index").glob("*.segments"))


def test_no_segment_is_there_while_something_is_purged(library, work, tmp_path):
    fill(library, 5)
    work.look()
    with work.without():
        assert kept(tmp_path) == []
        looking = threading.Thread(target=lambda: work._turn.acquire(timeout=0.05) and work.look())
        looking.start()
        looking.join()
        assert kept(tmp_path) == []
    work.look()
    assert kept(tmp_path) == ["paths", "words"]


def test_the_process_that_works_is_ended_by_a_purge(library, tmp_path, monkeypatch):
    """The real process over many rows: `without` does not wait for it, and what it had begun is gone."""
    monkeypatch.setattr(lexing, "LEAST", 4)
    monkeypatch.setattr(lexing, "SMALL", 3)
    fill(library, 5)
    work = Lexing(tmp_path / "index", str(tmp_path / "history.db"))
    started = threading.Event()

    class Endless(lexing.subprocess.Popen):
        def __init__(self, command, **more):
            super().__init__(["sleep", "600"], **more)

        def wait(self, timeout=None):
            started.set()
            return super().wait(timeout)

    monkeypatch.setattr(lexing.subprocess, "Popen", Endless)

    def look():
        with work._turn:
            work.look()

    thread = threading.Thread(target=look)
    thread.start()
    assert started.wait(10)
    with work.without():
        assert work._child is None
    thread.join(10)
    assert not thread.is_alive()


def run(tmp_path, engine):
    return lexing.subprocess.run(
        [lexing.sys.executable, "-m", "lsfs.index.segments", tmp_path, tmp_path / "history.db", str(engine)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_process_says_in_a_sentence_what_is_wrong(tmp_path):
    found = run(tmp_path, os.getpid())
    assert found.returncode == 1 and found.stderr.startswith("The segments of words.db were not made: ")


def test_the_process_does_nothing_once_its_engine_ended(tmp_path):
    found = run(tmp_path, os.getppid())
    assert (found.returncode, found.stderr) == (0, "")
