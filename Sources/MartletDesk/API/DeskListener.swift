public import Guard
import Hummingbird
public import Logging
import MartletModel
import NIOCore
import SQL

/// Why the desk cannot listen. The words begin with the setting that is to be corrected.
public struct DeskListenerFault: Error, Equatable, Sendable, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}

/// What the desk answers at its one socket: admin API, metrics, health.
public final class DeskListener: Sendable {
    private let settings: DeskSettings
    private let desk: Desk
    private let principals: Principals
    private let tokens: CustomerTokens?
    private let counters: DeskCounters
    private let logger: Logger
    private let nouns: [any APINoun]
    private let ready: @Sendable () -> [String]
    private let front: DeskFront

    /// - Parameters:
    ///   - front: the socket, which may listen already; nil: one of its own.
    ///   - tokens: with which customers act for themselves; nil: none is taken.
    ///   - nouns: besides principals and audit.
    ///   - ready: why the desk does not work, in words without customer data; none: it does.
    public init(
        _ settings: DeskSettings, front: DeskFront? = nil, desk: Desk, principals: Principals, tokens: CustomerTokens? = nil,
        nouns: [any APINoun] = [], logger: Logger, ready: @escaping @Sendable () -> [String]
    ) {
        let front = front ?? DeskFront(settings, logger: logger)
        self.front = front
        counters = front.counters
        self.settings = settings
        self.desk = desk
        self.principals = principals
        self.tokens = tokens
        self.logger = logger
        self.nouns = nouns + [PrincipalRoutes(principals: principals), AuditRoutes(audits: Audits(desk: desk))]
        self.ready = ready
    }

    /// - Returns: the port.
    /// - Throws: `DeskListenerFault`.
    public func start() async throws -> Int {
        front.serve(router())
        return try await front.start()
    }

    /// Takes no more connections, gives open requests up, and returns when all is closed.
    public func stop() async { await front.stop() }

    /// What is answered at all; those that a path does not have with 405.
    private static let verbs: [HTTPRequest.Method] =
        [.get, .put, .post, .patch, .delete, .head, .options, .trace, .connect] + [HTTPRequest.Method("QUERY")].compactMap { $0 }

    private func router() -> Router<BasicRequestContext> {
        var routes = APIRoutes()
        for noun in nouns { noun.add(to: &routes) }
        HealthRoutes(desk: desk, counters: counters, ready: ready).add(to: &routes)
        let responder = APIResponder(
            desk: desk, principals: principals, tokens: tokens, counters: counters, logger: logger, timeLimit: settings.timeLimit,
            ready: ready)
        let limit = settings.maximumBody
        let router = Router()
        router.add(middleware: UnknownPath(counters: counters))
        for (path, methods) in routes.paths {
            let hasHead = methods[.get]?.operation.answersHead ?? false
            let allow = (methods.keys.map(\.rawValue) + (hasHead ? ["HEAD"] : [])).sorted().joined(separator: ", ")
            for verb in DeskListener.verbs {
                let isHead = hasHead && verb == .head
                let method = isHead ? .get : APIRoutes.Method(rawValue: verb.rawValue)
                let route =
                    method.flatMap { methods[$0] }
                    ?? APIRoutes.Route(operation: APIOperation(.get, path, "Takes other methods", answer: .nothing, isOpen: true)) { _ in
                        throw APIProblem(APIErrors.methodNotAllowed, headers: [APIHeader("Allow", allow)])
                    }
                router.on(RouterPath(path), method: verb) { request, context in
                    let headers = request.fields
                    let key = headers["authorization"].flatMap { $0.hasPrefix("Bearer ") ? String($0.dropFirst(7)) : nil }
                    let parts = context.parts
                    let answer = await responder.answer(route, key: key, reason: headers["martlet-reason"]) { caller in
                        APIRequest(
                            caller: caller, parts: parts, query: request.asked, headers: headers, content: request.body,
                            bodyLimit: route.bodyLimit ?? limit)
                    }
                    return verb == .head ? answer.response.createHeadResponse() : answer.response
                }
            }
        }
        return router
    }
}

/// A path that no noun has.
private struct UnknownPath: RouterMiddleware {
    typealias Context = BasicRequestContext
    let counters: DeskCounters

    func handle(
        _ request: Request, context: BasicRequestContext, next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch is HTTPError {
            counters.answered(404)
            let response = APIProblem(APIErrors.notFound, detail: "there is no such path").answer.response
            return request.method == .head ? response.createHeadResponse() : response
        }
    }
}

extension BasicRequestContext {
    fileprivate var parts: [String: String] {
        var parts: [String: String] = [:]
        for part in parameters { parts[String(part.key)] = APIText.decoded(part.value) }
        return parts
    }
}

extension Request {
    /// By name in lower case; of a name that comes twice, both with a comma, as RFC 9110 (section 5.3) reads them.
    fileprivate var fields: [String: String] {
        var fields: [String: String] = [:]
        for field in headers {
            let name = field.name.canonicalName
            fields[name] = fields[name].map { "\($0), \(field.value)" } ?? field.value
        }
        return fields
    }

    fileprivate var asked: APIQuery {
        APIQuery(uri.queryParameters.map { (name: APIText.decoded($0.key), value: String($0.value)) })
    }
}

/// Percent-encoding (RFC 3986, section 2.1).
enum APIText {
    /// What is no encoding stays as it is.
    static func decoded(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == 0x25, rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension APIAnswer {
    var response: Response {
        var response = Response(status: .init(code: status))
        switch body {
        case .none: break
        case .bytes(let bytes): response.body = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        case .pieces(let next):
            response.body = ResponseBody { writer in
                while let piece = try await next() { try await writer.write(ByteBuffer(bytes: piece)) }
                try await writer.finish(nil)
            }
        }
        // What is administered is nobody's to keep on the way, unless its route says otherwise.
        for header in [APIHeader("Cache-Control", "no-store")] + headers {
            if let name = HTTPFields.Element.Name(header.name) { response.headers[name] = header.value }
        }
        return response
    }
}
