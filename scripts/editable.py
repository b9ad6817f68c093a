"""editable: lets `pip install -e .` install the manual, as `pip install .` does (named in setup.cfg, used by setuptools).

For an editable wheel setuptools asks the distribution whether it `has_data`, a method that it calls `has_data_files`, and so
leaves the data files out.
"""

from setuptools.command.editable_wheel import editable_wheel


class EditableWheel(editable_wheel):
    """An editable wheel with data files."""

    def run(self) -> None:
        self.distribution.has_data = self.distribution.has_data_files
        super().run()
