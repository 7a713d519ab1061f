public import MartletModel

/// What of the history is looked for. All that is given has to fit; newest first.
public struct HistoryWish: Sendable {
    public var id: MessageID?
    /// The bank's own reference of a customer.
    public var customer: String?
    public var phone: PhoneNumber?
    public var email: String?
    /// Name of the sender system.
    public var source: String?
    /// The sender system's own reference.
    public var reference: String?
    public var states: Set<MessageState>
    public var reason: EndReason?
    public var messageClass: MessageClass?
    /// Wall milliseconds: accepted from this moment to before that one.
    public var from: Int64
    public var to: Int64
    public var page: PageWish
    /// Numbers and texts in clear; asks for the right and a reason, and is entered in the audit.
    public var reveals: Bool

    /// Days that are looked through where none are given.
    public static let usualDays: Int64 = 31

    public init(
        id: MessageID? = nil, customer: String? = nil, phone: PhoneNumber? = nil, email: String? = nil, source: String? = nil,
        reference: String? = nil, states: Set<MessageState> = [], reason: EndReason? = nil, messageClass: MessageClass? = nil, from: Int64,
        to: Int64, page: PageWish, reveals: Bool = false
    ) {
        self.id = id
        self.customer = customer
        self.phone = phone
        self.email = email
        self.source = source
        self.reference = reference
        self.states = states
        self.reason = reason
        self.messageClass = messageClass
        self.from = from
        self.to = to
        self.page = page
        self.reveals = reveals
    }

    static let names = [
        "id", "customer", "phone", "email", "source", "reference", "state", "reason", "class", "from", "to", "limit", "cursor", "reveal",
    ]

    /// Reads a request's fields; the cursor is as the skin made it.
    /// - Parameter now: wall milliseconds.
    /// - Throws: `.invalid` with every field that does not hold.
    public init(fields: [String: String], page: PageWish, now: Int64) throws(DeskFault) {
        var faults: [FieldFault] = []
        for name in fields.keys.sorted() where !HistoryWish.names.contains(name) {
            faults.append(FieldFault(name, "unknown", "is none of \(HistoryWish.names.joined(separator: ", "))"))
        }
        func read<Value>(_ name: String, _ code: String, _ message: String, _ make: (String) -> Value?) -> Value? {
            guard let text = fields[name] else { return nil }
            let value = make(text)
            if value == nil { faults.append(FieldFault(name, code, message)) }
            return value
        }
        func text(_ name: String) -> String? {
            read(name, "range", "must have 1 to 255 bytes") { (1...255).contains($0.utf8.count) ? $0 : nil }
        }
        let time = "must be a time of RFC 3339, such as 2026-11-22T18:04:09Z"
        let end = read("to", "time", time) { moment($0.utf8).map { $0 / 1000 } } ?? now
        let start = read("from", "time", time) { moment($0.utf8).map { $0 / 1000 } } ?? end - HistoryWish.usualDays * 86_400_000
        let states = read("state", "unknown", "must be states with commas between") { (text) -> Set<MessageState>? in
            let words = text.split(separator: ",", omittingEmptySubsequences: false)
            let found = words.compactMap { word in MessageState.allCases.first { $0.word == word } }
            return found.count == words.count ? Set(found) : nil
        }
        self.init(
            id: read("id", "malformed", "must be 32 hexadecimal digits") { MessageID(text: $0)?.notification },
            customer: text("customer"),
            phone: read("phone", "malformed", "must be a number such as +447700900123") { try? PhoneNumber.parse($0.utf8) },
            email: text("email"), source: text("source"), reference: text("reference"), states: states ?? [],
            reason: read("reason", "unknown", "there is no such reason") { word in EndReason.allCases.first { $0.word == word } },
            messageClass: read("class", "unknown", "there is no such class") { MessageClass(word: $0) }, from: start, to: end, page: page,
            reveals: read("reveal", "malformed", "must be true or false") { ["true": true, "false": false][$0] } ?? false)
        if start >= end || start < 0 { faults.append(FieldFault("from", "range", "must be before `to`")) }
        if !faults.isEmpty { throw .invalid(faults) }
    }
}
