"""Where the contracts lie: the one thing that the service and the conformance run share besides the contracts."""

from pathlib import Path


def contracts_folder() -> Path:
    """Beside the sources in a checkout, inside the package when it is installed."""
    packaged = Path(__file__).parents[1] / "openapi"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "openapi"
