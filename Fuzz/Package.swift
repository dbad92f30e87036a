// swift-tools-version: 6.2
import PackageDescription

// Built with `--sanitize fuzzer`, which its dependencies must be built with as well: hence a package of its own.
let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "xds-operator", path: "..")],
    targets: [
        .executableTarget(
            name: "fuzz", dependencies: [.product(name: "FuzzTargets", package: "xds-operator")],
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)])
    ]
)
