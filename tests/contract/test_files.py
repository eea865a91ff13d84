"""Which contracts are served: the shipped ones, those in folders, some of them by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tmf_sales.contract.files import UnknownApi, contract_files, find_contracts
from tmf_sales.contract.yaml_source import BrokenContract


def write(folder: Path, name: str, base_path: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"servers: [{{url: {base_path}}}]")


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    folder = tmp_path / "shipped"
    write(folder, "tmf648-quote-v4.yaml", "/tmf-api/quotes/v4")
    write(folder, "tmf699-sales-v4.yaml", "/tmf-api/sales/v4")
    return folder


def names(shipped: Path, *folders: Path, apis: tuple[str, ...] = ()) -> list[str]:
    return [file.name for file in find_contracts(shipped, folders, apis)]


def test_versions_other_than_v4_are_part_of_the_name(shipped: Path, tmp_path: Path) -> None:
    write(tmp_path / "own", "tmf648-quote-v5.yaml", "/tmf-api/quotes/v5")
    write(tmp_path / "more", "acme.yaml", "/acme/things")

    assert names(shipped, tmp_path / "own", tmp_path / "more") == ["tmf648", "tmf699", "tmf648-v5", "acme"]
    assert names(shipped, tmp_path / "own", apis=("tmf648-v5", "tmf699")) == ["tmf699", "tmf648-v5"]


def test_a_file_named_like_the_published_ones_has_a_name_in_lower_case(shipped: Path, tmp_path: Path) -> None:
    write(tmp_path / "own", "TMF622-ProductOrdering-v4.0.0.swagger.yaml", "/tmf-api/productOrdering/v4")

    assert names(shipped, tmp_path / "own", apis=("tmf622",)) == ["tmf622"]


def test_a_file_with_the_base_path_of_a_shipped_one_takes_its_place_and_name(shipped: Path, tmp_path: Path) -> None:
    write(tmp_path / "own", "our-quotes.yaml", "/tmf-api/quotes/v4")

    first, second = find_contracts(shipped, [tmp_path / "own"])

    assert (first.name, first.path.name, first.replaces) == ("tmf648", "our-quotes.yaml", "tmf648-quote-v4.yaml")
    assert (second.name, second.replaces) == ("tmf699", "")


def test_an_api_that_no_contract_describes_is_rejected(shipped: Path) -> None:
    with pytest.raises(UnknownApi, match="no contract describes tmf000; expected some of tmf648, tmf699"):
        names(shipped, apis=("tmf648", "tmf000"))


def test_all_that_is_wrong_with_files_is_reported_at_once(shipped: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    write(own, "a-1.yaml", "/x/a/v4")
    write(own, "a-2.yaml", "/x/b/v4")
    write(own, "b-1.yaml", "/x/b/v4")
    write(own, "ü.yaml", "/x/c/v4")
    (own / "broken.yaml").write_text("[")
    (own / "empty.yaml").write_text("servers: [{url: 7}]")
    (own / "nothing.yaml").write_text("a: 1")
    (tmp_path / "none").mkdir()

    with pytest.raises(BrokenContract) as raised:
        find_contracts(shipped, [own, tmp_path / "none"])

    lines = str(raised.value).splitlines()
    assert [line.partition("#")[0] for line in lines] == ["broken.yaml", "none", "b-1.yaml", "a-2.yaml", "ü.yaml"]
    assert "is the base path of a-2.yaml, too" in lines[2]
    assert "its API is called a, as that of a-1.yaml is" in lines[3]


def test_files_with_components_or_policy_rows_are_no_contracts(tmp_path: Path) -> None:
    for name in ("tmf1-a-v4.yaml", "tmf1-a-v4.policy.yaml", "x-common-v1.yaml", "tmf2.yml", "tmf3.json", "tmf3.txt"):
        write(tmp_path, name, "/x/a/v4")

    assert [path.name for path in contract_files(tmp_path)] == ["tmf1-a-v4.yaml", "tmf2.yml", "tmf3.json"]
