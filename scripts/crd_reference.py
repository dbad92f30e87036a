"""Prints the reference of a custom resource, as Markdown, from its CustomResourceDefinition."""

import sys

import yaml

INTRODUCTION = """\
# VirtualService reference

Made from the CustomResourceDefinition by `scripts/generate-reference`; what is wrong here is to be mended there. The API server checks all
of this when an object is created or changed. What the values do is told in the [README](../README.md), what the status means in
[status.md](status.md).

`apiVersion: {api_version}`, `kind: {kind}` (short: `{short}`), {scope}.

"""


def kind_of(schema):
    """The type as a user writes it."""
    if schema.get("enum"):
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema["type"] == "array":
        return f"list of {kind_of(schema['items'])}s" if schema["items"]["type"] == "object" else f"list of {kind_of(schema['items'])}"
    if "additionalProperties" in schema:
        return "map of strings"
    return {"date-time": "time"}.get(schema.get("format"), schema["type"])


def limits_of(schema, required):
    """What the value must satisfy."""
    limits = ["required"] if required else []
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        limits.append(f"{low} to {high}")
    elif low is not None:
        limits.append(f"at least {low}")
    if schema["type"] == "string" and "maxLength" in schema:
        low = schema.get("minLength", 0)
        limits.append(f"{low} to {schema['maxLength']} characters")
    if schema.get("minProperties"):
        limits.append(f"at least {schema['minProperties']}")
    if "pattern" in schema:
        # The only pattern there is; another one is shown as it is.
        plain = schema["pattern"] == r"^[^\x00-\x1F\x7F]+$"
        limits.append("no control characters" if plain else f"matches `{schema['pattern']}`")
    if schema.get("x-kubernetes-list-map-keys"):
        limits.append("unique by " + ", ".join(f"`{key}`" for key in schema["x-kubernetes-list-map-keys"]))
    inner = schema.get("items", schema)
    if "oneOf" in inner:
        names = " or ".join(f"`{choice['required'][0]}`" for choice in inner["oneOf"])
        limits.append(f"{'each has ' if inner is not schema else ''}exactly one of {names}")
    return "; ".join(limits)


def rows(schema, path):
    for name, field in schema.get("properties", {}).items():
        here = f"{path}{name}"
        mark = "[]" if field["type"] == "array" else ""
        yield here + mark, kind_of(field), limits_of(field, name in schema.get("required", [])), field.get("description", "")
        yield from rows(field.get("items", field), f"{here}{mark}.")


def table(schema, path):
    lines = ["| field | type | limits | meaning |", "|-|-|-|-|"]
    for name, kind, limits, meaning in rows(schema, path):
        lines.append(f"| `{name}` | {kind} | {limits} | {meaning} |")
    return "\n".join(lines)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = yaml.safe_load(file)["spec"]
    version = next(version for version in spec["versions"] if version["storage"])
    schema = version["schema"]["openAPIV3Schema"]["properties"]
    print(
        INTRODUCTION.format(
            api_version=f"{spec['group']}/{version['name']}",
            kind=spec["names"]["kind"],
            short=spec["names"]["shortNames"][0],
            scope="of a namespace" if spec["scope"] == "Namespaced" else "of the cluster",
        ),
        end="",
    )
    print("## Spec\n\n" + table(schema["spec"], "") + "\n")
    print("## Status\n\n" + table(schema["status"], "") + "\n")
    print("## Columns of `kubectl get`\n\n| column | from |\n|-|-|")
    for column in version["additionalPrinterColumns"]:
        print(f"| {column['name']} | `{column['jsonPath']}` |")


main()
