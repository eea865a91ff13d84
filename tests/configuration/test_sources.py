"""Settings come from options, variables, files with a secret and a configuration file; each fault has its message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tmf_sales.apis.registry import registered_rules, settings_of_rules
from tmf_sales.configuration.loading import load_settings, load_with_sources
from tmf_sales.configuration.names import InvalidSettings
from tmf_sales.configuration.settings import Settings
from tmf_sales.configuration.sources import SECRET_LIMIT

Write = Callable[[str | bytes], str]
OF_APIS = settings_of_rules(registered_rules())
SECRET = "whsec_c2VjcmV0"  # noqa: S105 - a secret of the tests


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file and returns its path."""

    def written(content: str | bytes) -> str:
        path = tmp_path / "file"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return written


def load(environ: Mapping[str, str], options: Mapping[str, object] | None = None) -> Settings:
    return load_settings({f"TMF_SALES_{name}": text for name, text in environ.items()}, options, OF_APIS)


def rejection(environ: Mapping[str, str], options: Mapping[str, object] | None = None) -> str:
    with pytest.raises(InvalidSettings) as rejected:
        load(environ, options)
    return str(rejected.value)


# Files with a secret


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_is_the_content_of_a_file_without_its_line_end(write: Write, end: str) -> None:
    assert load({"WEBHOOK_SECRET_FILE": write(SECRET + end)}).webhook_secret == SECRET


def test_the_url_of_the_store_may_be_in_a_file_because_it_may_hold_a_password(write: Write) -> None:
    url = "mongodb://admin:hunter2@db/sales"

    assert load({"STORE_FILE": write(url)}).store == url


def test_an_option_comes_before_the_file_with_the_secret(write: Write) -> None:
    assert load({"STORE_FILE": write("memory:")}, {"store": "sqlite:a"}).store == "sqlite:a"


def test_a_secret_in_a_variable_and_in_a_file_is_rejected(write: Write) -> None:
    assert rejection({"STORE": "memory:", "STORE_FILE": write("memory:")}) == (
        "TMF_SALES_STORE and TMF_SALES_STORE_FILE are both set; expected one of them"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        ("", "expected one value of at most 65536 characters"),
        ("\n", "expected one value of at most 65536 characters"),
        ("x" * (SECRET_LIMIT + 1), "expected one value of at most 65536 characters"),
        (b"\xff", "expected a text in UTF-8"),
    ],
)
def test_a_file_without_a_secret_is_rejected(write: Write, content: str | bytes | None, reason: str) -> None:
    path = "/no/such/whsec_file" if content is None else write(content)

    assert rejection({"WEBHOOK_SECRET_FILE": path}) == (
        f"TMF_SALES_WEBHOOK_SECRET_FILE names a file that cannot be used: {reason}"
    )


def test_a_path_that_cannot_be_one_is_rejected() -> None:
    assert rejection({"STORE_FILE": "a\0b"}) == "TMF_SALES_STORE_FILE names a file that cannot be used: not a path"


def test_the_content_of_a_file_is_never_shown(write: Write) -> None:
    line = rejection({"STORE_FILE": write("hunter2")})

    assert line.startswith("TMF_SALES_STORE_FILE is not valid (its value is not shown); expected mongodb://")


def test_only_secrets_may_be_in_files_of_their_own() -> None:
    assert rejection({"PORT_FILE": "x"}).startswith("TMF_SALES_PORT_FILE is not a setting")


# The configuration file


def test_a_configuration_file_has_the_settings_by_their_names(write: Write) -> None:
    file = write(
        """
        port = 9000
        workers = 2
        request_deadline = 2.5
        no_delivery = true
        event_retention = "P30D"
        trusted_hosts = ["a.example.com", "b.example.com"]
        jwt_algorithms = "RS256,ES256"
        validity = "P10D"
        """
    )
    settings = load({"CONFIG": file})

    assert (settings.port, settings.workers, settings.request_deadline, settings.no_delivery) == (9000, 2, 2.5, True)
    assert settings.event_retention.days == 30
    assert settings.trusted_hosts == ("a.example.com", "b.example.com")
    assert settings.jwt_algorithms == ("RS256", "ES256")
    assert settings.of_apis["tmf648.Quote"].validity.days == 10
    assert str(settings.config) == file


def test_folders_are_a_list_of_their_own_kind(write: Write, tmp_path: Path) -> None:
    folders = (tmp_path / "a", tmp_path / "b")
    for folder in folders:
        folder.mkdir()

    assert load({"CONFIG": write(f"contracts = {[str(each) for each in folders]}")}).contracts == folders


def test_a_variable_comes_before_the_configuration_file_and_an_option_before_both(write: Write) -> None:
    file = write("port = 9000\nworkers = 2\nmode = 'strict'\nhost = ''")
    loaded = load_with_sources(
        {"TMF_SALES_WORKERS": "3", "TMF_SALES_MODE": "lenient"}, {"config": file, "mode": "standard"}, OF_APIS
    )

    assert (loaded.settings.port, loaded.settings.workers, loaded.settings.mode) == (9000, 3, "standard")
    assert loaded.settings.host == "127.0.0.1"  # an empty value is none
    assert loaded.sources == {
        "config": "--config",
        "port": f"{file}: port",
        "workers": "TMF_SALES_WORKERS",
        "mode": "--mode",
    }


def test_a_configuration_file_may_name_a_file_with_a_secret(write: Write, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    file = write(f"webhook_secret_file = '{tmp_path}/secret'")

    assert load({"CONFIG": file}).webhook_secret == SECRET


def test_a_secret_twice_in_a_configuration_file_is_rejected(write: Write) -> None:
    file = write("store = 'memory:'\nstore_file = 'x'")

    assert rejection({"CONFIG": file}) == f"{file}: store and {file}: store_file are both set; expected one of them"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("port = [1]", "{}: port: expected a text, a number, true or false"),
        ("port = 1979-05-27", "{}: port: expected a text, a number, true or false"),
        ("[store]\nurl = 'x'", "{}: store: expected a text, a number, true or false"),
        ("apis = [1]", "{}: apis: expected a text, a number, true or false, or a list of texts"),
        ("port = true", "{}: port is 'true'; expected a whole number from 0 to 65535"),
        ("port = 65536", "{}: port is '65536'; expected a whole number from 0 to 65535"),
        ("mode = 'open'", "{}: mode is 'open'; expected one of strict, standard, lenient"),
        ("webhook_secret = ['x']", "{}: webhook_secret: expected a text, a number, true or false"),
        ("config = 'x'", "{}: config cannot be set in the configuration file itself"),
        ("prot = 1", "{}: 'prot' is not a setting; did you mean port?"),
        ("TMF_SALES_PORT = 1", "{}: 'TMF_SALES_PORT' is not a setting; did you mean port?"),
        ("log-level = 'info'", "{}: 'log-level' is not a setting; did you mean log_level?"),
        ("qqq = 1", "{}: 'qqq' is not a setting; docs/reference/settings.md lists them all"),
    ],
)
def test_what_is_wrong_in_a_configuration_file_has_its_place(write: Write, content: str, message: str) -> None:
    file = write(content)

    assert rejection({"CONFIG": file}) == message.format(file)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"host = '\xff'", "is not valid TOML: expected UTF-8"),
        ("host = ", "is not valid TOML: Invalid value (at end of document)"),
    ],
)
def test_a_configuration_file_that_is_none_is_rejected(write: Write, content: str | bytes | None, reason: str) -> None:
    path = "/no/such/file" if content is None else write(content)

    assert rejection({}, {"config": path}) == f"--config is '{path}', which {reason}"
    assert rejection({"CONFIG": path}).startswith("TMF_SALES_CONFIG is ")


def test_a_path_of_a_configuration_file_that_cannot_be_one_is_rejected() -> None:
    assert rejection({"CONFIG": "a\0b"}) == "TMF_SALES_CONFIG is 'a\\x00b', which cannot be read: not a path"


# Unknown names


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("STROE", "did you mean TMF_SALES_STORE?"),
        ("WEBHOOK_SECRET_FIEL", "did you mean TMF_SALES_WEBHOOK_SECRET_FILE?"),
        ("PRICEBOOK", "did you mean TMF_SALES_PRICE_BOOK?"),
        ("XXXXXXXXXXXXXXXXXX", "docs/reference/settings.md lists them all"),
    ],
)
def test_a_variable_that_is_no_setting_is_rejected_with_a_suggestion(name: str, suggestion: str) -> None:
    assert rejection({name: ""}) == f"TMF_SALES_{name} is not a setting; {suggestion}"


@pytest.mark.parametrize("name", ["SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT_8080_TCP_ADDR"])
def test_variables_that_kubernetes_adds_for_a_service_are_explained(name: str) -> None:
    assert rejection({name: "10.0.0.1"}) == (
        f"TMF_SALES_{name} is not a setting; Kubernetes adds it for a Service: set enableServiceLinks: false in the "
        "specification of the pod"
    )


def test_unknown_names_and_invalid_values_each_have_a_line(write: Write) -> None:
    file = write("prot = 1\nmode = 'open'")

    assert rejection({"STROE": "", "PORT": "x", "CONFIG": file}).splitlines() == [
        "TMF_SALES_STROE is not a setting; did you mean TMF_SALES_STORE?",
        f"{file}: 'prot' is not a setting; did you mean port?",
        f"{file}: mode is 'open'; expected one of strict, standard, lenient",
        "TMF_SALES_PORT is 'x'; expected a whole number from 0 to 65535",
    ]


# TLS


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["tls_cert"], "TMF_SALES_TLS_CERT is set without TMF_SALES_TLS_KEY; TLS needs both"),
        (["tls_key"], "TMF_SALES_TLS_KEY is set without TMF_SALES_TLS_CERT; TLS needs both"),
        (
            ["tls_client_ca"],
            "TMF_SALES_TLS_CLIENT_CA is set without TMF_SALES_TLS_CERT and TMF_SALES_TLS_KEY; TLS needs both",
        ),
    ],
)
def test_tls_needs_certificate_and_key(write: Write, given: list[str], message: str) -> None:
    assert rejection({}, dict.fromkeys(given, write(""))) == message


def test_with_tls_hrefs_begin_with_https(write: Write) -> None:
    file = write("")

    assert load({"TLS_CERT": file, "TLS_KEY": file}).public_base == "https://127.0.0.1:8080"
