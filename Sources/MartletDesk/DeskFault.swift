public import SQL

/// Why a use case did nothing. Descriptions and fields never hold personal data.
public enum DeskFault: Error, Equatable, Sendable {
    /// The caller has not the right.
    case forbidden(Right)
    /// There is no such thing, or not for this caller.
    case notFound(noun: String, key: String)
    /// It was changed since the caller read it.
    case changed(noun: String, version: Int64)
    /// Fields of the request that do not hold, all at once.
    case invalid([FieldFault])
    /// It would break something else: a name that is taken, a thing that is in use.
    case conflict(field: String, reason: String)
    /// The database is away or busy, or failed.
    case store(SQLFault)
    /// A row does not carry the tag that Martlet gave it: changed in the database, or damaged.
    case tampered(noun: String, key: String)
    /// Something that the caller can do nothing about, and that an operator has to look at.
    case broken(String)
}

/// One field of a request that does not hold.
public struct FieldFault: Error, Equatable, Sendable {
    /// Where in the request: `contacts[0].value`.
    public var path: String
    /// A stable word.
    public var code: String
    /// For a person.
    public var message: String

    public init(_ path: String, _ code: String, _ message: String) {
        self.path = path
        self.code = code
        self.message = message
    }
}

extension DeskFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .forbidden(let right): "the right \(right.rawValue) is needed"
        case .notFound(let noun, let key): "there is no \(noun) \(key)"
        case .changed(let noun, let version): "the \(noun) was changed meanwhile: it is at version \(version); read it again"
        case .invalid(let faults): faults.map { "\($0.path): \($0.message)" }.joined(separator: "; ")
        case .conflict(let field, let reason): "\(field): \(reason)"
        case .store(let fault): fault.description
        case .tampered(let noun, let key): "the row of \(noun) \(key) is not as Martlet wrote it; restore it from a backup"
        case .broken(let problem): problem
        }
    }
}
