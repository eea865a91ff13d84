"""The page about queries tells the truth: each of its examples finds what stands behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.service import start_service

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "queries.md").read_text(encoding="utf-8")
IN_ORDER = " in this order"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def examples(language: str = "query") -> Iterator[tuple[str, str]]:
    """Each query and what is said of it."""
    for block in blocks(language):
        for line in block.splitlines():
            query, _, said = line.partition("# ")
            yield query.rstrip(), said


@pytest.fixture(scope="module")
def quotes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    service = start_service(tmp_path_factory.mktemp("queries") / "log", "--store", "memory:")
    try:
        with httpx.Client(base_url=f"{service.url}/tmf-api/quoteManagement/v4") as client:
            for line in blocks("json")[0].splitlines():
                answer = client.post("/quote", content=line, headers={"Content-Type": "application/json"})
                assert answer.status_code == 201, answer.text
            yield client
    finally:
        service.stop()


def test_the_page_has_examples() -> None:
    assert len(list(examples())) > 40


@pytest.mark.parametrize(("query", "said"), list(examples()))
def test_an_example_finds_what_the_page_says(quotes: httpx.Client, query: str, said: str) -> None:
    answer = quotes.get(f"/quote?{query}")

    assert answer.status_code in {200, 206}, answer.text
    found = [quote["description"] for quote in answer.json()]
    promised = re.findall(r"\b[A-D]\b", said.partition(":")[0])
    assert found == promised if said.endswith(IN_ORDER) else sorted(found) == promised


@pytest.mark.parametrize(("query", "said"), list(examples("rejected")))
def test_a_rejected_example_is_answered_with_the_words_of_the_page(quotes: httpx.Client, query: str, said: str) -> None:
    answer = quotes.get(f"/quote?{query}")

    assert answer.status_code == 400
    assert said.strip() in answer.json()["message"]
