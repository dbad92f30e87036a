import Glibc

/// What threads have used of the processors.
enum ProcessorTime {
    /// That of the calling thread: a system call.
    static var ofThread: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
