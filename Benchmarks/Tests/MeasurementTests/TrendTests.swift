import Measurement
import Testing

@Test func aTrendIsWhatGrowsAndNotWhatPasses() {
    let noise = [0.0, 3, -2, 1, -1]
    let flat = (0..<300).map { (seconds: Double($0), value: 100 + noise[$0 % 5]) }
    #expect(Trend(flat).growth == 0)
    #expect(abs(Trend(flat).hourlyGrowth) < 1)

    let rising = flat.map { (seconds: $0.seconds, value: $0.value + $0.seconds / 10) }
    #expect((19...21).contains(Trend(rising).growth))
    #expect((355...365).contains(Trend(rising).hourlyGrowth))

    // A peak in the middle and a few wild values are no growth.
    let peaked = flat.map { (seconds: $0.seconds, value: (140...160).contains($0.seconds) ? 900 : $0.value) }
    #expect(Trend(peaked).growth == 0)
    #expect(abs(Trend(peaked).hourlyGrowth) < 1)

    #expect(Trend([]).growth == 0)
    #expect(Trend([(seconds: 1, value: 5)]).first == 5)
}
