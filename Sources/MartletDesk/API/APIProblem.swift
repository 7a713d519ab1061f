import MartletModel
import SQL

/// A refusal as the caller gets it: `application/problem+json` (RFC 9457). Every refusal of the admin API is made here.
struct APIProblem: Error, Equatable {
    var code: ErrorCode
    /// What is particular to this request; nothing personal.
    var detail: String?
    var errors: [FieldFault] = []
    var headers: [APIHeader] = []

    init(_ code: ErrorCode, detail: String? = nil, errors: [FieldFault] = [], headers: [APIHeader] = []) {
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers
    }

    static func unauthenticated(_ detail: String) -> APIProblem {
        APIProblem(APIErrors.unauthenticated, detail: detail, headers: [APIHeader("WWW-Authenticate", "Bearer realm=\"martlet admin\"")])
    }

    init(_ fault: DeskFault) {
        switch fault {
        case .forbidden: self.init(APIErrors.forbidden, detail: fault.description)
        case .notFound: self.init(APIErrors.notFound, detail: fault.description)
        case .changed(_, let version):
            self.init(APIErrors.changed, detail: fault.description, headers: [APIHeader("ETag", "\"\(version)\"")])
        case .invalid(let faults): self.init(APIErrors.invalid, errors: faults)
        case .conflict(let field, let reason):
            self.init(APIErrors.conflict, errors: [FieldFault(field, APIErrors.conflict.code, reason)])
        case .tampered: self.init(APIErrors.tampered, detail: fault.description)
        // What it was stands in the log: it may name tables, files and hosts.
        case .broken: self.init(APIErrors.broken)
        case .store(let fault): self.init(fault)
        }
    }

    private init(_ fault: SQLFault) {
        switch fault {
        case .commitUnknown: self.init(APIErrors.outcomeUnknown)
        case .timedOut, .cancelled: self.init(APIErrors.timeLimit)
        case .busy, .away, .lost, .conflict, .full, .disk, .connect, .closed, .readOnly:
            self.init(APIErrors.storeAway, headers: [APIHeader("Retry-After", "5")])
        case .constraint, .refused, .corrupt, .parameters, .row, .tooManyRows, .unknownStatement, .setting: self.init(APIErrors.broken)
        }
    }

    private struct Document: Encodable {
        struct Entry: Encodable {
            var path: String
            var code: String
            var message: String
        }

        var type: String
        var title: String
        var status: Int
        var detail: String?
        var errors: [Entry]?
    }

    var answer: APIAnswer {
        let entries = errors.map { fault in
            // A place in the rulebook is told as preview and saving tell it, so that an editor finds the field.
            let path = fault.code == FieldFault.rulebook ? fault.path : APIProblem.pointer(fault.path)
            return Document.Entry(path: path, code: fault.code, message: fault.message)
        }
        let document = Document(
            type: "/problems/\(code.code)", title: code.title, status: code.status, detail: detail, errors: entries.isEmpty ? nil : entries)
        return APIAnswer(
            status: code.status, headers: [APIHeader("Content-Type", "application/problem+json")] + headers,
            body: .bytes(APIJSON.bytes(document)))
    }

    /// `contacts[0].value` as a JSON Pointer (RFC 6901): `/contacts/0/value`.
    static func pointer(_ path: String) -> String {
        var pointer = path.isEmpty ? "" : "/"
        for character in path {
            switch character {
            case ".", "[": pointer.append("/")
            case "]": break
            case "~": pointer.append("~0")
            case "/": pointer.append("~1")
            default: pointer.append(character)
            }
        }
        return pointer
    }
}
