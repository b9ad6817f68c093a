"""forms: files of keys and values (JSON, TOML, INI, .env, YAML), read into dictionaries and lists.

Numbers and unquoted values stay as they were written. What is not of its form raises Unreadable, what is nested too deeply for Python
RecursionError.
"""

import configparser
import json
import re
import tomllib
from collections.abc import Callable

from syscalls.changes.text import Unreadable
from syscalls.changes.yaml import read_yaml


class Literal(str):
    """A number, or a word such as true, as it was written: 1.0 is not 1.00, and no number is too long."""


def _json(text: str) -> object:
    try:
        return json.loads(text, parse_int=Literal, parse_float=Literal, parse_constant=Literal)
    except ValueError as error:
        raise Unreadable(str(error)) from error


def _toml(text: str) -> object:
    # tomllib takes time with the square of a dotted key's length
    if any(line.count(".") > 500 for line in text.split("\n")):
        raise Unreadable("a key of very many parts")
    try:
        return tomllib.loads(text, parse_float=Literal)
    except ValueError as error:
        raise Unreadable(str(error)) from error


def _ini(text: str) -> object:
    parser = configparser.ConfigParser(
        interpolation=None, allow_no_value=True, default_section="\0", delimiters=("=", ":")
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text)
    except (
        configparser.Error,
        AttributeError,
        TypeError,
    ) as error:  # a continuation of nothing is an AttributeError
        raise Unreadable(str(error)) from error
    return {
        section: {key: Literal(value) if value is not None else None for key, value in parser.items(section)}
        for section in parser.sections()
    }


def _environment(text: str) -> object:
    values: dict[str, object] = {}
    for line in text.split("\n"):
        if not line.strip() or line.lstrip().startswith(("#", "!", ";")):
            continue
        match = re.match(r"\s*(?:export\s+)?([\w.-]{1,200})\s*[=:]\s*(.*)", line)
        if match is None or match[1] in values:
            raise Unreadable("a line has no key")
        values[match[1]] = Literal(match[2].strip())
    return values


def _yaml(text: str) -> object:
    return _literals(read_yaml(text))


def _literals(value: object) -> object:
    if isinstance(value, dict):
        return {key: _literals(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_literals(item) for item in value]
    return Literal(value) if isinstance(value, str) else value


# form -> how it is read, and what its lines of comment begin with
FORMS: dict[str, tuple[Callable[[str], object], str]] = {
    "json": (_json, ""),
    "toml": (_toml, "#"),
    "ini": (_ini, "#;"),
    "env": (_environment, "#!"),
    "yaml": (_yaml, "#"),
}
