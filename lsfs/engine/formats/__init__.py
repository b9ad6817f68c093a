"""formats: one module for each rich format, each with `parse(data: bytes) -> Document`.

They run in the extractor child alone, where a crash, a hang or a bomb costs one file. Each imports its library itself.
"""

import importlib
from types import ModuleType

# type word -> the module of this package that reads it
MODULES: dict[str, str] = {
    "pdf": "pdf",
    "docx": "docx",
    "html": "html",
    "odt": "zipped",
    "pptx": "zipped",
    "epub": "zipped",
    "odp": "zipped",
    "xlsx": "sheets",
    "xls": "sheets",
    "ods": "sheets",
    "notebook": "notebook",
    "mail": "mail",
    "png": "picture",
    "jpeg": "picture",
    "gif": "picture",
    "image": "picture",
}

# a document's text beyond this is cut: a novel has 1 MB, the largest standards a few
MAX_TEXT = 32 << 20


class Unreadable(Exception):
    """The file cannot be parsed; the message is a sentence for the user."""


def module(kind: str) -> ModuleType:
    """The module that parses `kind`."""
    return importlib.import_module(f"{__name__}.{MODULES[kind]}")
