"""A setting is read from the environment or an option; a bad one is refused in one line that says what was expected."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

import tmf_sales
from tmf_sales.configuration.description import as_text, describe_settings
from tmf_sales.configuration.loading import load_settings
from tmf_sales.configuration.names import InvalidSettings
from tmf_sales.configuration.settings import Settings, is_loopback
from tmf_sales.contract.files import contracts_folder

SOURCE = Path(tmf_sales.__file__).parent


def refusal(environ: Mapping[str, str], options: Mapping[str, object] | None = None) -> str:
    with pytest.raises(InvalidSettings) as caught:
        load_settings(environ, options)
    return str(caught.value)


def test_without_environment_and_options_everything_has_its_default() -> None:
    assert load_settings({}) == Settings()


def test_every_setting_has_a_purpose_and_a_variable_named_like_it() -> None:
    for row in describe_settings():
        assert row.purpose
        assert row.variable == f"TMF_SALES_{row.name.upper()}"
    assert [row.name for row in describe_settings()] + ["of_apis"] == [
        each.name for each in dataclasses.fields(Settings)
    ]


def test_every_setting_has_an_effect() -> None:
    source = "\n".join(path.read_text() for path in SOURCE.rglob("*.py"))

    for field in dataclasses.fields(Settings):
        assert f"settings.{field.name}" in source or f"self.{field.name}" in source, field.name


@pytest.mark.parametrize(
    ("settings", "alone"),
    [
        ({}, True),
        ({"host": "::1"}, True),
        ({"host": "192.0.2.1", "allow_anonymous": True}, False),
        ({"public_url": "https://api.example.com"}, False),
        ({"trusted_hosts": ("api.example.com",)}, False),
        ({"api_keys": Path("keys")}, False),
        ({"jwt_issuer": "https://id.example.com"}, False),
    ],
)
def test_a_proxy_or_authentication_says_that_other_machines_call(settings: dict[str, Any], alone: bool) -> None:
    assert Settings(**settings).only_this_machine_calls is alone


def test_a_default_that_is_shown_can_be_written_into_the_environment() -> None:
    written = {row.variable: row.default for row in describe_settings()}

    assert load_settings(written) == Settings()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("host", "localhost", "localhost"),
        ("port", "0", 0),
        ("port", "65535", 65535),
        ("store", "sqlite:///var/lib/sales.sqlite", "sqlite:///var/lib/sales.sqlite"),
        ("store", "sqlite:sales.sqlite", "sqlite:sales.sqlite"),
        ("store", "mongodb://a,b/sales?replicaSet=r", "mongodb://a,b/sales?replicaSet=r"),
        ("store", "mongodb+srv://cluster.example.com", "mongodb+srv://cluster.example.com"),
        ("strict", "true", True),
        ("strict", "0", False),
        ("mode", "lenient", "lenient"),
        ("public_url", "https://api.example.com/sales/", "https://api.example.com/sales"),
        ("trusted_hosts", "a.example.com, b.example.com:8443,", ("a.example.com", "b.example.com:8443")),
        ("event_retention", "P1WT12H", timedelta(days=7, hours=12)),
        ("body_limit", "1000", 1000),
        ("body_limit", "2 MiB", 2 * 1024 * 1024),
        ("body_limit", "64KiB", 64 * 1024),
        ("request_deadline", "0.5", 0.5),
        ("callback_networks", "10.0.0.0/8,fd00::/8", tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "fd00::/8")))),
        ("log_level", "debug", "debug"),
        ("webhook_secret", "whsec_c2VjcmV0", "whsec_c2VjcmV0"),
    ],
)
def test_a_setting_is_read_from_its_variable(name: str, text: str, value: object) -> None:
    assert getattr(load_settings({f"TMF_SALES_{name.upper()}": text}), name) == value


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("port", "65536", "a whole number from 0 to 65535"),
        ("port", "-1", "a whole number from 0 to 65535"),
        ("port", "tcp://10.0.0.1:8080", "a whole number from 0 to 65535"),
        ("workers", "0", "a whole number from 1 to 256"),
        ("workers", "1.5", "a whole number from 1 to 256"),
        ("store", "sales.sqlite", "mongodb://HOST/DATABASE"),
        ("store", "sqlite:", "mongodb://HOST/DATABASE"),
        ("store", "sqlite:///", "mongodb://HOST/DATABASE"),
        ("store", "sqlite:///directory/", "mongodb://HOST/DATABASE"),
        ("store", "sqlite://host/file", "mongodb://HOST/DATABASE"),
        ("store", "sqlite:///file?mode=ro", "mongodb://HOST/DATABASE"),
        ("store", "mongodb://", "mongodb://HOST/DATABASE"),
        ("store", "memory", "mongodb://HOST/DATABASE"),
        ("strict", "perhaps", "true or false"),
        ("mode", "open", "one of strict, standard, lenient"),
        ("public_url", "api.example.com", "an absolute http or https URL"),
        ("public_url", "ftp://api.example.com", "an absolute http or https URL"),
        ("public_url", "https://api.example.com/?a=b", "an absolute http or https URL"),
        ("public_url", "http://[", "an absolute http or https URL"),
        ("policy", "/no/such/file.yaml", "the path of a file that exists"),
        ("event_retention", "30", "an ISO 8601 duration"),
        ("event_retention", "P", "an ISO 8601 duration"),
        ("event_retention", "P1DT", "an ISO 8601 duration"),
        ("event_retention", "P0D", "an ISO 8601 duration"),
        ("event_retention", "P1M", "an ISO 8601 duration"),
        ("body_limit", "0", "a number of bytes"),
        ("body_limit", "4 MB", "a number of bytes"),
        ("request_deadline", "nan", "a number of seconds"),
        ("request_deadline", "0", "a number of seconds"),
        ("callback_networks", "10.0.0.1/8", "a list of networks"),
        ("log_level", "loud", "one of debug, info, warning, error"),
    ],
)
def test_a_bad_value_is_refused_in_one_line(name: str, text: str, expected: str) -> None:
    line = refusal({f"TMF_SALES_{name.upper()}": text})

    assert line.startswith(f"TMF_SALES_{name.upper()} is '{text[:30]}")
    assert f"expected {expected}" in line
    assert "\n" not in line


def test_an_option_goes_before_the_variable() -> None:
    assert load_settings({"TMF_SALES_PORT": "9000"}, {"port": "9001"}).port == 9001


def test_an_option_that_was_not_given_leaves_the_variable() -> None:
    assert load_settings({"TMF_SALES_PORT": "9000"}, {"port": None}).port == 9000


def test_an_empty_variable_is_none() -> None:
    assert load_settings({"TMF_SALES_PORT": ""}).port == 8080


def test_a_bad_option_is_refused_by_its_own_name() -> None:
    assert refusal({}, {"public_url": "x"}).startswith("--public-url is 'x'; expected")


def test_every_bad_setting_gets_its_line() -> None:
    assert len(refusal({"TMF_SALES_PORT": "x", "TMF_SALES_STRICT": "x"}).splitlines()) == 2


def test_a_long_value_is_cut_and_escaped() -> None:
    line = refusal({"TMF_SALES_PORT": "\n\x1b[31m" + "9" * 1000})

    assert len(line) < 150
    assert line.isprintable()


def test_a_password_is_never_shown() -> None:
    assert "hunter2" not in refusal({"TMF_SALES_STORE": "mongo://admin:hunter2@db/sales"})
    assert "hunter2" not in refusal({"TMF_SALES_PUBLIC_URL": "https://admin:hunter2@api.example.com/?q"})
    assert (
        load_settings({"TMF_SALES_STORE": "mongodb://admin:hunter2@db/sales"}).shown_store == "mongodb://***@db/sales"
    )


@pytest.mark.parametrize("option", ["tlsCertificateKeyFilePassword", "authMechanismProperties"])
def test_an_option_of_the_store_that_may_be_a_password_is_never_shown(option: str) -> None:
    assert (
        load_settings({"TMF_SALES_STORE": f"mongodb://db/sales?{option}=hunter2"}).shown_store == "mongodb://db/sales"
    )
    assert "hunter2" not in refusal({"TMF_SALES_STORE": f"mongodb://?{option}=hunter2"})


def test_a_secret_is_never_shown() -> None:
    assert "whsec_abc" not in repr(load_settings({"TMF_SALES_WEBHOOK_SECRET": "whsec_abc"}))
    assert "17" not in refusal({}, {"webhook_secret": 17})


def test_memory_is_refused_with_several_workers() -> None:
    environ = {"TMF_SALES_STORE": "memory:", "TMF_SALES_WORKERS": "2"}

    assert refusal(environ) == "store memory: cannot be shared by 2 workers; expected 1 worker"


def test_a_default_page_longer_than_the_longest_is_refused() -> None:
    assert refusal({"TMF_SALES_PAGE_MAX": "50"}) == "TMF_SALES_PAGE_DEFAULT 100 is more than TMF_SALES_PAGE_MAX 50"


def test_a_page_longer_than_the_contracts_allow_is_refused() -> None:
    common = yaml.safe_load((contracts_folder() / "tmf-common-v4.yaml").read_text())
    longest = common["components"]["parameters"]["Limit"]["schema"]["maximum"]

    assert load_settings({"TMF_SALES_PAGE_MAX": str(longest)}).page_max == longest
    assert refusal({"TMF_SALES_PAGE_MAX": str(longest + 1)}) == (
        f"TMF_SALES_PAGE_MAX is '{longest + 1}'; expected a whole number from 1 to {longest}"
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])  # noqa: S104
def test_listening_beyond_loopback_must_be_allowed(host: str) -> None:
    assert "--allow-anonymous" in refusal({"TMF_SALES_HOST": host})
    assert load_settings({"TMF_SALES_HOST": host, "TMF_SALES_ALLOW_ANONYMOUS": "true"}).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_always_allowed(host: str) -> None:
    assert is_loopback(host)
    assert load_settings({"TMF_SALES_HOST": host}).host == host


@pytest.mark.parametrize(
    ("settings", "base"),
    [
        (Settings(), "http://127.0.0.1:8080"),
        (Settings(host="::1", port=9), "http://[::1]:9"),
        (Settings(public_url="https://api.example.com"), "https://api.example.com"),
    ],
)
def test_hrefs_start_with_the_public_url_or_with_what_is_bound(settings: Settings, base: str) -> None:
    assert settings.public_base == base


def test_defaults_are_shown_as_one_would_write_them() -> None:
    assert as_text(False) == "false"
    assert as_text(timedelta(days=30)) == "P30D"
    assert as_text(2.5) == "2.5"
    assert as_text(None) == ""


@pytest.mark.parametrize(
    ("environ", "mode"),
    [
        ({}, "standard"),
        ({"STRICT": "true"}, "strict"),
        ({"STRICT": "1", "MODE": "strict"}, "strict"),
        ({"STRICT": "0", "MODE": "lenient"}, "lenient"),
    ],
)
def test_strict_is_another_name_of_the_strict_mode(environ: dict[str, str], mode: str) -> None:
    assert load_settings({f"TMF_SALES_{name}": text for name, text in environ.items()}).mode == mode


def test_strict_and_a_lenient_mode_contradict_each_other() -> None:
    with pytest.raises(InvalidSettings) as rejected:
        load_settings({"TMF_SALES_STRICT": "true", "TMF_SALES_MODE": "lenient"})

    assert str(rejected.value) == "TMF_SALES_STRICT contradicts TMF_SALES_MODE lenient; use the latter"
