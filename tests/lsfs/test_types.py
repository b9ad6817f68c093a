"""Types: the words of `type:` are in the manual."""

import re
from pathlib import Path

from lsfs.engine.types import FAMILIES, JSON, MARKDOWN, PARSED, PICTURES, RECORDS, SHEETS, expand


def test_the_manual_names_every_type_that_is_read_and_every_group() -> None:
    page = (
        (Path(__file__).parents[2] / "man/lsfs-prompt.7")
        .read_text()
        .partition(".Ss Types\n")[2]
        .partition("\n.Ss ")[0]
    )
    words = set(re.findall(r"[a-z]+", page))
    assert PARSED - PICTURES | MARKDOWN | RECORDS | JSON | set(FAMILIES) <= words


def test_a_group_of_types_is_asked_by_its_name_or_by_what_people_call_it() -> None:
    assert expand("spreadsheet") == expand("excel") == SHEETS | {"csv"}
    assert expand("xlsm") == {"xlsx"} and expand("ods") == {"ods"} and expand("doc") >= SHEETS
    assert expand("slides") == {"pptx", "odp"}


def test_the_words_that_a_prompt_calls_types_are_these():
    from lsfs.engine import types
    from syscalls.kinds import NAMES, SUFFIXES

    known = {*types._BY_NAME, *types.FAMILIES, *types._ALIASES, *types._BY_SUFFIX}
    assert known == NAMES | SUFFIXES
    assert all(types.expand(word) for word in known)
