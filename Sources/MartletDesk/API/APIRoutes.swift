/// The HTTP skin over the use cases, JSON in and out. How a noun gets its routes:
///
/// ```
/// struct UnitRoutes: APINoun {                                   // Sources/MartletDesk/Units/UnitRoutes.swift
///     let units: Units                                           // the use cases; rights are checked there, not here
///     func add(to routes: inout APIRoutes) {
///         routes.get("/v1/units") { ask in
///             .page(try await units.list(try ask.page(), by: ask.caller)) { UnitDocument($0) }
///         }
///         routes.put("/v1/units/{id}") { ask in
///             let wish = try await ask.body(UnitWish.self)       // a Decodable; unknown fields and wrong types are answered 422
///             let unit = try await units.put(ask.part("id"), wish, version: try ask.version(), by: ask.caller)
///             return .json(UnitDocument(unit), version: unit.version)
///         }
///     }
/// }
/// ```
///
/// and stands in the list that the program gives to `DeskListener`. A route throws `DeskFault`; the problem it becomes is made in
/// `APIProblem`, its entry in the audit, where a right was missing, in `APIResponder`. `{id}/verb` names an act that is no
/// change of a field.
public protocol APINoun: Sendable {
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
        var handler: Handler
        /// Bytes of the body; nil: the setting's limit.
        var bodyLimit: Int?
        /// Nil: the setting's limit.
        var timeLimit: Duration?
        /// Without a key: health.
        var isOpen = false
    }

    private(set) var paths: [String: [Method: Route]] = [:]

    init() {}

    mutating func get(_ path: String, _ handler: @escaping Handler) { add(.get, path, Route(handler: handler)) }
    mutating func put(_ path: String, _ handler: @escaping Handler) { add(.put, path, Route(handler: handler)) }
    mutating func post(_ path: String, _ handler: @escaping Handler) { add(.post, path, Route(handler: handler)) }
    mutating func patch(_ path: String, _ handler: @escaping Handler) { add(.patch, path, Route(handler: handler)) }
    mutating func delete(_ path: String, _ handler: @escaping Handler) { add(.delete, path, Route(handler: handler)) }

    /// With limits of its own, such as an import that takes a stream.
    mutating func add(_ method: Method, _ path: String, _ route: Route) {
        precondition(paths[path]?[method] == nil, "\(method.rawValue) \(path) has one handler")
        paths[path, default: [:]][method] = route
    }
}
