"""The page: self-contained, escaped, complete."""

import dataclasses
import re
from html.parser import HTMLParser

import pytest

from model_code.evaluation.gate import Incumbent
from model_code.evaluation.page import Page, percent, render
from tests.helpers.models import HISTORY
from tests.helpers.reports import evaluation_report

PNG = b"\x89PNG picture"


class Elements(HTMLParser):
    """Every start tag with its attributes, and the text between."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += f" {data}"


def page(**changes) -> Page:
    whole = Page(
        report=evaluation_report(0.852, balanced_accuracy=0.81, auroc=0.91),
        history=HISTORY,
        pictures=[PNG],
        champion=None,
        facts={"model": "tiny", "recipe digest": "5f5f"},
    )
    return dataclasses.replace(whole, **changes)


def test_it_needs_no_network_and_runs_no_script():
    html = render(page())
    elements = Elements(html)
    names = {name for name, _ in elements.tags}
    assert not names & {"script", "link", "iframe", "object", "embed", "base"}
    for _, attributes in elements.tags:
        for key in ("src", "href", "xlink:href", "srcset", "poster"):
            value = attributes.get(key)
            assert value is None or value.startswith(("data:", "#"))
    assert "@import" not in html
    assert set(re.findall(r"url\((.)", html)) <= {"#"}


def test_it_tells_what_the_report_says():
    text = " ".join(Elements(render(page())).text.split())
    for words in (
        "85.2 %",  # no-break spaces are spaces to split()
        "656 images classified correctly",
        "95 % interval 82.2 % to 88.2 %",
        "Accuracy, certain labels",
        "cell_type = mono",
        "98.0 % functional labelled defective cell0007.png",
        "recipe digest 5f5f",
    ):
        assert words in text, words


def test_images_left_out_are_said_so():
    report = dataclasses.replace(evaluation_report(), unlabelled=1234)
    words = "1,234 images without a label left out"
    assert words in render(page(report=report))
    assert "left out" not in render(page())


def test_the_curves_are_those_of_the_history_with_a_band_for_each_image_size():
    elements = Elements(render(page()))
    charts = [a["aria-label"] for tag, a in elements.tags if tag == "svg"]
    assert charts == ["Loss", "Validation accuracy", "Reliability diagram", "ROC curve"]
    text = " ".join(elements.text.split())
    assert text.count("32 px") == text.count("40 px") == 2
    without = [{**row, "val/top1": 1} for row in HISTORY]
    assert render(page(history=without)) != render(page())


def test_the_champion_is_compared_on_every_shared_metric():
    html = render(page())
    assert "Against the champion" not in html
    champion = Incumbent(version=7, report=evaluation_report(0.832, auroc=0.93))
    text = " ".join(Elements(render(page(champion=champion))).text.split())
    assert "Version 7 holds the champion alias" in text
    assert "Accuracy 85.2 % 83.2 % +2.0 points" in text
    assert "AUROC 91.0 % 93.0 % -2.0 points" in text


def test_names_from_outside_cannot_write_html():
    hostile = "<img src=x onerror=alert(1)>&"
    report = evaluation_report(0.8)
    report = dataclasses.replace(
        report,
        dataset=hostile,
        class_names=(hostile, "b"),
        mistakes=(dataclasses.replace(report.mistakes[0], id=hostile, label=hostile),),
        slices=(dataclasses.replace(report.slices[0], value=hostile),),
        roc=dataclasses.replace(report.roc, positive=hostile),
    )
    elements = Elements(render(page(report=report, facts={"model": hostile})))
    assert all("onerror" not in attributes for _, attributes in elements.tags)
    assert elements.text.count(hostile) >= 6


@pytest.mark.parametrize("classes", [13, 100])
def test_many_classes_become_a_heat_map_and_the_commonest_confusions(classes):
    names = tuple(f"species-{i}" for i in range(classes))
    confusion = [[10 * (i == j) for j in range(classes)] for i in range(classes)]
    confusion[3][5] = 4
    report = dataclasses.replace(
        evaluation_report(),
        class_names=names,
        confusion=tuple(map(tuple, confusion)),
        roc=None,
    )
    html = render(page(report=report))
    assert "species-3 species-5 4" in " ".join(Elements(html).text.split())
    assert len(html) < 200_000


def test_the_same_inputs_give_the_same_page():
    assert render(page()) == render(page())


def test_a_percentage_does_not_break_over_lines():
    assert percent(0.8437) == "84.4\u00a0%"
