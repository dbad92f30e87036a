import CCurl
import CLinux
import Glibc
public import Kubernetes

/// A thread that waits for all transfers of libcurl, and is the serial executor of the actors that own them.
///
/// Callbacks of libcurl run on the thread outside any Swift job, so they may enter an actor of the loop by `assumeIsolated`. The thread ends when
/// the last reference to the loop is gone; transfers refer to it, so there are none by then.
public final class CurlLoop: SerialExecutor {
    private let thread: CurlThread

    /// Starts the thread; throws when there can be none.
    public init() throws(APITransportError) {
        thread = try CurlThread()
        try thread.start(for: self)
    }

    deinit { thread.wake() }

    // MARK: - From any thread

    public func enqueue(_ job: consuming ExecutorJob) { thread.push(.job(UnownedJob(job))) }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    public func checkIsolated() { precondition(thread.isCurrent, "not on the thread of this loop") }

    public func isIsolatingCurrentContext() -> Bool? { thread.isCurrent }

    /// Runs `call` on the thread in a later step.
    func submit(_ call: @escaping @Sendable () -> Void) { thread.push(.call(call)) }

    // MARK: - From the loop's thread only

    /// Begins a transfer. The handle stays the caller's, who is kept alive until `remove` or the end of the transfer.
    func add(_ handle: UnsafeMutableRawPointer, for transfer: CurlTransfer) -> CURLMcode {
        checkIsolated()
        return thread.add(handle, for: transfer)
    }

    /// Ends a transfer; harmless after its end.
    func remove(_ handle: UnsafeMutableRawPointer) {
        checkIsolated()
        thread.remove(handle)
    }
}

/// The thread of a loop and what belongs to it.
///
/// Sendable because of who touches what: `work`, `multi` (for `curl_multi_wakeup`, which any thread may call) and `loop` may be used from any
/// thread (a locked queue, a constant, a weak reference that is set before the thread starts); all else is used by the thread alone, which
/// `CurlLoop` checks on each call.
private final class CurlThread: @unchecked Sendable {
    /// Initialises libcurl before the first handle.
    private static let isInitialised = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private let work = CurlWorkQueue()
    private let multi: UnsafeMutableRawPointer
    private weak var loop: CurlLoop?
    private var transfers: [UnsafeMutableRawPointer: CurlTransfer] = [:]

    init() throws(APITransportError) {
        guard CurlThread.isInitialised, let multi = curl_multi_init() else {
            throw APITransportError("libcurl can't be initialised")
        }
        self.multi = multi
    }

    deinit { curl_multi_cleanup(multi) }

    // MARK: - From any thread

    /// The thread's own value under this key is its `CurlThread`.
    private static let currentKey: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    var isCurrent: Bool {
        pthread_getspecific(Self.currentKey) == UnsafeMutableRawPointer(Unmanaged.passUnretained(self).toOpaque())
    }

    func start(for loop: CurlLoop) throws(APITransportError) {
        self.loop = loop
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let thread = Unmanaged<CurlThread>.fromOpaque(context).takeRetainedValue()
                pthread_setspecific(CurlThread.currentKey, context)
                thread.run()
                pthread_setspecific(CurlThread.currentKey, nil)
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw APITransportError("can't start a thread for requests: \(String(cString: strerror(code)))")
        }
        pthread_setname_np(thread, "curl")
        pthread_detach(thread)
    }

    func push(_ item: CurlWorkQueue.Work) {
        if work.push(item) { wake() }
    }

    func wake() { curl_multi_wakeup(multi) }

    // MARK: - On the thread

    func add(_ handle: UnsafeMutableRawPointer, for transfer: CurlTransfer) -> CURLMcode {
        let code = curl_multi_add_handle(multi, handle)
        if code == CURLM_OK { transfers[handle] = transfer }
        return code
    }

    func remove(_ handle: UnsafeMutableRawPointer) {
        guard transfers.removeValue(forKey: handle) != nil else { return }
        curl_multi_remove_handle(multi, handle)
    }

    private func run() {
        while true {
            // libcurl shortens the wait to its own timers; the loop's deinit and work wake it.
            curl_multi_poll(multi, nil, 0, work.prepareToSleep() ? 3_600_000 : 0, nil)
            guard let loop else { return }
            var running: CInt = 0
            curl_multi_perform(multi, &running)
            finishTransfers()
            for item in work.take() {
                switch item {
                case .job(let job): job.runSynchronously(on: loop.asUnownedSerialExecutor())
                case .call(let call): call()
                }
            }
        }
    }

    private func finishTransfers() {
        var rest: CInt = 0
        while let message = curl_multi_info_read(multi, &rest) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
            // The message is gone once the handle is removed.
            let code = CCurl_messageResult(message)
            let transfer = transfers[handle]
            remove(handle)
            transfer?.assumeIsolated { $0.finished(code) }
        }
    }
}
