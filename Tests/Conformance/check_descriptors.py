#!/usr/bin/env python3
"""Proves that Protos/ is a wire-compatible subset of the official APIs.

Compiles Protos/ with protoc and compares the result with the descriptors of the packages xds-protos, grpcio-health-checking
and grpcio-reflection: whatever is declared there must exist officially under the same name with the same number, type, label,
presence, oneof and JSON name. Prints one line for each difference, or a line of totals; exits 1 on a difference.
"""

import importlib
import pathlib
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2, text_format


def compile_subset(protos):
    """The descriptors of our files, imports excluded."""
    files = sorted(str(path.relative_to(protos)) for path in protos.rglob("*.proto"))
    if not files:
        sys.exit(f"no .proto file in {protos}")
    with tempfile.TemporaryDirectory() as directory:
        output = pathlib.Path(directory, "subset.pb")
        protoc = [sys.executable, "-m", "grpc_tools.protoc"]
        subprocess.run([*protoc, f"--proto_path={protos}", f"--descriptor_set_out={output}", *files], check=True)
        return descriptor_pb2.FileDescriptorSet.FromString(output.read_bytes()).file


# Files of gRPC itself, whose packages file them under other names.
ELSEWHERE = {
    "grpc/health/v1/health.proto": "grpc_health.v1.health_pb2",
    "grpc/reflection/v1/reflection.proto": "grpc_reflection.v1alpha.reflection_pb2",
    "grpc/reflection/v1alpha/reflection.proto": "grpc_reflection.v1alpha.reflection_pb2",
}


def official(name):
    """The official descriptor of the file `name`."""
    module = importlib.import_module(ELSEWHERE.get(name, name.removesuffix(".proto").replace("/", ".") + "_pb2"))
    descriptor = descriptor_pb2.FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(descriptor)
    if name == "grpc/reflection/v1/reflection.proto":
        # By gRPC's word the final form is the alpha form under another package; only the latter is published for Python.
        text = text_format.MessageToString(descriptor).replace("grpc.reflection.v1alpha", "grpc.reflection.v1")
        descriptor = text_format.Parse(text, descriptor_pb2.FileDescriptorProto())
    return descriptor


def json_name(field):
    """The JSON name; descriptors of generated modules leave the default one out."""
    if field.json_name:
        return field.json_name
    head, *rest = field.name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


class Comparison:
    def __init__(self):
        self.differences = []
        self.messages = self.fields = self.values = self.methods = 0

    def differ(self, place, text):
        self.differences.append(f"{place}: {text}")

    def equal(self, place, what, ours, theirs):
        if ours != theirs:
            self.differ(place, f"{what} is {ours!r}, officially {theirs!r}")

    def pairs(self, place, kind, ours, theirs):
        """Our declarations with their official counterparts of the same name."""
        known = {declaration.name: declaration for declaration in theirs}
        for declaration in ours:
            where = f"{place}.{declaration.name}"
            if declaration.name in known:
                yield where, declaration, known[declaration.name]
            else:
                self.differ(where, f"no such {kind} in the official API")

    def file(self, ours, theirs):
        self.equal(ours.name, "package", ours.package, theirs.package)
        self.equal(ours.name, "syntax", ours.syntax, theirs.syntax)
        for place, mine, other in self.pairs(ours.package, "message", ours.message_type, theirs.message_type):
            self.message(place, mine, other)
        self.enums(ours.package, ours.enum_type, theirs.enum_type)
        for place, mine, other in self.pairs(ours.package, "service", ours.service, theirs.service):
            for where, method, reference in self.pairs(place, "method", mine.method, other.method):
                self.methods += 1
                for what in ("input_type", "output_type", "client_streaming", "server_streaming"):
                    self.equal(where, what, getattr(method, what), getattr(reference, what))

    def message(self, place, ours, theirs):
        self.messages += 1
        self.equal(place, "map entry", ours.options.map_entry, theirs.options.map_entry)
        for where, mine, other in self.pairs(place, "field", ours.field, theirs.field):
            self.fields += 1
            for what in ("number", "type", "type_name", "label", "proto3_optional"):
                self.equal(where, what, getattr(mine, what), getattr(other, what))
            self.equal(where, "JSON name", json_name(mine), json_name(other))
            self.equal(where, "oneof", self.oneof(ours, mine), self.oneof(theirs, other))
            self.equal(where, "packed", self.packed(mine), self.packed(other))
        for where, mine, other in self.pairs(place, "message", ours.nested_type, theirs.nested_type):
            self.message(where, mine, other)
        self.enums(place, ours.enum_type, theirs.enum_type)

    def enums(self, place, ours, theirs):
        for where, mine, other in self.pairs(place, "enum", ours, theirs):
            for label, value, reference in self.pairs(where, "enum value", mine.value, other.value):
                self.values += 1
                self.equal(label, "number", value.number, reference.number)
            # An open enum with a value missing would print it as a number: the enums are complete.
            missing = {value.name for value in other.value} - {value.name for value in mine.value}
            if missing:
                self.differ(where, f"lacks {', '.join(sorted(missing))}")

    @staticmethod
    def oneof(message, field):
        return message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else None

    @staticmethod
    def packed(field):
        return field.options.packed if field.options.HasField("packed") else None


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    protos = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else root / "Protos"
    comparison = Comparison()
    for ours in compile_subset(protos):
        try:
            theirs = official(ours.name)
        except ModuleNotFoundError as error:
            comparison.differ(ours.name, f"no such file in the official API ({error})")
            continue
        comparison.file(ours, theirs)
    for difference in comparison.differences:
        print(difference)
    if comparison.differences:
        sys.exit(1)
    print(
        f"agrees: {comparison.messages} messages, {comparison.fields} fields, "
        f"{comparison.values} enum values, {comparison.methods} methods"
    )


if __name__ == "__main__":
    main()
