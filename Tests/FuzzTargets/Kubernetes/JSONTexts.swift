import Kubernetes

enum JSONTexts {
    /// What was read of `bytes` is, once written, read as the same.
    static func rewrite(_ bytes: [UInt8]) {
        guard let value = try? JSONParser.parse(bytes) else { return }
        let text = JSONText.bytes(value)
        guard let again = try? JSONParser.parse(text) else { return expect(false, "what was written is no JSON") }
        // Not the values: keys that were there twice are written once, and numbers beyond all bounds as null.
        expect(JSONText.bytes(again) == text, "what was written is read as something else")
    }
}
