import CLinux
import Glibc

/// How glibc's allocator is set up, and what it is asked. Values that the environment gives (mallopt(3)) are left as they are.
enum Allocator {
    /// Bytes from which a block is mapped by itself, so that it goes back to the system when it is freed. Fixed here, because glibc would
    /// raise it to the size of the largest block ever freed: the response that makes a new Envoy complete, some megabytes.
    private static let mappedBlockSize: CInt = 128 * 1024
    /// Free bytes at the top of the heap that are kept.
    private static let keptAtTop: CInt = 128 * 1024
    /// Arenas: with one for each thread, what one thread frees is of no use to the others.
    private static let arenaCount: CInt = 2

    /// To be called before there are other threads.
    static func configure() {
        set(M_ARENA_MAX, arenaCount, unless: "MALLOC_ARENA_MAX")
        set(M_MMAP_THRESHOLD, mappedBlockSize, unless: "MALLOC_MMAP_THRESHOLD_")
        set(M_TRIM_THRESHOLD, keptAtTop, unless: "MALLOC_TRIM_THRESHOLD_")
    }

    /// Bytes that the program has freed and the allocator keeps. Takes time in proportion to the free blocks.
    static var freeByteCount: Int { Int(clamping: mallinfo2().fordblks) }

    /// Gives all whole free pages back to the system. Each arena is locked meanwhile.
    static func returnFreePages() { malloc_trim(0) }

    private static func set(_ parameter: CInt, _ value: CInt, unless variable: String) {
        if getenv(variable) == nil { mallopt(parameter, value) }
    }
}
