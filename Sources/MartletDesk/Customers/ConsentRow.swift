import Guard
public import MartletModel
import MartletStore
import SQL

/// The way by which a customer said something. Raw values are in rows: never change one.
public enum ConsentWay: UInt8, CaseIterable, Sendable, Codable {
    case file = 1
    case branch = 2
    case callCentre = 3
    case web = 4
    case app = 5
    case paper = 6
    /// Written to the bank from a handset.
    case handset = 7
    case email = 8

    /// The word used in the API and in files.
    public var word: String {
        switch self {
        case .file: "file"
        case .branch: "branch"
        case .callCentre: "call_centre"
        case .web: "web"
        case .app: "app"
        case .paper: "paper"
        case .handset: "handset"
        case .email: "email"
        }
    }

    public init?(word: some StringProtocol) {
        guard let way = ConsentWay.allCases.first(where: { $0.word == word }) else { return nil }
        self = way
    }
}

/// What a customer said of a purpose, with what proves it.
public struct ConsentStatement: Equatable, Sendable {
    public var purpose: UInt16
    /// Nil: all channels.
    public var channel: ChannelKind?
    public var state: Consent.State
    /// Wall milliseconds at which it was said.
    public var at: Int64
    public var way: ConsentWay
    /// Version of the text that the customer was shown; empty: none.
    public var textVersion: String
    /// What proves it, in words or as the number of a document; sealed.
    public var proof: String

    public init(
        purpose: UInt16, channel: ChannelKind?, state: Consent.State, at: Int64, way: ConsentWay, textVersion: String = "",
        proof: String = ""
    ) {
        self.purpose = purpose
        self.channel = channel
        self.state = state
        self.at = at
        self.way = way
        self.textVersion = textVersion
        self.proof = proof
    }

    /// As a decision reads it.
    var consent: Consent { Consent(purpose: purpose, channel: channel, state: state, at: FactTime(clamping: at / 1000)) }
}

/// A row of evidence.
struct ConsentRow: Equatable, Sendable {
    var subject: SubjectNumber
    /// The number of the change that it came with, and its place in it: rises for each customer.
    var number: Int64
    var purpose: UInt16
    var channel: UInt8
    var state: UInt8
    var at: Int64
    var enteredAt: Int64
    var way: UInt8
    /// Who entered it.
    var source: String
    var textVersion: String
    var sealed: [UInt8]?

    /// Consents that one change can bring.
    static let maximum = 255
    static func number(_ change: Int64, _ place: Int) -> Int64 { change << 8 | Int64(place) }

    func values(_ tags: CustomerTags) -> [SQLValue] {
        var values: [SQLValue] = [
            .number(subject), .integer(number), .number(purpose), .number(channel), .number(state), .integer(at), .integer(enteredAt),
            .number(way), .text(source), .text(textVersion), .bytes(sealed),
        ]
        values.append(.bytes(tags.consent.bytes(values)))
        return values
    }

    init(_ row: SQLRow, _ tags: CustomerTags) throws {
        subject = try row.integer("subject", as: SubjectNumber.self)
        number = try row.integer("number")
        _ = try tags.consent.checked(row, noun: "consent", key: "\(subject)/\(number)")
        purpose = try row.integer("purpose", as: UInt16.self)
        channel = try row.integer("channel", as: UInt8.self)
        state = try row.integer("state", as: UInt8.self)
        at = try row.integer("at")
        enteredAt = try row.integer("entered_at")
        way = try row.integer("way", as: UInt8.self)
        source = try row.text("source")
        textVersion = try row.text("text_version")
        sealed = try row.optionalBytes("sealed")
    }

    /// - Parameter sealed: the proof; nil: there is none.
    init(_ said: ConsentStatement, of subject: SubjectNumber, number: Int64, enteredAt: Int64, source: String, sealed: [UInt8]?) {
        self.subject = subject
        self.number = number
        purpose = said.purpose
        channel = said.channel?.rawValue ?? 0
        state = said.state.rawValue
        at = said.at
        self.enteredAt = enteredAt
        way = said.way.rawValue
        self.source = source
        textVersion = said.textVersion
        self.sealed = sealed
    }

    /// Every row of a customer, read in stretches.
    static func all(of subject: SubjectNumber, _ tags: CustomerTags, _ session: SQLSession) throws -> [ConsentRow] {
        var found: [ConsentRow] = []
        while true {
            let rows = try session.rows(ConsentStatements.page, [.number(subject), .integer(found.last?.number ?? 0), .number(500)])
            for row in rows { found.append(try ConsentRow(row, tags)) }
            if rows.count < 500 { return found }
        }
    }
}
