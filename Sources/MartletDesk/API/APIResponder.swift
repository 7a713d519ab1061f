import Guard
import Logging
import MartletModel
import SQL

/// From a request's head to its answer, whatever the route: who asks, how long it may take, what a fault reads like.
struct APIResponder: Sendable {
    let desk: Desk
    let principals: Principals
    /// Nil: no customer acts for himself here.
    let tokens: CustomerTokens?
    let counters: DeskCounters
    let logger: Logger
    let timeLimit: Duration
    /// Why the desk does not work; none: it does.
    let ready: @Sendable () -> [String]

    /// - Parameter make: the request for this caller.
    func answer(
        _ route: APIRoutes.Route, key: String?, reason: String?, _ make: @escaping @Sendable (Caller) -> APIRequest
    ) async -> APIAnswer {
        do {
            let reasons = route.operation.isOpen ? [] : ready()
            guard reasons.isEmpty else {
                throw APIProblem(
                    APIErrors.storeAway, detail: reasons.joined(separator: "; "), headers: [APIHeader("Retry-After", "5")])
            }
            return counted(
                try await within(route.timeLimit ?? timeLimit) {
                    let caller = route.operation.isOpen ? Caller(name: "system:open", rights: []) : try await authenticated(key, reason)
                    do {
                        return try await route.answer(make(caller))
                    } catch DeskFault.forbidden(let right) {
                        counters.refusals.add()
                        try await desk.enterRefusal(of: right, by: caller)
                        throw DeskFault.forbidden(right)
                    }
                })
        } catch {
            return counted(problem(error).answer)
        }
    }

    private func authenticated(_ key: String?, _ reason: String?) async throws -> Caller {
        guard let key else { throw APIProblem.unauthenticated("there is no Authorization: Bearer") }
        guard (reason?.utf8.count ?? 0) <= AuditChain.maximumReason else {
            throw APIProblem(APIErrors.malformedHeader, detail: "Martlet-Reason: at most \(AuditChain.maximumReason) bytes")
        }
        do {
            if let tokens, key.hasPrefix(CustomerTokens.prefix) { return try customer(tokens.read(key, now: desk.now() / 1_000_000)) }
            guard var caller = try await principals.caller(presenting: key) else {
                throw APIProblem.unauthenticated("the key is unknown or was revoked")
            }
            // A header with nothing in it is no reason, and the audit takes none that is empty.
            caller.reason = reason.map(\.trimmed).flatMap { $0.isEmpty ? nil : $0 }
            return caller
        } catch {
            // Unknown keys are counted and not entered: anybody can try one, and would fill the audit.
            if !(error is CancellationError) { counters.refusedKeys.add() }
            throw error
        }
    }

    private func customer(_ token: CustomerTokens.Reading) throws(APIProblem) -> Caller {
        switch token {
        case .subject(let subject): return Caller(name: "customer:\(subject)", rights: [.actForCustomers], subject: subject)
        case .ended: throw APIProblem.unauthenticated("the token's time is over; ask for another")
        case .unknown: throw APIProblem.unauthenticated("the token is none of this installation")
        }
    }

    private func counted(_ answer: APIAnswer) -> APIAnswer {
        counters.answered(answer.status)
        return answer
    }

    private func problem(_ error: any Error) -> APIProblem {
        switch error {
        case let problem as APIProblem: return problem
        case is CancellationError: return APIProblem(APIErrors.timeLimit)
        default: break
        }
        let fault = DeskFault.of(error)
        let problem = APIProblem(fault)
        if problem.code.status == 500 { logger.error("a request failed", metadata: ["fault": "\(fault)"]) }
        return problem
    }

    /// Ends `body` when it takes longer: what it waits for in the store or in the body is given up.
    private func within(_ limit: Duration, _ body: @escaping @Sendable () async throws -> APIAnswer) async throws -> APIAnswer {
        try await withThrowingTaskGroup(of: APIAnswer.self) { group in
            group.addTask(operation: body)
            group.addTask {
                try await Task.sleep(for: limit)
                throw APIProblem(APIErrors.timeLimit)
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw APIProblem(APIErrors.timeLimit) }
            return first
        }
    }
}
