import MartletModel
import MartletStore
import SQL

/// Reads the rows of one notification.
struct HistoryRows {
    let session: SQLSession
    let keys: HistoryKeys
    let names: HistoryNames

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
        /// By what never changes.
        var origin: (SourceNumber, MessageClass?) -> Bool = { _, _ in true }
        /// By where it stands; `origin` is asked first.
        var standing: (HistoryItem) -> Bool = { _ in true }
    }

    /// The item without what is sealed; nil: there is no such message, or it is not wanted.
    func item(_ id: MessageID, _ wanted: Wanted = Wanted()) throws -> (item: HistoryItem, source: SourceNumber, keyed: Sealed?)? {
        if let row = try session.rows(HistoryStatements.notification, range(id), maximum: 256).first { return try sent(id, row, wanted) }
        if let row = try session.rows(HistoryStatements.inbound, range(id), maximum: 256).first { return try received(id, row, wanted) }
        return nil
    }

    struct Sealed {
        var bytes: [UInt8]
        var keyID: UInt32
    }

    func open(_ item: inout HistoryItem, _ sealed: Sealed?, reveals: Bool) throws {
        guard let sealed else { return }
        item.fill(keys.open(sealed.bytes, of: item.id, keyID: sealed.keyID), reveals: reveals)
        // Of codes it is never shown; events of one other class may have secrets.
        if item.text != nil, item.messageClass ?? .security == .security, try mayHaveSecret(item.id) { item.text = nil }
    }

    /// Whether a decision wrote a secret into its text. A decision that is not as Martlet wrote it may have.
    private func mayHaveSecret(_ id: MessageID) throws -> Bool {
        try session.rows(HistoryStatements.steps, range(id) + [.number(HistoryStory.stepsMaximum)], maximum: HistoryStory.stepsMaximum)
            .contains { row in
                guard let step = try StepRow(row, keys.stepTags), let record = HistoryStory.record(step.record) else { return true }
                if case .decided(let it) = record.body { return it.bits.contains(.hasSecret) }
                return false
            }
    }

    private func sent(
        _ id: MessageID, _ row: SQLRow, _ wanted: Wanted
    ) throws -> (item: HistoryItem, source: SourceNumber, keyed: Sealed?)? {
        let source = try row.integer("source", as: SourceNumber.self)
        let messageClass = MessageClass(rawValue: try row.integer("class", as: UInt8.self))
        guard wanted.origin(source, messageClass) else { return nil }
        let standing = try standing(id)
        var item = HistoryItem(
            id: id.notification, isInbound: false, source: names.source(source), group: "",
            messageClass: messageClass, channel: nil, state: nil, reason: .none,
            isTampered: standing.isTampered, parts: 0, attempts: 0, possibleDuplicate: false, createdAt: id.milliseconds, changedAt: nil,
            endedAt: nil, content: .none, from: "", number: "", text: nil, reference: nil)
        if let state = standing.row {
            item.group = names.group(state.route)
            item.state = MessageState(rawValue: state.state)
            item.reason = EndReason(rawValue: state.reason) ?? .none
            item.attempts = Int(state.attempts)
            item.possibleDuplicate = RecordFlags(rawValue: state.flags).contains(.possibleDuplicate)
            item.changedAt = state.changedAt
            item.endedAt = state.endedAt
        }
        guard wanted.standing(item) else { return nil }
        guard let message = try session.rows(HistoryStatements.messages, range(id), maximum: 256).last else { return (item, source, nil) }
        item.parts = try message.integer("parts", as: Int.self)
        item.channel = ChannelKind.allCases.first { $0.rawValue == (try? message.integer("channel", as: UInt8.self)) }
        return (item, source, Sealed(bytes: try message.bytes("sealed"), keyID: try message.integer("key_id", as: UInt32.self)))
    }

    private func received(
        _ id: MessageID, _ row: SQLRow, _ wanted: Wanted
    ) throws -> (item: HistoryItem, source: SourceNumber, keyed: Sealed?)? {
        let source = try row.integer("source", as: SourceNumber.self)
        guard wanted.origin(source, .service) else { return nil }
        // Whatever stands there is a moment that can be shown.
        let at = min(max(0, try row.integer("received_at")), Int64.max / 1000)
        let item = HistoryItem(
            id: id.notification, isInbound: true, source: source == 0 ? "" : names.source(source),
            group: names.group(try row.integer("route", as: GroupNumber.self)), messageClass: .service, channel: .sms, state: .received,
            reason: .none, isTampered: false, parts: try row.integer("parts", as: Int.self), attempts: 0, possibleDuplicate: false,
            createdAt: id.milliseconds, changedAt: at, endedAt: at, content: .none, from: "", number: "", text: nil, reference: nil)
        guard wanted.standing(item) else { return nil }
        return (item, source, Sealed(bytes: try row.bytes("sealed"), keyID: try row.integer("key_id", as: UInt32.self)))
    }
}
