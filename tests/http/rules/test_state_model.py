"""Long random sequences of requests, sent to the service and applied to a plain Python model of both APIs.

The model knows the state machines, what a state closes, versions and their order, filters, pages and subscriptions; it
shares nothing with the service. After every step the service must hold exactly what the model holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.api import JSON, JSON_PATCH, MERGE_PATCH, Api, Document, document_of
from tests.http.conftest import Services
from tests.http.resources import LEAD, QUOTE, Resource

QUERY_PATCH = "application/json-patch-query+json"
NEXT = {
    "SalesLead": {
        "acknowledged": {"inProgress", "cancelled"},
        "inProgress": {"pending", "accepted", "rejected"},
        "pending": {"inProgress", "rejected"},
        "accepted": set(),
        "rejected": set(),
        "cancelled": set(),
    },
    "Quote": {
        "inProgress": {"pending", "approved", "cancelled"},
        "pending": {"inProgress", "cancelled"},
        "approved": {"accepted", "rejected"},
        "accepted": set(),
        "rejected": set(),
        "cancelled": set(),
    },
}
CLOSED = {
    "SalesLead": {"accepted", "rejected", "cancelled"},
    "Quote": {"approved", "accepted", "rejected", "cancelled"},
}
SET_BY_A_STATE = {"statusChangeDate", "statusChangeReason", "effectiveQuoteCompletionDate", "validFor", "quoteItem"}
WORDS = st.sampled_from(["ada", "Bob", "a b", "ü", "x" * 40, "10", "9"])
FORMS = [MERGE_PATCH, JSON, JSON_PATCH, QUERY_PATCH]


class Story(RuleBasedStateMachine):
    """One API over HTTP, and what it must hold: for each id its versions, the current one first."""

    api: ClassVar[Api]
    resource: ClassVar[Resource]
    ids = Bundle("ids")
    listeners = Bundle("listeners")

    @initialize(target=ids, texts=st.lists(st.none() | WORDS, min_size=2, max_size=4))
    def begin(self, texts: list[str | None]) -> MultipleResults[str]:
        self.held: dict[str, list[Document]] = {}
        self.tags: dict[tuple[str, str], str] = {}
        self.queries: dict[str, str | None] = {}
        return multiple(*(self._create(text) for text in texts))

    def teardown(self) -> None:
        for id in getattr(self, "held", {}):
            self.api.delete(f"{self.resource.collection}/{id}")
        for id in getattr(self, "queries", {}):
            self.api.delete(f"/hub/{id}")

    # Creating ---------------------------------------------------------------------------------------------------------
    @rule(target=ids, text=st.none() | WORDS)
    def create(self, text: str | None) -> str:
        return self._create(text)

    def _create(self, text: str | None) -> str:
        sent = self.resource.body() if text is None else self.resource.body(**{self.resource.text: text})
        answer = self.api.post(self.resource.collection, sent)
        assert answer.status_code == 201, answer.text
        document = document_of(answer)
        assert document.get(self.resource.text) == text
        assert document[self.resource.state] == self.resource.states[0]
        assert document["id"] not in self.held
        self.held[document["id"]] = [document]
        self._tag(answer, document)
        return str(document["id"])

    @precondition(lambda self: self.resource is QUOTE)
    @rule(id=ids, number=st.sampled_from([None, "1", "2", "3", "1.5", "2.0", "10"]), text=WORDS)
    def create_version(self, id: str, number: str | None, text: str) -> None:
        versions = self.held.get(id)
        body = {**self.resource.body(description=text), "id": id} | ({} if number is None else {"version": number})
        answer = self.api.post("/quote", body)
        if versions is None:
            assert answer.status_code == 404
        elif number is not None and any(rank(number) == rank(held["version"]) for held in versions):
            assert answer.status_code == 409
        else:
            assert answer.status_code == 201, answer.text
            document = document_of(answer)
            assert document["version"] == (number or str(rank(versions[0]["version"])[0] + 1))
            assert (document["description"], document["state"]) == (text, "inProgress")
            versions.append(document)
            versions.sort(key=lambda held: rank(held["version"]), reverse=True)
            self._tag(answer, document)

    # Changing ---------------------------------------------------------------------------------------------------------
    @rule(id=ids, form=st.sampled_from(FORMS), text=st.none() | WORDS)
    def change_a_text(self, id: str, form: str, text: str | None) -> None:
        self._change(id, form, self.resource.text, text)

    @rule(id=ids, form=st.sampled_from(FORMS), data=st.data())
    def change_the_state(self, id: str, form: str, data: st.DataObject) -> None:
        state = data.draw(st.sampled_from(sorted(NEXT[self.resource.name])))
        self._change(id, form, self.resource.state, state)

    @precondition(lambda self: self.resource is QUOTE)
    @rule(id=ids, quantity=st.integers(1, 9))
    def change_an_item_by_a_query(self, id: str, quantity: int) -> None:
        operation = {"op": "replace", "path": "/quoteItem/quantity?id=1", "value": quantity}
        answer = self.api.patch(f"/quote/{id}", [operation], as_type=QUERY_PATCH)
        if (held := self._current(id)) is None:
            assert answer.status_code == 404
            return
        item = {**held["quoteItem"][0], "quantity": quantity}
        self._normalize(answer, held, {"quoteItem": [item]})

    @rule(id=ids, text=WORDS)
    def change_what_another_has_changed(self, id: str, text: str) -> None:
        if (held := self._current(id)) is not None:
            for headers in ({"If-Match": '"never"'}, {"If-None-Match": "*"}):
                answer = self.api.patch(self._at(id), {self.resource.text: text}, headers)
                assert answer.status_code == 412
                assert self.api.delete(self._at(id), headers).status_code == 412
            assert self.api.get(self._at(id)).json() == held

    @rule(id=ids)
    def delete(self, id: str) -> None:
        answer = self.api.delete(self._at(id))
        assert answer.status_code == (204 if self.held.pop(id, None) else 404)

    @precondition(lambda self: self.resource is QUOTE)
    @rule(id=ids, number=st.sampled_from(["1", "2", "1.5", "10"]))
    def delete_a_version(self, id: str, number: str) -> None:
        versions = self.held.get(id, [])
        left = [held for held in versions if rank(held["version"]) != rank(number)]
        answer = self.api.delete(f"/quote/{id}:(version={number})")
        assert answer.status_code == (404 if len(left) == len(versions) else 204)
        if left:
            self.held[id] = left
        else:
            self.held.pop(id, None)

    # Reading ----------------------------------------------------------------------------------------------------------
    @rule(id=ids)
    def read(self, id: str) -> None:
        answer = self.api.get(self._at(id))
        if (held := self._current(id)) is None:
            assert answer.status_code == 404
            return
        assert answer.json() == held
        tag = self.tags[self._key(held)]
        assert answer.headers["etag"] == tag
        assert self.api.get(self._at(id), {"If-None-Match": tag}).status_code == 304
        assert self.api.get(self._at(id), {"If-Match": tag}).json() == held
        assert self.api.head(self._at(id), {"If-Match": f"W/{tag}"}).status_code == 412
        wanted = {name: held[name] for name in ("id", "href", self.resource.text) if name in held}
        assert self.api.get(self._at(id), fields=self.resource.text).json() == wanted

    @precondition(lambda self: self.resource is QUOTE)
    @rule(id=ids)
    def read_the_versions(self, id: str) -> None:
        assert self.api.get("/quote", id=id).json() == self.held.get(id, [])[::-1]
        for held in self.held.get(id, []):
            assert self.api.get(f"/quote/{id}:(version={held['version']})").json() == held

    @rule(text=WORDS, negated=st.booleans())
    def filter_by_a_text(self, text: str, negated: bool) -> None:
        name = self.resource.text
        found = self._listed(**{f"{name}.ne" if negated else name: text})
        fits: Callable[[Document], bool] = lambda held: (held.get(name) == text) is not negated  # noqa: E731
        assert found == {held["id"]: held for held in self._all() if fits(held)}

    @rule(data=st.data())
    def filter_by_the_state(self, data: st.DataObject) -> None:
        states = data.draw(st.sets(st.sampled_from(sorted(NEXT[self.resource.name])), min_size=1, max_size=2))
        found = self._listed(**{self.resource.state: ",".join(sorted(states))})
        assert found == {held["id"]: held for held in self._all() if held[self.resource.state] in states}

    @rule(offset=st.integers(0, 4), limit=st.integers(0, 4), downwards=st.booleans())
    def page(self, offset: int, limit: int, downwards: bool) -> None:
        name = self.resource.text
        answer = self.api.get(self.resource.collection, sort=f"{'-' * downwards}{name}", offset=offset, limit=limit)
        have = sorted((held for held in self._all() if name in held), key=lambda held: str(held["id"]))
        have.sort(key=lambda held: str(held[name]), reverse=downwards)
        lack = sorted((held for held in self._all() if name not in held), key=lambda held: str(held["id"]))
        assert answer.json() == [*have, *lack][offset : offset + limit]
        assert answer.headers["x-total-count"] == str(len(self.held))
        assert answer.status_code == (206 if offset < len(self.held) and len(answer.json()) < len(self.held) else 200)

    # Listening --------------------------------------------------------------------------------------------------------
    @rule(target=listeners, query=st.sampled_from([None, "fields=eventId", "title=NobodySendsThis"]))
    def listen(self, query: str | None) -> str:
        callback = {"callback": "http://127.0.0.1:9/nobody"} | ({} if query is None else {"query": query})
        answer = self.api.post("/hub", callback)
        known = [id for id, held in self.queries.items() if held == query]
        if known:
            assert answer.status_code == 409
            return known[0]
        assert answer.status_code == 201, answer.text
        listener = document_of(answer)
        assert {**callback, "query": query} == {"callback": listener["callback"], "query": listener["query"]}
        self.queries[listener["id"]] = query
        return str(listener["id"])

    @rule(id=consumes(listeners))
    def stop_listening(self, id: str) -> None:
        known = id in self.queries
        self.queries.pop(id, None)
        assert self.api.delete(f"/hub/{id}").status_code == (204 if known else 404)

    # What holds after every step --------------------------------------------------------------------------------------
    @invariant()
    def the_service_holds_what_the_model_holds(self) -> None:
        if hasattr(self, "held"):
            assert self._listed() == {held["id"]: held for held in self._all()}
            assert {each["id"]: each["query"] for each in self.api.get("/hub").json()} == self.queries

    # ------------------------------------------------------------------------------------------------------------------
    def _at(self, id: str) -> str:
        return f"{self.resource.collection}/{id}"

    def _all(self) -> Iterator[Document]:
        return (versions[0] for versions in self.held.values())

    def _current(self, id: str) -> Document | None:
        return self.held[id][0] if id in self.held else None

    def _key(self, document: Document) -> tuple[str, str]:
        return document["id"], document.get("version", "")

    def _tag(self, answer: httpx.Response, document: Document) -> None:
        self.tags[self._key(document)] = answer.headers["etag"]

    def _listed(self, **filters: str) -> dict[str, Document]:
        answer = self.api.get(self.resource.collection, **filters)
        assert answer.status_code == 200, answer.text
        found = {document["id"]: document for document in answer.json()}
        assert answer.headers["x-total-count"] == str(len(found)) == str(len(answer.json()))
        return found

    def _change(self, id: str, form: str, name: str, value: str | None) -> None:
        held = self._current(id)
        patch: Any = {name: value}
        if form in {JSON_PATCH, QUERY_PATCH}:
            operation = {"op": "add", "path": f"/{name}", "value": value}
            patch = [{"op": "remove", "path": f"/{name}"} if value is None else operation]
        answer = self.api.patch(self._at(id), patch, as_type=form)
        if held is None:
            assert answer.status_code == 404
        elif isinstance(patch, list) and value is None and name not in held:
            assert answer.status_code == 409, "there is nothing to remove"
        else:
            self._normalize(answer, held, {name: value})

    def _normalize(self, answer: httpx.Response, held: Document, change: dict[str, Any]) -> None:
        """What becomes of a change to the current version: taken if the state allows it, and then nothing else."""
        real = {name: value for name, value in change.items() if held.get(name) != value}
        state = held[self.resource.state]
        wanted = real.get(self.resource.state, state)
        forbidden = wanted != state and wanted not in NEXT[self.resource.name][state]
        closed = state in CLOSED[self.resource.name] and real.keys() - {self.resource.state}
        if forbidden or closed:
            assert answer.status_code == 409, answer.text
            return
        assert answer.status_code == 200, answer.text
        document = document_of(answer)
        free = real.keys() | (SET_BY_A_STATE if wanted != state else set())
        for name in (document.keys() | held.keys()) - free:
            assert document.get(name) == held.get(name), name
        for name, value in real.items():
            assert document.get(name) == value
        if wanted != state and self.resource is LEAD:
            assert "statusChangeReason" not in document
        if not real:
            assert answer.headers["etag"] == self.tags[self._key(held)]
        self.held[held["id"]][0] = document
        self._tag(answer, document)


def rank(number: str) -> tuple[int, ...]:
    parts = [int(part) for part in number.split(".")]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def tell(services: Services, store: str, resource: Resource, *, stories: int, steps: int) -> None:
    with services.at(services.new_store(store), "--no-delivery") as service:
        api = services.api(service, resource.base_path)
        story = type(f"{resource.name}Story", (Story,), {"api": api, "resource": resource})
        run_state_machine_as_test(
            story,
            settings=settings(
                derandomize=True,
                deadline=None,
                database=None,
                max_examples=stories,
                stateful_step_count=steps,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            ),
        )


@pytest.mark.parametrize("kind", [LEAD, QUOTE], ids=["lead", "quote"])
def test_the_service_holds_what_a_model_holds(services: Services, kind: Resource) -> None:
    tell(services, "sqlite", kind, stories=8, steps=25)


@pytest.mark.full
@pytest.mark.parametrize("store", ["memory", "sqlite", "mongo"])
@pytest.mark.parametrize("kind", [LEAD, QUOTE], ids=["lead", "quote"])
def test_the_service_holds_what_a_model_holds_for_long(services: Services, store: str, kind: Resource) -> None:
    tell(services, store, kind, stories=40, steps=40)
