public import Guard
import MartletModel
import MartletStore

/// What opens and checks the history's rows.
public struct HistoryKeys: Sendable {
    let hashes: SearchHashes
    let stateTags: RowMAC
    let stepTags: RowMAC
    let evidenceTags: EvidenceTags
    /// Of the note up to which message rows may lack a tag.
    let untaggedTags: RowMAC
    let numbers: RulebookNumbers
    let customers: CustomerKeys
    private let records: RecordKeys

    /// - Parameter subjects: keys of customers; without them nothing that is sealed under them opens.
    public init(_ keys: KeyStore, subjects: SubjectKeys? = nil) {
        records = RecordKeys(days: keys, subjects: subjects)
        hashes = SearchHashes(keys)
        stateTags = StateRow.tags(keys.rowKey)
        stepTags = StepRow.tags(keys.rowKey)
        evidenceTags = EvidenceTags(keys.rowKey)
        untaggedTags = LastUntagged.tags(keys.rowKey)
        numbers = RulebookNumbers(keys.rowKey)
        customers = CustomerKeys(keys)
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
            let key = try records.key(keyID)
            let bytes = try sealed.withUnsafeBytes { try Sealer.open($0, context: context, key: key) }
            return .payload(try bytes.withUnsafeBytes { try Payload(reading: $0) }, sealedAs: key.messageClass)
        } catch SealFault.erased {
            return .erased
        } catch SealFault.noSuchKey where RecordKeyID(rawValue: keyID).subject == nil {
            return .erased
        } catch {
            // Whatever does not open is damage to whoever looks; the item says so.
            return .damaged
        }
    }
}
