"""What a study is said to have found, and the page that says it."""

import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from optuna.storages import InMemoryStorage

from model_code.config.model import BlockTable
from model_code.errors import TrainingError
from model_code.search.report import render
from model_code.search.summary import StudySummary, from_plain, summarise, to_plain
from model_code.search.worker import Evaluated, Report, work
from tests.model_code.search.recipes import SAMPLINGS, by_formula, open_at


def _failing_now_and_then(network: BlockTable, report: Report) -> Evaluated:
    if network.blocks[0].kernel_size == 5 and network.blocks[1].kernel_size == 5:
        raise ValueError("<kernels> & all")
    return by_formula(network, report)


@pytest.fixture(scope="module")
def summary() -> StudySummary:
    search = open_at(InMemoryStorage(), budget={"trials": 20})
    work(search, _failing_now_and_then)
    return summarise(search)


def test_the_winner_has_the_highest_reward(summary: StudySummary) -> None:
    rewards = {index: result.reward for index, result in summary.results.items()}

    assert rewards[summary.winner] == max(rewards.values())
    assert summary.network.name == summary.best.facts["network"]
    assert summary.winner in summary.front
    assert summary.count("complete") + summary.count("failed") == 20
    assert summary.count("failed") > 0


def test_importance_names_what_the_formula_uses(summary: StudySummary) -> None:
    operations = sum(
        share for name, share in summary.importance.items() if "operation" in name
    )

    assert sum(summary.importance.values()) == pytest.approx(1)
    assert operations > 0.5


def test_a_summary_survives_json(summary: StudySummary) -> None:
    assert from_plain(to_plain(summary)) == summary


def test_a_pareto_study_has_a_winner_too() -> None:
    search = open_at(InMemoryStorage(), sampling=SAMPLINGS["pareto"])
    work(search, by_formula)

    summary = summarise(search)

    assert summary.winner in summary.front
    assert summary.importance == {}


def test_a_study_without_results_names_the_reasons() -> None:
    def broken(network: BlockTable, report: Report) -> Evaluated:
        raise MemoryError("no room")

    search = open_at(InMemoryStorage())
    work(search, broken)

    with pytest.raises(TrainingError, match=r"none of 6 trials.*MemoryError: no room"):
        summarise(search)


def test_networks_of_one_reward_say_nothing_about_choices() -> None:
    search = open_at(InMemoryStorage(), budget={"trials": 9})
    best = by_formula(search.space.backbone, lambda measured: None)
    work(search, lambda network, report: best)

    page = render(summarise(search))

    assert "say nothing about single choices" in page


class _Tags(HTMLParser):
    """Collects attributes that could load something, and unclosed tags."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [v or "" for k, v in attrs if k in {"src", "href"}]
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass


def test_the_page_is_whole_and_loads_nothing(summary: StudySummary) -> None:
    page = render(summary)
    tags = _Tags()
    tags.feed(page)

    assert tags.open == []
    assert all(link.startswith("#") for link in tags.links)
    assert "@import" not in page
    assert "url(h" not in page
    for start in ("<figure><svg", "figcaption>Step time", "figcaption>Parameters"):
        assert start in page
    ET.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])


def test_the_page_shows_the_winner_beside_s(summary: StudySummary) -> None:
    page = render(summary)

    drawn = page[page.index('class="stages"') : page.index("What mattered")]
    blocks = sum(stage.repeats for stage in summary.network.blocks) + 40
    assert drawn.count("<i class=") == blocks
    assert "efficientnetv2-s" in drawn
    assert summary.network.name in drawn


def test_the_page_escapes_what_errors_say(summary: StudySummary) -> None:
    assert "ValueError: &lt;kernels&gt; &amp; all" in render(summary)
