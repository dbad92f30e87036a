import Testing
import XDS

/// What of a client's rejections is told, and what was told before.
@Suite struct RejectionMemoryTests {
    private func rejection(_ culprits: [String], _ message: String = "no", _ type: ResourceType = .listener) -> Rejection {
        Rejection(type: type, culprits: culprits, message: message)
    }

    @Test func eachCulpritIsTold() {
        var memory = RejectionMemory()
        #expect(memory.news(in: rejection(["a"]))?.culprits == ["a"])
        #expect(memory.news(in: rejection(["a", "b"]))?.culprits == ["b"])
        #expect(memory.news(in: rejection(["a", "b"])) == nil)
    }

    @Test func otherWordsAndOtherTypesAreNews() {
        var memory = RejectionMemory()
        _ = memory.news(in: rejection(["a"]))
        #expect(memory.news(in: rejection(["a"], "never")) == rejection(["a"], "never"))
        #expect(memory.news(in: rejection(["a"], "no", .cluster)) == rejection(["a"], "no", .cluster))
    }

    @Test func aSearchIsToldOnce() {
        var memory = RejectionMemory()
        #expect(memory.news(in: rejection([])) == rejection([]))
        #expect(memory.news(in: rejection([])) == nil)
        #expect(memory.news(in: rejection(["a"])) == rejection(["a"]))
    }
}
