"""Imports contracts into moto's Amazon API Gateway and prints, as JSON, the methods of each API and their integrations.

Arguments: the URL of the service, and the contracts in the profile for gateways. Each method gets an HTTP proxy
integration, as docs/how-to/gateways.md says. Runs as a program of its own, with moto on its path.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-not-found]
from moto import mock_aws  # type: ignore[import-not-found]

ACCOUNT = {"region_name": "eu-west-1", "aws_access_key_id": "id", "aws_secret_access_key": "secret"}


def imported(client: Any, service: str, contract: Path) -> dict[str, Any]:
    body = contract.read_bytes()
    base_path = json.loads(body)["servers"][0]["url"]
    api = client.import_rest_api(body=body, failOnWarnings=True)["id"]
    methods = []
    for resource in client.get_resources(restApiId=api, limit=500)["items"]:
        for method in resource.get("resourceMethods", {}):
            key = {"restApiId": api, "resourceId": resource["id"], "httpMethod": method}
            uri = f"{service}{base_path}{resource['path']}"
            path = {"integration.request.path.id": "method.request.path.id"} if "{id}" in resource["path"] else {}
            proxy = {"type": "HTTP_PROXY", "integrationHttpMethod": method, "uri": uri, "requestParameters": path}
            client.put_integration(**key, **proxy)
            kept = client.get_method(**key)["methodIntegration"]
            methods.append({"method": method, "path": resource["path"], "uri": kept["uri"]})
    return {"base_path": base_path, "methods": methods}


with mock_aws():
    gateway = boto3.client("apigateway", **ACCOUNT)
    service_url, *contracts = sys.argv[1:]
    print(json.dumps([imported(gateway, service_url, Path(contract)) for contract in contracts]))
