"""status: one screen, and no path for strangers."""

import json

from hypothesis import given
from hypothesis import strategies as st

from syscalls.status import as_json, as_text, status
from syscalls.values import Viewer

REPORT = {
    "version": "1.0",
    "pid": 7,
    "files": 1000,
    "pending": 250,
    "generation": 3,
    "searches": 4,
    "embeddings": 5,
    "scanning": True,
    "engine": {"state": "ready", "pid": 8, "memory": 5 << 20, "error": None},
    "history": {
        "enabled": True,
        "versions": 12,
        "snapshots": 2,
        "bytes": 5 << 20,
        "waiting": 3,
        "since": 1_780_000_000.0,
        "trouble": None,
    },
    "disk": {"free": 3 << 30, "state": 1 << 20},
    "errors": [{"time": 1.0, "path": "secret/plan.md", "error": "cannot be read"}],
    "error_count": 1,
}


def test_one_screen_says_how_far_the_index_is():
    said = as_text(REPORT)
    assert "75 %" in said and "250 not fully indexed yet" in said and "ready, process 8, 5 MiB" in said
    assert len(said.splitlines()) <= 24


def test_one_line_says_what_history_holds():
    (line,) = [line for line in as_text(REPORT).splitlines() if line.startswith("history")]
    assert "12 versions since 2026-05-28, 2 snapshots, 5 MiB, 3 uncaptured" in line
    assert "history     off" in as_text(REPORT | {"history": {"enabled": False}})


@given(st.text(min_size=100), st.lists(st.text(max_size=300), max_size=40))
def test_no_line_is_wider_than_80_columns(folder, sentences):
    report = REPORT | {
        "folder": folder,
        "errors": [{"time": None, "path": None, "error": one} for one in sentences],
    }
    assert all(len(line) <= 80 for line in as_text(report).split("\n"))


def test_many_files_with_one_trouble_hide_no_other():
    many = [{"time": None, "path": f"{n} a.pdf", "error": "The PDF is damaged."} for n in range(20)]
    said = as_text(REPORT | {"errors": [*many, {"time": None, "path": None, "error": "a bad line"}]})
    assert "0 a.pdf: The PDF is damaged. (and 19 more)" in said and "a bad line" in said


def test_why_there_is_no_meaning_is_said_to_its_end():
    sentence = "There is no model 'x' on this machine: choose all-MiniLM-L6-v2, which comes with lsfs, or name the folder of another model."
    said = as_text(REPORT | {"engine": {"state": "ready", "meaning": "unavailable", "error": sentence}})
    assert sentence in " ".join(said.split())


def test_what_is_not_indexed_at_all_is_not_called_indexed():
    said = as_text(REPORT | {"pending": 0, "scanning": False, "engine": {"state": "off"}})
    assert "nothing is indexed" in said and "everything" not in said


def test_paths_in_errors_are_for_the_owner_and_root():
    for viewer in (Viewer(500, 500), Viewer(0, 0)):
        assert b"secret" in as_json(status(REPORT, viewer, 500))
    hidden = status(REPORT, Viewer(501, 501), 500)
    assert b"secret" not in as_json(hidden) and "secret" not in as_text(hidden)
    assert hidden["error_count"] == 1


def test_status_json_is_json_whatever_the_paths_are():
    report = REPORT | {"errors": [{"time": None, "path": "n\udcff", "error": b"\xff"}]}
    assert json.loads(as_json(report))["errors"][0]["path"] == "n\udcff"


def test_without_a_model_meaning_is_off_and_that_is_no_failure():
    engine = {
        "state": "ready",
        "model": "none",
        "meaning": "off",
        "passages": 9,
        "embedded": 0,
        "error": "no model",
    }
    said = as_text(REPORT | {"engine": engine})
    assert "none, meaning off" in said and "failure" not in said and "vectors" not in said
