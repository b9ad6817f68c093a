"""refusals: every reason for which a command ends with an exit code of its own.

A refusal is raised where the reason is found, carries one sentence that says what to do, and is printed in one place,
`lsfs.cli.main`. The codes are part of the interface: lsfs(1) lists them, a test compares.
"""

from typing import ClassVar


class Refusal(Exception):
    """Why a command did not do what it was asked; the message is one sentence for a person."""

    code: ClassVar[int] = 1
    meaning: ClassVar[str] = ""


class FolderMissing(Refusal):
    code, meaning = 10, "the folder is missing"


class NotAFolder(Refusal):
    code, meaning = 11, "the folder is not a folder"


class MountpointMissing(Refusal):
    code, meaning = 12, "the mountpoint is missing, or is not a folder"


class MountpointNotEmpty(Refusal):
    code, meaning = 13, "the mountpoint is not empty"


class Overlap(Refusal):
    code, meaning = 14, "folder, mountpoint and state folder lie inside each other"


class AlreadyMounted(Refusal):
    code, meaning = 15, "something is mounted there already"


class NoFuse(Refusal):
    code, meaning = 16, "this machine cannot mount FUSE file systems"


class NoPermission(Refusal):
    code, meaning = 17, "no permission"


class StateHeld(Refusal):
    code, meaning = 18, "another daemon holds the state folder"


class StateNewer(Refusal):
    code, meaning = 19, "a newer version of lsfs wrote the state folder"


class StateUnusable(Refusal):
    code, meaning = 20, "the state folder cannot be used"


class ModelMissing(Refusal):
    code, meaning = 21, "the model is not on this machine"


class NotMounted(Refusal):
    code, meaning = 22, "there is no such mount"


class DaemonFailed(Refusal):
    code, meaning = 23, "the daemon did not start, or did not end"


class EngineDown(Refusal):
    code, meaning = 24, "the engine is down and did not come back in time"


class MountBusy(Refusal):
    code, meaning = 25, "the mount is in use"


class CommandRefused(Refusal):
    code, meaning = 26, "the mount refused the command"


class SettingInvalid(Refusal):
    code, meaning = 27, "a setting in lsfs.conf or on the command line is not valid"


REFUSALS: tuple[type[Refusal], ...] = tuple(
    sorted(Refusal.__subclasses__(), key=lambda refusal: refusal.code)
)


def refusal(code: int, sentence: str) -> Refusal:
    """The refusal with this exit code, as a daemon reported it over the pipe; DaemonFailed for an unknown code."""
    kind = next((kind for kind in REFUSALS if kind.code == code), DaemonFailed)
    return kind(sentence)
