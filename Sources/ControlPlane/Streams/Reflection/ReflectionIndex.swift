import EnvoyAPI
import FoundationEssentials
import SwiftProtobuf

/// The files that declare this server's messages and services, by name and by what they declare.
struct ReflectionIndex: Sendable {
    private struct File {
        let bytes: [UInt8]
        let dependencies: [String]
    }

    /// The embedded files.
    static let embedded = ReflectionIndex(
        Data(base64Encoded: EmbeddedDescriptors.base64, options: .ignoreUnknownCharacters).map(Array.init) ?? [])

    /// The full names of all services, sorted.
    private(set) var services: [String] = []
    /// The paths `/package.Service/Method` of all methods, sorted.
    private(set) var methods: [String] = []
    private var files: [String: File] = [:]
    private var fileBySymbol: [String: String] = [:]
    private var messages: Set<String> = []

    /// Reads a `google.protobuf.FileDescriptorSet`; bytes that are none make an empty index.
    init(_ descriptorSet: [UInt8]) {
        for file in (try? Google_Protobuf_FileDescriptorSet(serializedBytes: descriptorSet))?.file ?? [] { add(file) }
        services.sort()
        methods.sort()
    }

    /// The file `name` and all that it imports, each encoded, itself first; nil when there is none.
    func closure(ofFile name: String) -> [[UInt8]]? {
        guard files[name] != nil else { return nil }
        var order: [String] = []
        var seen: Set<String> = [name]
        var rest = [name]
        while let next = rest.popLast() {
            order.append(next)
            for dependency in files[next]?.dependencies ?? [] where seen.insert(dependency).inserted { rest.append(dependency) }
        }
        return order.compactMap { files[$0]?.bytes }
    }

    /// The file that declares a service, method, message, field, enum or enum value, and all that it imports.
    func closure(ofSymbol symbol: String) -> [[UInt8]]? { fileBySymbol[symbol].flatMap(closure(ofFile:)) }

    /// Whether `name` is a message.
    func hasMessage(_ name: String) -> Bool { messages.contains(name) }

    private mutating func add(_ file: Google_Protobuf_FileDescriptorProto) {
        guard let bytes: [UInt8] = try? file.serializedBytes() else { return }
        files[file.name] = File(bytes: bytes, dependencies: file.dependency)
        let scope = file.package.isEmpty ? "" : file.package + "."
        for message in file.messageType { add(message, scope, file.name) }
        for type in file.enumType { add(type, scope, file.name) }
        for service in file.service {
            let name = scope + service.name
            services.append(name)
            fileBySymbol[name] = file.name
            for method in service.method {
                fileBySymbol["\(name).\(method.name)"] = file.name
                methods.append("/\(name)/\(method.name)")
            }
        }
    }

    private mutating func add(_ message: Google_Protobuf_DescriptorProto, _ scope: String, _ file: String) {
        let name = scope + message.name
        messages.insert(name)
        fileBySymbol[name] = file
        for field in message.field { fileBySymbol["\(name).\(field.name)"] = file }
        for nested in message.nestedType { add(nested, name + ".", file) }
        for type in message.enumType { add(type, name + ".", file) }
    }

    /// The values of an enum are declared beside it, not in it.
    private mutating func add(_ type: Google_Protobuf_EnumDescriptorProto, _ scope: String, _ file: String) {
        fileBySymbol[scope + type.name] = file
        for value in type.value { fileBySymbol[scope + value.name] = file }
    }
}
