import Kubernetes
import Testing

@Suite struct TimestampTextTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_714_564_800, "2024-05-01T12:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"), (253_402_300_799, "9999-12-31T23:59:59Z"), (-62_167_219_200, "0000-01-01T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] as [(Int64, String)])
    func seconds(_ seconds: Int64, _ text: String) {
        #expect(Timestamp.text(seconds: seconds) == text)
        #expect(Timestamp.seconds(text) == seconds)
    }

    @Test func everyDayReadsBack() {
        for day in stride(from: Int64(-719_528), through: 2_932_896, by: 61) {
            #expect(Timestamp.seconds(Timestamp.text(seconds: day * 86400 + 3661)) == day * 86400 + 3661)
        }
    }

    @Test(
        arguments: [
            (1_714_564_800_000_001, "2024-05-01T12:00:00.000001Z"), (0, "1970-01-01T00:00:00.000000Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
        ] as [(Int64, String)])
    func microseconds(_ microseconds: Int64, _ text: String) {
        #expect(Timestamp.text(microseconds: microseconds) == text)
    }

    @Test func extremesDoNotCrash() {
        #expect(Timestamp.text(seconds: .max) == "9999-12-31T23:59:59Z")
        #expect(Timestamp.text(seconds: .min) == "0000-01-01T00:00:00Z")
        #expect(Timestamp.text(microseconds: .min + 1_000_000).hasSuffix("Z"))
    }
}
