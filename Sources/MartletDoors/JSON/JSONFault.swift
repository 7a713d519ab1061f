/// Why a body was not read: where, and what was wrong. Says nothing of the body's content.
public struct JSONFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// Octets from the start of the body; for a body that ends too early, its length.
    public let offset: Int
    public let reason: Reason

    public enum Reason: Sendable, Hashable {
        /// Nothing but white space.
        case empty
        /// The body ends inside a value.
        case truncated
        /// RFC 8259, 8.1: must not be sent.
        case byteOrderMark
        /// Not what the grammar allows here.
        case unexpectedCharacter
        /// Below U+0020 in a string without an escape.
        case controlCharacter
        case invalidEscape
        /// Half of an escaped surrogate pair: no letter.
        case loneSurrogate
        case invalidUTF8
        case invalidNumber
        case invalidLiteral
        /// Objects and arrays nested deeper than the reader was told to go.
        case tooDeep
        /// The same key twice in one object, escapes taken off.
        case duplicateKey
        /// Something stands behind the value.
        case trailing
        /// Well-formed, but of another kind than asked for. The value is still unread: `skip()` goes past it.
        case wrongKind(wanted: JSONKind, found: JSONKind)
        /// A number with a fraction or an exponent, where an integer was asked for. The value is still unread.
        case notAnInteger
        /// An integer that Int64 cannot hold. The value is still unread.
        case integerOutOfRange
    }

    public init(offset: Int, reason: Reason) {
        self.offset = offset
        self.reason = reason
    }

    /// Whether the body is no JSON that Martlet takes at all; otherwise one value is not what was asked for, and reading can go on.
    public var isMalformed: Bool {
        switch reason {
        case .wrongKind, .notAnInteger, .integerOutOfRange: false
        case .empty, .truncated, .byteOrderMark, .unexpectedCharacter, .controlCharacter, .invalidEscape, .loneSurrogate, .invalidUTF8,
            .invalidNumber, .invalidLiteral, .tooDeep, .duplicateKey, .trailing:
            true
        }
    }

    public var description: String { "\(reason.words) (offset \(offset))" }
}

extension JSONFault.Reason {
    /// In words for a caller of the API.
    public var words: String {
        switch self {
        case .empty: "the body is empty"
        case .truncated: "the body ends inside a value"
        case .byteOrderMark: "the body starts with a byte order mark"
        case .unexpectedCharacter: "unexpected character"
        case .controlCharacter: "a control character in a string must be escaped"
        case .invalidEscape: "invalid escape in a string"
        case .loneSurrogate: "half of a surrogate pair in a string"
        case .invalidUTF8: "a string is not valid UTF-8"
        case .invalidNumber: "invalid number"
        case .invalidLiteral: "invalid literal: true, false and null are known"
        case .tooDeep: "nested too deeply"
        case .duplicateKey: "the same key twice in one object"
        case .trailing: "something follows the value"
        case .wrongKind(let wanted, let found): "\(wanted.rawValue) wanted, \(found.rawValue) found"
        case .notAnInteger: "an integer without fraction or exponent wanted"
        case .integerOutOfRange: "integer out of range"
        }
    }
}

/// The kinds of JSON values.
public enum JSONKind: String, Sendable, Hashable {
    case object, array, string, number, boolean, null
}
