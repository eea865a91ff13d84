"""Compiles walks along documents: for each object type, a function with the statements that its members need.

A walk that reads the description of a type for each object takes twice the instructions, and every creation makes two
walks. The source of a function contains nothing but its statements, and names from the contract only as literals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from tmf_sales.contract.types import ObjectType

FunctionOf = Callable[[ObjectType], str]
"""Returns the name of the function for another object type, for a statement that calls it."""


class Walk(NamedTuple):
    """A walk: the parameters of its functions, the statements for one object type, and what these use by name."""

    name: str
    parameters: str
    statements: Callable[[ObjectType, FunctionOf], Iterator[str]]
    used: Mapping[str, Any]

    def of(self, object_type: ObjectType) -> Callable[..., None]:
        """The function for this type. It is compiled at its first use, together with those that it calls."""
        return object_type.walks.get(self.name) or self._compiled(object_type)

    def _compiled(self, object_type: ObjectType) -> Callable[..., None]:
        functions: dict[int, str] = {}  # by identity: a component may have the name that a type inside another one gets
        reached: list[ObjectType] = []

        def function_of(each: ObjectType) -> str:
            if id(each) not in functions:
                functions[id(each)] = f"walk_{len(functions)}"
                reached.append(each)
            return functions[id(each)]

        function_of(object_type)
        lines: list[str] = []
        for each in reached:  # grows while it is walked
            lines.append(f"def {functions[id(each)]}({self.parameters}):")
            lines += [f"    {statement}" for statement in self.statements(each, function_of)]
            lines.append("    return")
        found = dict(self.used)
        exec(compile("\n".join(lines), f"<{self.name} of {object_type.name}>", "exec"), found)  # noqa: S102
        for each in reached:
            each.walks[self.name] = found[functions[id(each)]]
        return object_type.walks[self.name]
