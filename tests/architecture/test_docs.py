"""What the documents name exists: files, make targets, verbs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/**/*.md", "infra/**/*.md")
    for path in ROOT.glob(pattern)
)
ROOMS = ("model_code/", "components/", "pipelines/", "infra/", "tests/", "docs/")
EXAMPLES = re.compile(r"[A-Z]{3,}|[*{}<>]")  # NAME, KIND, *.yaml: not paths


def _text(document: Path) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document: Path):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", _text(document))
    local = [link for link in links if "://" not in link and "mailto:" not in link]
    missing = [x for x in local if not (ROOT / document.parent / x).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_paths_in_code_font_exist(document: Path):
    words = re.findall(r"`([^`\s]+)`", _text(document))
    paths = [w for w in words if w.startswith(ROOMS) and not EXAMPLES.search(w)]
    missing = [path for path in paths if not (ROOT / path).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_make_targets_exist(document: Path):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, flags=re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", _text(document)))
    assert named - targets == set()
