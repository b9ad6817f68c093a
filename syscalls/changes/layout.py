"""layout: what changed in a text besides its words: line endings, the last newline, blanks, indentation."""

from syscalls.changes.text import counted


def only(aspects: list[str]) -> str:
    """That nothing changed but these."""
    if not aspects:
        return "the bytes differ, the text is the same"
    if len(aspects) == 1:
        return f"only {aspects[0]}"
    return f"only this changed: {'; '.join(aspects)}"


def whitespace(old: list[str], new: list[str]) -> str:
    """What changed of lines that have the same words."""
    kinds = (
        ("blank lines changed", lambda lines: [line for line in lines if line.strip()]),
        ("whitespace at the ends of lines changed", lambda lines: [line.rstrip() for line in lines]),
        ("indentation changed", lambda lines: [line.lstrip() for line in lines]),
        ("whitespace within lines changed", lambda lines: [line.split() for line in lines]),
        (
            "whitespace and blank lines changed",
            lambda lines: [line.split() for line in lines if line.strip()],
        ),
    )
    for said, seen in kinds:
        if seen(old) == seen(new):
            differ = (
                sum(one != other for one, other in zip(old, new, strict=False)) if len(old) == len(new) else 0
            )
            return (
                f"{said}, in {counted(differ, 'line')}"
                if differ
                else f"{said}: {len(old):,} → {counted(len(new), 'line')}"
            )
    return "line breaks and other whitespace changed; the words are the same"


def normal(text: str) -> str:
    """`text` with one kind of line ending."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lines_in(text: str) -> list[str]:
    """The lines, without their ends."""
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def ends(text: str) -> str:
    """How lines end in `text`; "" where none does."""
    windows = text.count("\r\n")
    kinds = {"CRLF": windows, "LF": text.count("\n") - windows, "CR": text.count("\r") - windows}
    names = [name for name, number in kinds.items() if number]
    return names[0] if len(names) == 1 else "a mixture" if names else ""
