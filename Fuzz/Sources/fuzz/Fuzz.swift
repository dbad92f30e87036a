import FuzzTargets
import Glibc

// libFuzzer brings the main function, and calls these two (LLVM documentation, libFuzzer, "Fuzz Target").

// The callback carries no context. Written once, before anything runs.
nonisolated(unsafe) private var target = FuzzTarget.grpc

/// Reads which target is meant from `FUZZ_TARGET`.
@_cdecl("LLVMFuzzerInitialize") public func initialize(
    _ count: UnsafeMutablePointer<CInt>?, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>?
) -> CInt {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let chosen = FuzzTarget(rawValue: name) else {
        print("FUZZ_TARGET must be one of: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))")
        exit(2)
    }
    target = chosen
    return 0
}

/// Tries one input.
@_cdecl("LLVMFuzzerTestOneInput") public func test(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    target.run(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
}
