import Testing

@testable import HTTP2

@Suite struct FloodGuardTests {
    @Test func admitsABurstThenARate() {
        let start = ContinuousClock.now
        var tokens = FloodGuard(burst: 3, perSecond: 2)
        let admitted = [
            tokens.admit(3, at: start),
            tokens.admit(1, at: start),
            tokens.admit(1, at: start + .milliseconds(400)),
            tokens.admit(1, at: start + .milliseconds(500)),
            tokens.admit(3, at: start + .seconds(100)),
            tokens.admit(1, at: start + .seconds(100)),
            tokens.admit(0, at: start),
        ]
        #expect(admitted == [true, false, false, true, true, false, true])
    }
}
