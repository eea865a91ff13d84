"""Waits for what a screen of the console shows."""

from __future__ import annotations

from tests.console.browser import Page

PATIENCE = 20_000  # milliseconds


def shown(page: Page, condition: str) -> None:
    """Return when the JavaScript condition holds; it is asked again after each change of the page."""
    held = page.evaluate(
        f"""new Promise((resolve) => {{
          const holds = () => !!({condition});
          if (holds()) return resolve(true);
          const watch = new MutationObserver(() => holds() && (watch.disconnect(), resolve(true)));
          watch.observe(document, {{subtree: true, childList: true, attributes: true, characterData: true}});
          setTimeout(() => resolve(holds()), {PATIENCE});
        }})"""
    )
    assert held, (condition, page.evaluate("document.body.innerText"))
