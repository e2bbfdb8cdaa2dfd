#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Validates reports against the schemas in docs: all golden ones, or the files named.

The schema must also refuse: STRICT ones are validated again with each required member removed, and
with every figure turned into a text.
"""
import copy
import json
import pathlib
import sys

from jsonschema import Draft202012Validator, RefResolver

STRICT = (
    "contended_sched.json",
    "contended_uprobe.json",
    "error.json",
    "list.json",
    "doctor_bundle.json",
    "diff_engines.json",
)
OPTIONAL = ("bundle",)
ROOT = pathlib.Path(__file__).resolve().parents[2]


def members(value, path=()):
    """All members of all objects, but those of maps whose names are data."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if path and path[-1] in ("cpus", "evidence"):
                continue
            yield path, name
            yield from members(inner, path + (name,))
    elif isinstance(value, list):
        for index, inner in enumerate(value[:1]):
            yield from members(inner, path + (index,))


def parent(document, path):
    for step in path:
        document = document[step]
    return document


def is_silent(path, name, value):
    """A reason may be missing where nothing is null; all else is required."""
    return name.endswith("_reason") and value.get(name[: -len("_reason")], None) is not None


def too_lax(validator, document):
    for path, name in members(document):
        changed = copy.deepcopy(document)
        holder = parent(changed, path)
        if name in OPTIONAL or (is_silent(path, name, holder) and name != "engine_reason"):
            continue
        value = holder.pop(name)
        if validator.is_valid(changed):
            yield f"{'.'.join(map(str, path))}: {name} may be missing"
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            holder[name] = str(value)
            if validator.is_valid(changed):
                yield f"{'.'.join(map(str, path))}: {name} may be a text"


def shorten(document):
    """One item of each list says as much about the schema as all of them, and sooner."""
    for process in document.get("processes", ()):
        for name in ("threads", "open", "inflicted"):
            if isinstance(process.get(name), list):
                del process[name][1:]


def read_validators():
    """By the name that a document has for its schema, as gilwatch.summary.v1."""
    files = (ROOT / "docs").glob("*.schema.json")
    schemas = {file.as_uri(): json.loads(file.read_text()) for file in files}
    validators = {}
    for place, schema in schemas.items():
        Draft202012Validator.check_schema(schema)
        # One schema refers to another by the name of its file.
        resolver = RefResolver(place, schema, store=schemas)
        validators[schema["title"]] = Draft202012Validator(schema, resolver=resolver)
    return validators


def main():
    validators = read_validators()
    named = [pathlib.Path(name) for name in sys.argv[1:]]
    files = named or sorted((ROOT / "tests/golden").glob("*.json"))
    failed = not files
    for file in files:
        document = json.loads(file.read_text())
        validator = validators[document["schema"]]
        errors = [
            f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"
            for error in validator.iter_errors(document)
        ]
        if not named and not errors and file.name in STRICT:
            shorten(document)
            errors += too_lax(validator, document)
        for error in errors[:20]:
            print(f"{file}: {error}", file=sys.stderr)
        failed = failed or bool(errors)
    print(f"{len(files)} files, {'failed' if failed else 'all valid'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
