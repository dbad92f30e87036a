import Load
import Measurement

/// Sets calls up at a rate and tears the oldest down for each, so that as many stay alive.
struct CallChurn {
    let api: APISimulator
    let crowd: Crowd
    let alive: Int
    /// Calls set up by this.
    private(set) var created = 0

    init(api: APISimulator, crowd: Crowd, alive: Int) {
        self.api = api
        self.crowd = crowd
        self.alive = alive
    }

    /// Goes on for a while.
    /// - Parameter eachSecond: called with the seconds since the beginning, and the calls set up so far.
    mutating func run(seconds: Int, rate: Int, eachSecond: (Int, Int) throws -> Void) async throws {
        let start = Moment.now
        for second in 0..<seconds {
            try eachSecond(second, created)
            for index in 0..<rate {
                let wait = start.advanced(seconds: Double(second) + Double(index) / Double(rate)).since(.now)
                if wait > 0 { try await Task.sleep(for: .nanoseconds(wait)) }
                let number = alive + created
                await crowd.createCall(number)
                try api.create(Call(number))
                try api.delete(Call(number - alive))
                created += 1
            }
        }
    }
}
