#!/usr/bin/env python3
"""Checks issue forms by GitHub's rules for them. Needs PyYAML.

    check_forms.py FOLDER
"""
import pathlib
import re
import sys

import yaml

TOP = {"name", "description", "body", "assignees", "labels", "title", "type", "projects"}
ATTRIBUTES = {
    "markdown": ({"value"}, {"value"}),
    "textarea": ({"label"}, {"label", "description", "placeholder", "value", "render"}),
    "input": ({"label"}, {"label", "description", "placeholder", "value"}),
    "dropdown": ({"label", "options"}, {"label", "description", "multiple", "options", "default"}),
    "checkboxes": ({"label", "options"}, {"label", "description", "options"}),
}


def faults(form):
    if not isinstance(form, dict):
        return ["it is no mapping"]
    found = [f"unknown key {key}" for key in form.keys() - TOP]
    found += [f"{key} is missing" for key in ("name", "description", "body") if not form.get(key)]
    fields = form.get("body") or []
    ids, labels = [], []
    for number, field in enumerate(fields, 1):
        kind, attributes = field.get("type"), field.get("attributes") or {}
        if kind not in ATTRIBUTES:
            found.append(f"field {number}: there is no type {kind}")
            continue
        needed, known = ATTRIBUTES[kind]
        found += [f"field {number}: {key} is missing" for key in needed - attributes.keys()]
        found += [f"field {number}: unknown attribute {key}" for key in attributes.keys() - known]
        found += [f"field {number}: unknown key {key}" for key in field.keys() - {"type", "id", "attributes", "validations"}]
        found += [f"field {number}: {key} is no text" for key, value in attributes.items() if key != "options" and not isinstance(value, (str, bool, int))]
        if kind == "markdown" and ("id" in field or "validations" in field):
            found.append(f"field {number}: markdown has no id and no validations")
        if "id" in field:
            ids.append(field["id"])
            if not re.fullmatch(r"[A-Za-z0-9_-]+", str(field["id"])):
                found.append(f"field {number}: {field['id']} is no id")
        if kind != "markdown":
            labels.append(str(attributes.get("label")))
        if set(field.get("validations") or {}) - {"required"}:
            found.append(f"field {number}: unknown validation")
        for option in attributes.get("options", []):
            if kind == "checkboxes" and not (isinstance(option, dict) and option.get("label")):
                found.append(f"field {number}: an option without a label")
    found += [f"{what} stands twice" for some in (ids, labels) for what in set(some) if some.count(what) > 1]
    if not labels:
        found.append("there is nothing to fill in")
    return found


def check_itself():
    """Forms with one fault each are refused."""
    good = {"name": "a", "description": "b", "body": [{"type": "input", "id": "x", "attributes": {"label": "X"}}]}
    assert not faults(good)
    field = good["body"][0]
    for bad in [
        {**good, "colour": "red"},
        {**good, "name": ""},
        {**good, "body": []},
        {**good, "body": [{**field, "type": "text"}]},
        {**good, "body": [{**field, "attributes": {}}]},
        {**good, "body": [{**field, "id": "a b"}]},
        {**good, "body": [field, {**field, "id": "y"}]},
        {**good, "body": [field, {**field, "attributes": {"label": "Y"}}]},
        {**good, "body": [{**field, "attributes": {"label": {"Device": "which"}}}]},
        {**good, "body": [{**field, "validations": {"required": True, "min": 3}}]},
        {**good, "body": [{"type": "markdown", "attributes": {"value": "text"}}]},
        {**good, "body": [{**field, "type": "checkboxes", "attributes": {"label": "X", "options": ["a"]}}]},
    ]:
        assert faults(bad), bad


def main(folder):
    check_itself()
    forms = sorted(pathlib.Path(folder).glob("*.yml"))
    bad = 0
    for path in forms:
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        labels = [field["attributes"].get("label", "") for field in form["body"]]
        found = faults(form)
        # The action reads the side of a capture from these.
        found += [f"no heading {words!r}" for words in ("connection that fails", "connection that works") if not any(words in label for label in labels)]
        for fault in found:
            print(f"{path.name}: {fault}")
        bad += len(found)
    print(f"{len(forms)} issue forms, {bad} faults")
    return bad > 0 or len(forms) < 5


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
