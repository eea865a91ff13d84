"""The lock file installs whatever is released later, and the installer reads it with a tool that can."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from scripts.lock_changes import changes
from tests.packaging.installing import ROOT, UV, attempt, locked, make_index, make_wheel, run

INDEXES, NOBODY = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), "http://127.0.0.1:9/simple"
OLDEST_PIP = "23.2.1"  # what Python 3.11 and Debian 12 bring


@pytest.fixture
def trap(tmp_path: Path) -> tuple[str, Path]:
    """An index that offers a newer release than the lock does, of a package that another one requires with an extra."""
    measured = make_wheel(tmp_path, "measured", "1.0", extra="toml")
    newer = make_wheel(tmp_path, "measured", "1.1", extra="toml")
    plugin = make_wheel(tmp_path, "plugin", "2.0", requires=("measured[toml]>=1.0",))
    lock = tmp_path / "requirements.lock"
    lock.write_text(locked(measured) + locked(plugin))
    return make_index(tmp_path, [measured, newer, plugin]), lock


def test_uv_installs_the_locked_versions_although_a_newer_one_is_out(trap: tuple[str, Path], tmp_path: Path) -> None:
    index, lock = trap

    run(
        UV, "--no-config", "--no-cache", "pip", "install", "--require-hashes", "-r", lock,
        "--default-index", index, "--target", tmp_path / "installed",
    )  # fmt: skip

    assert sorted(path.name for path in (tmp_path / "installed").glob("*.dist-info")) == [
        "measured-1.0.dist-info",
        "plugin-2.0.dist-info",
    ]


@pytest.mark.full
def test_the_oldest_pip_falls_into_that_trap_but_installs_uv(trap: tuple[str, Path], tmp_path: Path) -> None:
    """So the installer may use pip for uv alone; when this fails, pip could install the lock itself again."""
    index, lock = trap
    run(UV, "--no-config", "venv", "--quiet", tmp_path / "venv")
    python = tmp_path / "venv/bin/python"
    run(UV, "--no-config", "pip", "install", "--quiet", "--python", python, f"pip=={OLDEST_PIP}")

    refused = attempt(python, "-m", "pip", "install", "--require-hashes", "-r", lock, "--index-url", index)
    run(python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", ROOT / "requirements-install.lock")

    assert "all requirements must have their versions pinned with ==" in refused.stdout
    assert (tmp_path / "venv/bin/uv").exists()


@pytest.mark.full
@pytest.mark.parametrize(
    "platform",
    ["x86_64-pc-windows-msvc", "aarch64-unknown-linux-gnu", "x86_64-unknown-linux-gnu", "aarch64-apple-darwin"],
)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_every_locked_package_has_a_wheel(platform: str, python: str, tmp_path: Path) -> None:
    said = run(
        UV, "--no-config", "pip", "install", "--dry-run", "--require-hashes", "-r", ROOT / "requirements.lock",
        "--only-binary", ":all:", "--python-platform", platform, "--python-version", python, "--target", tmp_path,
    )  # fmt: skip

    assert ("uvloop" in said) == ("windows" not in platform)


@pytest.mark.full
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_on_musl_the_packages_of_the_page_alone_lack_a_wheel(machine: str, tmp_path: Path) -> None:
    page = (ROOT / "docs/reference/platforms.md").read_text(encoding="utf-8")
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    pinned = {line.partition("==")[0]: line for line in lines if "==" in line}

    def installs(*names: str) -> bool:
        lock = tmp_path / "requirements.lock"
        lock.write_text("\n".join(pinned[name] for name in names))
        done = attempt(
            UV, "--no-config", "pip", "install", "--dry-run", "--no-deps", "--require-hashes", "-r", lock,
            "--only-binary", ":all:", "--python-platform", f"{machine}-unknown-linux-musl", "--target", tmp_path / "t",
        )  # fmt: skip
        return done.returncode == 0

    lacking = [name for name in ("google-re2", "pymongo") if not installs(name)]
    assert lacking == re.findall(r"`([\w-]+)`, which (?:every|the extra)", " ".join(page.split()))
    assert installs(*(name for name in pinned if name not in lacking))


def test_a_read_only_folder_is_rejected_with_the_fix() -> None:
    script = (ROOT / "scripts/install").read_text(encoding="utf-8")
    probe = script[script.index("if ! [ -w . ]") : script.index("if ! venv_fits")]

    user = "nobody" if os.geteuid() == 0 else None
    done = subprocess.run(["sh", "-c", probe], cwd="/", user=user, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "copy the checkout to a folder of yours" in done.stderr


def test_a_checkout_in_a_path_with_blanks_installs_once_and_again_without_a_network(tmp_path: Path) -> None:
    checkout = tmp_path / "a checkout"
    files = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "src", "openapi", "scripts", cwd=ROOT)
    for name in [*files.split(), *(path.name for path in ROOT.glob("*") if path.is_file())]:
        if (ROOT / name).exists():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, checkout / name)

    first = run("scripts/install", "run", cwd=checkout)
    second = run("scripts/install", "run", cwd=checkout)
    with (checkout / "pyproject.toml").open("a") as metadata:
        metadata.write("# changed\n")
    # A new .venv has no uv.
    run(checkout / ".venv/bin/python", "-m", "pip", "uninstall", "--quiet", "--yes", "uv", cwd=checkout)
    offline = run("scripts/install", "run", cwd=checkout, environ=dict.fromkeys(INDEXES, NOBODY))

    assert "Installing the versions of requirements.lock" in first
    assert second == ""
    assert offline == first.replace("Creating .venv\n", "")
    assert "Usage: tmf-sales" in run(checkout / ".venv/bin/tmf-sales", "--help")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_an_account_without_a_home_directory_can_install(tmp_path: Path) -> None:
    """uv needs a cache; the installer goes without one where none can be written."""
    script = (ROOT / "scripts/install").read_text()
    probe = script[script.index("cache=") : script.index('echo "Installing the versions')]
    said = subprocess.run(
        ["sh", "-eu", "-c", f"{probe}\necho ${{UV_NO_CACHE:-cached}}"],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        user="nobody",
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )

    assert said.stdout == "1\n"


def test_lock_changes_are_listed_by_package() -> None:
    before = "kept==1 \\\n    --hash=sha256:a\nold==1 \\\n    --hash=sha256:b\nmoved==1 \\\n    --hash=sha256:c\n"
    after = "kept==1 \\\n    --hash=sha256:a \\\n    --hash=sha256:d\nmoved==2 ; python_version < '3.12' \\\n"
    after += "    --hash=sha256:c\nnew==3\n"

    assert changes(before, after) == [
        "files    kept 1: 1 -> 2 hashes",
        "changed  moved 1 -> 2 ; python_version < '3.12'",
        "added    new 3",
        "removed  old 1",
    ]
