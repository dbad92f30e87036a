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
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

// MARK: - Benchmarks: each row of the table of targets

let package = Package(
    name: "xds-benchmarks",
    dependencies: dependencies,
    targets: [
        // A cluster of 50,000 pods: time to the first complete state, and memory.
        .executableTarget(name: "kubernetes-scale", dependencies: [argumentParser], swiftSettings: strict)
    ]
)
