import Testing

@testable import Observability

@Suite struct MetricsTests {
    private func text(_ format: MetricsWriter.Format) -> String {
        var writer = MetricsWriter(prefix: "demo", format: format)
        writer.gauge("streams", "Streams open.", .init(3))
        writer.counter("pushes", "Responses.", .init(1, ["type": "a\"b\\c\nd"]), .init(2, ["type": "other", "mode": "delta"]))
        let histogram = Histogram(bounds: [.milliseconds(1), .seconds(1)])
        histogram.observe(.microseconds(1000))
        histogram.observe(.milliseconds(250), times: 2)
        histogram.observe(.seconds(2))
        writer.histogram("latency_seconds", "How long.", [(["step": "sent"], histogram)])
        return writer.output
    }

    @Test func thePlainFormat() {
        #expect(
            text(.plain) == #"""
                # HELP demo_streams Streams open.
                # TYPE demo_streams gauge
                demo_streams 3
                # HELP demo_pushes_total Responses.
                # TYPE demo_pushes_total counter
                demo_pushes_total{type="a\"b\\c\nd"} 1
                demo_pushes_total{type="other",mode="delta"} 2
                # HELP demo_latency_seconds How long.
                # TYPE demo_latency_seconds histogram
                demo_latency_seconds_bucket{step="sent",le="0.001"} 1
                demo_latency_seconds_bucket{step="sent",le="1.0"} 3
                demo_latency_seconds_bucket{step="sent",le="+Inf"} 4
                demo_latency_seconds_sum{step="sent"} 2.501
                demo_latency_seconds_count{step="sent"} 4

                """#)
    }

    @Test func openMetricsNamesTheFamilyWithoutTotalAndSaysWhereItEnds() {
        let text = text(.openMetrics)
        #expect(text.contains("# TYPE demo_pushes counter\ndemo_pushes_total{"))
        #expect(text.hasSuffix("\n# EOF\n"))
    }

    @Test(
        arguments: [
            (nil, false), ("text/plain", false), ("application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5", true),
        ] as [(String?, Bool)])
    func theFormatIsWhatTheReaderAccepts(accept: String?, isOpenMetrics: Bool) {
        #expect((MetricsWriter.Format(accept: accept) == .openMetrics) == isOpenMetrics)
    }

    @Test func theKernelKnowsThisProcess() {
        let figures = ProcessFigures()
        #expect(figures.residentBytes > 1 << 20 && figures.virtualBytes > figures.residentBytes)
        #expect(figures.processorSeconds > 0 && figures.threadCount > 0)
        #expect(figures.openDescriptors > 2 && figures.openDescriptors <= figures.maximumDescriptors)
        // After this was written, and before the next century.
        #expect(figures.startSeconds > 1_700_000_000 && figures.startSeconds < 4_000_000_000)
        var writer = MetricsWriter(prefix: "demo", format: .plain)
        writer.write(figures)
        #expect(writer.output.contains("# TYPE process_cpu_seconds_total counter\n"))
    }
}
