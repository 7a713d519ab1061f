/// The HTTP skin over the use cases, JSON in and out. How a noun gets its routes:
///
/// ```
/// struct UnitRoutes: APINoun {                                   // Sources/MartletDesk/Units/UnitRoutes.swift
///     let units: Units                                           // the use cases
///     static let change = APIOperation(
///         .put, "/v1/units/{number}", "Changes a unit", [.manageReference], match: .needed,
///         body: .of(Unit.Wish.self, "UnitWish", isBody: true), answer: .json(.of(Document.self, "Unit")), isVersioned: true)
///     static let operations = [list, add, get, change]           // for the OpenAPI document
///
///     func add(to routes: inout APIRoutes) {
///         routes.on(UnitRoutes.change) { ask in
///             let wish = try await ask.body(Unit.Wish.self)      // a Decodable; unknown fields and wrong types are answered 422
///             let unit = try await units.change(try ask.number(of: "unit"), wish, version: try ask.version(), by: ask.caller)
///             return .json(Document(unit), version: unit.version)
///         }
///     }
/// }
/// ```
///
/// and stands in the list that the program gives to `DeskListener`. What an operation declares of rights and query is asked for before its
/// handler runs; the use case asks for its right again, for others call it too. A route throws `DeskFault`; the problem it becomes is made
/// in `APIProblem`, its entry in the audit, where a right was missing, in `APIResponder`. `{id}/verb` names an act that is no change of a field.
public protocol APINoun: Sendable {
    /// All that `add` may add.
    static var operations: [APIOperation] { get }
    func add(to routes: inout APIRoutes)
}

/// Routes by path and method, gathered before the listener starts.
public struct APIRoutes {
    enum Method: String, CaseIterable, Sendable {
        case get = "GET"
        case put = "PUT"
        case post = "POST"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    typealias Handler = @Sendable (APIRequest) async throws -> APIAnswer

    struct Route: Sendable {
        var operation: APIOperation
        var handler: Handler
        /// Bytes of the body; nil: the setting's limit.
        var bodyLimit: Int?
        /// Nil: the setting's limit.
        var timeLimit: Duration?

        /// - Throws: `APIErrors.unauthenticated`: a customer's token where none belongs, or none where one does; `.forbidden`; `.invalid`: a parameter that is not declared; and what the handler throws.
        func answer(_ ask: APIRequest) async throws -> APIAnswer {
            guard operation.isSelf == (ask.caller.subject != nil) else {
                throw APIProblem.unauthenticated(
                    operation.isSelf ? "a customer's token opens this, and nothing else does" : "a customer's token opens /v1/self alone")
            }
            for right in operation.rights { try ask.caller.require(right) }
            // Whoever asks for health adds what it likes, and another method is refused whatever the query.
            if !operation.isOpen { try ask.query.allow(operation.query.map(\.name)) }
            return try await handler(ask)
        }
    }

    private(set) var paths: [String: [Method: Route]] = [:]

    init() {}

    /// What was added, in no order.
    var operations: [APIOperation] { paths.values.flatMap { $0.values.map(\.operation) } }

    /// - Parameters:
    ///   - bodyLimit: bytes, of a route that takes another size than the setting's, such as one that takes a stream.
    ///   - timeLimit: of a route that may take another time than the setting's.
    mutating func on(_ operation: APIOperation, bodyLimit: Int? = nil, timeLimit: Duration? = nil, _ handler: @escaping Handler) {
        let (method, path) = (operation.method, operation.path)
        precondition(paths[path]?[method] == nil, "\(method.rawValue) \(path) has one handler")
        paths[path, default: [:]][method] = Route(operation: operation, handler: handler, bodyLimit: bodyLimit, timeLimit: timeLimit)
    }
}
