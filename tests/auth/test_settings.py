"""Settings of authentication: what turns it on, and what does not go together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tmf_sales.configuration.loading import load_settings
from tmf_sales.configuration.names import InvalidSettings
from tmf_sales.configuration.settings import Settings

TOKENS = {"TMF_SALES_JWT_ISSUER": "https://id.example.com", "TMF_SALES_JWT_AUDIENCE": "tmf-sales"}
KEYS_URL = {"TMF_SALES_JWT_KEYS": "https://id.example.com/certs"}


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(InvalidSettings) as refused:
        load_settings(environ)
    return str(refused.value)


def test_authentication_is_off_unless_a_setting_says_how() -> None:
    assert not Settings().authentication
    assert load_settings({**TOKENS, **KEYS_URL}).authentication
    assert Settings(api_keys=Path("keys.yaml")).authentication


@pytest.mark.parametrize(
    ("audit", "authenticated", "audits"),
    [("auto", False, False), ("auto", True, True), ("on", False, True), ("off", True, False)],
)
def test_changes_are_logged_with_authentication_or_when_asked_for(
    audit: str, authenticated: bool, audits: bool
) -> None:
    assert Settings(audit=audit, api_keys=Path("keys.yaml") if authenticated else None).audits is audits


@pytest.mark.parametrize("left_out", ["JWT_ISSUER", "JWT_AUDIENCE", "JWT_KEYS"])
def test_tokens_need_all_three_settings(left_out: str) -> None:
    given = {name: value for name, value in {**TOKENS, **KEYS_URL}.items() if name != f"TMF_SALES_{left_out}"}

    assert f"without TMF_SALES_{left_out}; expected all three, or none" in refusal(given)


def test_with_authentication_the_service_listens_anywhere() -> None:
    assert load_settings({**TOKENS, **KEYS_URL, "TMF_SALES_HOST": "192.0.2.1"}).host == "192.0.2.1"


def test_keys_are_at_a_url_or_in_a_file_that_exists(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text("{}")

    assert load_settings({**TOKENS, "TMF_SALES_JWT_KEYS": str(file)}).jwt_keys == str(file)
    for bad in ("/no/such/file", "ftp://id.example.com/certs", "https:///certs"):
        assert "an http or https URL, or the path of a file" in refusal({**TOKENS, "TMF_SALES_JWT_KEYS": bad})


@pytest.mark.parametrize("algorithms", ["none", "HS256", "RS256,HS256", ",", "rs256"])
def test_an_algorithm_that_proves_nothing_is_refused(algorithms: str) -> None:
    said = refusal({**TOKENS, **KEYS_URL, "TMF_SALES_JWT_ALGORITHMS": algorithms})

    assert "expected a list from RS256" in said


def test_algorithms_are_a_list() -> None:
    assert load_settings({"TMF_SALES_JWT_ALGORITHMS": "ES256, RS512"}).jwt_algorithms == ("ES256", "RS512")
