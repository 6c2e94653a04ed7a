"""References as a user writes them, and the order of champions."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from model_code.adapters.model_versions import Reference, promoted, rolled_back
from model_code.errors import RegistryError

versions = st.integers(1, 6)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("elpv", Reference("elpv", "champion", None)),
        ("elpv@challenger", Reference("elpv", "challenger", None)),
        ("elpv/12", Reference("elpv", None, 12)),
    ],
)
def test_a_reference_is_read(text, reference):
    assert Reference.parse(text) == reference


@pytest.mark.parametrize("text", ["", "@champion", "a@b@c", "a/0", "a/one", "a/1@b"])
def test_anything_else_is_refused(text):
    with pytest.raises(RegistryError, match="expected NAME@alias"):
        Reference.parse(text)


@given(st.lists(versions, min_size=1, max_size=8))
def test_rolling_back_undoes_promotions_in_turn(order):
    history: tuple[int, ...] = ()
    champion = None
    for version in order:
        history = promoted(history, champion, version)
        champion = version
    assert list(history) == order
    while history:
        before = rolled_back(history, history[-1])
        assert before == history[:-1]
        history = before


@given(st.lists(versions, max_size=5, unique=True), versions, versions)
def test_a_promotion_killed_before_the_alias_moved_never_was(earlier, lost, next_one):
    champion = 7
    history = (*earlier, champion)
    half_done = promoted(history, champion, lost)  # written; the alias is still on 7
    assert rolled_back(half_done, champion) == tuple(earlier)
    assert promoted(half_done, champion, next_one) == (*history, next_one)


def test_a_champion_that_another_tool_set_joins_the_history():
    assert promoted((1, 2), 9, 3) == (1, 2, 9, 3)
    assert promoted((1, 2), None, 3) == (3,)
