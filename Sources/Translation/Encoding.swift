import FoundationEssentials
import SwiftProtobuf
import XDS

extension EncodedResource {
    /// Encodes `message` as the resource `name`.
    convenience init(_ type: ResourceType, name: String, message: some Message) {
        self.init(type: type, name: name, payload: message.deterministicBytes)
    }
}

extension Message {
    /// The message's bytes, the same ones whenever the message is equal.
    ///
    /// SwiftProtobuf fails for absent required fields (proto3 has none), for `Any`s that hold a message still to be encoded (ours
    /// hold bytes) and beyond 2 GiB (an object of the API server has at most a few MiB). Should it fail nevertheless, the Envoy
    /// gets an empty message, which it rejects and reports.
    var deterministicBytes: [UInt8] {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        do {
            return try serializedBytes(options: options)
        } catch {
            assertionFailure("\(Self.protoMessageName) can't be encoded: \(error)")
            return []
        }
    }

    /// The message packed into an `Any`, bytes and all.
    var packed: Google_Protobuf_Any {
        .with {
            $0.typeURL = "type.googleapis.com/\(Self.protoMessageName)"
            $0.value = .init(deterministicBytes)
        }
    }
}

extension Google_Protobuf_Duration {
    /// The longest duration that Envoy accepts, in seconds (2^63 ns); protobuf itself allows more.
    private static let longestSeconds: Int64 = 9_223_372_036

    /// `duration` within what Envoy accepts where it must be positive: from 1 ms to 292 years.
    init(positive duration: Duration) {
        let bounded = min(max(duration, .milliseconds(1)), .seconds(Google_Protobuf_Duration.longestSeconds))
        let (seconds, attoseconds) = bounded.components
        self.init(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
    }
}
