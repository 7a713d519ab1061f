public import MartletModel

/// A message as a list shows it. What names a person is masked unless it was asked for with a reason.
public struct HistoryItem: Equatable, Sendable {
    /// What became of the sealed part.
    public enum Content: String, Sendable {
        case kept
        /// Its key was destroyed: the customer was erased, or its time is over.
        case erased
        /// It does not open: damaged, or moved here from another row.
        case damaged
        /// There is none.
        case none
    }

    public var id: MessageID
    /// From a handset; its number is then the sender's.
    public var isInbound: Bool
    /// Names, as the node has them now; empty where the row that says so is damaged.
    public var source: String
    public var group: String
    public var messageClass: MessageClass?
    public var channel: ChannelKind?
    /// Nil: the row that says so is damaged.
    public var state: MessageState?
    public var reason: EndReason
    /// Tables of which a row of the message is not as Martlet wrote it, or that of `state` was taken away. Nothing of such a row is believed.
    public var damaged: [String] = []
    /// A row is of a version that wrote none of the tags by which it could be believed. It is shown, and nothing of it in clear.
    public var isUntagged = false
    /// Tables of which a row should be there and is not: nothing that depends on it is shown.
    public var lacks: [String] = []
    /// Only an entry of the search, which anybody could have written who writes to the database, says that it is what was asked for: there is no sealed part to
    /// compare with, or it does not open.
    public var isUnconfirmed = false
    public var parts: Int
    public var attempts: Int
    public var possibleDuplicate: Bool
    /// Wall milliseconds, as the others.
    public var createdAt: Int64
    public var changedAt: Int64?
    public var endedAt: Int64?
    public var content: Content
    /// What the customer saw as its sender; of a message from a handset, what it wrote to.
    public var from: String
    /// As `Mask` shows it; in clear where it was asked for.
    public var number: String
    /// Nil: not asked for, or never shown: one-time codes are not, whoever asks.
    public var text: String?
    public var reference: String?
    /// With which the source's trace goes on; names nobody.
    var trace: TraceContext?

    public var isTampered: Bool { !damaged.isEmpty }
    /// Whose it is and of which class, and so what may be shown of it, is as Martlet wrote it.
    var isProven: Bool { !isUntagged && damaged.allSatisfy { $0 == HistoryItem.standing } }

    /// The table of where messages stand.
    static let standing = "state"
    /// The table of decisions about texts.
    static let decision = "step"

    mutating func fill(_ opened: HistoryKeys.Opened, reveals: Bool) {
        switch opened {
        case .erased: content = .erased
        case .damaged: content = .damaged
        case .payload(let payload, let sealedAs):
            content = .kept
            from = payload.from
            trace = payload.trace
            number = reveals ? payload.to.international : payload.to.masked
            guard reveals else { return }
            reference = payload.reference
            // By the row, and by the key where that is one of class and day.
            let otp = MessageClass.otp.rawValue
            if messageClass != .otp, sealedAs != otp { text = payload.text }
        }
    }
}
