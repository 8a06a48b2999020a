#!/usr/bin/env python3
"""Make the module's types from the report's schema.

    python3 python/make_types.py           writes python/package/hcidiff/types.py
    python3 python/make_types.py --check   fails where it is not current
"""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = HERE.parent / "docs" / "report.schema.json"
TYPES = HERE / "package" / "hcidiff" / "types.py"

WORDS = {"integer": "int", "number": "float", "string": "str", "boolean": "bool", "null": "None"}
#: A class of this name would hide Python's own.
RENAMED = {"warning": "CaptureWarning"}

HEAD = '''"""What a report holds, attribute by attribute, as `hcidiff schema` describes it.

Made from the schema by `python/make_types.py`.
"""
from __future__ import annotations

from typing import Literal, Optional, Union

from .record import Record'''


def class_name(definition):
    return RENAMED.get(definition) or "".join(word.title() for word in definition.split("_"))


def python_type(schema):
    """The annotation of a value."""
    if "$ref" in schema:
        return class_name(schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        return union([python_type(one) for one in schema["anyOf"]])
    if "const" in schema:
        return f"Literal[{json.dumps(schema['const'])}]"
    if "enum" in schema:
        words = [word for word in schema["enum"] if word is not None]
        literal = "Literal[" + ", ".join(json.dumps(word) for word in words) + "]"
        return union([literal] + ["None"] * (None in schema["enum"]))
    if schema.get("type") == "array":
        return f"list[{python_type(schema['items'])}]"
    if schema.get("type") == "object" or "type" not in schema:
        return "dict[str, object]"
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return union([WORDS[kind] for kind in kinds])


def union(kinds):
    kinds = [kind[len("Optional["):-1] if kind.startswith("Optional[") else kind for kind in kinds] + [
        "None" for kind in kinds if kind.startswith("Optional[")
    ]
    some = [kind for kind in kinds if kind != "None"]
    if not some:
        return "None"
    one = some[0] if len(some) == 1 else f"Union[{', '.join(some)}]"
    return f"Optional[{one}]" if "None" in kinds else one


def part(schema):
    """The class of a value, or of each value of a list, where it is one of ours."""
    if "$ref" in schema:
        return class_name(schema["$ref"].rsplit("/", 1)[1])
    inner = schema.get("anyOf", [schema["items"]] if schema.get("type") == "array" else [])
    return next(filter(None, map(part, inner)), None)


def merged(definition, definitions):
    """One of several objects: the fields of all of them, of which some may be missing."""
    several = [definitions[one["$ref"].rsplit("/", 1)[1]] for one in definition["anyOf"]]
    properties = {}
    for one in several:
        properties.update(one["properties"])
    required = set.intersection(*(set(one["required"]) for one in several))
    return {**definition, "properties": properties, "required": sorted(required)}


def made():
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    out = [HEAD]
    parts = []
    definitions = {**schema["$defs"], "contents": schema}
    for name, definition in definitions.items():
        if "anyOf" in definition:
            definitions[name] = merged(definition, definitions)
    for name, definition in definitions.items():
        words = definition.get("description", "") if name != "contents" else "The whole report."
        out.append(f"\n\nclass {class_name(name)}(Record):")
        out.append(f'    """{words}"""\n' if words else "")
        required = definition.get("required", [])
        for field, value in definition["properties"].items():
            kind = python_type(value)
            if field not in required and not kind.startswith("Optional["):
                kind = f"Optional[{kind}]"
            if value.get("description"):
                out.append(f"    #: {value['description']}")
            out.append(f"    {field}: {kind}")
            if part(value):
                parts.append(f'{class_name(name)}._parts["{field}"] = {part(value)}')
    text = "\n".join(line for line in out if line != "")
    return text + "\n\n\n" + "\n".join(parts) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if TYPES.read_text(encoding="utf-8") != made():
            sys.exit("python/package/hcidiff/types.py is not current: python3 python/make_types.py")
    else:
        TYPES.write_text(made(), encoding="utf-8")
