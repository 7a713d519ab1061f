import MartletModel

/// How an event may be reported, with invented values of its parameters: what its editor hands to those whose systems report it.
public struct EventExample: Codable, Equatable, Sendable {
    public enum Form: String, CaseIterable, Sendable {
        case json
        /// The JSON with path and headers, as a line of the shell.
        case curl
        /// The element `SendEvent` by itself.
        case xml
        /// The same in an envelope of SOAP 1.1.
        case soap
        /// A row of the table `martlet_outbox`.
        case sql
        /// A call of `martlet_submit()`.
        case procedure
    }

    /// One of `Form`.
    public var form: String
    /// Whether a door takes it in this version of Martlet.
    public var live: Bool
    /// Where it is handed in.
    public var door: String
    public var text: String
    /// What this form cannot say of the event; nil: it says all.
    public var note: String?

    init(_ form: Form, live: Bool, door: String, text: String, note: String? = nil) {
        self.form = form.rawValue
        (self.live, self.door, self.text, self.note) = (live, door, text, note)
    }

    /// Invented values, one a parameter, as an event's JSON has them.
    static func values(_ parameters: [EventParameter], in currency: Currency? = nil, now: Int64) -> JSONValue {
        .object(Dictionary(parameters.map { ($0.name, EventExampleMaker.value($0, currency, now)) }) { first, _ in first })
    }

    /// - Parameters:
    ///   - key: of the event.
    ///   - currency: of its amounts; nil: euros.
    ///   - now: wall microseconds, for its times.
    static func all(_ key: String, _ parameters: [EventParameter], in currency: Currency?, now: Int64) -> [EventExample] {
        let maker = EventExampleMaker(key: key, parameters: parameters, currency: currency, now: now)
        let door = "POST /v1/events of the HTTP door"
        let note = maker.unsaidInXML
        return [
            EventExample(.json, live: true, door: door, text: maker.json),
            EventExample(.curl, live: true, door: door, text: maker.curl),
            EventExample(.xml, live: false, door: "no door takes XML yet", text: maker.xml, note: note),
            EventExample(.soap, live: false, door: "there is no SOAP door yet", text: maker.soap, note: note),
            EventExample(.sql, live: false, door: "there is no table door yet", text: maker.sql),
            EventExample(.procedure, live: false, door: "there is no table door yet", text: maker.procedure),
        ]
    }
}

extension EventExample: APIExplained {
    static let explained = [
        "form": APIField(words: Form.allCases.map(\.rawValue)), "live": APIField("Whether a door takes it in this version."),
        "door": APIField("Where it is handed in."), "note": APIField("What this form cannot say of the event; not there: it says all."),
    ]
}

extension Rulebooks {
    /// Examples of the newest version of an event.
    public func examples(of event: String, by caller: Caller) async throws(DeskFault) -> (version: Int64, examples: [EventExample]) {
        let version = try await self.version(.event, event, nil, by: caller)
        let parameters = EventDefinition.parameters(of: version.content ?? .null)
        let currency = try await currency(of: event, by: caller)
        return (version.number, EventExample.all(event, parameters, in: currency, now: desk.now()))
    }

    /// In which the bank writes amounts: of a package's threshold for this event, else of any threshold or fee; nil: none has one.
    private func currency(of event: String, by caller: Caller) async throws(DeskFault) -> Currency? {
        let packages = try await desk.read(.readRulebook, by: caller) { session in
            let visibility = try units.visibility(of: caller, session)
            return try entries(session).filter { $0.kind == .package && $0.retiredAt == nil && visibility.sees($0.unit) }
                .map { try newest($0, session).content }
        }
        func list(_ value: JSONValue?) -> [JSONValue] { if case .list(let elements)? = value { elements } else { [] } }
        let told = packages.flatMap { list($0["events"]) }
        let own = told.filter { $0["event"] == .text(event) } + told
        let amounts = own.flatMap { list($0["thresholds"]) } + packages.compactMap { $0["fee"] }
        return amounts.lazy.compactMap { amount -> Currency? in
            if case .text(let code)? = amount["currency"] { Currency.of(code: code) } else { nil }
        }.first
    }
}

private struct EventExampleMaker {
    let key: String
    let now: Int64
    private let values: [(name: String, value: JSONValue)]
    private static let customer = "40-118-220"
    /// Of the elements; a change that a client would notice gets another number.
    private static let namespace = "urn:martlet:intake:1"

    init(key: String, parameters: [EventParameter], currency: Currency?, now: Int64) {
        self.key = key
        self.now = now
        values = parameters.map { ($0.name, EventExampleMaker.value($0, currency, now)) }
    }

    private var occurredAt: String { EventExampleMaker.instant(now) }

    // MARK: Values

    static func value(_ parameter: EventParameter, _ currency: Currency?, _ now: Int64) -> JSONValue {
        switch parameter.type {
        case .text:
            if case .text(let text)? = parameter.assumed, !text.isEmpty { return .text(text) }
            let sample =
                switch parameter.dataClass {
                case .identifier: "1234567890"
                case .secret: "482913"
                case .open, .personal, .financial: "Example"
                }
            return .text(String(sample.prefix(parameter.maximumBytes)))
        case .integer: return .integer(7)
        case .decimal: return .text("12.50")
        case .money:
            // With the digits that the currency has.
            let amount =
                switch currency?.digits ?? 2 {
                case 0: "125"
                case 3: "125.500"
                default: "125.50"
                }
            return .object(["amount": .text(amount), "currency": .text(currency?.code ?? "EUR")])
        case .date: return .text(String(instant(now).prefix(10)))
        case .time: return .text("18:30")
        case .instant: return .text(instant(now))
        case .boolean: return .flag(true)
        }
    }

    /// In whole seconds.
    private static func instant(_ now: Int64) -> String { String(timestamp(now).prefix(19)) + "Z" }

    // MARK: Forms

    private static func line(_ value: JSONValue) -> String { String(decoding: value.canonical, as: UTF8.self) }

    var json: String {
        let lines = values.map { "    \(EventExampleMaker.line(.text($0.name))): \(EventExampleMaker.line($0.value))" }
        let parameters = lines.isEmpty ? "{}" : "{\n\(lines.joined(separator: ",\n"))\n  }"
        return """
            {
              "definition": "\(key)",
              "customer": "\(EventExampleMaker.customer)",
              "occurredAt": "\(occurredAt)",
              "parameters": \(parameters)
            }
            """
    }

    /// `MARTLET` is the address of the HTTP door, `KEY` the source's.
    var curl: String {
        """
        curl -sS -X POST "$MARTLET/v1/events" \\
          -H "Authorization: Bearer $KEY" \\
          -H "Content-Type: application/json" \\
          -H "Idempotency-Key: \(key)-\(now / 1_000_000)" \\
          -d '\(json.replacing("'", with: #"'\''"#))'
        """
    }

    var xml: String { #"<?xml version="1.0" encoding="UTF-8"?>"# + "\n" + request("") }

    var soap: String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">
          <soap:Body>
        \(request("    "))
          </soap:Body>
        </soap:Envelope>
        """
    }

    /// A row. Backslashes of the JSON stay what they are, as SQL has it.
    var sql: String {
        """
        INSERT INTO martlet_outbox (definition, customer, occurred_at, parameters)
        VALUES (\(said));
        """
    }

    /// The same for who may call and not write; it answers the row's id.
    var procedure: String { "SELECT martlet_submit(\(said));" }

    private var said: String {
        let parameters = EventExampleMaker.line(.object(Dictionary(values.map { ($0.name, $0.value) }) { first, _ in first }))
        return [key, EventExampleMaker.customer, occurredAt, parameters].map { "'\($0.replacing("'", with: "''"))'" }
            .joined(separator: ", ")
    }

    private func request(_ indent: String) -> String {
        var lines = [
            #"<SendEvent xmlns="\#(EventExampleMaker.namespace)">"#, "  <definition>\(ExampleXML.text(key))</definition>",
            "  <customer>\(EventExampleMaker.customer)</customer>", "  <occurredAt>\(occurredAt)</occurredAt>",
        ]
        if values.isEmpty {
            lines.append("  <parameters/>")
        } else {
            lines.append("  <parameters>")
            lines += values.map { "    \(EventExampleMaker.element($0.name, $0.value))" }
            lines.append("  </parameters>")
        }
        lines.append("</SendEvent>")
        return lines.map { indent + $0 }.joined(separator: "\n")
    }

    /// Parameters are told apart by an attribute, so that one description of the service does for the events of every bank.
    private static func element(_ name: String, _ value: JSONValue) -> String {
        let name = ExampleXML.text(name)
        switch value {
        case .object(let money):
            guard case .text(let amount)? = money["amount"], case .text(let currency)? = money["currency"] else {
                return #"<parameter name="\#(name)"/>"#
            }
            return #"<parameter name="\#(name)" currency="\#(ExampleXML.text(currency))">\#(ExampleXML.text(amount))</parameter>"#
        case .text(let text): return #"<parameter name="\#(name)">\#(ExampleXML.text(text))</parameter>"#
        case .integer, .flag, .null, .list: return #"<parameter name="\#(name)">\#(line(value))</parameter>"#
        }
    }

    /// What is left out of the XML, by parameter.
    var unsaidInXML: String? {
        let unsaid = values.compactMap { name, value -> String? in
            guard case .text(let text) = value else { return nil }
            let signs = ExampleXML.unsaid(text)
            return signs.isEmpty ? nil : "\(signs.joined(separator: ", ")) in \(name)"
        }
        guard !unsaid.isEmpty else { return nil }
        return "XML 1.0 cannot write \(unsaid.joined(separator: "; ")), so it is left out here; JSON and SQL say it"
    }
}
