import Logging
import Observability
import ServiceLifecycle
import UnixSignals

/// Makes the log more talkative on SIGUSR1, and as it was on the next.
struct LogLevelSwitch: Service {
    let level: LogLevel
    let logger: Logger

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sigusr1).cancelOnGracefulShutdown() {
            let now = level.toggle()
            logger.notice("log level changed by SIGUSR1", metadata: ["level": "\(now)"])
        }
    }
}
