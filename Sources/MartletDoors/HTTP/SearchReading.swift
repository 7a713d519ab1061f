import MartletModel
import NIOCore

/// The body of a search, read in place.
enum SearchReading {
    case search(MessageSearch)
    /// Malformed, or with every error that its fields have.
    case problem(HTTPProblem)

    static let fields = ["reference", "to", "from", "until", "limit", "cursor"]

    static func read(_ body: ByteBuffer) -> SearchReading {
        var draft = SearchDraft()
        let fault: JSONFault? = body.withUnsafeReadableBytes { bytes in
            do throws(JSONFault) {
                try JSONReader.read(bytes) { reader throws(JSONFault) in try draft.read(&reader) }
                return nil
            } catch {
                return error
            }
        }
        if let fault { return .problem(MessageReading.problem(fault, HTTPErrors.invalidSearch)) }
        if let search = draft.finished() { return .search(search) }
        return .problem(HTTPProblem(HTTPErrors.invalidSearch, errors: draft.errors))
    }
}

private struct SearchDraft {
    private(set) var errors: [FieldError] = []
    private var search = MessageSearch()
    private var cursor: String?
    /// A number or a reference was there, if a wrong one.
    private var hasSubject = false

    mutating func read(_ reader: inout JSONReader) throws(JSONFault) {
        var members = try reader.object()
        while let key = try reader.key(in: &members) {
            switch key {
            case "to":
                guard let value = try string(&reader, "/to") else { continue }
                hasSubject = true
                do throws(PhoneNumber.Fault) { search.to = try PhoneNumber.parse(value.utf8) } catch { note(MessageRules.error(error)) }
            case "reference":
                guard let value = try string(&reader, "/reference") else { continue }
                hasSubject = true
                if value.isEmpty {
                    note(FieldError(path: "/reference", code: HTTPErrors.required, message: "must not be empty"))
                } else if let error = MessageRules.reference(value) {
                    note(error)
                } else {
                    search.reference = value
                }
            case "from": if let time = try time(&reader, "/from") { search.from = time }
            case "until": if let time = try time(&reader, "/until") { search.until = time }
            case "limit": try limit(&reader)
            case "cursor": cursor = try string(&reader, "/cursor")
            default:
                if errors.count <= HTTPLimit.fieldErrors {
                    note(MessageRules.unknownField(key.string, of: SearchReading.fields, "a search"))
                }
                try reader.skip()
            }
        }
    }

    /// - Returns: nil for null, which counts as absent, and for another type, which is noted.
    private mutating func string(_ reader: inout JSONReader, _ path: String) throws(JSONFault) -> String? {
        if try reader.isNull() { return nil }
        guard try reader.kind() == .string else {
            try reader.skip()
            if path == "/to" || path == "/reference" { hasSubject = true }
            note(FieldError(path: path, code: HTTPErrors.wrongType, message: "must be a string"))
            return nil
        }
        return try reader.string().string
    }

    private mutating func time(_ reader: inout JSONReader, _ path: String) throws(JSONFault) -> Int64? {
        guard let text = try string(&reader, path) else { return nil }
        let time = moment(text.utf8)
        if time == nil {
            note(FieldError(path: path, code: HTTPErrors.invalidTime, message: "must be a time of RFC 3339, such as 2026-11-22T18:04:09Z"))
        }
        return time
    }

    private mutating func limit(_ reader: inout JSONReader) throws(JSONFault) {
        if try reader.isNull() { return }
        var value: Int64?
        do throws(JSONFault) { value = try reader.integer() } catch {
            guard !error.isMalformed else { throw error }
            // The reader stands before a well-formed value of another kind.
            try reader.skip()
            guard error.reason == .integerOutOfRange else {
                return note(FieldError(path: "/limit", code: HTTPErrors.wrongType, message: "must be a whole number"))
            }
        }
        guard let value, value >= 1, value <= Int64(MessageSearch.limitMaximum) else {
            let rule = "must be from 1 to \(MessageSearch.limitMaximum)"
            return note(FieldError(path: "/limit", code: HTTPErrors.limitOutOfRange, message: rule))
        }
        search.limit = Int(value)
    }

    private mutating func note(_ error: FieldError) {
        guard errors.count <= HTTPLimit.fieldErrors else { return }
        let isLast = errors.count == HTTPLimit.fieldErrors
        errors.append(isLast ? FieldError(path: "", code: HTTPErrors.tooManyErrors, message: "has more errors than are listed") : error)
    }

    /// - Returns: nil when anything is wrong or missing; `errors` then says all of it.
    mutating func finished() -> MessageSearch? {
        if !hasSubject {
            note(FieldError(path: "", code: HTTPErrors.required, message: "needs reference or to, or both"))
        }
        if search.from >= search.until {
            note(FieldError(path: "/until", code: HTTPErrors.invalidTime, message: "must be later than from"))
        }
        if let cursor {
            search.cursor = SearchCursor(cursor, of: search)
            if search.cursor == nil {
                note(FieldError(path: "/cursor", code: HTTPErrors.invalidCursor, message: "is not the cursor of an answer to this search"))
            }
        }
        return errors.isEmpty ? search : nil
    }
}

extension SearchCursor {
    /// Text of a cursor: phase, position, and a mark of the search it belongs to, in hexadecimal digits.
    func text(of search: MessageSearch) -> String {
        (isCarried ? "c" : "a") + SearchCursor.hex(position, 16) + SearchCursor.hex(UInt64(search.mark), 8)
    }

    init?(_ text: String, of search: MessageSearch) {
        let digits = text.utf8.dropFirst()
        guard text.utf8.count == 25, text.utf8.first == UInt8(ascii: "a") || text.utf8.first == UInt8(ascii: "c"),
            let position = UInt64(Substring(digits.prefix(16)), radix: 16), let mark = UInt32(Substring(digits.dropFirst(16)), radix: 16),
            mark == search.mark
        else { return nil }
        self.init(position: position, isCarried: text.utf8.first == UInt8(ascii: "c"))
    }

    private static func hex(_ value: UInt64, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}

extension MessageSearch {
    /// FNV-1a over what the search asks for: a cursor that is taken to another search by mistake is told. The size of the page may change.
    fileprivate var mark: UInt32 {
        var mark: UInt32 = 0x811C_9DC5
        func take(_ bytes: some Sequence<UInt8>) { for byte in bytes { mark = (mark ^ UInt32(byte)) &* 0x0100_0193 } }
        for word in [to?.digits ?? 0, UInt64(bitPattern: from), UInt64(bitPattern: until)] {
            take((0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) })
        }
        take((reference ?? "").utf8)
        return mark
    }
}
