// swift-tools-version: 6.2
import PackageDescription

// MARK: - Settings shared by every target

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

// What each push runs through: looking for overlapping accesses is a sixth of a push's instructions there. Debug builds, which all tests run, look.
let hot =
    strict + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

// MARK: - Dependencies

// Exactly these, so that the same sources make the same program: Package.resolved is not kept.
let dependencies: [Package.Dependency] = [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    // Of swift-service-lifecycle; no target of ours uses it.
    .package(url: "https://github.com/apple/swift-async-algorithms", exact: "1.1.4"),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let flyingSocks = Target.Dependency.product(name: "FlyingSocks", package: "FlyingFox")
let flyingFox = Target.Dependency.product(name: "FlyingFox", package: "FlyingFox")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

// MARK: - Targets, lowest layer first: a target imports only what stands above it

let package = Package(
    name: "xds-operator",
    products: [
        .executable(name: "xds-operator", targets: ["xds-operator"]),
        // For the packages in Fuzz/ and Benchmarks/.
        .library(name: "FuzzTargets", targets: ["FuzzTargets"]),
        .library(name: "CLinux", targets: ["CLinux"]),
        .library(name: "COpenSSL", targets: ["COpenSSL"]),
    ],
    dependencies: dependencies,
    targets: [
        // C: system libraries, and header-only shims for what Swift cannot import.
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .target(name: "CLinux"),

        // Pure: no actors, no async, no clock, no logger, no descriptors.
        .target(name: "EnvoyAPI", dependencies: [protobuf], swiftSettings: strict),
        .target(name: "Domain", swiftSettings: strict),
        .target(name: "Kubernetes", dependencies: ["Domain"], swiftSettings: strict),
        .target(name: "Resolution", dependencies: ["Domain"], swiftSettings: strict),
        .target(name: "XDS", dependencies: ["COpenSSL", "Domain", "EnvoyAPI", deque, heap, protobuf], swiftSettings: strict),
        .target(name: "Translation", dependencies: ["Domain", "EnvoyAPI", "Resolution", "XDS", protobuf], swiftSettings: strict),
        .target(name: "Rendering", dependencies: ["Domain", "EnvoyAPI", "XDS", protobuf, yams], swiftSettings: strict),
        .target(name: "GRPC", swiftSettings: strict),

        // Sans-I/O: bytes in, events and bytes out.
        .target(name: "HTTP2", dependencies: ["CNghttp2", "GRPC", deque], swiftSettings: hot),

        // I/O: the only targets that touch descriptors and files.
        .target(
            name: "Transport", dependencies: ["CLinux", "COpenSSL", "GRPC", "HTTP2", deque, heap, logging, serviceLifecycle],
            swiftSettings: hot),
        .target(
            name: "Manifests", dependencies: ["CLinux", "Domain", "Kubernetes", logging, serviceLifecycle, yams],
            swiftSettings: strict),
        .target(
            name: "KubernetesClient",
            dependencies: ["CCurl", "CLinux", "Domain", "Kubernetes", logging, serviceLifecycle, yams], swiftSettings: strict),

        // What the people who run the program look at: log lines, metrics.
        .target(name: "Observability", dependencies: [logging], swiftSettings: strict),

        // Actors: watchers, resolver, snapshot cache, one actor an Envoy stream.
        .target(
            name: "ControlPlane",
            dependencies: [
                "Domain", "EnvoyAPI", "GRPC", "Kubernetes", "Observability", "Resolution", "Translation", "Transport", "XDS",
                deque, heap, logging, protobuf, serviceLifecycle,
            ],
            swiftSettings: hot),

        // Program: subcommands and wiring.
        .executableTarget(
            name: "xds-operator",
            dependencies: [
                "CLinux", "ControlPlane", "Domain", "EnvoyAPI", "GRPC", "HTTP2", "Kubernetes", "KubernetesClient", "Manifests",
                "Observability", "Rendering",
                "Resolution", "Translation", "Transport", "XDS",
                argumentParser, flyingFox, flyingSocks, logging, protobuf, serviceLifecycle, unixSignals, yams,
            ],
            swiftSettings: strict),

        // Tests, and what they and the demo share: a real Envoy's process, UDP workers and callers.
        .target(name: "CNamespaces"),
        .target(name: "TestKit", dependencies: ["CLinux", "CNamespaces", "COpenSSL"], swiftSettings: strict),
        .target(name: "KubeAPISimulator", dependencies: ["CLinux", "COpenSSL", "TestKit", yams], swiftSettings: strict),
        .executableTarget(
            name: "kube-api-simulator", dependencies: ["KubeAPISimulator", argumentParser], swiftSettings: strict),
        .executableTarget(name: "call-demo", dependencies: ["TestKit", argumentParser], swiftSettings: strict),
        .target(name: "Disturbance", dependencies: ["KubeAPISimulator", "TestKit"], swiftSettings: strict),
        .executableTarget(
            name: "call-disturbance", dependencies: ["Disturbance", "TestKit", argumentParser], swiftSettings: strict),
        .target(name: "Leaks", dependencies: ["TestKit"], swiftSettings: strict),
        .executableTarget(name: "leak-check", dependencies: ["Leaks", "TestKit", argumentParser], swiftSettings: strict),
        .executableTarget(
            name: "call-faults", dependencies: ["Disturbance", "TestKit", argumentParser], swiftSettings: strict),
        .testTarget(name: "DomainTests", dependencies: ["Domain"], swiftSettings: strict),
        .testTarget(
            name: "KubernetesTests", dependencies: ["AllocationCount", "Domain", "Kubernetes"], swiftSettings: strict),
        .testTarget(
            name: "KubernetesClientTests",
            dependencies: [
                "CLinux", "Domain", "KubeAPISimulator", "Kubernetes", "KubernetesClient", "TestKit", logging, serviceLifecycle,
            ],
            swiftSettings: strict),
        // Replaces malloc in the process of tests by one that counts.
        .target(name: "AllocationCount", path: "Tests/AllocationCount"),
        .testTarget(name: "ResolutionTests", dependencies: ["AllocationCount", "Domain", "Resolution"], swiftSettings: strict),
        .testTarget(
            name: "HotPathTests",
            dependencies: [
                "AllocationCount", "ControlPlane", "Domain", "EnvoyAPI", "GRPC", "HTTP2", "Kubernetes",
                "RPCTestClient", "Resolution", "Translation", "XDS", protobuf,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "XDSTests", dependencies: ["AllocationCount", "Domain", "EnvoyAPI", "XDS", protobuf], swiftSettings: strict),
        .testTarget(
            name: "TranslationTests",
            dependencies: [
                "AllocationCount", "Domain", "EnvoyAPI", "Kubernetes", "Manifests", "Rendering", "Resolution", "TestKit",
                "Translation", "XDS",
                protobuf, yams,
            ],
            exclude: ["Golden"], swiftSettings: strict),
        .testTarget(name: "GRPCTests", dependencies: ["GRPC"], swiftSettings: strict),
        .target(
            name: "RPCTestClient", dependencies: ["CLinux", "CNghttp2", "COpenSSL", "GRPC", "Transport"],
            path: "Tests/RPCTestClient", swiftSettings: strict),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "ControlPlane", "Domain", "EnvoyAPI", "GRPC", "HTTP2", "Kubernetes", "KubernetesClient", "Manifests",
                "Rendering", "Resolution", "Translation", "XDS", protobuf,
            ],
            path: "Tests/FuzzTargets", swiftSettings: strict),
        .testTarget(
            name: "FuzzTargetsTests", dependencies: ["FuzzTargets"], exclude: ["Corpus", "Dictionaries"], swiftSettings: strict),
        .testTarget(
            name: "HTTP2Tests", dependencies: ["AllocationCount", "CNghttp2", "GRPC", "HTTP2", "RPCTestClient"],
            swiftSettings: strict),
        .testTarget(
            name: "TransportTests",
            dependencies: ["CLinux", "CNghttp2", "GRPC", "HTTP2", "RPCTestClient", "Transport", logging, serviceLifecycle],
            swiftSettings: strict),
        .testTarget(
            name: "ManifestsTests", dependencies: ["Domain", "Kubernetes", "Manifests", logging, serviceLifecycle, yams],
            exclude: ["Cases"], swiftSettings: strict),
        .testTarget(
            name: "ControlPlaneTests",
            dependencies: [
                "ControlPlane", "Domain", "EnvoyAPI", "GRPC", "Kubernetes", "RPCTestClient", "Resolution", "Translation",
                "Transport", "XDS",
                logging, protobuf, serviceLifecycle,
            ],
            swiftSettings: strict),
        .testTarget(name: "ObservabilityTests", dependencies: ["Observability", logging], swiftSettings: strict),
        .testTarget(name: "KubeAPISimulatorTests", dependencies: ["KubeAPISimulator", "TestKit"], swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests", dependencies: ["Disturbance", "KubeAPISimulator", "TestKit"], swiftSettings: strict),
    ]
)
