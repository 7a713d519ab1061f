/// Which name is looked up when, so that names which hang leave threads to the others. A thread that hangs cannot be taken back: so a
/// name holds one at most, a few threads stand in for those that hang, and names that hung last time get a part of all only.
struct OutboundLookupOrder {
    /// A look-up that begins now, numbered so that its end is not taken for that of another.
    struct Start: Equatable, Sendable {
        var name: String
        var number: UInt64
    }

    private struct Running {
        var number: UInt64
        var isHanging = false
        /// Its last one hung too.
        var isSuspect: Bool
    }

    private var running: [String: Running] = [:]
    /// Names for which no thread was free, in the order of asking.
    private var waiting: [String] = []
    private var suspects: Set<String> = []
    private var lastNumber: UInt64 = 0

    /// Look-ups within their time.
    static let working = 4
    /// Threads in all; those above `working` stand in for hanging ones.
    static let threads = 16
    /// Of these, held by look-ups that hang and by names that hung last time.
    static let suspectThreads = 8
    /// Names that may wait.
    static let waitingMaximum = 256

    /// Somebody wants this name.
    /// - Returns: what begins now, none when it runs already or waits; nil: it hangs, or too many wait.
    mutating func ask(_ name: String) -> [Start]? {
        if let running = running[name] { return running.isHanging ? nil : [] }
        guard !waiting.contains(name) else { return [] }
        guard waiting.count < OutboundLookupOrder.waitingMaximum else { return nil }
        waiting.append(name)
        return begin()
    }

    /// Nobody wants it any more.
    mutating func leave(_ name: String) { waiting.removeAll { $0 == name } }

    /// Its time is over. Nil: it had ended before.
    mutating func overran(_ start: Start) -> [Start]? {
        guard running[start.name]?.number == start.number else { return nil }
        running[start.name]?.isHanging = true
        if suspects.count >= OutboundLookupOrder.waitingMaximum { suspects = [] }
        suspects.insert(start.name)
        return begin()
    }

    /// Its thread is free.
    mutating func ended(_ start: Start) -> [Start] {
        if running.removeValue(forKey: start.name)?.isHanging == false { suspects.remove(start.name) }
        return begin()
    }

    private mutating func begin() -> [Start] {
        var starts: [Start] = []
        while let place = waiting.firstIndex(where: { mayBegin($0) }) {
            let name = waiting.remove(at: place)
            lastNumber += 1
            running[name] = Running(number: lastNumber, isSuspect: suspects.contains(name))
            starts.append(Start(name: name, number: lastNumber))
        }
        return starts
    }

    private func mayBegin(_ name: String) -> Bool {
        let hanging = running.values.count { $0.isHanging }
        let standIns = min(hanging, OutboundLookupOrder.threads - OutboundLookupOrder.working)
        guard running.count - standIns < OutboundLookupOrder.working else { return false }
        return !suspects.contains(name)
            || running.values.count { $0.isHanging || $0.isSuspect } < OutboundLookupOrder.suspectThreads
    }
}
