import CFuzzer
import FuzzTargets
import Glibc

// fuzz TARGET [libFuzzer's arguments]

guard CommandLine.arguments.count > 1, let target = FuzzTarget(rawValue: CommandLine.arguments[1]) else {
    fputs("usage: fuzz TARGET [CORPUS…] [-max_total_time=SECONDS …]\n", stderr)
    fputs("targets: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))\n", stderr)
    exit(2)
}
// libFuzzer's callback carries no context, and the target is chosen once, before anything runs.
nonisolated(unsafe) let chosen = target

let rest = [CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(2)
var count = CInt(rest.count)
var pointers = rest.map { strdup($0) } + [nil]
pointers.withUnsafeMutableBufferPointer { buffer in
    var base = buffer.baseAddress
    exit(
        LLVMFuzzerRunDriver(&count, &base) { data, size in
            chosen.run(Array(UnsafeBufferPointer(start: data, count: size)))
            return 0
        })
}
