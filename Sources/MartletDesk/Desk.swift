public import SQL

/// What every use case works with. A noun is a small struct over it (`desk.units`), one file a noun: right, check, store, audit.
public struct Desk: Sendable {
    public let store: SQLStore
    let trail: AuditTrail
    let refusals = Refusals()
    let damage = DamageNotes()
    /// Wall microseconds since 1970.
    public let now: @Sendable () -> Int64

    /// - Parameter chain: name of the audit's chain; nil: that of the installation, read from the store with each entry, so that a desk
    ///   can be made before its store is there.
    public init(store: SQLStore, chain: String? = nil, now: @escaping @Sendable () -> Int64) {
        self.store = store
        trail = AuditTrail(chain: chain)
        self.now = now
    }

    /// Wall milliseconds since 1970, as columns hold them.
    var nowMilliseconds: Int64 { now() / 1000 }

    /// Reads, on one snapshot.
    func read<Result: Sendable>(
        _ right: Right, by caller: Caller, _ body: @escaping @Sendable (SQLSession) throws -> Result
    ) async throws(DeskFault) -> Result {
        try caller.require(right)
        do {
            return try await store.read(body)
        } catch {
            throw DeskFault.of(error)
        }
    }

    /// Does something and enters it in the audit, both or neither. That a caller lacked the right is entered by whoever tells him so:
    /// `enterRefusal`.
    func act<Result: Sendable>(
        _ right: Right, by caller: Caller,
        _ body: @escaping @Sendable (SQLSession) throws -> (result: Result, line: AuditTrail.Line)
    ) async throws(DeskFault) -> Result {
        try caller.require(right)
        let (trail, at) = (trail, now())
        do {
            return try await store.transaction(repeats: 3) { session in
                let (result, line) = try body(session)
                try trail.enter(line, by: caller, at: at, session)
                return result
            }
        } catch {
            throw DeskFault.of(error)
        }
    }
}

extension DeskFault {
    static func of(_ error: any Error) -> DeskFault {
        switch error {
        case let fault as DeskFault: fault
        case let fault as SQLFault: .store(fault)
        default: .broken("\(error)")
        }
    }
}
