"""setup: everything is in setup.cfg; this lets `pip install -e .` install the manual, as `pip install .` does.

For an editable wheel setuptools asks the distribution whether it `has_data`, a method that it calls `has_data_files`,
and so leaves the data files out.
"""

from setuptools import Distribution, setup


class WithData(Distribution):
    def has_data(self) -> bool:
        found: bool = self.has_data_files()
        return found


if __name__ == "__main__":
    setup(distclass=WithData)
