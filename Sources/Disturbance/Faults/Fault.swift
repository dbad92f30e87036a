/// A fault of the machines that the operator runs on, or between.
public enum Fault: String, CaseIterable, Sendable {
    case operatorKilled, apiServerKilled
    case diskFull, fileCutShort, fileEmptied
    case descriptorsExhausted
    case clockForward, clockBack, frozen
    case networkCutBriefly, networkCut, slowNetwork, peerVanishes

    /// What happens, for a person.
    public var title: String {
        switch self {
        case .operatorKilled: "operator killed (`kill -9`), started again 2 s later"
        case .apiServerKilled: "API server killed (`kill -9`), back 2 s later with the objects and no history"
        case .diskFull: "disk full while a manifest is written beside and moved in place"
        case .fileCutShort: "disk full while a manifest is written in place: half of it is there"
        case .fileEmptied: "disk full while a manifest is written in place: nothing of it is there"
        case .descriptorsExhausted: "clients take all descriptors of the operator"
        case .clockForward: "wall clock jumps a day forward, then back"
        case .clockBack: "wall clock jumps a day back, then forward"
        case .frozen: "operator frozen (`SIGSTOP`) for 40 s"
        case .networkCutBriefly: "no packet between Envoy and operator for 5 s"
        case .networkCut: "no packet between Envoy and operator for 40 s"
        case .slowNetwork: "500 ms round trip and 5 % loss each way between Envoy and operator"
        case .peerVanishes: "another Envoy's machine vanishes without a word, a new one comes in its place"
        }
    }

    /// What people who use the calls, or set new ones up, notice.
    public var notice: String {
        switch self {
        case .operatorKilled, .apiServerKilled: "live calls: nothing; new calls wait until it is back"
        case .diskFull: "live calls: nothing; who writes the manifest gets the error"
        case .fileCutShort, .fileEmptied:
            "live calls: nothing, what the file held stays in service; an error in the log names the file"
        case .descriptorsExhausted:
            "live calls: nothing; new Envoys and manifests wait until descriptors are free, without spinning"
        case .clockForward, .clockBack: "nothing"
        case .frozen: "live calls: nothing; Envoy ends the connection after 15 s of silence and connects anew when it can"
        case .networkCutBriefly: "live calls: nothing; new calls wait until packets flow"
        case .networkCut: "live calls: nothing; Envoy ends the connection after 15 s of silence and connects anew when it can"
        case .slowNetwork: "live calls: nothing; new calls are set up later"
        case .peerVanishes: "nothing; the operator ends the dead stream after 150 s"
        }
    }

    /// Whether it is over within seconds, so that it may be played several times.
    public var isBrief: Bool { ![.frozen, .networkCut, .peerVanishes].contains(self) }
}

/// What a fault did.
public struct FaultAccount: Sendable {
    /// What became of the calls.
    public internal(set) var calls: Account
    /// From a change made during the fault until Envoy had it, if that was before the fault's end.
    public internal(set) var meanwhile: Duration?
    /// From the end of the fault until Envoy was in step again.
    public internal(set) var recovery: Duration

    /// In which points calls noticed something; empty when they did not.
    public var violations: [String] { calls.violations(of: Promise()) }
}

/// A fault did not show as it should.
struct UnexpectedCourse: Error, CustomStringConvertible {
    let description: String
}
