/// How a client that comes back, with clusters and listeners of an earlier stream, is told of its clusters. Whatever it is not told of is
/// gone, and its old listeners may still use that.
enum ReturnPlan {
    /// Clusters first, together with these that are gone: they leave after the listeners. So it is while the process remembers them, and
    /// when none is gone; also when some can't be remembered and others are new, which is the case that can't be helped.
    case keeping([String: EncodedResource])
    /// Listeners first, then clusters: some that are gone are not remembered, and the listeners need none that the client lacks.
    case listenersFirst
    /// Nothing yet: some that are gone are not remembered, and the listeners have not been asked for.
    case waiting
}
