"""`scripts/docs_site`: writes a page for each contract, rendered by Redoc, and an index.

Guarantee: a page is one file that loads nothing from elsewhere, so it works offline and as a mail attachment. Its
content security policy makes browsers enforce that.
"""

from __future__ import annotations

import base64
import html
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from tmf_sales.contract.bundling import bundle
from tmf_sales.contract.files import contract_files

REMOTE_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"
NO_LOGO = "data:image/svg+xml;base64," + base64.b64encode(b'<svg xmlns="http://www.w3.org/2000/svg"/>').decode()
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; worker-src blob:"
OPTIONS = {
    "disableSearch": False,
    "expandResponses": "200,201",
    "hideDownloadButton": True,
    "jsonSampleExpandLevel": 3,
    "schemaExpansionLevel": 0,
    "sortRequiredPropsFirst": True,
    "theme": {
        "typography": {"fontFamily": "system-ui, sans-serif", "headings": {"fontFamily": "system-ui, sans-serif"}}
    },
}

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>body {{ margin: 0; font-family: system-ui, sans-serif }}</style>
</head>
<body>
{body}
</body>
</html>
"""


def page(document: dict[str, Any], redoc: str) -> str:
    """The page of one bundled contract; `redoc` is the source of redoc.standalone.js."""
    script = redoc.replace(REMOTE_LOGO, NO_LOGO).replace("</script", "<\\/script")
    body = (
        '<div id="page"></div>\n'
        f"<script>{script}</script>\n"
        f"<script>Redoc.init({_literal(document)}, {_literal(OPTIONS)}, document.getElementById('page'))</script>"
    )
    return _in_a_page(f"{document['info']['title']} {document['info']['version']}", body)


def index(titles: dict[str, str]) -> str:
    """Links to the pages: file name -> title."""
    links = "\n".join(f'<li><a href="{name}">{html.escape(title)}</a></li>' for name, title in titles.items())
    return _in_a_page(
        "API contracts", f'<main style="margin: 2rem"><h1>API contracts</h1>\n<ul>\n{links}\n</ul></main>'
    )


def write_site(contracts: Path, redoc: Path, target: Path) -> Iterator[Path]:
    """Write index.html, a page for each contract, and the licences of the bundled code; yield the paths written."""
    target.mkdir(parents=True, exist_ok=True)
    script = redoc.read_text(encoding="utf-8")
    texts, titles = {}, {}
    for contract in contract_files(contracts):
        document, name = bundle(contract), f"{contract.stem}.html"
        texts[name] = page(document, script)
        titles[name] = f"{document['info']['title']} {document['info']['version']}"
    texts["index.html"] = index(titles)
    texts["LICENSES.txt"] = redoc.with_name(f"{redoc.name}.LICENSE.txt").read_text(encoding="utf-8")
    for name, text in texts.items():
        path = target / name
        path.write_text(text, encoding="utf-8")
        yield path


def _in_a_page(title: str, body: str) -> str:
    return PAGE.format(policy=POLICY, title=html.escape(title), body=body)


def _literal(value: Any) -> str:
    """JSON that cannot end the script element around it."""
    return (
        orjson.dumps(value).decode().replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    )


if __name__ == "__main__":
    for path in write_site(*map(Path, sys.argv[1:4])):
        print(path)
