import MartletModel
import NIOCore

/// The body of `POST /v1/events`, of a line of its batch, or of `:explain`, read in place.
enum EventReading {
    case event(EventSubmission, EventWish, masked: Int)
    /// Malformed, or with every error that its fields have.
    case problem(HTTPProblem)

    static let fields = ["definition", "customer", "parameters", "occurredAt", "deadline", "reference"]
    /// What only `:explain` takes.
    static let wishes = ["at", "release"]

    /// - Parameter explains: nothing will come of it, so the moment and the release may be wished.
    static func read(
        _ body: ByteBuffer, of catalogue: EventCatalogue, source: AuthenticatedSource, cards: CardNumbers.Policy, trace: TraceContext?,
        now: Instant, explains: Bool = false
    ) -> EventReading {
        // Without a rulebook every definition would be unknown, which is no fault of the sender's.
        guard !catalogue.isEmpty else { return .problem(HTTPProblem(Refusal.noRulebook(retryAfterSeconds: 5))) }
        var draft = EventDraft(catalogue: catalogue, source: source.source, cards: cards, explains: explains)
        let fault: JSONFault? = body.withUnsafeReadableBytes { bytes in
            do throws(JSONFault) {
                try JSONReader.read(bytes) { reader throws(JSONFault) in try draft.read(&reader, bytes) }
                return nil
            } catch {
                return error
            }
        }
        if let fault { return .problem(MessageReading.problem(fault, HTTPErrors.invalidEvent)) }
        guard let (event, wish) = draft.finished(trace, at: now) else {
            return .problem(HTTPProblem(HTTPErrors.invalidEvent, errors: draft.errors))
        }
        if event.mayBeTooLarge {
            let bytes = event.byteCount
            let limit = EventPayload.Happened.maximumBytes
            if bytes > limit { return .problem(HTTPProblem(Refusal.eventTooLarge(bytes: bytes, limit: limit))) }
        }
        return .event(event, wish, masked: draft.masked)
    }
}

/// At which moment and under which release it should be explained; nil: now, and the one in use.
struct EventWish: Equatable {
    /// Wall microseconds.
    var at: Int64?
    var release: UInt32?
}

/// What was read so far. A field that was there and wrong is `seen` without a value, so that it is not called missing too.
private struct EventDraft {
    private struct Seen: OptionSet {
        let rawValue: UInt8
        static let definition = Seen(rawValue: 1)
        static let customer = Seen(rawValue: 2)
        static let parameters = Seen(rawValue: 4)
    }

    let catalogue: EventCatalogue
    let source: Source
    let cards: CardNumbers.Policy
    let explains: Bool
    private(set) var errors: [FieldError] = []
    private(set) var masked = 0
    private var seen: Seen = []
    private var definition: EventDefinition?
    private var values: [ParameterValue?] = []
    private var customer = ""
    private var occurredAt: Int64?
    private var deadline: Int64?
    private var reference = ""
    private var wish = EventWish()

    init(catalogue: EventCatalogue, source: Source, cards: CardNumbers.Policy, explains: Bool) {
        self.catalogue = catalogue
        self.source = source
        self.cards = cards
        self.explains = explains
    }

    /// - Parameter bytes: those of the reader, where parameters are read again that stood before their definition.
    mutating func read(_ reader: inout JSONReader, _ bytes: UnsafeRawBufferPointer) throws(JSONFault) {
        var early: Range<Int>?
        var members = try reader.object()
        while let key = try reader.key(in: &members) {
            switch key {
            case "definition": try definition(&reader)
            case "customer":
                guard let text = try string(&reader, "/customer", .customer)?.string else { continue }
                if let error = EventRules.customer(text) { note(error) } else { customer = text }
            case "parameters":
                if try reader.isNull() { continue }
                seen.insert(.parameters)
                guard try reader.kind() == .object else {
                    try reader.skip()
                    note(FieldError(path: "/parameters", code: HTTPErrors.wrongType, message: "must be an object"))
                    continue
                }
                if let definition { try parameters(&reader, definition) } else { early = try reader.skip() }
            case "occurredAt": occurredAt = try time(&reader, "/occurredAt")
            case "deadline": deadline = try integer(&reader, "/deadline", EventRules.deadline, "must be a whole number of seconds")
            case "reference":
                guard let text = try string(&reader, "/reference")?.string else { continue }
                if let error = MessageRules.reference(text) { note(error) } else { reference = text }
            case "at" where explains: wish.at = try time(&reader, "/at")
            case "release" where explains:
                wish.release = try integer(&reader, "/release", EventRules.release, "must be a whole number").map { UInt32(clamping: $0) }
            default:
                // Finding what was meant takes time, which a body of many wrong names must not take of others.
                if errors.count <= HTTPLimit.fieldErrors {
                    let fields = explains ? EventReading.fields + EventReading.wishes : EventReading.fields
                    note(MessageRules.unknownField(key.string, of: fields, "an event"))
                }
                try reader.skip()
            }
        }
        guard let definition else { return }
        if let early {
            // It was read over before, so what can go wrong now is no fault of the grammar.
            try JSONReader.read(UnsafeRawBufferPointer(rebasing: bytes[early])) { reader throws(JSONFault) in
                try parameters(&reader, definition)
            }
        } else if !seen.contains(.parameters) {
            take(EventParameters(of: definition, faultsMaximum: HTTPLimit.fieldErrors), definition)
        }
    }

    private mutating func definition(_ reader: inout JSONReader) throws(JSONFault) {
        guard let key = try string(&reader, "/definition", .definition)?.string else { return }
        guard let found = catalogue[key] else {
            let hint = catalogue.nearest(to: key).map { "; did you mean \($0)?" } ?? ""
            let message = "is no event of this server\(hint)"
            return note(FieldError(path: "/definition", code: HTTPErrors.unknownDefinition, message: message))
        }
        guard source.classes.isEmpty || source.classes.contains(found.messageClass) else {
            let message = "is of class \(found.messageClass.word), which is not among the classes of this source"
            return note(FieldError(path: "/definition", code: HTTPErrors.classNotAllowed, message: message))
        }
        definition = found
    }

    private mutating func parameters(_ reader: inout JSONReader, _ definition: EventDefinition) throws(JSONFault) {
        take(try EventParameters(&reader, of: definition, cards: cards, faultsMaximum: HTTPLimit.fieldErrors + 1), definition)
    }

    private mutating func take(_ parameters: EventParameters, _ definition: EventDefinition) {
        values = parameters.values
        masked = parameters.masked
        for fault in parameters.faults { note(EventRules.error(fault, definition)) }
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

    private mutating func time(_ reader: inout JSONReader, _ path: String) throws(JSONFault) -> Int64? {
        guard let text = try string(&reader, path) else { return nil }
        let time = moment(text.string.utf8)
        if time == nil {
            note(FieldError(path: path, code: HTTPErrors.invalidTime, message: "must be a time of RFC 3339, such as 2026-11-22T18:04:09Z"))
        }
        return time
    }

    private mutating func integer(
        _ reader: inout JSONReader, _ path: String, _ range: EventRules.Range, _ kind: String
    ) throws(JSONFault) -> Int64? {
        if try reader.isNull() { return nil }
        var value: Int64?
        do throws(JSONFault) { value = try reader.integer() } catch {
            guard !error.isMalformed else { throw error }
            // The reader stands before a well-formed value of another kind.
            try reader.skip()
            guard error.reason == .integerOutOfRange else {
                note(FieldError(path: path, code: HTTPErrors.wrongType, message: kind))
                return nil
            }
        }
        if let value, range.values.contains(value) { return value }
        note(FieldError(path: path, code: range.code, message: range.rule))
        return nil
    }

    private mutating func note(_ error: FieldError) {
        guard errors.count <= HTTPLimit.fieldErrors else { return }
        let isLast = errors.count == HTTPLimit.fieldErrors
        errors.append(isLast ? FieldError(path: "", code: HTTPErrors.tooManyErrors, message: "has more errors than are listed") : error)
    }

    /// - Returns: nil when anything is wrong or missing; `errors` then says all of it.
    mutating func finished(_ trace: TraceContext?, at now: Instant) -> (EventSubmission, EventWish)? {
        if !seen.contains(.definition) { note(FieldError(path: "/definition", code: HTTPErrors.required, message: "is missing")) }
        if !seen.contains(.customer) { note(FieldError(path: "/customer", code: HTTPErrors.required, message: "is missing")) }
        let moment = wish.at ?? now.wall
        if let occurredAt, occurredAt > moment &+ HTTPLimit.eventAhead {
            let message = "must be at most \(HTTPLimit.eventAhead / 1_000_000) seconds ahead"
            note(FieldError(path: "/occurredAt", code: HTTPErrors.inFuture, message: message))
        }
        guard errors.isEmpty, let definition else { return nil }
        let happened = occurredAt ?? moment
        let event = EventSubmission(
            source: source.number, definition: definition, values: values, customer: customer, occurredAt: happened,
            deadline: deadline.map { happened &+ $0 * 1_000_000 }, sender: source.defaultSender, reference: reference, trace: trace,
            receivedAt: now)
        return (event, wish)
    }
}
