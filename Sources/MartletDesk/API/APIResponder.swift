import Guard
import Logging
import MartletModel
import SQL

/// From a request's head to its answer, whatever the route: who asks, how long it may take, what a fault reads like.
struct APIResponder: Sendable {
    let desk: Desk
    let principals: Principals
    let counters: DeskCounters
    let logger: Logger
    let timeLimit: Duration

    /// - Parameter make: the request for this caller.
    func answer(_ route: APIRoutes.Route, key: String?, reason: String?, _ make: @escaping @Sendable (Caller) -> APIRequest) async -> APIAnswer {
        do {
            return counted(
                try await within(route.timeLimit ?? timeLimit) {
                    let caller = route.isOpen ? Caller(name: "system:open", rights: []) : try await authenticated(key, reason)
                    do {
                        return try await route.handler(make(caller))
                    } catch DeskFault.forbidden(let right) {
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
            guard var caller = try await principals.caller(presenting: key) else {
                counters.refusedKeys.add()
                throw APIProblem.unauthenticated("the key is unknown or was revoked")
            }
            caller.reason = reason
            return caller
        } catch DeskFault.tampered(let noun, let name) {
            counters.refusedKeys.add()
            throw DeskFault.tampered(noun: noun, key: name)
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
