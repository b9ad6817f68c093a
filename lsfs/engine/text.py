"""text: the text that lsfs reads in a file: what its words are searched in, as `syscalls.terms` takes them apart.

    text_of("report.pdf")                       in Python; None where a file has no text (a picture, a secret, a document that is broken)
    python -m lsfs.engine.text report.pdf       prints it; exits with 1 where there is none

For whoever wants to check an answer by reading: no mount and no index is needed.
"""

import os
import sys

from lsfs.engine.extract import Extractor, extract
from lsfs.engine.reader import read_file


def text_of(
    path: str | bytes | os.PathLike[str], extractor: Extractor | None = None, max_size: int = 64 << 20
) -> str | None:
    """The extracted text of one file, whole. `extractor`: the child that parses rich formats, for who reads many; otherwise one is started
    where it is needed. Raises OSError where the folder of the file cannot be opened."""
    folder, name = os.path.split(os.path.abspath(os.fsencode(path)))
    root = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        content = read_file(root, name, max_size)
    finally:
        os.close(root)
    if extractor is not None:
        found = extract(content, extractor, outline=False)
    else:
        with Extractor() as mine:
            found = extract(content, mine, outline=False)
    return None if found.document is None else found.document.text


def main() -> int:
    """Print the text of the file that the command line names."""
    text = text_of(sys.argv[1])
    if text is None:
        return 1
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
