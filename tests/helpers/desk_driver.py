"""`effnetv2` with the graph replaced by two quick steps; a program for tests.

The desk around the graph is the real one, signals and processes included.
"""

from unittest import mock

from pipelines.cli import main
from tests.helpers.graphs import stand_in

if __name__ == "__main__":
    drawn = "pipelines.training.training_from_scratch"
    with mock.patch(drawn, return_value=stand_in):
        main()
