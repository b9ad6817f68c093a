"""scripts/eval/retrieval: its table on data sets that are small enough to be scored by hand."""

import importlib.machinery
import importlib.util
import json
import math
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from lsfs.index.fusion import WEIGHTS

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/eval/retrieval"
SECOND = 1 / math.log2(3)  # the discount of the second rank

# no name has a number: those of a series lend each other words
TURBINES = {
    "da": "The lighthouse keeper counts ships.",
    "db": "Marble, granite and slate are cut here.",
    "dc": "Anchor, anchor, anchor.",
    "dd": "An anchor was found under the old pier together with rope, nets, barrels and a rusted bell.",
    "left/de": "Turbine turbine.",
    "right/df": "Somebody has to oil that turbine once a week, whatever the weather does.",
}
CATS = {
    "pets/money": "Interest rates and the price of bonds.",
    "pets/purr": "A cat sleeps on the sofa.",
    "knots/one": "Anchor.",
    "knots/two": "Anchor rope.",
}


def write(folder, documents, questions):
    """A data set; a question is (text, scope, {document: grade})."""
    folder.mkdir()
    rows = [json.dumps({"_id": name, "title": "", "text": text}) for name, text in documents.items()]
    (folder / "corpus.jsonl").write_text("\n".join(rows))
    asked = [
        {"_id": f"q{number}", "text": text, "metadata": {"scope": scope}}
        for number, (text, scope, _) in enumerate(questions)
    ]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)))
    grades = [
        f"q{number}\t{document}\t{grade}\n"
        for number, (*_, relevant) in enumerate(questions)
        for document, grade in relevant.items()
    ]
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(grades))
    return str(folder)


def run(*words):
    """(exit code, {(data set, by): row}, stderr)"""
    done = subprocess.run([sys.executable, SCRIPT, "--json", *words], capture_output=True, text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {(row["dataset"], row["by"]): row for row in rows}, done.stderr


def scores(row):
    return row["ndcg@10"], row["recall@10"], row["mrr@10"]


def test_by_words_every_row_is_as_scored_by_hand_and_a_set_below_a_single_signal_is_named(tmp_path):
    questions = [
        # da is found, db, the better answer, has none of the words: nDCG 1 / (2 + 1 / log2 3), recall 1/2
        ("lighthouse keeper", None, {"da": 1, "db": 2}),
        # de says it more often and is out of scope
        ("turbine", "right", {"right/df": 1}),
        # dc says it more often, so dd is the second
        ("anchor", None, {"dd": 1, "dc": 0}),
        # to lsfs: all but da
        ("-lighthouse", None, {"da": 1}),
    ]
    turbines = write(tmp_path / "turbines", TURBINES, questions)
    code, rows, said = run("--words", "--ablations", "--keep", str(tmp_path / "kept"), turbines)
    for name in ("turbines", "macro"):
        for by in ("lsfs", "all signals, in process", "BM25, whole file", "LanceDB FTS, best passage"):
            last = by in ("BM25, whole file", "LanceDB FTS, best passage")
            ndcg, other = (1 / (2 + SECOND) + 1 + SECOND + last) / 4, (2.5 + last) / 4
            assert scores(rows.pop((name, by))) == (round(ndcg, 4), round(other, 4), round(other, 4)), by
    assert all(by.startswith("without ") for _, by in rows)  # nothing that would need the model
    assert code == 1
    broken = [line for line in said.splitlines() if line.startswith("BROKEN")]
    told = "nDCG@10 0.5028, the best single signal 0.7528 (BM25, whole file)"
    assert broken == [f"BROKEN turbines: {told}"], said
    assert (tmp_path / "kept/turbines-words/right/df.txt").read_text() == TURBINES["right/df"]


def test_by_meaning_all_rows_are_there_and_the_lead_is_told(tmp_path):
    questions = [
        ("turbine", "right", {"right/df": 1}),
        ("kitten", "pets", {"pets/purr": 1}),  # nobody says it; the money comes first by its name
        ("anchor -rope", "knots", {"knots/one": 1}),  # only lsfs knows what that means
    ]
    seen = write(tmp_path / "seen", TURBINES, questions[:1])
    cats = write(tmp_path / "cats", TURBINES | CATS, questions)
    code, rows, said = run("--ablations", "--chosen", "seen", cats, seen)
    for by in ("lsfs", "LanceDB hybrid"):
        assert scores(rows["macro, new", by]) == scores(rows["cats", by])
    # no name says turbine, kitten or anchor
    assert scores(rows["cats", "LanceDB hybrid, named"]) == scores(rows["cats", "LanceDB hybrid"])
    for by in ("BM25, whole file", "LanceDB FTS, best passage"):
        assert rows["cats", by]["ndcg@10"] == round((1 + 0 + SECOND) / 3, 4)
    for by in ("MiniLM, best passage", "RRF k=60 of both", "LanceDB hybrid"):
        assert scores(rows["cats", by]) == (round((1 + 1 + SECOND) / 3, 4), 1, round(2.5 / 3, 4)), by
    for by in ("lsfs", "all signals, in process"):
        assert scores(rows["cats", by]) == (1, 1, 1), by
    assert 0 < rows["cats", "lsfs"]["p50_ms"] <= rows["cats", "lsfs"]["p95_ms"]
    assert {by for name, by in rows if name == "macro" and by.startswith("without ")} == {
        f"without {signal}" for signal, weight in WEIGHTS.items() if weight
    }
    assert code == 0, said
    assert "kept   macro over 2: nDCG@10 1.0000, LanceDB hybrid 0.9385: +0.0615, asked +0.04" in said


@pytest.fixture
def script(monkeypatch):
    """The script as a module, and its neighbours importable."""
    monkeypatch.syspath_prepend(SCRIPT.parent)
    loader = importlib.machinery.SourceFileLoader("retrieval_script", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


@pytest.mark.parametrize(("lead", "kept"), [(0.04, True), (0.0399, False)])
def test_the_lead_over_hybrid_is_that_of_the_means(script, lead, kept):
    def row(name, by, ndcg):
        return script.Row(name, by, 1, 0, script.Measures(ndcg, 1.0, 1.0))

    scored = {"lsfs": (0.2, 0.9 + 2 * lead), "BM25, whole file": (0.1, 0.1), "LanceDB hybrid": (0.3, 0.8)}
    rows = [row(name, by, both[at]) for at, name in enumerate("ab") for by, both in scored.items()]
    *each, (lead_kept, told) = script.judged(rows, script.macro(rows))
    assert all(held for held, _ in each)
    assert lead_kept == kept, told


def test_a_failed_question_breaks_the_promise(script):
    rows = [
        script.Row("a", by, 2, failures, script.Measures(0.5, 1.0, 1.0))
        for by, failures in (("lsfs", 1), ("BM25, whole file", 0))
    ]
    assert next(script.judged(rows, [])) == (False, "a: 1 of 2 questions were answered")


def test_rank_fusion_is_the_formula_and_lancedbs_hybrid_is_it_over_the_same_rows(tmp_path, script):
    from baselines import BestPassages, Passages, fused, named

    def vector(degrees):
        return np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))], np.float32)

    texts = ["An anchor lies on the beach.", "Anchor anchor anchor.", "Boats.", "Ropes."]
    found = Passages(["a.txt", "b.txt", "a.txt", "sub/c.txt"], texts, [*map(vector, (20, 60, 40, 10))])
    best = BestPassages(tmp_path, found)
    by_words, by_meaning = best.by_words("anchor", ""), best.by_meaning(vector(0), "")
    assert (by_words, by_meaning) == ([1, 0], [3, 0, 2, 1])
    # 0: 1/62 + 1/62 = .03226; 1: 1/61 + 1/64 = .03202; 3: 1/61 = .01639; 2: 1/63 = .01587
    assert fused(by_words, by_meaning) == [0, 1, 3, 2]
    assert best.hybrid("anchor", vector(0), "") == [0, 1, 3, 2]
    assert best.files([0, 1, 3, 2]) == ["a.txt", "b.txt", "sub/c.txt"]
    assert best.hybrid("anchor", vector(0), "sub/") == best.by_meaning(vector(0), "sub/") == [3]
    assert best.by_words("anchor", "sub/") == best.by_words("c", "") == []
    (tmp_path / "named").mkdir()
    assert BestPassages(tmp_path / "named", named(found)).by_words("sub", "") == [3]


@pytest.mark.parametrize(
    ("grades", "said"),
    [({}, "no question has a document that answers it"), ({"dc": 1}, "would be one file")],
)
def test_a_data_set_that_cannot_be_used_is_refused_before_anything_is_mounted(tmp_path, grades, said):
    documents = TURBINES | ({"d:1": "", "d_1": ""} if grades else {})
    dataset = write(tmp_path / "broken", documents, [("anchor", None, grades)])
    code, rows, told = run("--words", dataset)
    assert (code, rows) == (1, {})
    assert said in told
