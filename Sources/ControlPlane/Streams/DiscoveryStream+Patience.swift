import GRPC
import Transport

/// How long a client may keep the server waiting, or the server the client.
extension DiscoveryStream {
    /// Says of a client that has waited for its pod for long that it does. Until everything has been read, all streams wait.
    func watchIdentity() {
        guard !hasEnded, !isAssigned else { return }
        let begins = waitingLog.isDue
        timers[.identity] = broadcaster.loop.schedule(after: waitingLog.patience) {
            self.assumeIsolated { begins ? $0.reportWaiting() : $0.watchIdentity() }
        }
    }

    func reportWaiting() {
        guard !hasEnded, !isAssigned else { return }
        wasReportedWaiting = waitingLog.report(with: logger)
    }

    /// Looks, as long as there is something that the client has not answered, whether it has answered anything since the last look.
    func watchAnswers() {
        guard !hasEnded, !isWatchingAnswers, machine.inFlightCount > 0 else { return }
        isWatchingAnswers = true
        let before = answerCount
        timers[.answers] = broadcaster.loop.schedule(after: answerTimeout) {
            self.assumeIsolated { $0.checkAnswers(since: before) }
        }
    }

    func checkAnswers(since before: Int) {
        guard !hasEnded else { return }
        isWatchingAnswers = false
        if machine.inFlightCount > 0, answerCount == before {
            finish(Status(.deadlineExceeded, "no answer to any response for \(answerTimeout)"))
        } else {
            watchAnswers()
        }
    }

    /// Another process leaves its port without a word: what was rejected for it is tried again from time to time.
    func watchAddresses() {
        guard !hasEnded, timers[.address] == nil else { return }
        let pause = limits.addressPause * min(20, 1 << addressTrials)
        timers[.address] = loop.schedule(after: pause) { self.assumeIsolated { $0.retryAddresses() } }
    }

    private func retryAddresses() {
        timers[.address] = nil
        guard machine.hasAddressConflicts else { return addressTrials = 0 }
        addressTrials = min(5, addressTrials + 1)
        perform(machine.addressPauseElapsed())
        watchAddresses()
    }
}
