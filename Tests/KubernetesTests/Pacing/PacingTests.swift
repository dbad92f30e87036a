import Kubernetes
import Testing

@Suite struct PacingTests {
    @Test func aBucketAllowsTheBurstAndThenTheRate() {
        var bucket = TokenBucket(rate: 50, burst: 3)
        let atOnce = (0..<5).map { _ in bucket.take(now: .zero) }
        #expect(atOnce == [true, true, true, false, false])
        let next = bucket.nextToken(now: .zero)
        #expect(next > .milliseconds(19) && next < .milliseconds(21))
        let (first, second) = (bucket.take(now: next), bucket.take(now: next))
        #expect(first)
        #expect(!second)
        let refilled = (0..<5).filter { _ in bucket.take(now: .seconds(100)) }.count
        #expect(refilled == 3)
    }

    @Test func timeThatGoesBackAddsNothing() {
        var bucket = TokenBucket(rate: 1, burst: 1, now: .seconds(10))
        let taken = [bucket.take(now: .seconds(10)), bucket.take(now: .seconds(5)), bucket.take(now: .seconds(10))]
        #expect(taken == [true, false, false])
    }

    @Test func delaysDoubleUpToTheLongestAndStartAnewAfterSuccess() {
        var backoff = RetryDelay()
        let delays = (0..<8).map { _ in backoff.fail(random: 1) }
        #expect(delays.first == .milliseconds(800))
        #expect(delays[1] == .milliseconds(1600))
        #expect(delays.last == .seconds(30))
        for _ in 0..<100 { _ = backoff.fail(random: 1) }
        backoff.succeed()
        let least = backoff.fail(random: 0)
        #expect(least == .milliseconds(80))
    }
}
