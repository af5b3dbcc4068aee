"""Find the small faults that tools/mutation.py puts into a module, by mutmut's operators and ours.

Text that only people read is left alone: docstrings, annotations, messages of exceptions, help.
A line that ends in `# pragma: no mutate` is left alone, too; the reason belongs beside it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_number, operator_string

NO_MUTANT = "pragma: no mutate"
MIN_DOUBLED = 1e-6
"""Smaller numbers guard a division or a logarithm: twice as much is as good."""


@dataclass(frozen=True)
class Fault:
    """One node of a module and what replaces it."""

    old: cst.CSTNode
    new: cst.CSTNode
    line: int
    lines: range
    """Of the statement; a tracer sees not all of them."""

    in_function: bool
    """Whether it runs when a function is called, and not when the module is imported."""

    names: frozenset[str]
    """What the statement defines."""


@dataclass(frozen=True)
class Mutant:
    """One module with one fault."""

    module: str
    path: Path
    fault: Fault
    source: str
    before: str
    after: str

    @property
    def room(self) -> str:
        """Return the package below personae that it is in."""
        return self.module.split(".")[1]


class FaultFinder(cst.CSTVisitor):
    """Collect the faults of one module."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, lines: list[str]) -> None:
        self.faults: list[Fault] = []
        self._lines = lines
        self._depth = 0
        self._statements: list[tuple[range, frozenset[str]]] = [(range(0), frozenset())]

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _is_left_alone(node):
            return False
        if isinstance(node, cst.BaseStatement | cst.BaseSmallStatement):
            place = self.get_metadata(PositionProvider, node)
            end = place.end.line
            if isinstance(node, cst.BaseCompoundStatement):
                end = self.get_metadata(PositionProvider, node.body).start.line - 1
            names = _defined_names(node) or self._statements[-1][1]
            start = place.start.line
            self._statements.append((range(start, max(end, start) + 1), names))
        line = self.get_metadata(PositionProvider, node).start.line
        if NO_MUTANT not in self._lines[line - 1]:
            span, names = self._statements[-1]
            for new in _replacements(node):
                self.faults.append(Fault(node, new, line, span, self._depth > 0, names))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(
            original_node, cst.BaseStatement | cst.BaseSmallStatement
        ) and not _is_left_alone(original_node):
            self._statements.pop()

    def on_visit_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        self._depth += attribute == "body" and isinstance(node, cst.FunctionDef | cst.Lambda)

    def on_leave_attribute(self, original_node: cst.CSTNode, attribute: str) -> None:
        inside = attribute == "body" and isinstance(original_node, cst.FunctionDef | cst.Lambda)
        self._depth -= inside


def find_faults(text: str) -> tuple[cst.Module, list[Fault]]:
    """Return the tree of a module, and its faults."""
    wrapper = MetadataWrapper(cst.parse_module(text))
    finder = FaultFinder([*text.splitlines(), ""])
    wrapper.visit(finder)
    return wrapper.module, finder.faults


def apply_fault(tree: cst.Module, fault: Fault) -> str:
    """Return the text of a module with one fault."""
    return cst.ensure_type(tree.deep_replace(fault.old, fault.new), cst.Module).code


def find_mutants(
    folder: Path, package: str, limit: int | None, seed: int
) -> tuple[list[Mutant], int]:
    """List the mutants of a package, or a random sample of `limit` of them.

    Returns:
        The mutants in random order, and how many there are in all.
    """
    places = []
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text()
        tree, faults = find_faults(text)
        places += [(path, text, tree, fault) for fault in faults]
    total = len(places)
    random.Random(f"{seed} {package}").shuffle(places)
    mutants: list[Mutant] = []
    for path, text, tree, fault in places:
        if len(mutants) == limit:
            break
        source = apply_fault(tree, fault)
        try:
            compile(source, str(path), "exec", dont_inherit=True)
        except SyntaxError:
            total -= 1
            continue
        parts = (package, *path.relative_to(folder).with_suffix("").parts)
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        mutants.append(Mutant(module, path, fault, source, *_changed_line(text, source)))
    return mutants, total


def _replacements(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for kind, operator in mutation_operators:
        if isinstance(node, kind) and operator not in (operator_string, operator_number):
            yield from operator(node)
    if isinstance(node, cst.SimpleString):
        yield from list(operator_string(node))[:1]  # not the changes of its case
    if isinstance(node, cst.Integer | cst.Float):
        yield from operator_number(node)
    if isinstance(node, cst.Float) and abs(node.evaluated_value) >= MIN_DOUBLED:
        yield node.with_changes(value=repr(2 * node.evaluated_value))  # mutmut's 1 + x is too easy
    if isinstance(node, cst.Expr) and isinstance(node.value, cst.Call):
        yield cst.Pass()  # a call for its effect, such as fsync


def _is_left_alone(node: cst.CSTNode) -> bool:
    match node:
        case cst.Annotation() | cst.Decorator() | cst.Import() | cst.ImportFrom() | cst.Raise():
            return True
        case cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString()):
            return True
        case cst.Arg(keyword=cst.Name(value="description" | "help")):
            return True
        case cst.Subscript(value=cst.Name(value="Literal")):
            return True
        case cst.If(test=cst.Name(value="TYPE_CHECKING")):
            return True
    return "__all__" in _defined_names(node)


def _defined_names(node: cst.CSTNode) -> frozenset[str]:
    match node:
        case cst.SimpleStatementLine():
            return frozenset().union(*map(_defined_names, node.body))
        case cst.Assign():
            targets = [target.target for target in node.targets]
        case cst.AnnAssign():
            targets = [node.target]
        case cst.ClassDef() | cst.FunctionDef():
            targets = [node.name]
        case _:
            return frozenset()
    names: set[str] = set()
    for target in targets:
        elements = [e.value for e in target.elements] if isinstance(target, cst.Tuple) else [target]
        names |= {element.value for element in elements if isinstance(element, cst.Name)}
    return frozenset(names)


def _changed_line(before: str, after: str) -> tuple[str, str]:
    old, new = before.splitlines(), after.splitlines()
    for a, b in zip(old, new, strict=False):
        if a != b:
            return a.strip(), b.strip()
    return old[-1].strip(), new[-1].strip()
