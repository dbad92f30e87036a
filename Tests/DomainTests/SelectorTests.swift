import Domain
import Testing

@Suite struct SelectorTests {
    @Test func allPairsMustMatch() throws {
        let selector = try #require(LabelSelector(labels: ["app": "worker", "zone": "a"]))
        #expect(selector.matches(["app": "worker", "zone": "a", "more": "x"]))
        #expect(!selector.matches(["app": "worker"]))
        #expect(!selector.matches(["app": "worker", "zone": "b"]))
        #expect(selector.description == "app=worker,zone=a")
    }

    @Test func noLabelsAreNoSelector() {
        #expect(LabelSelector(labels: [:]) == nil)
    }

    @Test func scope() throws {
        let selector = try #require(LabelSelector(labels: ["app": "worker"]))
        let scoped = ScopedSelector(namespace: "calls", selector: selector)
        #expect(scoped.matches(namespace: "calls", labels: ["app": "worker"]))
        #expect(!scoped.matches(namespace: "games", labels: ["app": "worker"]))
        #expect(ScopedSelector(namespace: nil, selector: selector).matches(namespace: "games", labels: ["app": "worker"]))
    }
}
