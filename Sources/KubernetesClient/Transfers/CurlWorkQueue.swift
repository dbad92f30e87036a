import Glibc

/// What other threads hand to the thread of a ``CurlLoop``.
///
/// Sendable because every access to its state holds the mutex. It is a pthread mutex because the thread sanitizer understands that.
final class CurlWorkQueue: @unchecked Sendable {
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

    /// Adds work; returns whether the thread sleeps and must be woken.
    func push(_ work: Work) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        items.append(work)
        defer { isSleeping = false }
        return isSleeping
    }

    /// Removes and returns the work.
    func take() -> [Work] {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        defer { items = [] }
        return items
    }

    /// Notes that the thread is about to sleep, unless there is work. Returns whether it may.
    func prepareToSleep() -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        isSleeping = items.isEmpty
        return isSleeping
    }
}
