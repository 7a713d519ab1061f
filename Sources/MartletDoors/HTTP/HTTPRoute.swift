import MartletModel

/// What a request asks for.
enum HTTPRoute: Equatable {
    case submit
    case batch
    case search
    /// One event; many; and what would be decided of one.
    case event
    case events
    case explain
    case cancel(MessageID)
    /// The ends that were not heard, told again.
    case replay
    case state(MessageID)
    case trace(MessageID)
    /// A path of this door with an id that cannot be one.
    case unknownMessage(posts: Bool)
    /// No path of this door.
    case nowhere

    /// The methods it takes, as in the Allow header; nil: the path is not there.
    var allowed: StaticString? {
        switch self {
        case .nowhere: nil
        case .submit, .batch, .search, .event, .events, .explain, .cancel, .replay, .state, .trace, .unknownMessage: posts ? "POST" : "GET"
        }
    }

    /// It takes a body.
    var posts: Bool {
        switch self {
        case .submit, .batch, .search, .event, .events, .explain, .cancel, .replay: true
        case .unknownMessage(let posts): posts
        case .state, .trace, .nowhere: false
        }
    }

    /// What its caller must be allowed to do. Who asks what would be decided of a customer must be one who may tell that customer, and who
    /// may read what came of it.
    var scopes: [Source.Scope] {
        switch self {
        case .submit, .batch, .event, .events, .cancel, .replay: [.send]
        case .explain: [.send, .read]
        case .unknownMessage(let posts): posts ? [.send] : [.read]
        case .search, .state, .trace, .nowhere: [.read]
        }
    }

    /// Its body is lines of JSON, each answered by itself.
    var takesLines: Bool { self == .batch || self == .events }

    /// Bytes that its body may have.
    func bodyLimit(_ settings: HTTPSettings) -> Int {
        switch self {
        case .batch, .events: settings.maximumBatchBody
        case .event, .explain: settings.maximumEvent
        case .submit, .search, .cancel, .replay, .state, .trace, .unknownMessage, .nowhere: settings.maximumBody
        }
    }

    /// Every path, as the OpenAPI document writes it.
    static let templates = [
        "/v1/messages", "/v1/messages:batch", "/v1/messages:search", "/v1/messages/{id}", "/v1/messages/{id}:cancel",
        "/v1/messages/{id}/trace", "/v1/callbacks:replay", "/v1/events", "/v1/events:batch", "/v1/events:explain",
        "/v1/notifications/{id}", "/v1/notifications/{id}:cancel", "/v1/notifications/{id}/trace",
    ]

    /// Paths without an id.
    private static let fixed: [(path: StaticString, route: HTTPRoute)] = [
        ("/v1/messages", .submit), ("/v1/events", .event), ("/v1/messages:batch", .batch), ("/v1/events:batch", .events),
        ("/v1/messages:search", .search), ("/v1/events:explain", .explain), ("/v1/callbacks:replay", .replay),
    ]

    /// Reads the path of a request target in origin form or in absolute form (RFC 9112, section 3.2). Escapes are not undone:
    /// no path of this door needs one.
    /// - Returns: the route, and whether a query followed the path.
    static func reading(_ target: String) -> (HTTPRoute, hasQuery: Bool) {
        if target == "/v1/messages" { return (.submit, false) }
        if target == "/v1/events" { return (.event, false) }
        var path = target.utf8[...]
        for scheme in ["http://", "https://"] where path.starts(with: scheme.utf8) {
            path = path.dropFirst(scheme.utf8.count)
            path = path[(path.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? path.endIndex)...]
        }
        var hasQuery = false
        if let mark = path.firstIndex(of: UInt8(ascii: "?")) {
            path = path[..<mark]
            hasQuery = true
        }
        for (text, route) in fixed where path.elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)) {
            return (route, hasQuery)
        }
        // A message and a notification have one id and one story: what they are called is the caller's choice.
        for root in ["/v1/messages/", "/v1/notifications/"] where path.starts(with: root.utf8) {
            return (ofOne(path.dropFirst(root.utf8.count)), hasQuery)
        }
        return (.nowhere, hasQuery)
    }

    /// - Parameter rest: what stands behind the slash: an id, and perhaps what of it.
    private static func ofOne(_ rest: Substring.UTF8View) -> HTTPRoute {
        var path = rest
        let tail = "/trace"
        var wantsTrace = false
        if let slash = path.firstIndex(of: UInt8(ascii: "/")) {
            guard path[slash...].elementsEqual(tail.utf8) else { return .nowhere }
            wantsTrace = true
            path = path[..<slash]
        }
        let verb = ":cancel"
        var cancels = false
        if let colon = path.firstIndex(of: UInt8(ascii: ":")) {
            guard !wantsTrace, path[colon...].elementsEqual(verb.utf8) else { return .nowhere }
            cancels = true
            path = path[..<colon]
        }
        guard !path.isEmpty else { return .nowhere }
        // Ordinal 0 names the notification, the others its messages: all lead to the same story.
        guard let id = MessageID(text: Substring(path)) else { return .unknownMessage(posts: cancels) }
        if cancels { return .cancel(id.notification) }
        return wantsTrace ? .trace(id.notification) : .state(id.notification)
    }
}
