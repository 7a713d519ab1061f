import Guard
import MartletEngine
import MartletModel

/// What the rules said of a decision, as hops of its story: asked again, of what the record says was read, under the release that decided.
struct RuleHops {
    /// The release in use; nil: none is.
    let book: DecisionBook?
    let keys: RecordKeys

    /// - Parameter sealed: of the decision's record.
    func tell(_ made: RecordBody.Decided, _ header: RecordHeader, _ sealed: [UInt8]) -> [Story.Hop] {
        guard let book, book.release == made.release else {
            return [hop(header, "release \(made.release) is not the one in use here, so its rules are not asked again")]
        }
        let facts: DecisionFacts
        do {
            let payload = try sealed.withUnsafeBytes { try StoredRecord.open($0, of: header, keys) }
                .withUnsafeBytes { bytes throws(RecordFault) in try EventPayload(reading: bytes) }
            guard !payload.facts.isEmpty else { return [hop(header, "what the decision read was not kept")] }
            facts = try payload.facts.withUnsafeBytes { bytes throws(CustomerFault) in try DecisionFacts(reading: bytes, now: header.at) }
        } catch SealFault.erased {
            return [hop(header, "what the decision read was of a customer who is erased")]
        } catch {
            return [hop(header, "what the decision read cannot be read back")]
        }
        guard let (said, names) = book.answers(facts) else { return [hop(header, "the release has no such event")] }
        return said.map { hop(header, $0.sentence(names), [("rule", $0.rule.word), ("verdict", $0.verdict.word)]) }
    }

    private func hop(_ header: RecordHeader, _ what: String, _ details: [(String, String)] = []) -> Story.Hop {
        let message = header.id.ordinal > 1 ? [("message", String(header.id.ordinal))] : []
        return Story.Hop(at: header.at, hop: "rule", what: what, details: details + message)
    }
}
