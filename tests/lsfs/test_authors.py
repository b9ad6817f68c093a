"""authors: who wrote a text, as its beginning says."""

import pytest

from lsfs.index.authors import LONGEST, author, says


@pytest.mark.parametrize(
    ("name", "text", "who"),
    [
        (b"a.md", "---\ntitle: x\nauthor: Ann Example\n---\n# x\n", "Ann Example"),
        (b"a.md", '---\nAuthor: "Ann <ann@example.org>"\n---\n', "Ann"),
        (b"a.md", "---\nauthors: [Ann, Bob]\n---\n", "Ann"),
        (b"a.md", "---\nauthors:\n  - Ann\n  - Bob\n---\n", "Ann"),
        (b"a.md", "---\ntitle: x\n---\nauthor: nobody\n", ""),
        (b"a.md", "author: nobody\n", ""),
        (b"a.md", "", ""),
        (b"a.eml", "Subject: x\nFrom: Ann Example <ann@example.org>\n\nFrom: Bob\n", "Ann Example"),
        (b"a.eml", "From: <ann@example.org>\n\nx", "ann@example.org"),
        (b"a.eml", "Subject: x\n\nFrom: Bob\n", ""),
        (b"a.md", "---\nauthor: " + "x" * 999, "x" * LONGEST),
    ],
)
def test_the_first_author_is_taken_from_where_authors_are_named(name, text, who):
    assert author(name, text) == who


def test_only_texts_that_name_authors_are_looked_at():
    assert says(b"x/a.MD") and says(b"a.eml") and not says(b"a.py") and not says(b"md")
