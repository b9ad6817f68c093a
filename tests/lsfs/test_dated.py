"""dated: who has the very day or month comes before who has its parts."""

import pytest
from search_library import Library, direction

from lsfs.index.dated import wanted


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path)
    yield library
    library.close()


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("what did we decide on 7 March 2024", {"date20240307": 1.0, "date0307": 0.7}),
        ("minutes of March 7th", {"day0307": 1.0}),
        ("invoices March 2024", {"month202403": 1.0}),
        ("march through the old town", {}),
        ("we may be late in 2024", {}),
        ("", {}),
    ],
)
def test_what_a_prompt_asks_for(prompt, words):
    found = wanted(prompt.split())
    assert found == words


@pytest.mark.parametrize("name", ["20240307-minutes.md", "minutes_2024-03-07.md", "diary/2024-03-07.md"])
@pytest.mark.parametrize("prompt", ["7 March 2024", "what did we decide on March 7th, 2024", "2024-03-07"])
def test_a_file_that_is_called_by_the_day_comes_first(library, name, prompt):
    library.add(name, "Vans are too dear; we go by rail.", vector=direction(1, 2, 0, 0))
    library.add("board2.md", "Board, 7 March 2025: we decide on vans.", vector=direction(1, 1, 0, 0))
    for number in range(30):
        text = f"What we decide in March 2024, {number} of 7: paper 2024-03-{number % 20 + 10}."
        library.add(f"2024-03-{number % 20 + 10}-{number}.md", text, vector=direction(1, 1, number, 0))
    hits = library.ask(*prompt.split(), vector=direction(1, 1, 0, 0))["hits"]
    assert hits[0]["path"] == name.encode() and hits[0]["values"]["date"] == 1.0
    assert "date" not in hits[1]["values"]  # nothing is said of what others lack


def test_of_two_that_say_the_same_the_day_decides(library):
    library.add("a.md", "On 8 March 2024 the board met about the roof.")
    library.add("b.md", "On 7 March 2024 the board met about the roof.")
    library.add("c.md", "On 7 March the board met about the roof.")
    assert library.found("board", "roof", "7", "March", "2024") == ["b.md", "c.md", "a.md"]


def test_without_a_date_nothing_is_looked_up(library):
    library.add("2024-03-07.md", "the roof")
    (hit,) = library.ask("roof")["hits"]
    assert "date" not in hit["values"] and hit["parts"]["date"] == 0.0
