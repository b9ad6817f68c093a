"""/query through a real mount, with the tools that people use."""

import json
import os
import pathlib
import subprocess

import pytest

QUESTION = "sourdough starter"


def shell(mounted, command):
    """A shell command at the top of the mount; its output."""
    done = subprocess.run(
        ["bash", "-c", command], cwd=mounted.path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def searches(mounted):
    status = mounted.status()
    return status["searches"], status["embeddings"]


@pytest.fixture
def notes(mount, tmp_path):
    """A small indexed mount of this test's own."""
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "papers").mkdir()
    (folder / "papers" / "bread.md").write_text("Flour, water, salt and a sourdough starter.\n")
    (folder / "soup.md").write_text("Red lentils and cumin.\n")
    mounted = mount(folder)
    mounted.indexed()
    return mounted


def test_a_file_that_is_called_by_a_day_answers_for_that_day(mount, tmp_path):
    folder = tmp_path / "minutes"
    folder.mkdir()
    (folder / "20240307-minutes.md").write_text("Vans are too dear; we go by rail.\n")
    (folder / "board2.md").write_text("Board, 7 March 2025: we decide on vans.\n")
    for day in range(10, 30):
        (folder / f"2024-03-{day}-decisions.md").write_text(
            f"What we decide in March 2024: paper {day} of 7.\n"
        )
    mounted = mount(folder)
    mounted.indexed()
    for said in ("7 March 2024", "2024-03-07", "what did we decide on March 7th, 2024", "7.3.2024"):
        assert shell(mounted, f"ls 'query/{said}'").split()[0] == "01-20240307-minutes.md", said
    rows = shell(mounted, "cat 'query/7 March 2024/why.tsv'").splitlines()
    assert dict(zip(rows[0].split("\t"), rows[1].split("\t"), strict=True))["date"] == "1.000000"


def test_a_question_is_a_directory_of_links_to_the_files(library):
    listed = shell(library, f"ls 'query/{QUESTION}'").split()
    assert listed[0] == "01-bread.md" and listed[-4:] == [
        "passages.md",
        "results.json",
        "summary.md",
        "why.tsv",
    ]
    assert os.readlink(library.query / QUESTION / "01-bread.md") == "../../files/recipes/bread.md"
    assert shell(library, f"cat 'query/{QUESTION}'/01-*") == (library.folder / "recipes/bread.md").read_text()
    assert "recipes/bread.md:" in shell(library, f"cat 'query/{QUESTION}'/passages.md")


def test_a_file_is_the_first_answer_to_its_own_name(library):
    for path in library.folder.rglob("*.*"):
        if ".lsfs" not in path.parts:
            assert shell(library, f"ls 'query/{path.name}'").split()[0] == f"01-{path.name}"


def test_every_tool_reads_the_documents(library, tmp_path):
    shell(
        library,
        f"cp -r 'query/{QUESTION}' {tmp_path}/copied; tar cf {tmp_path}/t.tar 'query/{QUESTION}'; tar tf {tmp_path}/t.tar",
    )
    assert (
        json.loads((tmp_path / "copied/results.json").read_text())["hits"][0]["path"]
        == "files/recipes/bread.md"
    )
    assert (
        shell(
            library, f"cp 'query/{QUESTION} again/results.json' {tmp_path}/r.json; wc -c < {tmp_path}/r.json"
        ).strip()
        != "0"
    )
    shell(
        library,
        f"head -c 5 'query/{QUESTION}/passages.md'; grep -rq . 'query/{QUESTION}'; find 'query/{QUESTION}' -ls",
    )


def test_results_json_says_how_the_question_was_read(library):
    answer = library.ask('soup "red lentils" in:recipes/ type:md after:2001 limit:3 before:banana')
    assert (
        answer["read"]["in"] == ["recipes"]
        and answer["read"]["types"] == ["md"]
        and answer["read"]["limit"] == 3
    )
    assert answer["read"]["condition"] == '"red lentils"' and "banana" in answer["read"]["notes"][0]
    assert [hit["path"] for hit in answer["hits"]] == ["files/recipes/soup.md"]
    assert answer["sequence"] >= 1 and answer["pending"] == 0
    assert {"path", "score", "parts", "passages"} <= set(answer["hits"][0])


def why(mounted, place):
    """why.tsv of a question, a row as a dictionary."""
    header, *rows = (mounted.path / place / "why.tsv").read_text().splitlines()
    return [dict(zip(header.split("\t"), row.split("\t"), strict=True)) for row in rows]


def test_why_tsv_has_every_part_of_every_hits_score(library):
    sizes = shell(library, f"cd 'query/{QUESTION}'; ls; stat -c %s why.tsv; wc -c < why.tsv").split()[-2:]
    assert sizes[0] == sizes[1] != "0"
    rows, answer = why(library, f"query/{QUESTION}"), library.ask(QUESTION)
    assert [row["file"] for row in rows] == [hit["path"] for hit in answer["hits"]]
    for rank, (row, hit) in enumerate(zip(rows, answer["hits"], strict=True), 1):
        assert int(row["rank"]) == rank and row["lines"] == "{}-{}".format(*hit["passages"][0]["lines"])
        for name, part in hit["parts"].items():
            assert row[name] == "-" if name not in answer["signals"] else float(row[name]) == part
    assert rows[0]["name"] == "-" and float(rows[0]["words"]) > 0 and float(rows[0]["meaning"]) > 0
    (by_words, *_) = why(library, f"query/{QUESTION} mode:words")
    assert by_words["meaning"] == "-" != by_words["words"]
    assert float(why(library, "query/bread.md")[0]["name"]) == 1.0
    (below,) = why(library, f"files/recipes/.query/{QUESTION} limit:1")
    assert below["file"] == "files/recipes/bread.md"
    assert {row["words"] for row in why(library, "query/type:md")} == {"-"}


def test_a_snapshots_question_says_why_of_what_was_there_then(notes):
    shell(notes, "mkdir snapshots/then; rm files/papers/bread.md")
    (row, *_) = why(notes, f"snapshots/then/query/{QUESTION}")
    assert row["file"] == "files/papers/bread.md" and float(row["words"]) > 0


def test_where_nothing_fits_the_documents_say_so_and_where_something_does_they_do_not(library):
    far = "quantum chromodynamics on a lattice"
    for name in ("passages.md", "summary.md"):
        lines = shell(library, f"cat 'query/{far}/{name}'").splitlines()
        assert lines[0] == f"# {far}" and lines[2].startswith("Probably nothing here answers this question:")
        assert "Probably nothing" not in shell(
            library, f"cat 'query/how do customers get their money back/{name}'"
        )
    assert (
        library.ask(far)["confidence"]
        < 0.18
        < library.ask("how do customers get their money back")["confidence"]
    )
    assert library.ask("type:md")["confidence"] is None
    assert "Probably nothing" not in shell(library, "cat 'query/type:md/passages.md'")


def test_a_slash_after_in_is_part_of_the_question(library):
    assert "01-bread.md" in shell(library, "ls 'query/starter in:recipes/ type:md'")
    assert shell(library, "cat 'query/starter in:recipes/ type:md'/01-*").startswith("# Bread")
    assert "bread" not in shell(library, "ls 'query/starter in:policies/ type:md'")


def test_a_question_below_a_folder_finds_what_is_there(library):
    assert library.found("approval", below="policies")[0] == "policies/travel.md"
    assert all(path.startswith("policies/") for path in library.found("starter approval", below="policies"))
    assert os.readlink(library.files / "policies/.query/hotels approval/01-travel.md") == "../../travel.md"
    assert ".query" not in os.listdir(library.files / "policies")


@pytest.mark.parametrize(
    "question",
    [
        "What's the refund policy? (in days)",
        'a stray " quote',
        "either/or",
        "salt & pepper; rm -rf $HOME",
        "¿qué? 🤷",
        "-",
        "100% sure",
        "AND",
        "(unbalanced",
        "it's: a test",
    ],
)
def test_no_question_fails(library, question):
    assert library.ask(question)["prompt"] == question
    library.found(question)


def test_hidden_names_and_probes_are_not_questions(library):
    before = searches(library)
    for name in (".git", ".hidden", "Thumbs.db", "desktop.ini", ".Trash-0"):
        assert not (library.query / name).exists()
    assert searches(library) == before


def test_looking_at_words_searches_nothing(library):
    before = searches(library)
    for word in ("one", "two words", "foo*"):
        assert (library.query / word).is_dir()
    assert searches(library) == before


def test_walking_over_the_whole_mount_searches_nothing(notes):
    shell(notes, "mkdir 'query/sourdough' 'query/lentils and cumin'; ls query/*")
    notes.until(
        lambda: notes.ask("sourdough")["meaning"], lambda meaning: meaning in ("used", "off", "unavailable")
    )
    before = searches(notes)
    assert "./query/sourdough/01-bread.md" in shell(notes, "find .")
    shell(
        notes,
        "grep -r cumin . ; du -s . ; ls -lR . ; tar cf /dev/null query; find . -type f -exec cat {} + > /dev/null",
    )
    assert searches(notes) == before


def test_a_question_is_saved_by_mkdir_and_forgotten_by_rmdir(notes):
    shell(notes, "ls 'query/open questions' ; mkdir 'query/open questions'")
    assert shell(notes, "ls query") == "open questions\n"
    again = subprocess.run(["mkdir", notes.query / "open questions"], capture_output=True, text=True)
    assert again.returncode == 1 and "File exists" in again.stderr
    shell(notes, "mkdir -p 'query/open questions'")
    os.mkdir(notes.query / "from python")
    with pytest.raises(FileExistsError):
        os.mkdir(notes.query / "from python")
    pathlib.Path(notes.query / "from python").mkdir(exist_ok=True)
    shell(notes, "mkdir 'query/starter in:papers/ type:md' 'query/in:papers' files/papers/.query/inside")
    notes.umount()
    notes.mount()
    assert sorted(os.listdir(notes.query)) == [
        "from python",
        "in:papers",
        "open questions",
        "starter in:papers∕ type:md",
    ]
    assert os.listdir(notes.files / "papers/.query") == ["inside"]
    assert "01-bread.md" in os.listdir(notes.query / "starter in:papers∕ type:md")
    shell(notes, "rmdir query/* files/papers/.query/inside")
    assert os.listdir(notes.query) == os.listdir(notes.files / "papers/.query") == []
    with pytest.raises(FileNotFoundError):
        os.rmdir(notes.query / "open questions")


def test_a_saved_answer_follows_the_files(notes):
    os.mkdir(notes.query / "gulls")
    assert "lighthouse.md" not in notes.found("gulls")
    (notes.files / "lighthouse.md").write_text("Forty-one gulls.\n")
    notes.until(lambda: "lighthouse.md" in notes.found("gulls"))


def test_editing_a_hit_edits_the_file(notes):
    with open(notes.query / "lentils" / "01-soup.md", "a") as stream:
        stream.write("And an onion.\n")
    assert (notes.folder / "soup.md").read_text().endswith("And an onion.\n")
    assert "soup.md" in notes.found("onion")


def test_nothing_else_below_query_can_be_written(library):
    directory = library.query / QUESTION
    for attempt in (
        lambda: (directory / "01-bread.md").unlink(),
        lambda: (directory / "new").write_text("x"),
        lambda: (directory / "passages.md").write_text("x"),
        lambda: os.mkdir(directory / "below"),
    ):
        with pytest.raises(OSError) as caught:
            attempt()
        assert caught.value.errno in (1, 13, 30)
