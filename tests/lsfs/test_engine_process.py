"""The engine as a process: it indexes, answers, dies and comes back without embedding anything twice."""

import os
import shutil
import subprocess
import sys

import pytest
from engine_client import ROOT, TEXTS, Daemon

from lsfs import models
from lsfs.engine import protocol
from lsfs.engine.indexer import Indexer
from lsfs.history.store import open_history
from lsfs.index.store import Store


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A running engine over TEXTS, for tests that leave them as they found them: loading torch costs 5 CPU-seconds."""
    daemon = Daemon(tmp_path_factory.mktemp("library"))
    daemon.start()
    daemon.write(TEXTS)
    daemon.index(*TEXTS)
    daemon.settle()
    yield daemon
    daemon.close()


@pytest.fixture
def daemon(tmp_path):
    daemon = Daemon(tmp_path)
    yield daemon
    daemon.close()


def test_the_engine_starts_light(daemon):
    daemon.start()
    daemon.write(TEXTS | {"empty.txt": ""})
    with open(f"/proc/{daemon.process.pid}/maps") as maps:
        mapped = maps.read()
    assert not [name for name in ("libtorch", "libopenvino", "lance") if name in mapped]
    assert daemon.call("stats")["memory"] < 60 << 20


def test_a_folder_is_indexed_and_answers_by_words_and_meaning(library):
    before = library.call("stats")
    assert library.found("two signatures", mode="words") == ["refund.md"]
    assert library.call("stats")["prompts"] == before["prompts"]  # words alone embed nothing
    assert library.by_meaning("who has to approve big repayments")[0] == "refund.md"
    assert library.found("header")[0] == "src/parse.py"
    stats = library.call("stats")
    assert (stats["contents"], stats["embedded"], stats["waiting"], stats["queued"]) == (4, 4, 0, 0)
    assert (stats["embeddings"], stats["prompts"]) == (4, before["prompts"] + 2)


def test_words_are_found_before_the_vectors_are_there(library):
    library.write({"late.txt": "a xylophone"})
    library.index("late.txt", fresh=True)
    library.settle(meaning=False)
    assert library.found("xylophone", mode="words") == ["late.txt"]
    library.settle()
    library.forget("late.txt")
    library.call("collect", grace=0, keep=0)


def test_collecting_removes_what_history_does_not_know(library):
    library.write({"gone.txt": "a marimba"})
    library.index("gone.txt", fresh=True)
    library.settle()
    library.forget("gone.txt")
    assert library.call("collect", grace=3600) == {"contents": 0, "vectors": 0}
    assert library.call("collect", grace=0, keep=0) == {"contents": 1, "vectors": 1}
    stats = library.call("stats")
    assert (stats["contents"], stats["embedded"]) == (4, 4)
    assert "gone.txt" not in library.by_meaning("marimba")


def test_a_rebuild_forgets_everything_and_embeds_nothing_again(library):
    before = library.embeddings()
    assert library.call("rebuild")["epoch"] != library.hello["epoch"]
    assert library.found("signatures", mode="words") == []
    library.history.execute("update file set state = 'new', complete = 0")
    library.index(*TEXTS)
    library.settle()
    assert library.by_meaning("precipitation")[0] == "weather.txt"
    assert library.embeddings() == before


def test_nothing_is_embedded_twice_after_a_kill_a_copy_a_rename_or_the_loss_of_the_index(daemon):
    daemon.start()
    daemon.write(TEXTS)
    daemon.index(*TEXTS)
    daemon.settle()
    assert daemon.embeddings() == 4
    daemon.kill()

    daemon.start()
    assert (daemon.hello["missing"], daemon.hello["incomplete"]) == ([], [])
    daemon.write({"copy.md": TEXTS["refund.md"]})
    daemon.index("copy.md", fresh=True)
    daemon.settle()
    assert daemon.embeddings() == 0
    daemon.kill()

    shutil.rmtree(daemon.state / "index" / "lance")
    daemon.history.execute("update file set complete = 0")
    daemon.start()
    daemon.settle()
    stats = daemon.call("stats")
    assert (stats["embedded"], stats["waiting"], stats["embeddings"], stats["meaning"]) == (4, 0, 0, "idle")
    daemon.kill()

    shutil.rmtree(daemon.state / "index")
    daemon.start()
    assert sorted(daemon.hello["missing"]) == sorted(name.encode() for name in [*TEXTS, "copy.md"])
    daemon.history.execute("update file set state = 'new', complete = 0")
    daemon.index(*TEXTS, "copy.md")
    daemon.settle()
    stats = daemon.call("stats")
    assert (stats["embedded"], stats["waiting"], stats["embeddings"]) == (4, 0, 0)  # two paths, one content


def test_a_kill_while_embedding_loses_nothing_and_repeats_nothing(daemon):
    texts = {f"{n}.txt": f"The number {n} stands in a text about the number {n * 7}.\n" for n in range(200)}
    daemon.start()
    daemon.write(texts)
    daemon.index(*texts)
    while not any(event["event"] == "complete" for event in daemon.events):
        daemon._heard(protocol.receive(daemon.sock))
    before = daemon.call("stats")
    daemon.kill()
    daemon.start()
    daemon.index(*(path.decode() for path in daemon.hello["missing"]))
    unread = [
        name.decode() for (name,) in daemon.history.execute("select name from file where state = 'new'")
    ]
    daemon.index(*unread)
    daemon.settle()
    stats = daemon.call("stats")
    assert (stats["contents"], stats["embedded"]) == (200, 200)
    assert stats["embeddings"] <= 200 - before["embedded"]


def test_each_path_has_one_outcome_whatever_it_is(daemon):
    daemon.start(model="")
    daemon.write(
        {
            "text.txt": "words",
            "binary.bin": bytes(range(256)) * 8,
            "secret.txt": "-----BEGIN PRIVATE KEY-----\nMIIE\n",
            "gone.txt": "x",
            "broken.pdf": b"%PDF-1.4 nothing",
        }
    )
    (daemon.folder / "gone.txt").unlink()
    os.mkfifo(daemon.folder / "fifo")
    (daemon.folder / "link").symlink_to("/etc/passwd")
    asked = [
        "text.txt",
        "binary.bin",
        "secret.txt",
        "gone.txt",
        "broken.pdf",
        "fifo",
        "link",
        "nowhere/at/all",
    ]
    daemon.index(*asked)
    while len(daemon.outcomes) < len(asked):
        daemon._heard(protocol.receive(daemon.sock))
    states = {outcome["path"].decode(): outcome["state"] for outcome in daemon.outcomes}
    assert sorted(states) == sorted(asked)
    assert (states["text.txt"], states["binary.bin"], states["secret.txt"], states["gone.txt"]) == (
        "text",
        "other",
        "secret",
        "gone",
    )
    assert states["broken.pdf"] == "failed"
    assert "text" not in (states["fifo"], states["link"])


def test_every_outcome_tells_its_epoch_and_a_new_one_is_told_before_its_outcomes(daemon):
    daemon.start(model="")
    daemon.write(TEXTS)
    daemon.index(*TEXTS)
    epoch = daemon.call("rebuild")["epoch"]
    daemon.index("login.md", fresh=True)
    while not any(event.get("epoch") == epoch and event["event"] == "indexed" for event in daemon.events):
        daemon._heard(protocol.receive(daemon.sock))
    told = [(event["event"], event["epoch"]) for event in daemon.events if "epoch" in event]
    changed = told.index(("epoch", epoch))
    assert {e for _, e in told[:changed]} <= {daemon.hello["epoch"]}
    assert {e for _, e in told[changed:]} == {epoch}


def test_what_became_complete_before_its_outcome_was_told_is_told_again(tmp_path):
    open_history(tmp_path / "history.db").close()
    (tmp_path / "a.txt").write_text("a text")
    store, told = Store(tmp_path / "index", str(tmp_path / "history.db"), "m"), []
    folder = os.open(tmp_path, os.O_PATH)

    def tell(message):
        told.append(message)
        if message["event"] == "indexed":  # the embedder was quicker
            store.backlog.mark([w.passage for w in store.backlog.waiting(9)])

    indexer = Indexer(store, folder, models.estimate, True, {}, tell, lambda fresh: None, lambda: None)
    indexer._write([indexer._read(b"a.txt", True)])
    digest = told[0]["outcomes"][0]["digest"]
    assert (told[0]["outcomes"][0]["complete"], told[1]) == (
        False,
        {"event": "complete", "digests": [digest]},
    )
    indexer.stop()
    store.close()
    os.close(folder)


def test_the_first_question_after_a_start_is_answered_by_meaning(daemon):
    daemon.start()
    daemon.write(TEXTS)
    daemon.index(*TEXTS)
    daemon.settle()
    daemon.kill()
    daemon.start()
    assert daemon.search("who approves big repayments")["meaning"] == "used"
    answer = daemon.search("two signatures")
    assert answer["hits"][0]["stale"] is False and set(answer["hits"][0]["values"]) >= {"words", "meaning"}
    for path in (daemon.state / "index").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path

    shutil.rmtree(daemon.state / "index" / "lance")
    answer = daemon.search("signatures weather")
    assert (answer["meaning"], len(answer["hits"])) == ("loading", 2)
    assert daemon.by_meaning("precipitation")[0] == "weather.txt"
    assert daemon.embeddings() == 0


def test_a_locked_index_ends_the_engine_with_a_sentence_and_stays(daemon):
    daemon.start(model="")
    daemon.kill()
    (daemon.state / "index" / "words.db-wal").unlink(missing_ok=True)
    (daemon.state / "index" / "words.db-shm").unlink(missing_ok=True)
    (daemon.state / "index" / "words.db").rename(daemon.state / "kept")
    (daemon.state / "index" / "words.db").mkdir()
    with pytest.raises((AssertionError, OSError), match="not usable|reset|EPIPE"):
        daemon.start(model="")
    assert daemon.process.wait(10) == 2
    assert (daemon.state / "index" / "words.db").is_dir()


def test_without_a_model_every_file_is_complete_by_its_words(daemon):
    daemon.start(model="")
    daemon.write(TEXTS)
    daemon.index(*TEXTS)
    daemon.settle()
    answer = daemon.search("two signatures")
    assert ([hit["path"] for hit in answer["hits"]], answer["meaning"]) == ([b"refund.md"], "unavailable")
    with open(f"/proc/{daemon.process.pid}/maps") as maps:
        assert "libtorch" not in maps.read()


def test_a_missing_model_leaves_words_and_says_why(daemon):
    daemon.start(model="/no/such/model")
    daemon.write(TEXTS)
    daemon.index(*TEXTS)
    daemon.settle(meaning=False)
    answer = daemon.search("two signatures")
    assert ([hit["path"] for hit in answer["hits"]], answer["meaning"]) == ([b"refund.md"], "unavailable")
    assert "/no/such/model" in daemon.call("stats")["error"]


def test_what_a_crash_left_unsaid_is_said_after_hello(daemon):
    daemon.start(model="")
    daemon.write(TEXTS)
    daemon.index(*TEXTS)
    daemon.settle()
    daemon.kill()
    daemon.history.execute("update file set complete = 0")
    daemon.start(model="")
    daemon.settle()


def test_a_malformed_call_is_answered_with_an_error_and_the_engine_lives(daemon):
    daemon.start(model="")
    for name, arguments in (
        ("dance", {}),
        ("index", {}),
        ("search", {"words": ["a"], "condition": ["near"]}),
        ("search", {"words": 3}),
    ):
        with pytest.raises(OSError):
            daemon.call(name, **arguments)
    assert daemon.call("stats")["contents"] == 0


def test_the_engine_ends_when_it_is_told_and_when_its_daemon_is_gone(daemon):
    daemon.start(model="")
    assert daemon.call("stop") == {}
    assert daemon.process.wait(10) == 0
    daemon.sock.close()
    daemon.start(model="")
    daemon.sock.close()
    assert daemon.process.wait(10) == 0


def test_an_engine_that_grew_asks_to_be_replaced(daemon):
    texts = {f"{n}.txt": f"text {n}" for n in range(1050)}
    daemon.start(engine_memory=1)
    daemon.write(texts)
    daemon.index(*texts)
    while (message := protocol.receive(daemon.sock)) is not None:
        daemon._heard(message)
    assert daemon.events[-1] == {"event": "recycle"}
    assert daemon.process.wait(10) == 0


def test_a_state_that_cannot_be_used_ends_the_engine_with_a_sentence(daemon):
    daemon.history.close()
    environment = os.environ | {"PYTHONPATH": str(ROOT), "LSFS_ENGINE": "nothing"}
    ended = subprocess.run(
        [sys.executable, "-m", "lsfs.engine"], env=environment, capture_output=True, text=True, timeout=30
    )
    assert (ended.returncode, "started by the daemon" in ended.stderr) == (2, True)


def test_files_are_compared_by_what_is_kept_of_them(library):
    before = library.call("stats")
    alike = {"like": [b"refund.md"], "without": [b"refund.md"]}
    answer = library.search("", **alike)
    assert answer["meaning"] == "used" and library.call("stats")["prompts"] == before["prompts"]
    assert answer["like"] == [{"path": b"refund.md", "passages": 1, "stale": False, "embedded": True}]
    assert {hit["path"] for hit in answer["hits"]} == {b"login.md", b"src/parse.py", b"weather.txt"}
    assert library.search("precipitation", **alike)["hits"][0]["path"] == b"weather.txt"
    assert library.search("", mode="words", **alike)["meaning"] == "off"
