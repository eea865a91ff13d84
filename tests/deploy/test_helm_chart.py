"""The Helm chart: what it renders is valid for Kubernetes, hardened, and tells the service what it understands."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deploy.tools import CHART, KUBERNETES, ROOT, helm, kubernetes_validate

from tmf_sales import __version__
from tmf_sales.auth.policy_table import SHIPPED
from tmf_sales.configuration.description import describe_settings
from tmf_sales.configuration.settings import Settings
from tmf_sales.contract.loader import load_contracts

SETS = sorted(path.stem for path in (CHART / "ci").glob("*.yaml"))
OWN_KINDS = {"ServiceMonitor", "Component"}
"""Kinds that are not Kubernetes' own."""

needs_helm = pytest.mark.full
Manifest = dict[str, Any]


def rendered(*options: str) -> list[Manifest]:
    done = helm("template", "rel", CHART, "--namespace", "sales", "--kube-version", KUBERNETES, *options)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


@functools.cache
def manifests(name: str) -> list[Manifest]:
    return rendered("--values", str(CHART / f"ci/{name}.yaml"))


def of_kind(found: list[Manifest], kind: str) -> list[Manifest]:
    return [each for each in found if each["kind"] == kind]


def pods(found: list[Manifest]) -> dict[str, Manifest]:
    return {each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in of_kind(found, "Deployment")}


def keys(value: Any, place: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield f"{place}.{name}"
            yield from keys(inner, f"{place}.{name}")


def schema_keys(schema: Mapping[str, Any], place: str = "") -> Iterator[str]:
    for name, inner in schema.get("properties", {}).items():
        yield f"{place}.{name}"
        yield from schema_keys(inner, f"{place}.{name}")


def test_the_schema_describes_exactly_the_values() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())

    free = re.compile(r"\.resources\.|\.webhookTo\.")
    described = {key for key in schema_keys(schema) if key != ".global"}
    assert described == {key for key in keys(values) if not free.search(key)}


def test_the_chart_deploys_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert chart["appVersion"] == __version__


def test_every_variable_that_the_chart_sets_is_a_setting() -> None:
    text = "".join(path.read_text() for path in [*CHART.glob("templates/*"), *CHART.glob("*.yaml")])

    named = set(re.findall(r"TMF_SALES_[A-Z_]+[A-Z]", text))
    rows = describe_settings(Settings)
    assert named <= {each.variable for each in rows} | {each.file_variable for each in rows}
    assert {"TMF_SALES_STORE_FILE", "TMF_SALES_DRAIN", "TMF_SALES_MANAGEMENT_PORT"} <= named


def test_the_chart_runs_as_the_user_of_the_image() -> None:
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()

    assert "USER 10001:10001" in dockerfile
    assert "runAsUser: 10001" in (CHART / "templates/_pod.tpl").read_text()


@needs_helm
@pytest.mark.parametrize("name", SETS)
def test_helm_lint_finds_nothing(name: str) -> None:
    done = helm("lint", "--strict", CHART, "--values", CHART / f"ci/{name}.yaml", "--kube-version", KUBERNETES)

    assert done.returncode == 0, done.stdout + done.stderr


@needs_helm
@pytest.mark.parametrize("name", SETS)
def test_what_is_rendered_is_valid_for_kubernetes(name: str, tmp_path: Path) -> None:
    file = tmp_path / "manifests.yaml"
    file.write_text(yaml.safe_dump_all(manifests(name)))

    done = kubernetes_validate(file)

    said = (done.stdout + done.stderr).splitlines()
    assert done.returncode == 0, said
    passed = [line for line in said if line.startswith("INFO") and " passed " in line]
    assert len(passed) == sum(each["kind"] not in OWN_KINDS for each in manifests(name))


@needs_helm
@pytest.mark.parametrize("name", SETS)
def test_every_pod_is_restricted(name: str) -> None:
    for pod in pods(manifests(name)).values():
        (container,) = pod["containers"]
        assert pod["enableServiceLinks"] is False
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[probe]["httpGet"]["port"] == "management"


@needs_helm
@pytest.mark.parametrize("name", SETS)
def test_services_and_policies_select_the_pods(name: str) -> None:
    found = manifests(name)
    labels = [each["spec"]["template"]["metadata"]["labels"] for each in of_kind(found, "Deployment")]

    selectors = [each["spec"]["selector"] for each in of_kind(found, "Service")]
    selectors += [each["spec"]["podSelector"]["matchLabels"] for each in of_kind(found, "NetworkPolicy")]
    selectors += [each["spec"]["selector"]["matchLabels"] for each in of_kind(found, "PodDisruptionBudget")]
    assert selectors
    for selector in selectors:
        assert any(selector.items() <= each.items() for each in labels)
    for monitor in of_kind(found, "ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"]
        assert [each for each in of_kind(found, "Service") if wanted.items() <= each["metadata"]["labels"].items()]


@needs_helm
def test_everything_that_the_chart_has_is_in_the_full_set() -> None:
    found = manifests("full")

    assert {each["kind"] for each in found} == {
        "Deployment",
        "HorizontalPodAutoscaler",
        "Ingress",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
        "ServiceMonitor",
    }
    assert pods(found).keys() == {"sales", "sales-delivery"}
    commands = {name: pod["containers"][0]["args"] for name, pod in pods(found).items()}
    assert commands == {"sales": ["serve", "--no-delivery"], "sales-delivery": ["deliver"]}
    assert not any("command" in pod["containers"][0] for pod in pods(found).values())  # no shell
    (deployment,) = [each for each in of_kind(found, "Deployment") if each["metadata"]["name"] == "sales"]
    assert "replicas" not in deployment["spec"]  # the autoscaler's


@needs_helm
def test_secrets_are_files_and_in_no_manifest() -> None:
    for pod in pods(manifests("full")).values():
        (container,) = pod["containers"]
        values = {each["name"]: each.get("value") for each in container["env"]}
        assert values.keys().isdisjoint({"TMF_SALES_STORE", "TMF_SALES_WEBHOOK_SECRET"})
        assert values["TMF_SALES_STORE_FILE"] == "/run/secrets/tmf-sales/store/url"
        assert values["TMF_SALES_WEBHOOK_SECRET_FILE"] == "/run/secrets/tmf-sales/webhook/secret"  # noqa: S105 - a path
        assert not any("valueFrom" in each for each in container["env"])
        mounted = {each["mountPath"] for each in container["volumeMounts"] if each.get("readOnly")}
        assert mounted == {
            "/run/secrets/tmf-sales/store",
            "/run/secrets/tmf-sales/webhook",
            "/run/secrets/tmf-sales/api-keys",
            "/etc/tmf-sales",
        }


@needs_helm
def test_the_pod_outlives_its_drain() -> None:
    pod = pods(manifests("mongodb"))["rel-tmf-sales"]
    (container,) = pod["containers"]
    drain = next(int(each["value"]) for each in container["env"] if each["name"] == "TMF_SALES_DRAIN")
    ((_, seconds),) = [container["lifecycle"]["preStop"]["exec"]["command"]]

    assert pod["terminationGracePeriodSeconds"] >= int(seconds) + drain + 10


@needs_helm
def test_a_sqlite_store_has_one_pod_that_delivers_itself() -> None:
    found = manifests("single")

    assert pods(found).keys() == {"rel-tmf-sales"}
    (deployment,) = of_kind(found, "Deployment")
    assert (deployment["spec"]["replicas"], deployment["spec"]["strategy"]["type"]) == (1, "Recreate")
    assert pods(found)["rel-tmf-sales"]["containers"][0]["args"] == ["serve"]
    assert of_kind(found, "PersistentVolumeClaim")


STORE = ("--set", "store.existingSecret=s")
ANONYMOUS = ("--set", "auth.allowAnonymous=true")


@needs_helm
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (ANONYMOUS, "expected one store"),
        ((*STORE, *ANONYMOUS, "--set", "store.sqlite.enabled=true"), "expected one store"),
        (STORE, "expected auth.jwt, auth.apiKeys.existingSecret, or auth.allowAnonymous"),
        ((*STORE, "--set", "auth.jwt.issuer=https://x"), "auth.jwt.issuer needs auth.jwt.audience and auth.jwt.keys"),
        ((*ANONYMOUS, "--set", "store.sqlite.enabled=true"), "store.sqlite is for one pod"),
        ((*STORE, *ANONYMOUS, "--set", "ingress.enabled=true"), "ingress.enabled needs ingress.host"),
        ((*STORE, *ANONYMOUS, "--set", "serve.drainSeconds=60"), "serve.terminationGracePeriodSeconds is less"),
        ((*STORE, *ANONYMOUS, "--set", "serve.replica=3"), "replica"),
        ((*STORE, *ANONYMOUS, "--set", "settings.MODE=strict"), "MODE"),
        ((*STORE, *ANONYMOUS, "--set", "managementPort=0"), "managementPort"),
    ],
)
def test_values_that_cannot_work_are_rejected(options: tuple[str, ...], said: str) -> None:
    done = helm("template", "rel", CHART, "--kube-version", KUBERNETES, *options)

    assert done.returncode != 0
    assert said in done.stderr


@needs_helm
def test_oda_components_announce_what_the_contracts_have() -> None:
    components = {
        each["spec"]["componentMetadata"]["id"]: each["spec"] for each in of_kind(manifests("oda"), "Component")
    }
    contracts = {contract.name: contract for contract in load_contracts(ROOT / "openapi")}

    for id, api in {"TMFC036": "tmf699", "TMFC002": "tmf648"}.items():
        spec, contract = components[id], contracts[api]
        (exposed,), (published,) = spec["coreFunction"]["exposedAPIs"], spec["eventNotification"]["publishedEvents"]
        (resource,) = contract.resources.values()
        assert exposed["path"] == f"/sales{contract.base_path}"
        assert exposed["id"] == api.upper()
        assert [list(each) for each in exposed["resources"]] == [[resource.noun]]
        assert published["hub"] == f"/sales{contract.base_path}/hub"
        assert set(published["description"].split(", ")) == set(resource.event_types)
        assert "Partial" in spec["componentMetadata"]["description"]


@needs_helm
def test_oda_components_have_the_form_of_the_canvas() -> None:
    """What the published CRD of the Canvas requires of APIs; names of Services and ports are those of the chart."""
    found = manifests("oda")
    ports = {each["metadata"]["name"]: each["spec"]["ports"][0]["port"] for each in of_kind(found, "Service")}
    roles = set(yaml.safe_load(SHIPPED.read_text()))

    for spec in [each["spec"] for each in of_kind(found, "Component")]:
        apis = spec["coreFunction"]["exposedAPIs"] + spec["managementFunction"]["exposedAPIs"]
        for api in apis:
            assert {"name", "apiType", "implementation", "path", "port"} <= api.keys()
            assert api["apiType"] in {"openapi", "prometheus"}
            assert ports[api["implementation"]] == api["port"]
        security = spec["securityFunction"]
        assert {security["canvasSystemRole"], *(each["name"] for each in security["componentRole"])} <= roles
