import Testing

@testable import Transport

@Suite struct TLSFileChangesTests {
    private static let old = TLSFiles.Content(certificate: [1], key: [1])
    private static let new = TLSFiles.Content(certificate: [2], key: [2])
    private static let half = TLSFiles.Content(certificate: [2], key: [1])

    @Test func whatHasNotChangedIsNothingNew() {
        var changes = TLSFileChanges(Self.old)
        #expect(changes.looked(.success(Self.old)) == nil)
        #expect(changes.looked(.success(Self.old)) == nil)
    }

    @Test func aChangeIsTakenUpOnceItHasSettled() {
        var changes = TLSFileChanges(Self.old)
        #expect(changes.looked(.success(Self.half)) == nil)
        #expect(changes.looked(.success(Self.new)) == nil)
        #expect(changes.looked(.success(Self.new)) == .success(Self.new))
        changes.accepted(Self.new)
        #expect(changes.looked(.success(Self.new)) == nil)
        // The way back is a change as well.
        #expect(changes.looked(.success(Self.old)) == nil)
        #expect(changes.looked(.success(Self.old)) == .success(Self.old))
    }

    @Test func whatIsOfNoUseIsToldOnce() {
        var changes = TLSFileChanges(Self.old)
        let fault = TLSFiles.Fault("gone")
        #expect(changes.looked(.failure(fault)) == nil)
        #expect(changes.looked(.failure(fault)) == .failure(fault))
        #expect(changes.looked(.failure(fault)) == nil)
        #expect(changes.looked(.success(Self.half)) == nil)
        #expect(changes.looked(.success(Self.half)) == .success(Self.half))
        #expect(changes.looked(.success(Self.half)) == nil)
        // Back to what is in force: nothing to do, and the same fault would be told again.
        #expect(changes.looked(.success(Self.old)) == nil)
        #expect(changes.looked(.success(Self.half)) == nil)
        #expect(changes.looked(.success(Self.half)) == .success(Self.half))
    }
}
