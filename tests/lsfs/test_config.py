"""config: lsfs.conf and flags become Settings, or one sentence."""

import dataclasses
import os
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsfs import config
from lsfs.refusals import SettingInvalid


def settings(tmp_path, text="", user="", **flags):
    state = tmp_path / "state"
    state.mkdir(exist_ok=True)
    (state / "lsfs.conf").write_text(text)
    (tmp_path / "home/lsfs").mkdir(parents=True, exist_ok=True)
    (tmp_path / "home/lsfs/lsfs.conf").write_text(user)
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "home")}
    return config.load(tmp_path / "folder", tmp_path / "mnt", state, flags, environ)


def test_without_a_file_every_field_has_the_default_that_its_row_names(tmp_path):
    found = settings(tmp_path)
    for field in config.FIELDS:
        assert getattr(found, field.attribute) == field.kind.read(field.default), field


def test_the_defaults_of_settings_are_those_of_the_table():
    defaults = {field.name: field.default for field in dataclasses.fields(config.Settings)}
    for field in config.FIELDS:
        assert defaults[field.attribute] == field.kind.read(field.default), field


def test_the_state_lies_in_the_folder_unless_it_is_named(tmp_path):
    assert config.load(tmp_path, tmp_path / "mnt", environ={}).state == tmp_path / ".lsfs"


def test_the_state_folders_file_wins_over_the_users_and_a_flag_over_both(tmp_path):
    user = "[query]\nsettle = 3 s\ndeadline = 9 s\n[mount]\nread_only = yes\n"
    found = settings(tmp_path, "[query]\ndeadline = 7 s # remark\n", user, read_only=False)
    assert (found.settle, found.query_deadline, found.read_only) == (3.0, 7.0, False)


def test_a_flag_that_was_not_given_changes_nothing(tmp_path):
    assert settings(tmp_path, "[mount]\nread_only = on\n", read_only=None).read_only is True


@pytest.mark.parametrize(
    ("text", "size"),
    [("64 MiB", 64 << 20), ("1.5GiB", 3 << 29), ("10kb", 10_000), ("4096", 4096), ("1 B", 1)],
)
def test_sizes_are_read_with_their_units(text, size):
    assert config.size(text) == size


@pytest.mark.parametrize(
    ("text", "seconds"), [("30 s", 30.0), ("500ms", 0.5), ("2 min", 120.0), ("5", 5.0), ("1 h", 3600.0)]
)
def test_times_are_read_with_their_units(text, seconds):
    assert config.seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("[index]\nmax_file_size = many\n", "[index] max_file_size", "a size such as 64 MiB"),
        ("[index]\nenabled = perhaps\n", "[index] enabled", "yes or no"),
        ("[query]\ndeadline = 0 s\n", "[query] deadline", "a time such as 30 s"),
        ("[query]\ndeadline = -1 s\n", "[query] deadline", "a time such as 30 s"),
        ("[engine]\nmodel =\n", "[engine] model", "a name or a folder"),
        ("[engine]\ncolour = red\n", "[engine] colour", "[engine] memory"),
        ("[DEFAULT]\nmemory = 1 GiB\n", "[DEFAULT] memory", "[engine] memory"),
    ],
)
def test_what_is_not_valid_is_refused_with_file_key_and_expectation(tmp_path, text, key, expected):
    with pytest.raises(SettingInvalid) as refusal:
        settings(tmp_path, text)
    sentence = str(refusal.value)
    assert str(tmp_path / "state/lsfs.conf") in sentence and key in sentence and expected in sentence
    assert "\n" not in sentence


@given(st.binary(max_size=200))
def test_no_bytes_in_lsfs_conf_end_in_anything_but_settings_or_a_refusal(tmp_path_factory, data):
    file = tmp_path_factory.getbasetemp() / "fuzzed.conf"
    file.write_bytes(data)
    try:
        config.read(file)
    except SettingInvalid as refusal:
        assert "\n" not in str(refusal)


@given(st.text(max_size=20))
def test_no_text_is_a_size_or_a_time_that_is_not_positive(text):
    for read in (config.size, config.seconds):
        try:
            assert read(text) > 0
        except (ValueError, KeyError):
            continue


def test_a_model_folder_is_absolute_since_the_daemon_leaves_the_current_directory(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    assert settings(tmp_path, model="mine").model == str(tmp_path / "mine")
    assert settings(tmp_path, model="./elsewhere").model == str(tmp_path / "elsewhere")
    assert settings(tmp_path, model="all-MiniLM-L6-v2").model == "all-MiniLM-L6-v2"


def test_a_model_in_a_file_is_relative_to_that_file(tmp_path):
    assert settings(tmp_path, "[engine]\nmodel = ./mine\n").model == str(tmp_path / "state/mine")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_in_the_state_folder_is_not_obeyed(tmp_path):
    settings(tmp_path)
    os.chown(tmp_path / "state/lsfs.conf", 65534, 65534)
    with pytest.raises(SettingInvalid, match="belongs to user 65534"):
        config.load(
            tmp_path, tmp_path / "mnt", tmp_path / "state", environ={"XDG_CONFIG_HOME": str(tmp_path)}
        )


def test_symbolic_links_on_the_way_are_resolved(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert config.load(tmp_path / "link", tmp_path / "mnt", environ={}).folder == pathlib.Path(
        tmp_path, "real"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://host.example/v1", "https://host.example/v1"),
        ("http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1"),
        ("http://[::1]:1/v1", "http://[::1]:1/v1"),
        ("none", ""),
    ],
)
def test_an_endpoint_is_an_address_or_none(text, found):
    assert config.address(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host/v1",
        "ftp://host/v1",
        "http://",
        "http:///v1",
        "https://me:secret@host/v1",
        "https://host/v1?key=1",
    ]
    + [
        "https://host/v1#a",
        "https://host:99999/v1",
        "https://host:0/v1",
        "https://ho st/v1",
        "https://h\u00f6st/v1",
        "https://[::1/v1",
    ],
)
def test_what_could_hold_a_secret_or_is_no_address_is_no_endpoint(text):
    with pytest.raises(ValueError):
        config.address(text)


NAMED = "[llm]\nendpoint = http://127.0.0.1:1/v1\nmodel = tiny\n"


def test_a_language_model_is_named_by_the_user_and_switched_off_by_a_folder(tmp_path):
    found = settings(tmp_path, user=NAMED + "key_file = key\ntimeout = 5 s\n")
    assert (found.llm_endpoint, found.llm_model, found.llm_timeout) == ("http://127.0.0.1:1/v1", "tiny", 5.0)
    assert found.llm_key_file == str(tmp_path / "home/lsfs/key")
    assert settings(tmp_path, "[llm]\nendpoint = none\n", user=NAMED).llm_endpoint == ""


@pytest.mark.parametrize(
    "line", ["endpoint = https://elsewhere/v1", "model = other", "key_file = ~/.ssh/id_rsa"]
)
def test_a_folder_that_came_from_elsewhere_does_not_say_where_text_is_sent(tmp_path, line):
    with pytest.raises(SettingInvalid, match="your own lsfs.conf") as refusal:
        settings(tmp_path, f"[llm]\n{line}\n", user=NAMED)
    assert str(tmp_path / "state/lsfs.conf") in str(refusal.value)


def test_an_endpoint_without_a_model_is_refused(tmp_path):
    with pytest.raises(SettingInvalid, match=r"needs a \[llm\] model"):
        settings(tmp_path, user="[llm]\nendpoint = http://127.0.0.1:1/v1\n")


def test_a_model_is_not_waited_for_longer_than_a_line_to_ctl_may_take(tmp_path):
    with pytest.raises(SettingInvalid, match="a time up to 45 s"):
        settings(tmp_path, user=NAMED + "timeout = 2 min\n")
