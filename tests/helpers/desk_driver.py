"""`effnetv2` with the graph replaced by two quick steps; a program for tests.

The desk around the graph is the real one, signals and processes included.
"""

from unittest import mock

from pipelines.cli import main
from tests.helpers.graphs import stand_in

if __name__ == "__main__":
    with mock.patch("pipelines.training.training_from_scratch", lambda: stand_in):
        main()
