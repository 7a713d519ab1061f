import Guard
import MartletModel
import MartletStore
import SQL

/// What an entry of the search says of a message. The entry has no tag, so the message's own rows are asked.
struct SearchClaim {
    let kind: SearchKind
    /// Any of these.
    let hashes: [Int64]

    init(_ kind: SearchKind, _ hashes: [Int64]) {
        self.kind = kind
        self.hashes = hashes
    }

    enum Proof: Equatable {
        case borneOut
        /// Nothing is there to compare with: the text is forgotten, was never written, or does not open.
        case unknown
        /// The entry is not Martlet's.
        case refuted
    }

    /// As it is named where it is refuted; holds nothing personal.
    static func entry(of id: MessageID) -> String { "lookup of message \(id.notification.text)" }
}

extension HistoryRows {
    /// Whether a message is what the search entry says. What is sealed is bound to the message's id, and says to which number it went and by which reference; the
    /// key's number stands in a row with a tag, and so does the customer in a decision.
    /// - Parameter opened: of the item.
    func proof(of claim: SearchClaim, _ item: HistoryItem, _ opened: [Opening]) throws -> SearchClaim.Proof {
        switch claim.kind {
        case .customer: return try proof(ofCustomer: claim.hashes, item, opened)
        // By the row with a tag, in `Wanted`.
        case .source: return .borneOut
        case .phone, .email, .reference: break
        }
        var isWhole = !opened.isEmpty
        for one in opened {
            guard case .payload(let payload, _) = one.content else {
                isWhole = false
                continue
            }
            if let hash = hash(claim.kind, payload, item), claim.hashes.contains(hash) { return .borneOut }
        }
        return isWhole ? .refuted : .unknown
    }

    /// Under which the message stands by what was sealed of it; nil: under none.
    private func hash(_ kind: SearchKind, _ payload: Payload, _ item: HistoryItem) -> Int64? {
        switch kind {
        case .phone: return payload.to.digits == 0 ? nil : keys.hashes.phone(payload.to)
        // The reference of a message from a handset is the address as its operator wrote it.
        case .reference: return payload.reference.isEmpty || item.isInbound ? nil : keys.hashes.reference(payload.reference)
        case .customer, .email, .source: return nil
        }
    }

    private func proof(ofCustomer numbers: [Int64], _ item: HistoryItem, _ opened: [Opening]) throws -> SearchClaim.Proof {
        let subjects = opened.map { RecordKeyID(rawValue: $0.sealed.keyID).subject }
        if subjects.contains(where: { $0.map { numbers.contains(Int64($0)) } ?? false }) { return .borneOut }
        // Of what nobody was told there is no message, and what was forgotten has no key.
        var others = subjects.compactMap(\.self)
        for case .decided(let it)? in try steps(item.id).map({ $0?.body }) where it.subject != 0 {
            if numbers.contains(Int64(it.subject)) { return .borneOut }
            others.append(it.subject)
        }
        let isWhole = !opened.isEmpty && opened.allSatisfy { $0.sealed.keyID != 0 }
        return isWhole || !others.isEmpty ? .refuted : .unknown
    }
}
