import MartletModel

/// One entry of a problem's `errors`. The message names the field and the rule, never the value.
struct FieldError: Equatable {
    /// JSON Pointer (RFC 6901) into the body; empty: the body as a whole.
    var path: String
    var code: ErrorCode
    var message: String
}

/// A refusal as the caller gets it: `application/problem+json` (RFC 9457).
struct HTTPProblem: Equatable {
    var code: ErrorCode
    /// What is particular to this request; empty: nothing.
    var detail = ""
    var errors: [FieldError] = []
    /// Value of Retry-After.
    var retryAfterSeconds: Int?
    /// Value of Allow.
    var allow: String?
    /// Value of WWW-Authenticate.
    var challenge: String?

    init(
        _ code: ErrorCode, detail: String = "", errors: [FieldError] = [], retryAfterSeconds: Int? = nil, allow: String? = nil,
        challenge: String? = nil
    ) {
        self.code = code
        self.detail = detail
        self.errors = errors
        self.retryAfterSeconds = retryAfterSeconds
        self.allow = allow
        self.challenge = challenge
    }

    /// How a refusal of the core reads to the caller.
    init(_ refusal: Refusal) {
        switch refusal {
        case .tooManyParts(let parts, let limit):
            let rule = "needs \(parts) parts; at most \(limit) are sent"
            self.init(HTTPErrors.tooManyParts, errors: [FieldError(path: "/text", code: HTTPErrors.tooManyParts, message: rule)])
        case .noAlphabet:
            let rule = "has letters that its operator takes in no alphabet"
            self.init(HTTPErrors.noAlphabet, errors: [FieldError(path: "/text", code: HTTPErrors.noAlphabet, message: rule)])
        case .noRoute:
            let error = FieldError(path: "/to", code: HTTPErrors.noRoute, message: "no connection serves this number")
            self.init(HTTPErrors.noRoute, errors: [error])
        case .full(let seconds):
            self.init(HTTPErrors.full, retryAfterSeconds: seconds)
        case .storage(let seconds):
            self.init(HTTPErrors.storageTrouble, retryAfterSeconds: seconds)
        case .rateLimited(let seconds):
            self.init(HTTPErrors.rateLimited, retryAfterSeconds: seconds)
        case .quotaUsedUp(let seconds):
            self.init(HTTPErrors.quotaUsedUp, retryAfterSeconds: seconds)
        case .keyReused:
            self.init(HTTPErrors.keyReused)
        case .keyInFlight(let seconds):
            self.init(HTTPErrors.keyInFlight, retryAfterSeconds: seconds)
        case .noRulebook(let seconds):
            self.init(HTTPErrors.noRulebook, retryAfterSeconds: seconds)
        case .eventTooLarge(let bytes, let limit):
            self.init(HTTPErrors.eventTooLarge, detail: "The event needs \(bytes) bytes; at most \(limit) are kept.")
        case .stopping:
            self.init(HTTPErrors.stopping, retryAfterSeconds: 1)
        }
    }

    static let unauthenticated = HTTPProblem(HTTPErrors.unauthenticated, challenge: "Bearer realm=\"martlet\"")
    static let invalidKey = HTTPProblem(HTTPErrors.unauthenticated, challenge: "Bearer realm=\"martlet\", error=\"invalid_token\"")
    /// RFC 8705, section 3: a token over a connection with another certificate than it is bound to is an invalid one.
    static let certificateMismatch = HTTPProblem(
        HTTPErrors.certificateMismatch, challenge: "Bearer realm=\"martlet\", error=\"invalid_token\"")
    static func scopeMissing(_ scope: Source.Scope) -> HTTPProblem {
        HTTPProblem(
            HTTPErrors.scopeMissing, detail: "The scope \(scope.rawValue) is needed.",
            challenge: "Bearer realm=\"martlet\", error=\"insufficient_scope\", scope=\"\(scope.rawValue)\"")
    }
}
