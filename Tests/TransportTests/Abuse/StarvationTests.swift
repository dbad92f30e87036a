import Glibc
import RPCTestClient
import Testing
import Transport

extension AbuseTests {
    /// Without descriptors the port rests, nobody else notices, and it goes on once there are some.
    @Test(.enabled("takes the descriptors of all tests in the process", { CommandLine.arguments.contains("--no-parallel") }))
    func withoutDescriptorsThePortRests() async throws {
        try await TestServer.with(loops: 1) { server in
            let bystander = try await server.connect()
            let echo = await bystander.open("/test/Echo")
            _ = try await ask(bystander, echo, 1)
            let late = socket(server.address.family, CInt(SOCK_STREAM.rawValue), 0)
            defer { close(late) }
            var limits = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
            var none = limits
            none.rlim_cur = 3
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &none)
            defer { setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) }
            try #require(server.address.connect(late) == 0)
            #expect(await server.lines.stream.first { $0.contains("accept4") }?.hasPrefix("error") == true)
            let begin = processorTime()
            // Time is what is to pass here, by a timer that needs no descriptor.
            try? await bystander.until(within: .seconds(1)) { $0.isClosed }
            #expect(processorTime() - begin < .milliseconds(200))
            #expect(try await ask(bystander, echo, 2) < .milliseconds(200))
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
            var patience = timeval(tv_sec: 10, tv_usec: 0)
            setsockopt(late, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            var byte: UInt8 = 0
            #expect(read(late, &byte, 1) == 1, "the server's SETTINGS")
        }
    }

    private func processorTime() -> Duration {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func duration(_ time: timeval) -> Duration { .seconds(time.tv_sec) + .microseconds(time.tv_usec) }
        return duration(usage.ru_utime) + duration(usage.ru_stime)
    }
}
