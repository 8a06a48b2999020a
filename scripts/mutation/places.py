"""Where conditions and constants can be changed, and into what."""
import re
from pathlib import Path

import tree_sitter
import tree_sitter_rust

HOME = Path(__file__).resolve().parent.parent.parent
PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))

# What a comparison becomes: first its border, then its opposite.
COMPARISONS = {"<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"], "==": ["!="], "!=": ["=="]}
# Calls that take a condition as a closure.
PREDICATES = {"filter", "any", "all", "find", "position", "rposition", "take_while", "skip_while", "is_some_and", "is_none_or",
              "is_ok_and", "retain", "partition", "next_if"}


class Source:
    """One file, read."""

    def __init__(self, path):
        self.path = path
        self.original = (HOME / path).read_text()
        self.text = unfold(self.original.encode())
        self.root = PARSER.parse(self.text).root_node

    def of(self, node):
        return self.text[node.start_byte:node.end_byte].decode()

    def module(self):
        """The last word of the module's path."""
        name = Path(self.path)
        return name.parent.name if name.name == "mod.rs" else name.stem


def unfold(text):
    """Writes `matches!` as the `match` that it stands for, so that its pattern and its condition can be read."""
    while True:
        found = None
        stack = [PARSER.parse(text).root_node]
        while stack:
            node = stack.pop()
            if node.type == "macro_invocation" and text[node.start_byte:node.end_byte].startswith(b"matches!"):
                found = node
                break
            # Inside of another macro only words are known, and `matches` is one of them.
            stack += node.children
        if found is None:
            return text
        inner = text[found.start_byte:found.end_byte]
        start, end = inner.index(b"(") + 1, inner.rindex(b")")
        arguments = inner[start:end]
        depth, comma = 0, None
        for at, byte in enumerate(arguments):
            depth += (byte in b"([{") - (byte in b")]}")
            if byte == ord(",") and depth == 0:
                comma = at
                break
        pattern = arguments[comma + 1:].rstrip()
        tail = arguments[comma + 1 + len(pattern):]
        pattern = pattern[:-1] if pattern.endswith(b",") else pattern
        written = b"(match " + arguments[:comma] + b" {" + pattern + b" => true, _ => false}" + tail + b")"
        text = text[:found.start_byte] + written + text[found.end_byte:]


def ancestors(node):
    while node.parent is not None:
        yield node, node.parent
        node = node.parent


def field(parent, child):
    """The name of the field that a child fills."""
    for at, other in enumerate(parent.children):
        if other == child:
            return parent.field_name_for_child(at)
    return None


def excluded(source, node):
    """Whether a node is a test, or belongs to a rule's cases."""
    path = Path(source.path)
    if path.name in ("tests.rs", "cases.rs") or path.parent.name == "tests":
        return True
    for child, parent in ancestors(node):
        before = child.prev_named_sibling
        while before is not None and before.type in ("attribute_item", "line_comment", "block_comment"):
            if before.type == "attribute_item" and "test" in source.of(before):
                return True
            before = before.prev_named_sibling
        if parent.type == "field_initializer" and source.of(parent).startswith("cases:"):
            return True
        if parent.type == "function_item":
            kind = parent.child_by_field_name("return_type")
            if kind is not None and re.search(r"\b(Trace|Example|OnAir)\b", source.of(kind)):
                return True
    return False


def enclosing(source, node):
    """Where a node's value is settled: ("run", None), ("const", its item), or ("no", None) for patterns and types."""
    for child, parent in ancestors(node):
        kind = parent.type
        if kind == "closure_expression":
            return "run", None
        if kind == "function_item":
            modifiers = next((c for c in parent.children if c.type == "function_modifiers"), None)
            fixed = modifiers is not None and "const" in source.of(modifiers)
            return ("no", None) if fixed else ("run", None)
        if kind in ("const_item", "static_item"):
            if field(parent, child) != "value":
                return "no", None
            return "const", parent
        if kind == "match_pattern" and field(parent, child) == "condition":
            continue
        if kind.endswith("_pattern") or kind in ("array_type", "use_declaration", "enum_variant", "macro_definition"):
            return "no", None
    return "no", None


def walk(node):
    yield node
    for child in node.children:
        yield from walk(child)


def operator(node):
    child = node.child_by_field_name("operator")
    return child.type if child is not None else None


def number(text):
    """The numbers that stand for this one: a step up and a step down."""
    plain = text.replace("_", "")
    found = re.fullmatch(r"(0x[0-9a-f]+|0b[01]+|[0-9]+)((?:u|i)(?:8|16|32|64|128|size))?", plain, re.I)
    if found:
        digits, suffix = found[1], found[2] or ""
        value = int(digits, 0)
        step = 1 if digits[:2] in ("0x", "0b") else max(1, value // 10)
        shape = "0x{:x}" if digits[:2] == "0x" else "{}"
        return [shape.format(n) + suffix for n in (value + step, value - step) if n >= 0]
    found = re.fullmatch(r"([0-9]+\.[0-9]*(?:e[0-9]+)?)(f32|f64)?", plain)
    if found:
        value = float(found[1])
        step = value / 10 if value else 1.0
        return [repr(n) + (found[2] or "") for n in (value + step, value - step)]
    return []


def flat(node, kind):
    """The operands of a chain of one operator."""
    if node.type == "binary_expression" and operator(node) == kind:
        return flat(node.child_by_field_name("left"), kind) + flat(node.child_by_field_name("right"), kind)
    return [node]


class Change:
    """One change at one place: what a node becomes."""

    def __init__(self, source, node, kind, becomes):
        self.source, self.node, self.kind, self.becomes = source, node, kind, becomes
        self.where, self.item = enclosing(source, node)
        self.row = node.start_point.row + 1

    def label(self):
        squeeze = lambda text: re.sub(r"\s+", " ", text)
        return f"{squeeze(self.source.of(self.node))[:110]} → {squeeze(self.becomes)[:110]}"


def changes(source):
    found = {}

    def add(node, kind, becomes):
        key = (node.start_byte, node.end_byte, becomes)
        if key not in found and source.of(node) != becomes:
            found[key] = Change(source, node, kind, becomes)

    def in_condition(node):
        """Whether a number is compared with, or stands in a predicate's or an `if`'s condition."""
        for child, parent in ancestors(node):
            if parent.type == "binary_expression" and operator(parent) in COMPARISONS:
                return True
            if parent.type in ("block", "arguments", "closure_expression", "function_item", "match_arm", "index_expression"):
                return False
        return False

    for node in walk(source.root):
        kind = node.type
        if kind == "binary_expression":
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            sign = operator(node)
            head = lambda a, b: source.text[a:b].decode()
            mark = node.child_by_field_name("operator")
            replaced = lambda by: head(node.start_byte, mark.start_byte) + by + head(mark.end_byte, node.end_byte)
            for by in COMPARISONS.get(sign, []):
                add(node, "comparison", replaced(by))
            if sign in ("&&", "||"):
                add(node, "and-or", replaced("||" if sign == "&&" else "&&"))
                for operand in flat(node, sign):
                    add(operand, "operand", "true" if sign == "&&" else "false")
        elif kind == "let_chain":
            for operand in node.named_children:
                if operand.type != "let_condition":
                    add(operand, "operand", "true")
                    add(operand, "operand", "false")
        elif kind == "unary_expression" and node.children[0].type == "!":
            add(node, "not", source.of(node.children[1]))
        elif kind in ("if_expression", "while_expression"):
            condition = node.child_by_field_name("condition")
            if condition is not None and condition.type not in ("let_condition", "let_chain"):
                for by in ["true", "false"] if kind == "if_expression" else ["false"]:
                    add(condition, "condition", by)
        elif kind == "match_pattern":
            condition = node.child_by_field_name("condition")
            if condition is not None and condition.type not in ("let_condition", "let_chain"):
                add(condition, "guard", "true")
                add(condition, "guard", "false")
        elif kind == "match_expression" and re.search(rb"=> true, _ => false}\s*$", source.text[node.start_byte:node.end_byte]):
            add(node, "matches", "!" + "(" + source.of(node) + ")")
        elif kind == "closure_expression" and node.parent.type == "arguments" and node.parent.parent.type == "call_expression":
            called = node.parent.parent.child_by_field_name("function")
            name = called.child_by_field_name("field") if called.type == "field_expression" else None
            body = node.child_by_field_name("body")
            if name is not None and source.of(name) in PREDICATES and body.type != "block":
                add(body, "predicate", "true")
                add(body, "predicate", "false")
        elif kind in ("integer_literal", "float_literal") and node.parent.type != "field_expression":
            where, item = enclosing(source, node)
            value = node.parent if node.parent.type == "unary_expression" else node
            if where == "const" or (where != "no" and in_condition(node)):
                for by in number(source.of(node)):
                    add(node, "number", by)
        elif kind == "call_expression":
            called = source.of(node.child_by_field_name("function"))
            if called.endswith("Span::from_ms"):
                where, item = enclosing(source, node)
                if where == "const" or in_condition(node):
                    add(node.child_by_field_name("function"), "unit", called[:-len("::from_ms")])
    return [c for c in found.values() if not excluded(source, c.node)]
