import Domain
import Kubernetes

/// Decides what has to be written about one VirtualService, one write at a time, from what is reported and what the watch shows.
///
/// What the watch shows is the truth: a write is due while it differs from what should be there. What was sent counts as
/// written for a while, so that a watch that lags causes no second write, and ours coming back causes none at all.
struct ObjectStatus: Sendable {
    let replica: String
    let settings: StatusSettings
    private(set) var report: ServiceReport?
    private(set) var observed: ObservedObject?
    /// Whether a write is on its way.
    private(set) var isWriting = false
    /// The newest version known: of the watch, or of an answer to our own write that the watch has yet to show.
    private var resourceVersion = ""
    /// What the watch showed when the write on its way was decided.
    private var versionAtWrite = ""
    private var terminatingSince: Duration?
    private var echoes: [Slot: Echo] = [:]
    private var holds: [Slot: (time: Duration, since: Duration)] = [:]
    /// The version that turned out to be old, and until when to wait for a newer one.
    private var stale: (resourceVersion: String, until: Duration)?
    private var announced: [Condition.Kind: String] = [:]

    private enum Slot: Hashable { case summary, entry, clear, finalizer }

    init(replica: String, settings: StatusSettings) {
        self.replica = replica
        self.settings = settings
    }

    /// Whether nothing is known of the object.
    var isEmpty: Bool { report == nil && observed == nil && !isWriting }

    /// Whether somebody waits for what is to be written: the finalizer's removal, or the first word on a generation.
    var isUrgent: Bool {
        guard let report else { return false }
        if report.isTerminating { return report.finalizers.contains(StatusRequests.finalizer) }
        if case .summary(let sent)? = echoes[.summary]?.write, sent.concludes(generation: report.generation) { return false }
        return observed?.status.summary?.concludes(generation: report.generation) != true
    }

    /// Takes a report; returns whether it says anything new.
    mutating func update(_ report: ServiceReport, now: Duration) -> Bool {
        if var old = self.report {
            old.resourceVersion = report.resourceVersion
            if old == report { return false }
            if old.uid != report.uid { forget() }
        }
        self.report = report
        if report.isTerminating, terminatingSince == nil { terminatingSince = now }
        return true
    }

    mutating func observe(_ object: ObservedObject) {
        if let old = observed, old.uid != object.uid { forget() }
        observed = object
        resourceVersion = object.resourceVersion
    }

    mutating func removeReport() { report = nil }
    mutating func removeObserved() { observed = nil }

    /// What to do next. A write that is returned counts as on its way until `finish`.
    mutating func next(_ context: StatusContext, events: inout [ServiceEvent]) -> StatusStep {
        // Both must speak of the same incarnation; and what is there must be known before anything is written, or else a
        // restart would write everything anew.
        guard !isWriting, let report, let observed, report.uid == observed.uid else { return .idle }
        if let stale {
            if stale.resourceVersion == resourceVersion, context.now < stale.until { return .wait(until: stale.until) }
            self.stale = nil
        }
        var steps: [StatusStep] = []
        if report.isTerminating {
            steps.append(finalization(report, observed, context))
        } else {
            if context.isLeader { steps.append(summary(report, observed, context, &events)) }
            if context.isLeader, context.canWriteStatus { steps.append(clearing(observed, context)) }
            if context.canWriteStatus { steps.append(entry(report, observed, context)) }
        }
        var earliest: Duration?
        for step in steps {
            switch step {
            case .write:
                isWriting = true
                versionAtWrite = observed.resourceVersion
                return step
            case .wait(let until): earliest = min(earliest ?? until, until)
            case .idle: break
            }
        }
        return earliest.map { .wait(until: $0) } ?? .idle
    }

    /// The request of a write that `next` returned.
    func request(_ write: StatusWrite, seconds: Int64) -> APIRequest? {
        guard let report else { return nil }
        switch write {
        case .summary(let summary):
            return StatusRequests.apply(summary, to: report.key, resourceVersion: resourceVersion)
        case .entry(let entry):
            return StatusRequests.apply(
                entry, of: replica, to: report.key, resourceVersion: resourceVersion, seconds: seconds)
        case .clear(let positions):
            // The positions are those that the watch showed.
            return StatusRequests.clear(entriesAt: positions, of: report.key, resourceVersion: versionAtWrite)
        case .removeFinalizer(let list): return StatusRequests.removeFinalizer(from: list, of: report.key, uid: report.uid)
        }
    }

    /// Takes what came of a write.
    mutating func finish(_ write: StatusWrite, _ outcome: WriteOutcome, now: Duration) {
        isWriting = false
        switch outcome {
        case .written(let version):
            note(write, now, repetitions: nil)
            // What the watch has shown meanwhile is ours, or newer.
            if let version, observed?.resourceVersion == versionAtWrite { resourceVersion = version }
        // The same content would be refused again: as if written and long awaited.
        case .refused: note(write, now, repetitions: 6)
        case .conflict:
            stale = (resourceVersion, now + settings.settleTime * 2)
            resourceVersion = observed?.resourceVersion ?? resourceVersion
        case .gone: stale = (resourceVersion, now + settings.echoTime)
        case .unsupported, .forbidden, .unavailable: break
        }
    }

    // MARK: - What is due

    private mutating func summary(
        _ report: ServiceReport, _ observed: ObservedObject, _ context: StatusContext, _ events: inout [ServiceEvent]
    ) -> StatusStep {
        let others = observed.status.replicas.filter { $0.name != replica }
        func entries(_ standing: ReplicaRoster.Standing) -> [ReplicaEntry] {
            others.filter { context.roster.standing($0.name, now: context.now) == standing }
        }
        let tally = EnvoyTally(
            generation: report.generation, entries: entries(.live) + [report.entry(replica)], leaving: entries(.leaving),
            matchedPods: report.matched, replicas: context.roster.live(now: context.now))
        func conclude(_ previous: StatusSummary?) -> StatusSummary {
            StatusSummary(facts: report.facts, tally: tally, previous: previous, seconds: context.seconds)
        }
        let old = observed.status.summary
        var new = conclude(old)
        announce(new, old, report, tally, &events)
        guard context.canWriteStatus else { return .idle }
        if new == old { return settled(.summary) }
        var previous = old
        if case .summary(let sent)? = echoes[.summary]?.write {
            new = conclude(sent)
            previous = sent
        }
        var hold = holdTime(from: previous, to: new)
        // Others may have Envoys; they will soon be known, unless their leases can't be read.
        if !context.roster.hasLooked { hold = max(hold, settings.settleTime) }
        if hold == settings.handover, context.roster.isCatchingUp(context.now) { hold = ReplicaRoster.longestHandover }
        return due(.summary, .summary(new), hold: hold, context)
    }

    private mutating func entry(_ report: ServiceReport, _ observed: ObservedObject, _ context: StatusContext) -> StatusStep {
        let mine = observed.status.replicas.first { $0.name == replica }
        let isConcluded = observed.status.summary?.concludes(generation: report.generation) ?? false
        var desired: ReplicaEntry? = report.entry(replica)
        if !report.invalid.isEmpty {
            desired = nil
        } else if report.connected == 0, mine != desired, isConcluded || context.isLeader {
            // "None here" is worth a write only while the leader waits for it.
            desired = nil
        }
        if mine == desired { return settled(.entry) }
        let isDecisive =
            report.connected > 0
            && (report.programmed == report.connected || report.rejection != nil || !report.withheld.isEmpty)
        // The leader reads its own report, not its entry.
        let isAwaited = !context.isLeader && isDecisive && (!isConcluded || report.rejection != nil)
        return due(.entry, .entry(desired), hold: isAwaited ? .zero : settings.settleTime, context)
    }

    private mutating func clearing(_ observed: ObservedObject, _ context: StatusContext) -> StatusStep {
        let positions = observed.status.replicas.indices.filter { position in
            context.roster.standing(observed.status.replicas[position].name, now: context.now) == .gone
        }
        if positions.isEmpty { return settled(.clear) }
        return due(.clear, .clear(Array(positions)), hold: .zero, context)
    }

    private mutating func finalization(
        _ report: ServiceReport, _ observed: ObservedObject, _ context: StatusContext
    ) -> StatusStep {
        guard report.finalizers.contains(StatusRequests.finalizer) else { return .idle }
        let isAccounted = observed.status.summary?.accountsForEnvoys(before: report.generation) ?? false
        guard context.isLeader else {
            // Tells the leader that this replica's Envoys are done, or that it has none, if that can't be seen otherwise.
            let mine = observed.status.replicas.first { $0.name == replica }
            let word = ReplicaEntry(
                name: replica, observedGeneration: report.generation, matchedEnvoys: 0, programmedEnvoys: 0)
            let hasEnvoys = mine.map { $0.matchedEnvoys > 0 } ?? false
            guard report.withdrawn, context.canWriteStatus, isAccounted ? hasEnvoys : mine != word else { return .idle }
            return due(.entry, .entry(isAccounted ? nil : word), hold: .zero, context)
        }
        let deadline = (terminatingSince ?? context.now) + settings.finalizerTimeout
        let isWithdrawn = report.withdrawn && !isAwaited(report, observed, context, isAccounted: isAccounted)
        guard isWithdrawn || context.now >= deadline else { return .wait(until: deadline) }
        return due(.finalizer, .removeFinalizer(report.finalizers), hold: .zero, context)
    }

    /// Whether Envoys of another live replica have the configuration of an object that is being deleted, or may have.
    private func isAwaited(
        _ report: ServiceReport, _ observed: ObservedObject, _ context: StatusContext, isAccounted: Bool
    ) -> Bool {
        let entries = observed.status.replicas
        let isServed = entries.contains { entry in
            entry.name != replica && entry.matchedEnvoys > 0
                && context.roster.standing(entry.name, now: context.now) == .live
        }
        if isServed || isAccounted { return isServed }
        // Nobody knows yet where its Envoys are: each replica has to speak for its own.
        guard context.roster.hasLooked else { return true }
        return context.roster.live(now: context.now).contains { name in
            name != replica
                && !entries.contains { $0.name == name && $0.observedGeneration == report.generation && $0.matchedEnvoys == 0 }
        }
    }

    /// How long a change must last before it is written.
    private func holdTime(from old: StatusSummary?, to new: StatusSummary) -> Duration {
        let (before, after) = (old?[.programmed], new[.programmed])
        if let old, let before, before.status == .yes, before.observedGeneration == new.observedGeneration {
            let isLost = after?.reason == Condition.Reason.noEnvoys.rawValue
            let isFewer = after?.status == .yes && new.matchedEnvoys < old.matchedEnvoys
            if isLost || isFewer { return settings.handover }
        }
        if after?.reason == Condition.Reason.pending.rawValue { return settings.settleTime }
        let isVerdictNew = Condition.Kind.allCases.contains { kind in
            old?[kind]?.status != new[kind]?.status || old?[kind]?.reason != new[kind]?.reason
                || old?[kind]?.observedGeneration != new[kind]?.observedGeneration
        }
        return isVerdictNew ? .zero : settings.settleTime
    }

    // MARK: - Pace

    private mutating func settled(_ slot: Slot) -> StatusStep {
        holds[slot] = nil
        echoes[slot] = nil
        return .idle
    }

    private mutating func due(_ slot: Slot, _ write: StatusWrite, hold: Duration, _ context: StatusContext) -> StatusStep {
        if let echo = echoes[slot], echo.write == write {
            let expiry = echo.expiry(settings.echoTime)
            if context.now < expiry { return .wait(until: expiry) }
        }
        // What lasts is held from its beginning; a change of another kind begins anew.
        let since = holds[slot].flatMap { $0.time == hold ? $0.since : nil } ?? context.now
        holds[slot] = (hold, since)
        return context.now - since >= hold ? .write(write) : .wait(until: since + hold)
    }

    private mutating func note(_ write: StatusWrite, _ now: Duration, repetitions: Int?) {
        let slot: Slot =
            switch write {
            case .summary: .summary
            case .entry: .entry
            case .clear: .clear
            case .removeFinalizer: .finalizer
            }
        let old = echoes[slot]
        echoes[slot] = Echo(
            write: write, at: now, repetitions: repetitions ?? (old?.write == write ? (old?.repetitions ?? 0) + 1 : 0))
        holds[slot] = nil
    }

    // MARK: - Events

    /// An event for each condition that has gone bad, or bad otherwise, since the object's status or we last said so.
    private mutating func announce(
        _ new: StatusSummary, _ old: StatusSummary?, _ report: ServiceReport, _ tally: EnvoyTally,
        _ events: inout [ServiceEvent]
    ) {
        for kind in [Condition.Kind.accepted, .conflicted, .programmed] {
            guard let condition = new[kind], let reason = Condition.Reason(rawValue: condition.reason) else { continue }
            let isBad =
                switch kind {
                case .accepted: reason == .invalid
                case .conflicted: reason == .conflict
                default: reason == .rejected
                }
            // The counts before an Envoy's words change without there being anything new to say.
            let note = reason == .rejected ? tally.rejectionWords : condition.message
            guard isBad else {
                announced[kind] = nil
                continue
            }
            if announced[kind] == note { continue }
            announced[kind] = note
            if old?[kind]?.reason == condition.reason, old?[kind]?.message.hasSuffix(note) == true { continue }
            events.append(ServiceEvent(key: report.key, uid: report.uid, reason: reason, note: note))
        }
    }

    /// Another object has taken the name.
    private mutating func forget() {
        let (report, observed, isWriting) = (report, observed, isWriting)
        self = ObjectStatus(replica: replica, settings: settings)
        (self.report, self.observed, self.isWriting) = (report, observed, isWriting)
        resourceVersion = observed?.resourceVersion ?? ""
    }
}
