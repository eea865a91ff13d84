"""`tmf-sales config` prints each setting in force with its source, as a configuration file; secrets are masked."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tmf_sales.apis.registry import registered_rules, settings_of_rules
from tmf_sales.cli import main
from tmf_sales.configuration.description import describe_settings
from tmf_sales.configuration.loading import load_settings

OF_APIS = settings_of_rules(registered_rules())


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TMF_SALES_")]:
        monkeypatch.delenv(name)


def config(*options: str, **environ: str) -> Result:
    return CliRunner().invoke(main, ["config", *options], env={f"TMF_SALES_{name}": v for name, v in environ.items()})


def test_every_setting_is_printed_with_its_source(tmp_path: Path) -> None:
    file = tmp_path / "sales.toml"
    file.write_text('log_level = "info"\n')

    printed = config("--config", str(file), "--port", "9000", "--validity", "P10D", MODE="strict", APIS="tmf648")

    lines = printed.stdout.splitlines()
    assert printed.exit_code == 0
    assert {
        "port = 9000  # --port",
        'mode = "strict"  # TMF_SALES_MODE',
        'apis = ["tmf648"]  # TMF_SALES_APIS',
        f'log_level = "info"  # {file}: log_level',
        'validity = "P10D"  # --validity',
        "request_deadline = 10.0  # default",
        "seed = false  # default",
        f'# config = "{file}"  # --config',
        "# policy is not set",
    } <= set(lines)
    assert len(lines) == sum(len(describe_settings(of)) for of in OF_APIS.values()) + len(describe_settings())


def test_what_is_printed_is_a_configuration_file_with_the_same_settings(tmp_path: Path) -> None:
    options = ["--port", "9000", "--event-retention", "P1DT2H", "--trusted-hosts", "a,b", "--no-delivery"]
    file = tmp_path / "sales.toml"
    file.write_text(config(*options).stdout)

    tomllib.loads(file.read_text())
    read = load_settings({}, {"config": str(file)}, OF_APIS)
    given = {"port": "9000", "event_retention": "P1DT2H", "trusted_hosts": "a,b", "no_delivery": True}
    direct = load_settings({}, given, OF_APIS)
    assert {name: getattr(read, name) for name in direct.__slots__ if name != "config"} == {
        name: getattr(direct, name) for name in direct.__slots__ if name != "config"
    }


def test_secrets_are_masked_and_their_sources_shown(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("whsec_c2VjcmV0")

    printed = config(STORE="mongodb://admin:hunter2@db/sales?tlsPassword=hunter3", WEBHOOK_SECRET_FILE=str(secret))

    assert '# store = "mongodb://***@db/sales"  # TMF_SALES_STORE' in printed.stdout.splitlines()
    assert '# webhook_secret = "***"  # TMF_SALES_WEBHOOK_SECRET_FILE' in printed.stdout.splitlines()
    assert not any(each in printed.output for each in ("hunter", "c2VjcmV0"))


def test_invalid_settings_are_reported_with_exit_code_2() -> None:
    printed = config(PORT="x", STROE="memory:")

    assert printed.exit_code == 2
    assert printed.stderr.splitlines() == [
        "Error: TMF_SALES_STROE is not a setting; did you mean TMF_SALES_STORE?",
        "TMF_SALES_PORT is 'x'; expected a whole number from 0 to 65535",
    ]
