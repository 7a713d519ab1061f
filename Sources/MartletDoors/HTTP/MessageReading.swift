import MartletModel
import NIOCore

/// The body of a POST, read in place: strings are made only for what goes on to the core.
enum MessageReading {
    /// `isMasked`: a card number in the text was made unreadable.
    case submission(Submission, isMasked: Bool)
    /// Malformed, or with every error that its fields have.
    case problem(HTTPProblem)

    static func read(
        _ body: ByteBuffer, source: AuthenticatedSource, cards: CardNumbers.Policy, trace: TraceContext?, now: Instant
    ) -> MessageReading {
        var draft = MessageDraft(cards: cards)
        let fault: JSONFault? = body.withUnsafeReadableBytes { bytes in
            do throws(JSONFault) {
                try JSONReader.read(bytes) { reader throws(JSONFault) in try draft.read(&reader, for: source.source) }
                return nil
            } catch {
                return error
            }
        }
        if let fault { return .problem(problem(fault, HTTPErrors.invalidMessage)) }
        if let submission = draft.submission(from: source.source, trace, at: now) {
            return .submission(submission, isMasked: draft.isMasked)
        }
        return .problem(HTTPProblem(HTTPErrors.invalidMessage, errors: draft.errors))
    }

    /// What the guard on card numbers did.
    enum Cards { case clean, masked, refused }

    var cards: Cards {
        switch self {
        case .submission(_, let isMasked): isMasked ? .masked : .clean
        case .problem(let problem): problem.errors.contains { $0.code == HTTPErrors.cardNumber } ? .refused : .clean
        }
    }

    /// Of a request whose body has nothing to say: it may be absent, white space, or an object without members.
    /// - Returns: what is wrong with it otherwise.
    static func nothing(in body: ByteBuffer) -> HTTPProblem? {
        let isBlank = body.withUnsafeReadableBytes { $0.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D } }
        if isBlank { return nil }
        var hasMembers = false
        let fault: JSONFault? = body.withUnsafeReadableBytes { bytes in
            do throws(JSONFault) {
                try JSONReader.read(bytes) { reader throws(JSONFault) in
                    var members = try reader.object()
                    while try reader.key(in: &members) != nil {
                        hasMembers = true
                        try reader.skip()
                    }
                }
                return nil
            } catch {
                return error
            }
        }
        if let fault { return problem(fault, HTTPErrors.invalidMessage) }
        guard hasMembers else { return nil }
        let error = FieldError(path: "", code: HTTPErrors.unknownField, message: "must have no members")
        return HTTPProblem(HTTPErrors.invalidMessage, errors: [error])
    }

    /// - Parameter code: of a body that is JSON, but no object.
    static func problem(_ fault: JSONFault, _ code: ErrorCode) -> HTTPProblem {
        guard fault.isMalformed else {
            let error = FieldError(path: "", code: HTTPErrors.wrongType, message: "must be a JSON object")
            return HTTPProblem(code, errors: [error])
        }
        let error = FieldError(path: "", code: HTTPErrors.malformedJSON, message: "at byte \(fault.offset): \(fault.reason.words)")
        return HTTPProblem(HTTPErrors.malformedJSON, errors: [error])
    }
}

/// What was read so far. A field that was there and wrong is `seen` without a value, so that it is not called missing too.
private struct MessageDraft {
    init(cards: CardNumbers.Policy) { self.cards = cards }

    private struct Seen: OptionSet {
        let rawValue: UInt8
        static let to = Seen(rawValue: 1)
        static let text = Seen(rawValue: 2)
        static let from = Seen(rawValue: 4)
    }

    let cards: CardNumbers.Policy
    private(set) var isMasked = false
    private(set) var errors: [FieldError] = []
    private var seen: Seen = []
    private var to: PhoneNumber?
    private var text: String?
    private var from: String?
    private var messageClass: MessageClass?
    private var validity: Int64?
    private var reference = ""
    private var wishes: MessageWishes = []

    mutating func read(_ reader: inout JSONReader, for source: Source) throws(JSONFault) {
        var members = try reader.object()
        while let key = try reader.key(in: &members) {
            switch key {
            case "to":
                guard let value = try string(&reader, "/to", .to) else { continue }
                do throws(PhoneNumber.Fault) {
                    to = value.hasEscapes ? try PhoneNumber.parse(value.octets) : try PhoneNumber.parse(value.raw)
                } catch {
                    note(MessageRules.error(error))
                }
            case "text":
                guard let value = try string(&reader, "/text", .text)?.string else { continue }
                if let error = MessageRules.text(value) { note(error) } else { take(text: value) }
            case "from":
                guard let value = try string(&reader, "/from", .from)?.string else { continue }
                if let error = MessageRules.sender(value, of: source) { note(error) } else { from = value }
            case "class":
                guard let value = try string(&reader, "/class")?.string else { continue }
                switch MessageRules.messageClass(value, of: source) {
                case .success(let found): messageClass = found
                case .failure(let fault): note(fault.error)
                }
            case "validity":
                validity = try seconds(&reader)
            case "reference":
                guard let value = try string(&reader, "/reference")?.string else { continue }
                if let error = MessageRules.reference(value) { note(error) } else { reference = value }
            case "flash":
                if try flag(&reader, "/flash") { wishes.insert(.flash) }
            case "replaceIfPresent":
                if try flag(&reader, "/replaceIfPresent") { wishes.insert(.replacesPending) }
            case "channel":
                guard let value = try string(&reader, "/channel")?.string else { continue }
                if let error = MessageRules.channel(value) { note(error) }
            default:
                // Finding what was meant takes time, which a body of many wrong names must not take of others.
                if errors.count <= HTTPLimit.fieldErrors { note(MessageRules.unknownField(key.string)) }
                try reader.skip()
            }
        }
    }

    private mutating func take(text value: String) {
        switch CardNumbers.examine(value, cards) {
        case .clean: text = value
        case .masked(let masked):
            text = masked
            isMasked = true
        case .refused: note(MessageRules.cardNumber)
        }
    }

    /// - Returns: nil for null, which counts as absent, and for another type, which is noted.
    private mutating func string(_ reader: inout JSONReader, _ path: String, _ field: Seen = []) throws(JSONFault) -> JSONText? {
        if try reader.isNull() { return nil }
        seen.formUnion(field)
        guard try reader.kind() == .string else {
            try reader.skip()
            note(FieldError(path: path, code: HTTPErrors.wrongType, message: "must be a string"))
            return nil
        }
        return try reader.string()
    }

    /// - Returns: false for null, which counts as absent, and for another type, which is noted.
    private mutating func flag(_ reader: inout JSONReader, _ path: String) throws(JSONFault) -> Bool {
        if try reader.isNull() { return false }
        if try reader.kind() == .boolean { return try reader.boolean() }
        try reader.skip()
        note(FieldError(path: path, code: HTTPErrors.wrongType, message: "must be true or false"))
        return false
    }

    private mutating func seconds(_ reader: inout JSONReader) throws(JSONFault) -> Int64? {
        if try reader.isNull() { return nil }
        let value: Int64
        do throws(JSONFault) {
            value = try reader.integer()
        } catch {
            guard !error.isMalformed else { throw error }
            // The reader stands before a well-formed value of another kind.
            try reader.skip()
            if error.reason == .integerOutOfRange {
                note(MessageRules.validity(.max))
            } else {
                note(FieldError(path: "/validity", code: HTTPErrors.wrongType, message: "must be a whole number of seconds"))
            }
            return nil
        }
        note(MessageRules.validity(value))
        return value
    }

    private mutating func note(_ error: FieldError?) {
        guard let error, errors.count <= HTTPLimit.fieldErrors else { return }
        if errors.count == HTTPLimit.fieldErrors {
            errors.append(FieldError(path: "", code: HTTPErrors.tooManyErrors, message: "has more errors than are listed"))
        } else {
            errors.append(error)
        }
    }

    /// - Returns: nil when anything is wrong or missing; `errors` then says all of it.
    mutating func submission(from source: Source, _ trace: TraceContext?, at now: Instant) -> Submission? {
        if !seen.contains(.to) { note(FieldError(path: "/to", code: HTTPErrors.required, message: "is missing")) }
        if !seen.contains(.text) { note(FieldError(path: "/text", code: HTTPErrors.required, message: "is missing")) }
        let sender = seen.contains(.from) ? from : source.defaultSender
        if sender == nil, !seen.contains(.from) {
            note(FieldError(path: "/from", code: HTTPErrors.required, message: "is missing, and the source has no default"))
        }
        guard errors.isEmpty, let to, let text, let sender else { return nil }
        return Submission(
            source: source.number, messageClass: messageClass ?? source.defaultClass, to: to, from: sender, text: text,
            wishes: wishes, reference: reference, validity: validity, trace: trace, receivedAt: now)
    }
}
