"""An API that is not shipped, in the installed wheel: one setting, and no file touched in site-packages."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.http.inbox import inbox
from tests.packaging.installing import ROOT, attempt, run
from tests.service import first_line, let_go, start_service

CONTRACT = ROOT / "tests/contract/tmf622/tmf622-productOrdering-v4.yaml"
BASE_PATH = "/tmf-api/productOrderingManagement/v4"
MERGE = {"Content-Type": "application/merge-patch+json"}
STORE = "sqlite:store.sqlite"

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory of the user's, with the contract in a folder."""
    (tmp_path / "contracts").mkdir()
    shutil.copy(CONTRACT, tmp_path / "contracts")
    return tmp_path


@pytest.fixture
def command(environment: Path, folder: Path) -> Command:
    def command(*arguments: str, contracts: bool = True) -> subprocess.CompletedProcess[str]:
        setting = {"TMF_SALES_CONTRACTS": "contracts"} if contracts else {}
        return attempt(environment / "tmf-sales", *arguments, "--store", STORE, cwd=folder, environ=setting)

    return command


def test_an_api_in_a_folder_is_served_patched_exported_delivered_audited_and_checked(
    environment: Path, folder: Path, command: Command
) -> None:
    before, events = snapshot(environment), list[dict[str, Any]]()
    assert "no store yet" in command("check").stdout
    with inbox() as received:
        order, task = use(environment, folder, received.url)

        assert half_served_by_nobody(command) == {"tmf622/cancelProductOrder", "tmf622/productOrder"}
        deliver(environment, folder, contracts=False, until=lambda: None)
        assert received.is_empty
        deliver(environment, folder, contracts=True, until=lambda: events.extend(received.events(5)))

    assert [event["eventType"] for event in events if event["eventType"].startswith("Product")] == [
        "ProductOrderCreateEvent",
        "ProductOrderStateChangeEvent",
        "ProductOrderStateChangeEvent",
        "ProductOrderInformationRequiredEvent",
    ]
    assert "CancelProductOrderCreateEvent" in {event["eventType"] for event in events}
    exported = command("export", "-").stdout
    assert f'"kind":"tmf622/productOrder","id":"{order}"' in exported
    assert f'"kind":"tmf622/cancelProductOrder","id":"{task}"' in exported
    assert "patchProductOrder" in command("audit", "--id", order).stdout
    checked = command("check")
    assert checked.returncode == 0, checked.stdout
    assert "holds 1 tmf622/productOrder" in checked.stdout
    assert "tmf622: no row is about createCancelProductOrder" in checked.stdout
    printed = run(environment / "tmf-sales", "contract", "--api", "tmf622", "--contracts", "contracts", cwd=folder)
    assert printed == CONTRACT.read_text()
    assert snapshot(environment) == before


def use(environment: Path, folder: Path, callback: str) -> tuple[str, str]:
    """What clients do; the ids of an order and of the task that cancels it."""
    command = (str(environment / "tmf-sales"), "serve", "--contracts", str(folder / "contracts"))
    options = ("--store", f"sqlite:///{folder}/store.sqlite", "--no-delivery")
    with (
        start_service(folder / "log", *options, command=command, environ={"TMF_SALES_AUDIT": "on"}) as service,
        httpx.Client(base_url=service.url + BASE_PATH) as client,
    ):
        assert client.post("/hub", json={"callback": callback}).status_code == 201
        made = client.post("/productOrder", json={"productOrderItem": [{}]}).raise_for_status().json()
        assert made["productOrderItem"][0]["state"] == made["state"] == "acknowledged"
        for state in ("inProgress", "pending"):
            answer = client.patch(f"/productOrder/{made['id']}", json={"state": state}, headers=MERGE)
            assert answer.json()["state"] == state
        refused = client.patch(f"/productOrder/{made['id']}", json={"state": "completed"}, headers=MERGE)
        assert refused.json()["code"] == "forbiddenTransition"
        task = client.post("/cancelProductOrder", json={"productOrder": {"id": made["id"]}}).raise_for_status().json()
        assert client.get("/cancelProductOrder", params={"productOrder.id": made["id"]}).json() == [task]
        for method, path, allowed in (
            ("PATCH", f"/cancelProductOrder/{task['id']}", "GET, HEAD"),
            ("DELETE", f"/cancelProductOrder/{task['id']}", "GET, HEAD"),
            ("GET", "/hub", "POST"),
        ):
            answer = client.request(method, path)
            assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    return made["id"], task["id"]


def half_served_by_nobody(command: Command) -> set[str]:
    """Without the contract: the kinds that check names; export refuses, and exports only what it is asked for."""
    refused, some = command("export", "-", contracts=False), command("export", "--kind", "quote", "-", contracts=False)
    assert refused.returncode == 2
    assert "expected --contracts" in refused.stdout
    assert some.returncode == 0
    checked = command("check", "--quick", contracts=False)
    assert checked.returncode == 1
    lines = [line for line in checked.stdout.splitlines() if "no contract describes" in line]
    assert all(line.startswith("BAD  store: ") for line in lines)
    return {line.split("describes ")[1].partition(":")[0] for line in lines}


def deliver(environment: Path, folder: Path, *, contracts: bool, until: Callable[[], object]) -> None:
    options = ["--contracts", "contracts"] if contracts else []
    process = subprocess.Popen(
        [environment / "tmf-sales", "deliver", "--store", STORE, *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert "delivers events" in first_line(process)
        until()
        process.terminate()
        _, said = process.communicate(timeout=60)
        assert ("no loaded contract describes tmf622/productOrder" in said.decode()) != contracts
    finally:
        let_go(process)


def snapshot(environment: Path) -> dict[str, int]:
    """The sizes of the contracts and policies in the installed package."""
    [package] = environment.parent.glob("lib/*/site-packages/tmf_sales")
    return {str(path): path.stat().st_size for path in package.rglob("*.yaml")}


def test_two_versions_of_an_api_and_two_apis_with_one_path_keep_their_data_apart(
    environment: Path, folder: Path
) -> None:
    text = CONTRACT.read_text()
    contracts = folder / "contracts"
    (contracts / "tmf622-productOrdering-v5.yaml").write_text(text.replace("Management/v4", "Management/v5"))
    (contracts / "acme-orders-v4.yaml").write_text(text.replace("productOrderingManagement", "acme"))
    paths = [BASE_PATH, BASE_PATH.replace("v4", "v5"), "/tmf-api/acme/v4"]
    command = (
        str(environment / "tmf-sales"),
        "serve",
        "--contracts",
        str(contracts),
        "--apis",
        "tmf622,tmf622-v5,acme",
    )
    options = ("--store", f"sqlite:///{folder}/store.sqlite")
    with start_service(folder / "log", *options, command=command) as service:
        made = [
            httpx.post(
                f"{service.url}{path}/productOrder", json={"productOrderItem": [{}]}, headers={"Idempotency-Key": "k"}
            )
            for path in paths
        ]
        listed = [httpx.get(f"{service.url}{path}/productOrder").json() for path in paths]
        assert httpx.get(f"{service.url}/tmf-api/quoteManagement/v4/quote").status_code == 404

    assert [answer.status_code for answer in made] == [201, 201, 201]
    assert [[each["id"] for each in page] for page in listed] == [[answer.json()["id"]] for answer in made]
    kinds = run(
        environment / "tmf-sales", "export", "-", "--store", STORE, "--contracts", "contracts", cwd=folder
    ).splitlines()
    assert {json.loads(line)["kind"] for line in kinds if line.startswith("{")} == {
        "tmf622/productOrder",
        "tmf622-v5/productOrder",
        "acme/productOrder",
    }


def test_a_contract_with_the_base_path_of_a_shipped_one_replaces_it_and_the_start_says_so(
    environment: Path, folder: Path
) -> None:
    shipped = (ROOT / "openapi/tmf699-sales-v4.yaml").read_text()
    (folder / "contracts/our-leads.yaml").write_text(shipped.replace("title: Sales Management", "title: Our Leads"))
    command = (str(environment / "tmf-sales"), "serve", "--contracts", str(folder / "contracts"))
    with start_service(folder / "log", "--store", f"sqlite:///{folder}/s.sqlite", command=command) as service:
        document = httpx.get(f"{service.url}/tmf-api/sales/v4/openapi.json").json()
        made = httpx.post(f"{service.url}/tmf-api/sales/v4/salesLead", json={"name": "x"})

    assert document["info"]["title"] == "Our Leads"
    assert made.status_code == 201
    assert "our-leads.yaml replaces the shipped tmf699-sales-v4.yaml" in service.log.read_text()
    exported = run(environment / "tmf-sales", "export", "-", "--store", "sqlite:s.sqlite", cwd=folder)
    assert '"kind":"tmf699/salesLead"' in exported
