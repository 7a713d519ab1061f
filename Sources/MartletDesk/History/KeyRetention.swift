public import MartletModel
import SQL

/// Has keys of class and day destroyed whose time is over. What they sealed has been forgotten by then, here; a backup of store or log still has it, and from
/// then on opens it only with a backup of keys that is as old.
public struct KeyRetention: Sendable {
    /// Destroys keys of days before these that nothing in the node's log is sealed with; says how many.
    public typealias Forget = @Sendable (_ days: [MessageClass: Int32]) async throws -> Int

    private let desk: Desk
    private let rules: [HistoryRetention.Rule]
    private let isProjected: @Sendable () async throws -> Bool
    private let forget: Forget

    /// - Parameters:
    ///   - isProjected: whether the history has all that the log had; what it lacks may still have to be opened.
    ///   - forget: the node's: it makes the keys, and knows which of them its log names.
    public init(
        _ desk: Desk, rules: [HistoryRetention.Rule], isProjected: @escaping @Sendable () async throws -> Bool, forget: @escaping Forget
    ) {
        self.desk = desk
        self.rules = rules
        self.isProjected = isProjected
        self.forget = forget
    }

    /// One pass, behind one of `HistoryRetention`. What was destroyed is an entry of the audit.
    /// - Returns: keys destroyed.
    public func run() async throws -> Int {
        guard try await isProjected() else { return 0 }
        let count = try await forget(KeyRetention.days(rules, now: desk.nowMilliseconds))
        guard count > 0 else { return 0 }
        let (trail, at) = (desk.trail, desk.now())
        try await desk.store.transaction { session in
            try trail.enter(
                AuditTrail.Line(act: .historyRetained, object: "keys", outcome: "\(count) of class and day"), by: .system("retention"),
                at: at,
                session)
        }
        return count
    }

    /// Days before which keys may go, by class: a message of the last moment of a day is forgotten as long after that day as its class says, and the pass
    /// that forgets it may be a day late.
    static func days(_ rules: [HistoryRetention.Rule], now: Int64) -> [MessageClass: Int32] {
        let length: Int64 = 86_400_000
        return Dictionary(
            rules.map { rule in (rule.messageClass, Int32(clamping: (now - min(rule.text, rule.rows)) / length - 1)) },
            uniquingKeysWith: min)
    }
}
