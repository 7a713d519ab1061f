import MartletModel
import MartletStore
import SQL

/// Reads the rows of one notification.
struct HistoryRows {
    let session: SQLSession
    let keys: HistoryKeys
    let names: HistoryNames
    /// Which rows may lack a tag.
    let untagged: LastUntagged

    init(session: SQLSession, keys: HistoryKeys, names: HistoryNames) throws(SQLFault) {
        self.session = session
        self.keys = keys
        self.names = names
        untagged = try LastUntagged(keys.untaggedTags, session)
    }

    /// Where it stands, and whether that is as Martlet wrote it.
    struct Standing {
        /// Of the notification, else of its newest message.
        var row: StateRow?
        var isTampered: Bool
    }

    func range(_ id: MessageID) -> [SQLValue] { [.bytes(id.notification.bytes), .bytes(id.with(ordinal: 255).bytes)] }

    func standing(_ id: MessageID) throws -> Standing {
        let rows = try session.rows(HistoryStatements.states, range(id), maximum: 256)
        let read = try rows.map { try StateRow($0, keys.stateTags) }
        guard !read.contains(where: { $0 == nil }), let first = read.first else { return Standing(row: nil, isTampered: true) }
        return Standing(row: first, isTampered: false)
    }

    /// Which messages are wanted, asked as their rows come: of one that is not, no more is read. A database may be a network away, and a search
    /// looks at a thousand.
    struct Wanted {
        /// By what never changes; no source: the row that says so is damaged.
        var origin: (SourceNumber?, MessageClass?) -> Bool = { _, _ in true }
        /// By where it stands; `origin` is asked first.
        var standing: (HistoryItem) -> Bool = { _ in true }
    }

    /// The item without what is sealed; nil: there is no such message, or it is not wanted.
    func item(_ id: MessageID, _ wanted: Wanted = Wanted()) throws -> Found? {
        if let row = try session.rows(HistoryStatements.notification, range(id), maximum: 256).first { return try sent(id, row, wanted) }
        if let row = try session.rows(HistoryStatements.inbound, range(id), maximum: 256).first { return try received(id, row, wanted) }
        return nil
    }

    struct Found {
        var item: HistoryItem
        /// Nil: the row that says so is damaged.
        var source: SourceNumber?
        /// Of its messages, in their order, the one that is shown last; none: there is none, or a row of them is damaged.
        var sealed: [Sealed] = []
    }

    struct Sealed {
        /// Of the message, by its ordinal.
        var id: MessageID
        var bytes: [UInt8]
        var keyID: UInt32

        /// Nil: what stands there is no id, or no number of a key.
        init?(_ row: SQLRow) throws(SQLFault) {
            guard let id = MessageID(bytes: try row.bytes("id")), let keyID = UInt32(exactly: try row.integer("key_id")) else { return nil }
            (self.id, self.keyID) = (id, keyID)
            bytes = try row.bytes("sealed")
        }
    }

    /// A sealed part, and what it turned out to be.
    struct Opening {
        var sealed: Sealed
        var content: HistoryKeys.Opened
    }

    func opened(_ found: Found) -> [Opening] {
        found.sealed.map { Opening(sealed: $0, content: keys.open($0.bytes, of: found.item.id, keyID: $0.keyID)) }
    }

    /// - Parameter reveals: in clear, where it is proven what may be.
    func fill(_ item: inout HistoryItem, _ opened: [Opening], reveals: Bool) throws {
        guard let last = opened.last else { return }
        item.fill(last.content, reveals: reveals && item.isProven)
        // Of codes it is never shown; events of one other class may have secrets.
        guard item.text != nil, item.messageClass ?? .security == .security else { return }
        switch try secrecy(last) {
        case .open: break
        case .secret: item.text = nil
        case .unknown:
            item.text = nil
            item.lacks.append(HistoryItem.decision)
        }
    }

    private enum Secrecy { case open, secret, unknown }

    /// Whether a decision wrote a secret into the text. A decision that is not shown to be as Martlet wrote it may have, and so may one whose row is not there: that a
    /// text is an event's its own seal says.
    private func secrecy(_ message: Opening) throws -> Secrecy {
        var isDecided = false
        for step in try steps(message.sealed.id) {
            guard let record = step else { return .secret }
            guard case .decided(let it) = record.body else { continue }
            if it.bits.contains(.hasSecret) { return .secret }
            if it.outcome == .told, record.header.id.message == message.sealed.id { isDecided = true }
        }
        if case .payload(let payload, _) = message.content, payload.event == 0 { return .open }
        return isDecided ? .open : .unknown
    }

    /// What happened in between, as far as it is read; nil for each row that is not shown to be as Martlet wrote it.
    func steps(_ id: MessageID) throws -> [Record?] {
        try session.rows(HistoryStatements.steps, range(id) + [.number(HistoryStory.stepsMaximum)], maximum: HistoryStory.stepsMaximum)
            .map { row in
                guard let step = try StepRow(row, keys.stepTags, untagged), step.isTagged else { return nil }
                guard let record = HistoryStory.record(step.record), record.header.id.notification == id.notification else { return nil }
                return record
            }
    }

    private func sent(_ id: MessageID, _ row: SQLRow, _ wanted: Wanted) throws -> Found? {
        let standing = EvidenceTable.notifications.standing(of: row, keys.evidenceTags.notifications, untagged)
        let source = try origin(row, standing)
        let messageClass = source == nil ? nil : UInt8(exactly: try row.integer("class")).flatMap { MessageClass(rawValue: $0) }
        guard wanted.origin(source, messageClass) else { return nil }
        var item = blank(id, source: source, isUntagged: standing == .untagged)
        item.messageClass = messageClass
        if source == nil { item.damaged.append(EvidenceTable.notifications.name) }
        let place = try self.standing(id)
        if place.isTampered { item.damaged.append(HistoryItem.standing) }
        if let state = place.row {
            item.group = names.group(state.route)
            item.state = MessageState(rawValue: state.state)
            item.reason = EndReason(rawValue: state.reason) ?? .none
            item.attempts = Int(state.attempts)
            item.possibleDuplicate = RecordFlags(rawValue: state.flags).contains(.possibleDuplicate)
            item.changedAt = state.changedAt
            item.endedAt = state.endedAt
        }
        guard wanted.standing(item) else { return nil }
        let messages = try session.rows(HistoryStatements.messages, range(id), maximum: 256)
        guard let message = messages.last else { return Found(item: item, source: source) }
        let standings = messages.map { EvidenceTable.messages.standing(of: $0, keys.evidenceTags.messages, untagged) }
        item.isUntagged = item.isUntagged || standings.contains(.untagged)
        let sealed = try messages.compactMap { (row) throws(SQLFault) in try Sealed(row) }
        guard !standings.contains(.damaged), let parts = Int(exactly: try message.integer("parts")), sealed.count == messages.count else {
            item.damaged.append(EvidenceTable.messages.name)
            item.content = .damaged
            return Found(item: item, source: source)
        }
        item.parts = parts
        item.channel = ChannelKind.allCases.first { $0.rawValue == (try? message.integer("channel", as: UInt8.self)) }
        return Found(item: item, source: source, sealed: sealed)
    }

    private func received(_ id: MessageID, _ row: SQLRow, _ wanted: Wanted) throws -> Found? {
        let standing = EvidenceTable.inbound.standing(of: row, keys.evidenceTags.inbound, untagged)
        let source = try origin(row, standing)
        guard wanted.origin(source, source == nil ? nil : .service) else { return nil }
        var item = blank(id, source: source, isUntagged: standing == .untagged)
        (item.isInbound, item.messageClass, item.channel) = (true, .service, .sms)
        guard let source, let group = GroupNumber(exactly: try row.integer("route")), let parts = Int(exactly: try row.integer("parts")),
            let sealed = try Sealed(row)
        else {
            (item.damaged, item.content) = ([EvidenceTable.inbound.name], .damaged)
            return wanted.standing(item) ? Found(item: item, source: nil) : nil
        }
        // Whatever stands in a row without a tag is a moment that can be shown.
        let at = min(max(0, try row.integer("received_at")), Int64.max / 1000)
        (item.group, item.parts, item.state, item.changedAt, item.endedAt) = (names.group(group), parts, .received, at, at)
        guard wanted.standing(item) else { return nil }
        return Found(item: item, source: source, sealed: [sealed])
    }

    /// Nil: the row is damaged.
    private func origin(_ row: SQLRow, _ standing: EvidenceTable.Standing) throws(SQLFault) -> SourceNumber? {
        standing == .damaged ? nil : SourceNumber(exactly: try row.integer("source"))
    }

    /// Of which no more than this is known.
    private func blank(_ id: MessageID, source: SourceNumber?, isUntagged: Bool) -> HistoryItem {
        HistoryItem(
            id: id.notification, isInbound: false, source: source.map { $0 == 0 ? "" : names.source($0) } ?? "", group: "",
            messageClass: nil, channel: nil, state: nil, reason: .none, isUntagged: isUntagged, parts: 0, attempts: 0,
            possibleDuplicate: false, createdAt: id.milliseconds, changedAt: nil, endedAt: nil, content: .none, from: "", number: "",
            text: nil, reference: nil)
    }
}
