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

// MARK: - Dependencies

let dependencies: [Package.Dependency] = [
    .package(name: "xds-operator", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let linux = Target.Dependency.product(name: "CLinux", package: "xds-operator")
let openSSL = Target.Dependency.product(name: "COpenSSL", package: "xds-operator")

// MARK: - Load: thousands of simulated Envoys, and what sending them bytes costs at least

let loadTargets: [Target] = [
    // Distributions, process figures and metrics, and how they are printed.
    .target(name: "Measurement", swiftSettings: strict),
    // Pure: one HTTP/2 connection of an Envoy and its discovery streams, bytes in and bytes out.
    .target(name: "SimulatedEnvoy", swiftSettings: strict),
    // Sockets and epoll: the crowd of Envoys, and who changes what they are served.
    .target(name: "Load", dependencies: ["Measurement", "SimulatedEnvoy", heap, linux, openSSL], swiftSettings: strict),
    .executableTarget(
        name: "xds-load", dependencies: ["Load", "Measurement", "SimulatedEnvoy", argumentParser], swiftSettings: strict),
    .executableTarget(name: "floor", dependencies: ["Measurement", linux, argumentParser], swiftSettings: strict),
    .testTarget(name: "SimulatedEnvoyTests", dependencies: ["SimulatedEnvoy"], swiftSettings: strict),
    .testTarget(name: "MeasurementTests", dependencies: ["Measurement"], swiftSettings: strict),
]

// MARK: - Benchmarks: each row of the table of targets

let benchmarkTargets: [Target] = [
    .executableTarget(
        name: "xds-benchmarks", dependencies: ["Load", "Measurement", "SimulatedEnvoy", argumentParser], swiftSettings: strict),
    // A cluster of 50,000 pods: time to the first complete state, and memory.
    .executableTarget(name: "kubernetes-scale", dependencies: [argumentParser], swiftSettings: strict),
]

let package = Package(
    name: "xds-benchmarks",
    dependencies: dependencies,
    targets: loadTargets + benchmarkTargets
)
