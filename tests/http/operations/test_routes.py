"""Paths, methods and media types, for every resource (RFC 9110; TMF630 part 1): right ones, and every wrong one."""

from __future__ import annotations

from urllib.parse import quote as percent_encoded

import httpx
import pytest
from tests.api import Api, as_bytes, document_of, refusal
from tests.http.conftest import Services
from tests.http.resources import Resource, unique_text
from tests.service import Service

from tmf_sales.contract.files import contracts_folder


@pytest.fixture(scope="session")
def store() -> str:
    """What is tested here happens before any store is asked."""
    return "memory"


@pytest.fixture(scope="module")
def pages(services: Services) -> Service:
    """The service itself: the reference stack has no pages."""
    return services.at("memory:", stack="asgi")


@pytest.mark.parametrize("path", ["/nothing", "", "/", "/hub/1/2", "/.well-known", "/%2e%2e/x"])
def test_what_is_no_path_of_the_api_is_not_found(api: Api, path: str) -> None:
    refusal(api.request("GET", path), 404, "noSuchRoute")


@pytest.mark.parametrize(
    "path",
    [
        "/tmf-api/quoteManagement/quote",
        "/quoteManagement/v4/quote",
        "/tmf-api/quoteManagement/v4/Quote/1",
        "/api/hub",
        "/tmf-api/QuoteManagement/v4/quote",
        "/nothing",
        "/tmf-api/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_paths_misprinted_in_the_specifications_are_not_found(api: Api, method: str, path: str) -> None:
    answer = httpx.request(method, api.url + path)

    refusal(answer, 404, "noSuchRoute")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "PURGE"])
def test_a_collection_says_which_methods_it_has(api: Api, resource: Resource, method: str) -> None:
    answer = api.request(method, resource.collection)

    refusal(answer, 405, "methodNotAllowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("method", ["PUT", "POST", "TRACE", "PURGE"])
@pytest.mark.parametrize("id", ["1", "a:(version=1)", "%20"])
def test_a_resource_says_which_methods_it_has(api: Api, resource: Resource, method: str, id: str) -> None:
    answer = api.request(method, f"{resource.collection}/{id}")

    refusal(answer, 405, "methodNotAllowed")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, PATCH"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_the_hub_says_which_methods_it_has(api: Api, method: str) -> None:
    answer = api.request(method, "/hub")

    refusal(answer, 405, "methodNotAllowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/lifecycle/tmf699/SalesLeadStateType.svg", "/tmf-api/sales/v4/ui/"])
def test_a_page_says_which_methods_it_has(pages: Service, path: str, method: str) -> None:
    url = pages.url + path

    answer = httpx.request(method, url)

    refusal(answer, 405, "methodNotAllowed")
    assert answer.headers["allow"] == "GET, HEAD"
    assert [httpx.request(each, url).status_code for each in ("GET", "HEAD")] == [200, 200]


def test_one_trailing_slash_is_the_same_resource(api: Api, resource: Resource) -> None:
    answer = api.post(f"{resource.collection}/", resource.minimal)

    document = document_of(answer)
    assert answer.status_code == 201
    assert not document["href"].endswith("/")
    assert api.get(f"{resource.at(document)}/").json() == document
    assert api.get(f"{resource.collection}/", id=document["id"]).json() == [document]
    assert api.patch(f"{resource.at(document)}/", {resource.text: "x"}).status_code == 200
    assert api.delete(f"{resource.at(document)}/").status_code == 204


@pytest.mark.parametrize("path", ["{0}//", "{0}/1//", "/{0}", "//{0}"])
def test_more_slashes_are_other_paths(api: Api, resource: Resource, path: str) -> None:
    refusal(api.request("GET", path.format(resource.collection)), 404, "noSuchRoute")


@pytest.mark.parametrize(
    "id",
    [
        "a b",
        "éß世",
        "𝄞",
        "a;b",
        "a+b",
        "a?b",
        "a#b",
        "a%b",
        "~",
        "a,b",
        "'\"",
        "<script>",
        "{id}",
        "a\\b",
        "a:b",
        "(x)",
        "$ne",
        "a\x00b",
        "a\r\nb",
        "\x7f",
        "x" * 300,
    ],
    ids=lambda text: percent_encoded(text)[:20],
)
def test_an_odd_id_is_one_that_does_not_exist(api: Api, resource: Resource, id: str) -> None:
    path = f"{resource.collection}/{percent_encoded(id, safe='')}"

    for answer in (api.get(path), api.patch(path, {}), api.delete(path)):
        message = refusal(answer, 404, "notFound")
        assert message.isascii()
        assert message.isprintable()
        assert len(message) < 80


@pytest.mark.parametrize("slash", ["%2F", "%2f", "%2F/"])
def test_an_encoded_slash_at_the_end_is_another_path(api: Api, resource: Resource, slash: str) -> None:
    document = api.create(resource.collection, resource.minimal)

    for path in (resource.at(document), resource.collection):
        refusal(api.request("GET", path + slash), 404, "noSuchRoute")


@pytest.mark.parametrize("id", ["a%2Fb", "%2F", "a%2fb", "..%2f..%2fetc%2fpasswd"])
def test_an_id_with_a_slash_is_another_path(api: Api, resource: Resource, id: str) -> None:
    refusal(api.request("GET", f"{resource.collection}/{id}"), 404, "noSuchRoute")


@pytest.mark.parametrize("id", ["%FF", "%C3", "%ED%A0%80", "a%80b"])
def test_an_id_that_is_no_utf_8_does_not_exist(api: Api, resource: Resource, id: str) -> None:
    answer = api.request("GET", f"{resource.collection}/{id}")

    assert answer.status_code == 404


def test_an_id_has_a_bound(api: Api, resource: Resource) -> None:
    message = refusal(api.get(f"{resource.collection}/{'x' * 301}"), 400, "invalidParameter")

    assert message == "id: must have at most 300 characters"


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "*/*",
        "application/*",
        "text/html, */*;q=0.1",
        "APPLICATION/JSON",
        "application/json;q=0.5",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
        "application/json; charset=utf-8",
        "application/json;version=1",
        "text/plain;q=0, application/json",
    ],
)
def test_who_takes_json_gets_it(api: Api, resource: Resource, accept: str) -> None:
    answer = api.get(resource.collection, {"Accept": accept}, limit=0)

    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/xml",
        "application/json;q=0",
        "*/*;q=0.0",
        "application/merge-patch+json",
        "json",
        ";",
        "text/*",
        "application/json;q=0, text/html",
        "application/json ; q=0.000",
    ],
)
def test_a_client_that_accepts_no_json_gets_406(api: Api, resource: Resource, accept: str) -> None:
    for answer in (
        api.get(resource.collection, {"Accept": accept}),
        api.post(resource.collection, resource.minimal, {"Accept": accept}),
        api.delete(f"{resource.collection}/1", {"Accept": accept}),
    ):
        refusal(answer, 406, "notAcceptable")


def test_what_names_json_without_weight_wins_over_a_range(api: Api, resource: Resource) -> None:
    """RFC 9110, 12.5.1: the most specific range that fits decides."""
    answer = api.get(resource.collection, {"Accept": "application/json;q=0, */*"})

    refusal(answer, 406, "notAcceptable")


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json ; CHARSET=utf-8",
        "application/json;",
        "application/json; profile=x",
    ],
)
def test_json_is_taken_however_it_is_spelled(api: Api, resource: Resource, media_type: str) -> None:
    assert api.post(resource.collection, resource.minimal, {"Content-Type": media_type}).status_code == 201


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/xml",
        "application/merge-patch+json",
        "application/problem+json",
        "json",
        "*/*",
        ";",
        "application/json; charset=latin-1",
        "application/json;charset=utf-16",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "application/json, application/json",
    ],
)
def test_other_media_types_are_refused(api: Api, resource: Resource, media_type: str) -> None:
    answer = api.post(resource.collection, resource.minimal, {"Content-Type": media_type})

    refusal(answer, 415, "unsupportedMediaType")


def test_a_body_without_a_media_type_is_refused(api: Api, resource: Resource) -> None:
    answer = api.request("POST", resource.collection, content=as_bytes(resource.minimal))

    message = refusal(answer, 415, "unsupportedMediaType")
    assert message == "Content-Type is missing; expected application/json"


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "x"])
def test_an_encoded_body_is_refused(api: Api, resource: Resource, encoding: str) -> None:
    answer = api.post(resource.collection, resource.minimal, {"Content-Encoding": encoding})

    refusal(answer, 415, "unsupportedMediaType")


def test_an_error_of_head_has_no_body(api: Api, resource: Resource) -> None:
    for answer in (
        api.head(resource.collection, limit="x"),
        api.head("/nothing"),
        api.head(resource.collection, {"Accept": "text/html"}),
    ):
        assert answer.status_code >= 400
        assert answer.content == b""


def test_href_has_the_public_url_that_the_operator_set(services: Services, resource: Resource) -> None:
    api = services.of(resource, "memory", "--public-url", "https://sales.example.com/root/")
    mark = unique_text()

    answer = api.post(resource.collection, resource.body(**{resource.text: mark}), {"Host": "sales.example.com"})

    root = f"https://sales.example.com/root{resource.base_path}{resource.collection}"
    document = document_of(answer)
    assert document["href"] == answer.headers["location"] == f"{root}/{document['id']}"
    listed = api.get(resource.collection, **{resource.text: mark})
    assert listed.json() == [document]
    assert f"<{root}?{resource.text}={mark}" in listed.headers["link"]


def test_the_host_header_counts_only_when_it_is_trusted(services: Services, resource: Resource) -> None:
    api = services.of(resource, "memory", TMF_SALES_TRUSTED_HOSTS="sales.example.com, other.example:8443")
    document = api.create(resource.collection, resource.minimal)

    def href(host: str) -> str:
        return str(api.get(resource.at(document), {"Host": host}).json()["href"]).partition("/tmf-api")[0]

    def code(host: str) -> str:
        answer = httpx.get(f"{api.root}{resource.at(document)}", headers={"Host": host})
        return str(answer.json()["code"])

    assert href("Sales.Example.com") == "http://sales.example.com"
    assert href("other.example:8443") == "http://other.example:8443"
    assert href("sales.example.com:99") == api.url
    for host in ("evil.example", "sales.example.com.evil.example"):
        assert code(host) == "unservedHost"


def test_the_contract_is_served_as_it_runs(api: Api, resource: Resource) -> None:
    as_json, as_yaml = (httpx.get(f"{api.root}/openapi.{form}") for form in ("json", "yaml"))

    assert as_json.json()["servers"][0]["url"] == api.root
    assert as_yaml.text.startswith("openapi: 3.0.3")
    assert "tmf-common" not in as_json.text


@pytest.mark.parametrize("name", ["tmf699-sales-v4.yaml", "tmf648-quote-v4.yaml", "tmf-common-v4.yaml"])
def test_the_contract_files_are_there_as_they_were_written(services: Services, name: str) -> None:
    answer = httpx.get(f"{services.on('memory').url}/openapi/{name}")

    assert answer.headers["content-type"] == "application/yaml"
    assert answer.content == (contracts_folder() / name).read_bytes()
