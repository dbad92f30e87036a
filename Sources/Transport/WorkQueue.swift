import Glibc

/// What other threads hand to an event loop.
///
/// Sendable because every access to its state holds the mutex. It is a pthread mutex rather than `Synchronization.Mutex` because
/// the thread sanitizer understands the former only.
final class WorkQueue: @unchecked Sendable {
    enum Work {
        case job(UnownedJob)
        case call(@Sendable () -> Void)
    }

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var items: [Work] = []
    private var isSleeping = false

    init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Adds work; returns whether the loop sleeps and must be woken.
    func push(_ work: Work) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        items.append(work)
        defer { isSleeping = false }
        return isSleeping
    }

    /// Swaps the queue's content with the empty `batch`, whose storage the queue goes on with.
    func swapOut(_ batch: inout [Work]) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        swap(&items, &batch)
    }

    /// Notes that the loop is about to sleep, unless there is work. Returns whether it may.
    func prepareToSleep() -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        isSleeping = items.isEmpty
        return isSleeping
    }
}
