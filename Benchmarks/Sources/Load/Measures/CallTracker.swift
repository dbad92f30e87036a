import Measurement
import SimulatedEnvoy

/// Calls set up and torn down while a crowd watches. A call is known by the digits after `call` in the names of its listeners.
struct CallTracker {
    private struct Call {
        let createdAt: Moment
        var received = 0
        var acknowledged = 0
    }

    /// Streams that a call concerns.
    let audience: Int
    private var calls: [Int: Call] = [:]
    private(set) var result = CallResult()

    init(audience: Int) { self.audience = audience }

    mutating func create(_ number: Int, at moment: Moment) { calls[number] = Call(createdAt: moment) }

    /// The calls whose listeners a response brings, each once.
    static func calls(in response: DiscoveryResponse) -> [Int] {
        guard response.kind == .listener else { return [] }
        var numbers: [Int] = []
        response.forEachResource { resource in
            guard let number = number(in: resource.name), numbers.last != number else { return }
            numbers.append(number)
        }
        return numbers.count > 1 ? Array(Set(numbers)) : numbers
    }

    mutating func receive(_ numbers: [Int], at now: Moment) {
        for number in numbers {
            guard var call = calls[number] else { continue }
            call.received += 1
            if call.received == audience { result.received.append(Double(now.since(call.createdAt)) / 1e6) }
            calls[number] = call
        }
    }

    mutating func acknowledge(_ numbers: [Int], at now: Moment) {
        for number in numbers {
            guard var call = calls[number] else { continue }
            call.acknowledged += 1
            result.streamAcknowledged.append(Float(now.since(call.createdAt)) / 1e6)
            if call.acknowledged == audience {
                result.acknowledged.append(Double(now.since(call.createdAt)) / 1e6)
                calls[number] = nil
            } else {
                calls[number] = call
            }
        }
    }

    /// Calls that not everybody has acknowledged.
    var pendingCount: Int { calls.count }

    private static func number(in name: UnsafeRawBufferPointer) -> Int? {
        let word = Array("call".utf8)
        guard name.count > word.count else { return nil }
        for start in 0..<name.count - word.count where name[start] == word[0] {
            guard name[start..<start + word.count].elementsEqual(word) else { continue }
            var number: Int?
            for byte in name[(start + word.count)...] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { break }
                number = (number ?? 0) &* 10 &+ Int(byte - UInt8(ascii: "0"))
            }
            if let number { return number }
        }
        return nil
    }
}

/// Milliseconds of calls since their objects were created.
public struct CallResult: Sendable {
    /// To the receipt by the last stream concerned, by call.
    public var received: [Double] = []
    /// To the acknowledgement of the last stream concerned, by call.
    public var acknowledged: [Double] = []
    /// To each stream's acknowledgement.
    public var streamAcknowledged: [Float] = []
}
