public import Guard
import MartletModel
import MartletStore

/// What opens and checks the history's rows.
public struct HistoryKeys: Sendable {
    let hashes: SearchHashes
    let stateTags: RowMAC
    private let keys: KeyStore
    private let subject: @Sendable (UInt32) -> SubjectLookup

    /// - Parameter subject: keys of customers, by number; without one nothing is sealed under them.
    public init(_ keys: KeyStore, subject: @escaping @Sendable (UInt32) -> SubjectLookup = { _ in .unknown }) {
        self.keys = keys
        self.subject = subject
        hashes = SearchHashes(keys)
        stateTags = StateRow.tags(keys.rowKey)
    }

    /// What a sealed part turns out to be.
    enum Opened {
        /// Under a key of the class with this raw value; nil: under a customer's.
        case payload(Payload, sealedAs: UInt8?)
        /// Its key was destroyed: the customer was erased, or its time is over.
        case erased
        /// It does not open with its key, or holds no payload.
        case damaged
    }

    /// - Parameter id: any of the notification's ids: what is sealed is bound to that of the notification.
    func open(_ sealed: [UInt8], of id: MessageID, keyID: UInt32) -> Opened {
        let context = SealContext(high: id.notification.high, low: id.notification.low, kind: RecordKind.accepted.rawValue)
        do {
            let bytes: [UInt8]
            var sealedAs: UInt8?
            if let number = RecordKeyID(rawValue: keyID).subject {
                switch subject(number) {
                case .key(let key): bytes = try sealed.withUnsafeBytes { try Sealer.open($0, context: context, key: key) }
                case .erased: return .erased
                case .unknown, .damaged: return .damaged
                }
            } else {
                guard let key = keys.key(id: keyID) else { return .erased }
                bytes = try sealed.withUnsafeBytes { try Sealer.open($0, context: context, key: key) }
                sealedAs = key.messageClass
            }
            return .payload(try bytes.withUnsafeBytes { try Payload(reading: $0) }, sealedAs: sealedAs)
        } catch {
            // Whatever does not open is damage to whoever looks; the item says so.
            return .damaged
        }
    }
}
