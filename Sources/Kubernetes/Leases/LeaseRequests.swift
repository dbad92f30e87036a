public import Domain
import FoundationEssentials

/// The requests that read and write Leases, and how their answers are read.
public enum LeaseRequests {
    /// Marks the leases by which replicas show that they live.
    public static let replicaLabel = (name: "servicemesh.l7mp.io/lease", value: "replica")
    /// On a replica's lease: how many status entries it has yet to write.
    public static let backlogAnnotation = "servicemesh.l7mp.io/unwritten-entries"

    /// The name of the lease by which a replica shows that it lives.
    public static func replicaLeaseName(_ replica: String) -> String {
        let cut = String("xds-operator-replica-\(replica)".utf8.prefix(253)) ?? replica
        return String(cut.reversed().drop { $0 == "-" || $0 == "." }.reversed())
    }

    /// Reads one lease.
    public static func get(_ key: ObjectKey) -> APIRequest { APIRequest(.get, APIPath.lease(key)) }

    /// Creates a lease: 409 if there is one.
    public static func create(
        _ key: ObjectKey, record: LeaseRecord, labels: [String: String] = [:], annotations: [String: String] = [:]
    ) -> APIRequest {
        APIRequest(
            .post, APIPath.leases(namespace: key.namespace), contentType: "application/json",
            body: document(key, record: record, resourceVersion: nil, labels: labels, annotations: annotations))
    }

    /// Replaces a lease if it is still the version that was read: else 409.
    public static func update(
        _ key: ObjectKey, record: LeaseRecord, resourceVersion: String, labels: [String: String],
        annotations: [String: String]
    ) -> APIRequest {
        APIRequest(
            .put, APIPath.lease(key), contentType: "application/json",
            body: document(key, record: record, resourceVersion: resourceVersion, labels: labels, annotations: annotations))
    }

    /// Deletes a lease if it is still the version that was read: else 409.
    public static func delete(_ key: ObjectKey, resourceVersion: String) -> APIRequest {
        let options = FieldValue.map([
            "apiVersion": .text("v1"), "kind": .text("DeleteOptions"),
            "preconditions": .map(["resourceVersion": .text(resourceVersion)]),
        ])
        return APIRequest(
            .delete, APIPath.lease(key), contentType: "application/json", body: JSONText.bytes(options))
    }

    /// Lists the replicas' leases.
    public static func listReplicas(namespace: String) -> APIRequest {
        APIRequest(
            .get, APIPath.leases(namespace: namespace),
            query: [("labelSelector", "\(replicaLabel.name)=\(replicaLabel.value)")])
    }

    /// The lease in the JSON of an answer; nil when it is none.
    public static func lease(_ body: [UInt8]) -> ObservedLease? {
        (try? JSONDecoder().decode(WireLease.self, from: Data(body)))?.observed
    }

    /// The leases in the JSON of a list; nil when it is none.
    public static func leases(_ body: [UInt8]) -> [ObservedLease]? {
        (try? JSONDecoder().decode(WireLeaseList.self, from: Data(body)))?.items.compactMap(\.observed)
    }

    private static func document(
        _ key: ObjectKey, record: LeaseRecord, resourceVersion: String?, labels: [String: String], annotations: [String: String]
    ) -> [UInt8] {
        JSONText.bytes(
            .map([
                "apiVersion": .text("coordination.k8s.io/v1"), "kind": .text("Lease"),
                "metadata": .map([
                    "name": .text(key.name), "namespace": .text(key.namespace),
                    "resourceVersion": resourceVersion.map { .text($0) }, "labels": table(labels),
                    "annotations": table(annotations),
                ]),
                "spec": .map([
                    "holderIdentity": .text(record.holder), "leaseDurationSeconds": .number(record.durationSeconds),
                    "acquireTime": .text(Timestamp.text(microseconds: record.acquired)),
                    "renewTime": .text(Timestamp.text(microseconds: record.renewed)),
                    "leaseTransitions": .number(record.transitions),
                ]),
            ]))
    }

    private static func table(_ texts: [String: String]) -> FieldValue? {
        guard !texts.isEmpty else { return nil }
        return FieldValue(
            .object(
                FieldObject(texts.sorted { $0.key < $1.key }.map { FieldObject.Member(key: $0.key, value: .text($0.value)) })))
    }
}

private struct WireLeaseList: Decodable {
    var items: [WireLease]
}

private struct WireLease: Decodable {
    struct Metadata: Decodable {
        var name: String?
        var resourceVersion: String?
        var labels: [String: String]?
        var annotations: [String: String]?
    }
    struct Spec: Decodable {
        var holderIdentity: String?
        var leaseDurationSeconds: Int?
        var acquireTime: String?
        var renewTime: String?
        var leaseTransitions: Int?
    }
    var metadata: Metadata
    var spec: Spec?

    var observed: ObservedLease? {
        guard let name = metadata.name, let resourceVersion = metadata.resourceVersion else { return nil }
        return ObservedLease(
            name: name, resourceVersion: resourceVersion, labels: metadata.labels ?? [:],
            annotations: metadata.annotations ?? [:],
            record: LeaseRecord(
                holder: spec?.holderIdentity ?? "", durationSeconds: spec?.leaseDurationSeconds ?? 0,
                acquired: spec?.acquireTime.flatMap(Timestamp.microseconds) ?? 0,
                renewed: spec?.renewTime.flatMap(Timestamp.microseconds) ?? 0,
                transitions: min(max(spec?.leaseTransitions ?? 0, 0), Int(Int32.max) - 1)),
            renewal: spec?.renewTime ?? "")
    }
}

extension Timestamp {
    /// Microseconds since 1970 of a time whose fraction, if any, has up to six digits that count.
    static func microseconds(_ text: String) -> Int64? {
        guard let seconds = seconds(text) else { return nil }
        guard let point = text.utf8.firstIndex(of: UInt8(ascii: ".")) else { return seconds * 1_000_000 }
        var fraction: Int64 = 0
        var scale: Int64 = 100_000
        for byte in text.utf8[text.utf8.index(after: point)...] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { break }
            fraction += Int64(byte - UInt8(ascii: "0")) * scale
            scale /= 10
        }
        return seconds * 1_000_000 + fraction
    }
}
