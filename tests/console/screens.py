"""Waits for what a screen of the console shows."""

from __future__ import annotations

from tests.console.browser import Page

PATIENCE = 60_000  # milliseconds


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


def click(page: Page, name: str, within: str = "main") -> None:
    """Click the button or link with this text or label, once it is there."""
    found = (
        f"[...document.querySelectorAll({within!r} + ' :is(button, a, summary)')]"
        f".find((each) => (each.getAttribute('aria-label') ?? each.textContent).trim() === {name!r} && !each.disabled)"
    )
    shown(page, found)
    page.evaluate(f"{found}.click()")


def fill(page: Page, selector: str, text: str) -> None:
    """Type the text into a field, which may be a list to choose from."""
    field = f"document.querySelector({selector!r})"
    shown(page, field)
    page.evaluate(
        f"""(() => {{
          const field = {field};
          const prototype = Object.getPrototypeOf(field);
          Object.getOwnPropertyDescriptor(prototype, "value").set.call(field, {text!r});
          field.dispatchEvent(new Event("input", {{bubbles: true}}));
          field.dispatchEvent(new Event("change", {{bubbles: true}}));
        }})()"""
    )


def says(page: Page, text: str, within: str = "main") -> None:
    """Return when the part of the page has the text."""
    shown(page, f"document.querySelector({within!r})?.innerText.includes({text!r})")
