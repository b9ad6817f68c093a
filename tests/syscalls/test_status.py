"""status: one screen, and no path for strangers."""

import json

from hypothesis import given
from hypothesis import strategies as st

from syscalls.status import as_json, as_text, status, time_left
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


PROGRESS = {
    "left": 4800,
    "files": {"done": 12_400, "whole": 100_000, "rate": 310.4, "left": 283},
    "first": {"done": 8_000, "whole": 12_400},
    "passages": {"done": 41_000, "whole": 380_000, "rate": 7.25, "left": 46_758},
}


def test_a_line_for_each_tier_says_how_far_it_is_how_fast_it_goes_and_for_how_long():
    lines = as_text(REPORT | {"progress": PROGRESS, "reused": 9}).splitlines()
    assert "words       12,400 of 100,000 files, 310 a second, about 5 min left" in lines
    assert "meaning     8,000 of 12,400 contents by their first passage" in lines
    assert "vectors     41,000 of 380,000 passages, 7.2 a second, about 13 h left" in lines
    assert "asked       searches 4, embeddings 5, passages that needed none 9" in lines
    assert len(lines) <= 24


def test_a_slow_rate_is_that_of_a_minute():
    for rate, said in (
        (10.0, "10 a second"),
        (0.1, "0.1 a second"),
        (0.06, "3.6 a minute"),
        (0.01, "0.6 a minute"),
    ):
        tier = {"done": 1, "whole": 3, "rate": rate, "left": None}
        assert f"1 of 3 passages, {said}\n" in as_text(REPORT | {"progress": {"passages": tier}})


def test_no_rate_and_no_time_is_said_where_none_is_known_and_no_line_where_all_is_done():
    files = {"done": 7, "whole": 7, "rate": 3.0, "left": 0}
    passages = {"done": 1, "whole": 3, "rate": None, "left": None}
    said = as_text(REPORT | {"progress": {"files": files, "first": None, "passages": passages}})
    assert "vectors     1 of 3 passages\n" in said and "\nwords" not in said and "\nmeaning" not in said
    assert "left" not in said
    assert "vectors" not in as_text(REPORT | {"progress": None})


def test_a_time_left_is_as_exact_as_an_estimate_deserves():
    said = [time_left(seconds) for seconds in (59, 60, 150, 7100, 7200, 172_000, 172_800, None, 0)]
    assert said == [
        "less than a minute left",
        *(f"about {n} left" for n in ("1 min", "2 min", "118 min", "2 h", "2 days", "2 days")),
        *("", ""),
    ]


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_a_longer_time_left_never_sounds_shorter(seconds, more):
    assert len({time_left(seconds), time_left(seconds + more)}) == 2 or more < 86_400 or seconds == 0


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
