"""lexicon: how much the words of a sentence speak for each call: `(weight, pattern)` (`patterns`), from lexicon.txt.

A call whose weights sum up to less than 2 is not thought of without the embedding model.
"""

import functools
from collections.abc import Mapping
from importlib.resources import files


@functools.cache
def _read() -> Mapping[str, tuple[tuple[float, str], ...]]:
    found: dict[str, list[tuple[float, str]]] = {}
    macros: dict[str, str] = {}
    section = ""
    for line in (files("syscalls.asking") / "lexicon.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, text = line.split(" ", 1)
            if section == "macros":
                macros[name] = text
                continue
            for macro, meaning in macros.items():
                text = text.replace(f"{{{macro}}}", meaning)
            found.setdefault(section, []).append((float(name), text))
    return {word: tuple(cues) for word, cues in found.items()}


CUES = _read()
