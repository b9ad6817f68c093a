"""lsfs: a file system in which files, memories and tool results are paths, and a question is a directory."""

__version__ = "0.1.0"
