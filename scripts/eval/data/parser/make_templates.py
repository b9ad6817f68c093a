"""make_templates: the prompts of the paper's kind, 30 for each call, as templates.jsonl beside this file.

    python scripts/eval/data/parser/make_templates.py

Each call has a few patterns: a prompt and the arguments it has to give. Prompt I of a call is pattern I modulo their number; the fields in
braces are taken from the lists below at place I, so the output is the same every time. templates.jsonl is committed and, like this file,
never edited once the grammar exists.
"""

import json
from pathlib import Path
from typing import Any

PER_CALL = 30

# fmt: off
FILES = (
    "aiml.txt", "cnn.md", "papers/llm.pdf", "notes.md", "reports/q3.md", "budget.csv", "thesis/chapter-2.tex",
    "meeting notes.txt",
    "src/main.py", "README.md", "letters/landlord.md", "data/temps_2026.csv", "travel/oslo.md", "recipes/soup.md", "plan.v2.md",
    "contracts/lease.docx", "index.html", "diary/june.md", "todo.txt", "config/app.toml",
    "lectures/week 3.md", "invoice-0042.pdf",
    "ideas.md", "papers/2026/agents.pdf", "minutes.docx", "Slides.md", "logs/server.log", "cv.docx",
    "books/to-read.md", "team.json",
)
FOLDERS = (
    "papers", "notes", "reports/2026", "src", "contracts", "lectures", "travel", "recipes", "letters/private", "data",
    "thesis", "work/hr", "archive", "books", "logs",
)
TOPICS = (
    "machine learning", "file systems", "climate change", "graph neural networks", "home insurance",
    "quantum computing", "urban gardening",
    "operating systems", "tax law", "reinforcement learning", "bread baking", "solar energy",
    "protein folding", "database indexing",
    "sleep research", "Roman history", "supply chains", "large language models", "bicycle repair",
    "employee onboarding", "cryptography",
    "night trains", "heat pumps", "music theory", "computer vision", "customer support", "space exploration", "renting a flat",
    "incident response", "speech recognition",
)
WORDS = (
    "LLM", "agent", "budget", "travel", "invoice", "kernel", "python", "Berlin", "mortgage", "tensor",
    "garden", "deadline", "vaccine",
    "Kafka", "tenant", "transformer", "lock", "copper", "GPU", "receipt", "oak", "entropy", "Smith", "signed",
    "Zanzibar", "alpha",
    "passport", "cache", "jazz", "heron",
)
TEXTS = (
    "machine learning is fun", "buy milk", "The meeting is on Monday.", "hello world", "first draft",
    "name,price", "see chapter 4",
    "call the bank", "All tests pass.", "Version 2 is out.", "no comment", "heating: 21 degrees", "passport, tickets, charger",
    "leek, potatoes, cream", "step one is done", "signed on Friday", "Welcome", "It rained all day.",
    "water the plants", "debug = true",
    "homework: exercise 7", "paid", "a clock without hands", "agents need memory", "present: Ann and Bob", "Thank you", "started",
    "ten years of experience", "Middlemarch", "[]",
)
NAMES = (
    "before-move", "monday", "release-1", "clean", "v2.0", "pre-audit", "golive", "friday", "baseline",
    "draft-3", "stable", "alpha", "beta",
    "q3", "safe", "autumn", "signed", "checkpoint-7", "submitted", "restart", "october", "first",
    "known-good", "backup-2", "lunch",
    "migration", "test-run", "spring", "holiday", "final",
)
LIVES = (
    ("1 day", "1d"), ("2 hours", "2h"), ("30 minutes", "30m"), ("3 days", "3d"), ("1 week", "1w"),
    ("12 hours", "12h"), ("90 seconds", "90s"),
    ("2 weeks", "2w"), ("5 days", "5d"), ("45 minutes", "45m"), ("1 hour", "1h"),
)
DATES = (
    "2026-12-01", "2027-01-15", "2026-12-24T18:00", "2027-03-31", "2026-11-30", "2027-06-01T08:30", "2026-12-31", "2027-02-14",
    "2027-05-09T12:00", "2027-09-01", "2026-12-06",
)
PAST = (
    "2026-10-01", "2026-09-15T12:00", "2025-12-24", "2026-01-31", "2026-08-08T08:08", "2024-07-30",
    "2026-05-05", "2026-11-01T09:00",
    "2023-02-28", "2026-06-21", "2026-03-14T15:09",
)
NUMBERS = ("3", "5", "2", "10", "4", "7", "8", "6", "20", "12", "9")
FORMATS = (
    ("notes.md", "html", "HTML"), ("report.docx", "md", "Markdown"), ("papers/llm.pdf", "txt", "plain text"),
    ("index.html", "md", "Markdown"),
    ("letter.md", "docx", "DOCX"), ("wiki/start.html", "txt", "plain text"), ("cv.docx", "html", "HTML"),
    ("scan-7.pdf", "txt", "text"),
    ("guide.html", "docx", "DOCX"), ("recipes/soup.md", "html", "HTML"), ("minutes.docx", "txt", "plain text"),
)
BY = ("topic", "type", "month", "folder", "author")
WHY = ("under review", "being printed", "work in progress", "year end", "waiting for Ann", "release freeze", "audit")

# A call that has no arguments: what can be said first, and what then.
BARE = {
    "undo": (("Undo", "Take back", "Reverse", "Revert", "Cancel", "Please undo"),
             ("the last rollback", "the previous rollback", "my last rollback", "the most recent rollback", "the rollback")),
    "status": (("Show", "Tell me", "Print", "Display", "Report", "Please show"),
               ("the status", "the status of the index", "how far the index is", "the indexing status", "the state of the index")),
    "rebuild": (("Rebuild", "Recreate", "Regenerate", "Reconstruct", "Drop and rebuild", "Please rebuild"),
                ("the index", "the whole index", "the search index", "the index of all files", "the index from scratch")),
}

Pattern = tuple[str, dict[str, Any]]
PATTERNS: dict[str, tuple[Pattern, ...]] = {
    "create": (
        ('Create a file named {file} with the content "{text}"', {"PATH": "{file}", "text": "{text}"}),
        ("Create a new file {file} that contains '{text}'.", {"PATH": "{file}", "text": "{text}"}),
        ('Create the file {plain} in the folder {folder} with the text "{text}"', {"PATH": "{folder}/{plain}", "text": "{text}"}),
        ("Create {file} from the file {file2}", {"PATH": "{file}", "from": "{file2}"}),
        ('Please make a new file called {file} with "{text}" in it', {"PATH": "{file}", "text": "{text}"}),
        ("Create an empty file named {file}", {"PATH": "{file}"}),
    ),
    "get": (
        ("Get the file {file}", {"PATH": "{file}"}),
        ("Show me the content of {file}", {"PATH": "{file}"}),
        ("Read the file {file}.", {"PATH": "{file}"}),
        ("Get version {number} of {file}", {"PATH": "{file}", "version": "{number}"}),
        ("Open the file {plain} in the folder {folder}", {"PATH": "{folder}/{plain}"}),
        ("What is in the file {file}?", {"PATH": "{file}"}),
    ),
    "append": (
        ('Append "{text}" to {file}', {"PATH": "{file}", "text": "{text}"}),
        ("Add the text '{text}' to the end of the file {file}.", {"PATH": "{file}", "text": "{text}"}),
        ('Append the line "{text}" to the file {file}', {"PATH": "{file}", "text": "{text}"}),
        ("Append the content of {file2} to {file}", {"PATH": "{file}", "from": "{file2}"}),
        ('Please add "{text}" at the end of {file}', {"PATH": "{file}", "text": "{text}"}),
    ),
    "replace": (
        ('Overwrite {file} with "{text}"', {"PATH": "{file}", "text": "{text}"}),
        ("Replace the content of the file {file} with '{text}'.", {"PATH": "{file}", "text": "{text}"}),
        ('Replace the whole content of {file} by "{text}"', {"PATH": "{file}", "text": "{text}"}),
        ("Overwrite the file {file} with the content of {file2}", {"PATH": "{file}", "from": "{file2}"}),
        ('Set the content of {file} to "{text}"', {"PATH": "{file}", "text": "{text}"}),
    ),
    "delete": (
        ("Delete the file {file}", {"PATH": ["{file}"]}),
        ("Delete {file} and {file2}", {"PATH": ["{file}", "{file2}"]}),
        ("Remove the file {plain} from the folder {folder}.", {"PATH": ["{folder}/{plain}"]}),
        ("Delete all files about {topic}", {"matching": "{topic}"}),
        ("Please remove {file}", {"PATH": ["{file}"]}),
        ('Show what deleting all files about "{topic}" would remove, without deleting them', {"matching": "{topic}", "dry-run": True}),
        ("Delete the files {file}, {file2} and {file3}", {"PATH": ["{file}", "{file2}", "{file3}"]}),
    ),
    "touch": (
        ("Update the access time of {file}", {"PATH": "{file}"}),
        ("Touch the file {file}", {"PATH": "{file}"}),
        ("Set the modification time of {file} to {past}", {"PATH": "{file}", "at": "{past}"}),
        ("Change the timestamp of the file {file} to {past}.", {"PATH": "{file}", "at": "{past}"}),
        ("Update the modification time of the file {file} to now", {"PATH": "{file}"}),
    ),
    "keywords": (
        ("Find the files that contain the words '{word}' and '{word2}'", {"EXPRESSION": "{word} AND {word2}"}),
        ('Search for files that contain the word "{word}"', {"EXPRESSION": "{word}"}),
        ("Find all files containing {word} or {word2}", {"EXPRESSION": "{word} OR {word2}"}),
        ('Find the files that contain "{word}" but not "{word2}".', {"EXPRESSION": "{word} AND NOT {word2}"}),
        ('List the files in the folder {folder} that contain the keyword "{word}"', {"EXPRESSION": "{word}", "in": "{folder}"}),
        ('Find files with the exact phrase "{word} {word2}"', {"EXPRESSION": '"{word} {word2}"'}),
        ("Retrieve all files with the keywords {word}, {word2} and {word3}", {"EXPRESSION": "{word} AND {word2} AND {word3}"}),
    ),
    "semantic": (
        ("Search for {number} files most related to {topic}", {"PROMPT": "{topic}", "k": "{number}"}),
        ("Find the {number} files that are most similar to '{topic}'", {"PROMPT": "{topic}", "k": "{number}"}),
        ("Retrieve the top {number} files about {topic}.", {"PROMPT": "{topic}", "k": "{number}"}),
        ("Find the {number} files in the folder {folder} most related to {topic}",
         {"PROMPT": "{topic}", "k": "{number}", "in": "{folder}"}),
        ("Please show me the {number} most relevant files on {topic}", {"PROMPT": "{topic}", "k": "{number}"}),
    ),
    "integrated": (
        ("Find the files that contain '{word}' and are most related to {topic}", {"WORDS": "{word}", "PROMPT": "{topic}"}),
        ('Among the files containing the word "{word}", find the {number} most related to {topic}',
         {"WORDS": "{word}", "PROMPT": "{topic}", "k": "{number}"}),
        ("Search for files with the keyword {word} ranked by their relevance to {topic}.", {"WORDS": "{word}", "PROMPT": "{topic}"}),
        ('In the folder {folder}, find the files containing "{word}" that are about {topic}',
         {"WORDS": "{word}", "PROMPT": "{topic}", "in": "{folder}"}),
        ('Find the {number} files about {topic} that contain the word "{word}"', {"WORDS": "{word}", "PROMPT": "{topic}", "k": "{number}"}),
        ('Find the files containing "{word}" and "{word2}" that are about {topic}', {"WORDS": "{word} AND {word2}", "PROMPT": "{topic}"}),
    ),
    "group": (
        ("Group all files about {topic} as '{name}'", {"NAME": "{name}", "PROMPT": "{topic}"}),
        ("Create a group named {name} of the files about {topic}", {"NAME": "{name}", "PROMPT": "{topic}"}),
        ("Group the files about {topic} by {by}", {"PROMPT": "{topic}", "by": "{by}"}),
        ("Copy all files about {topic} into the new folder {name}", {"PROMPT": "{topic}", "into": "{name}"}),
        ("Drop the group {name}", {"NAME": "{name}", "drop": True}),
        ("Put links to all files about {topic} into the new folder {name}", {"PROMPT": "{topic}", "into": "{name}", "links": True}),
        ('Put the files that answer "{topic}" into a live group called {name}.', {"NAME": "{name}", "PROMPT": "{topic}"}),
    ),
    "join": (
        ("Join {file} and {file2} into {joined}", {"PATH": ["{file}", "{file2}"], "into": "{joined}"}),
        ("Concatenate the files {file}, {file2} and {file3} into the file {joined}.",
         {"PATH": ["{file}", "{file2}", "{file3}"], "into": "{joined}"}),
        ("Join {file2} onto {file} in place", {"PATH": ["{file}", "{file2}"], "in-place": True}),
        ("Join all files about {topic} into {joined}", {"matching": "{topic}", "into": "{joined}"}),
        ("Merge the files {file} and {file2} into one file named {joined}", {"PATH": ["{file}", "{file2}"], "into": "{joined}"}),
    ),
    "combine": (
        ('Find the files that answer both "{topic}" and "{topic2}"', {"A": "{topic}", "B": "{topic2}", "how": "both"}),
        ('Find the files that answer either "{topic}" or "{topic2}"', {"A": "{topic}", "B": "{topic2}", "how": "either"}),
        ("Show the files that are about {topic} but not about {topic2}.", {"A": "{topic}", "B": "{topic2}", "how": "only"}),
        ('Intersect the results of "{topic}" and "{topic2}"', {"A": "{topic}", "B": "{topic2}", "how": "both"}),
        ("In the folder {folder}, find the files about both {topic} and {topic2}",
         {"A": "{topic}", "B": "{topic2}", "how": "both", "in": "{folder}"}),
        ('Take the results of "{topic}" without the results of "{topic2}"', {"A": "{topic}", "B": "{topic2}", "how": "only"}),
    ),
    "compare": (
        ("Compare {file} with {file2}", {"PATH": "{file}", "with": "{file2}"}),
        ("Compare version {number} and version {later} of {file}", {"PATH": "{file}", "from": "v{number}", "to": "v{later}"}),
        ("What changed in {file} between version {number} and version {later}?", {"PATH": "{file}", "from": "v{number}", "to": "v{later}"}),
        ("Compare the snapshots {name} and {name2}", {"PATH": "files", "from": "{name}", "to": "{name2}"}),
        ("Show the differences between the files {file} and {file2}.", {"PATH": "{file}", "with": "{file2}"}),
        ("Show what changed in {file} between the snapshots {name} and {name2}", {"PATH": "{file}", "from": "{name}", "to": "{name2}"}),
    ),
    "watch": (
        ("Watch the file {file}", {"PATH": "{file}"}),
        ("Tell me whenever {file} changes", {"PATH": "{file}"}),
        ("Watch the folder {folder}/{name}", {"PATH": "{folder}/{name}"}),
        ("Monitor {file} for changes.", {"PATH": "{file}"}),
        ("Report every change of the file {file} as it happens", {"PATH": "{file}"}),
    ),
    "summarise": (
        ("Retrieve and summarize all the papers on {topic}", {"PROMPT": "{topic}"}),
        ("Summarize the files about {topic}", {"PROMPT": "{topic}"}),
        ("Summarise what the files say about {topic} in {number} sentences.", {"PROMPT": "{topic}", "sentences": "{number}"}),
        ("Retrieve the files about '{topic}' in the folder {folder} and summarize them", {"PROMPT": "{topic}", "in": "{folder}"}),
        ("Give me a summary of all files on {topic}", {"PROMPT": "{topic}"}),
        ("Summarize the files about {topic} without an LLM", {"PROMPT": "{topic}", "no-llm": True}),
    ),
    "link": (
        ("Link file {file}, valid for {life}", {"PATH": "{file}", "for": "{for}"}),
        ("Create a link to {file} that is valid for {life}", {"PATH": "{file}", "for": "{for}"}),
        ("Generate a link for the file {file} until {date}.", {"PATH": "{file}", "until": "{date}"}),
        ("Create a link named {name} to {file} that expires in {life}", {"PATH": "{file}", "for": "{for}", "name": "{name}"}),
        ("Revoke the link {name}", {"revoke": "{name}"}),
        ("Share {file} by a link for {life}", {"PATH": "{file}", "for": "{for}"}),
    ),
    "lock": (
        ("Lock the file {file}", {"PATH": "{file}"}),
        ("Lock {file} for {life}", {"PATH": "{file}", "for": "{for}"}),
        ("Lock the file {file} until {date}.", {"PATH": "{file}", "until": "{date}"}),
        ('Lock {file} because "{why}"', {"PATH": "{file}", "why": "{why}"}),
        ("Make {file} read-only for {life}", {"PATH": "{file}", "for": "{for}"}),
    ),
    "unlock": (
        ("Unlock the file {file}", {"PATH": "{file}"}),
        ("Unlock {file}", {"PATH": "{file}"}),
        ("Remove the lock from {file}.", {"PATH": "{file}"}),
        ("Release the lock on the file {file}", {"PATH": "{file}"}),
        ("Make {file} writable again", {"PATH": "{file}"}),
    ),
    "translate": (
        ("Convert the file {serial}{source} to {format}", {"PATH": "{serial}{source}", "to": "{to}"}),
        ("Translate {serial}{source} into {format}", {"PATH": "{serial}{source}", "to": "{to}"}),
        ("Convert {serial}{source} to {format} and save it as {serial}out.{to}.",
         {"PATH": "{serial}{source}", "to": "{to}", "into": "{serial}out.{to}"}),
        ("Please turn {serial}{source} into {format}", {"PATH": "{serial}{source}", "to": "{to}"}),
        ("Change the format of {serial}{source} to {format}", {"PATH": "{serial}{source}", "to": "{to}"}),
    ),
    "log": (
        ("Show the log of {file}", {"PATH": "{file}"}),
        ("Show the history of the file {file}", {"PATH": "{file}"}),
        ("What happened to {file}?", {"PATH": "{file}"}),
        ("List all versions of {file}.", {"PATH": "{file}"}),
        ("List everything that happened in the folder {folder}/{name}", {"PATH": "{folder}/{name}"}),
    ),
    "rollback": (
        ("Roll back the file {file} to the version of {number} versions ago", {"PATH": "{file}", "versions": "{number}"}),
        ("Roll back {file} to version {number}", {"PATH": "{file}", "version": "{number}"}),
        ("Roll the file {file} back to the state it was in on {past}.", {"PATH": "{file}", "to": "{past}"}),
        ("Roll back {file} to the snapshot {name}", {"PATH": "{file}", "to": "{name}"}),
        ("Restore the folder {folder} to the snapshot {name}", {"PATH": "{folder}", "to": "{name}"}),
        ("Roll {file} back by {number} versions", {"PATH": "{file}", "versions": "{number}"}),
        ("Roll everything back to the snapshot {name}", {"PATH": "files", "to": "{name}"}),
    ),
    "undelete": (
        ("Undelete the file {file}", {"PATH": "{file}"}),
        ("Restore the deleted file {file}", {"PATH": "{file}"}),
        ("Bring back {file}, which was deleted.", {"PATH": "{file}"}),
        ("Recover {file} from the trash", {"PATH": "{file}"}),
        ("Undelete {file}", {"PATH": "{file}"}),
    ),
    "purge": (
        ("Purge the file {file}", {"PATH": "{file}"}),
        ("Remove {file} for good, with all its versions", {"PATH": "{file}"}),
        ("Permanently delete the file {file} and its history.", {"PATH": "{file}"}),
        ("Purge all versions of {file}", {"PATH": "{file}"}),
        ("Erase {file} from history for good", {"PATH": "{file}"}),
    ),
    "snapshot": (
        ("Take a snapshot named {name}", {"NAME": "{name}"}),
        ("Create the snapshot '{name}'", {"NAME": "{name}"}),
        ("Make a snapshot of everything called {name}.", {"NAME": "{name}"}),
        ('Save the current state of all files as the snapshot "{name}"', {"NAME": "{name}"}),
        ("Please take a snapshot with the name {name}", {"NAME": "{name}"}),
    ),
    "query": (
        ("Search for files about {topic}", {"PROMPT": "{topic}"}),
        ("Find files related to {topic}", {"PROMPT": "{topic}"}),
        ('Query "{topic}"', {"PROMPT": "{topic}"}),
        ("Which files are about {topic}?", {"PROMPT": "{topic}"}),
        ("Find all papers on {topic}.", {"PROMPT": "{topic}"}),
        ("Search for '{topic}'", {"PROMPT": "{topic}"}),
    ),
    "save": (
        ('Save the question "{topic}"', {"PROMPT": "{topic}"}),
        ("Save the query '{topic}'", {"PROMPT": "{topic}"}),
        ('Keep the question "{topic}" in the list.', {"PROMPT": "{topic}"}),
        ("Remember the search '{topic}'", {"PROMPT": "{topic}"}),
        ('Please keep "{topic}" as a saved question', {"PROMPT": "{topic}"}),
    ),
    "forget": (
        ('Forget the question "{topic}"', {"PROMPT": "{topic}"}),
        ("Forget the saved query '{topic}'", {"PROMPT": "{topic}"}),
        ('Take the saved question "{topic}" off the list.', {"PROMPT": "{topic}"}),
        ("Remove the saved search '{topic}'", {"PROMPT": "{topic}"}),
        ('Drop the saved question "{topic}"', {"PROMPT": "{topic}"}),
    ),
    "scan": (
        ("Scan the file {file} for changes", {"PATH": "{file}"}),
        ("Scan the folder {folder}/{name}", {"PATH": "{folder}/{name}"}),
        ("Look for changes behind the mount in {folder}/{name}.", {"PATH": "{folder}/{name}"}),
        ("Rescan the folder {folder}/{name}", {"PATH": "{folder}/{name}"}),
        ("Check whether {file} was changed behind the mount", {"PATH": "{file}"}),
    ),
}
# The order of the file.
ORDER = (
    "create", "get", "append", "replace", "delete", "touch", "keywords", "semantic", "integrated", "group",
    "join", "combine", "compare",
    "watch", "summarise", "link", "lock", "unlock", "translate", "log", "rollback", "undo", "undelete",
    "purge", "snapshot", "query", "save",
    "forget", "status", "scan", "rebuild",
)
# fmt: on


def fields(place: int) -> dict[str, str]:
    """What stands for each field in prompt `place` of a call; as an argument."""

    def at(values: tuple[Any, ...], shift: int = 0) -> Any:
        return values[(place + shift) % len(values)]

    life, short = at(LIVES)
    source, suffix, spelled = at(FORMATS)
    number = at(NUMBERS)
    return {
        "file": at(FILES),
        "file2": at(FILES, 11),
        "file3": at(FILES, 17),
        "plain": at(FILES, 3).rpartition("/")[2],
        "folder": at(FOLDERS),
        "joined": f"joined/{at(NAMES)}.txt",
        "topic": at(TOPICS),
        "topic2": at(TOPICS, 7),
        "word": at(WORDS),
        "word2": at(WORDS, 13),
        "word3": at(WORDS, 5),
        "text": at(TEXTS),
        "name": at(NAMES),
        "name2": at(NAMES, 4),
        "life": life,
        "for": short,
        "date": at(DATES),
        "past": at(PAST),
        "number": number,
        "later": str(int(number) + 1 + place % 3),
        "serial": f"box{place + 1}/",
        "source": source,
        "to": suffix,
        "format": spelled,
        "by": at(BY, place // len(BY)),
        "why": at(WHY),
    }


def spoken(values: dict[str, str]) -> dict[str, str]:
    """The same in a sentence: a path with a space stands in quotation marks."""
    paths = ("file", "file2", "file3", "plain")
    return {name: f'"{value}"' if name in paths and " " in value else value for name, value in values.items()}


def filled(pattern: Any, values: dict[str, str]) -> Any:
    if isinstance(pattern, list):
        return [filled(one, values) for one in pattern]
    return pattern if pattern is True else pattern.format_map(values)


def prompts(call: str) -> list[dict[str, Any]]:
    """The 30 of a call."""
    if call in BARE:
        first, then = BARE[call]
        return [{"call": call, "prompt": f"{a} {b}", "arguments": {}} for a in first for b in then]
    patterns, made = PATTERNS[call], []
    for place in range(PER_CALL):
        prompt, arguments = patterns[place % len(patterns)]
        values = fields(place)
        made.append(
            {
                "call": call,
                "prompt": filled(prompt, spoken(values)),
                "arguments": {name: filled(value, values) for name, value in arguments.items()},
            }
        )
    return made


if __name__ == "__main__":
    lines = [json.dumps(one, ensure_ascii=False) for call in ORDER for one in prompts(call)]
    Path(__file__).with_name("templates.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
