"""What the documents point at is there."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.architecture.source_tree import TEMPLATE, files, named

LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
DOCUMENTS = [path for path in files() if path.suffix == ".md" and path != TEMPLATE]


def targets(text: str) -> list[str]:
    """Every relative link of a Markdown text, outside code."""
    return [unquote(target) for target in LINK.findall(FENCED.sub("", text))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert [target for target in targets(text) if not (document.parent / target).exists()] == []


def test_links_are_seen_and_code_and_addresses_are_not() -> None:
    text = "[a](b.md) ![c](d%20e.svg) [f](https://example.org/g) [h](#i) [j](k.md#l)\n```\n[m](n.md)\n```\n"
    assert targets(text) == ["b.md", "d e.svg", "k.md"]
