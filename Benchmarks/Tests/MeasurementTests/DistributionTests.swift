import Measurement
import Testing

@Test func percentilesAreValuesOfTheSample() {
    let distribution = Distribution((1...200).map(Double.init).shuffled())
    #expect(distribution.count == 200)
    #expect(distribution.p50 == 100)
    #expect(distribution.p99 == 198)
    #expect(distribution.max == 200)
    #expect(distribution.mean == 100.5)
    #expect(Distribution([]).p99 == 0)
}

@Test func repeatedRunsHaveAMedianAndARange() {
    #expect(Repeated([3, 1, 2]) == Repeated([1, 2, 3]))
    #expect(Repeated([4, 1, 2, 3]).median == 2.5)
    #expect(Repeated([4, 1, 2, 3]).low == 1)
}

@Test func samplesAreSummedUpByName() {
    let before = PrometheusText("# HELP a b\na_total{x=\"1\"} 2\na_total{x=\"2\"} 3\nb 1.5\n")
    let after = PrometheusText("a_total{x=\"1\"} 7\nb 1.5\n")
    #expect(before["a_total"] == 5)
    #expect(before["b"] == 1.5)
    #expect(before["c"] == nil)
    #expect(after.differences(to: before) == ["a_total": 2])
}
