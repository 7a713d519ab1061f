public import MartletModel
public import SMPP

/// What one connection group has learnt of how its operator's receipts name messages; its connections share it. Confined to their loop.
public final class ReceiptLearning: ReceiptNaming {
    public typealias Conversion = MessageIdentifier.Conversion

    private var learner: IdentifierLearner
    /// Nil: not known yet, or traffic speaks against what was known.
    public private(set) var learnt: Conversion?
    private let changed: (Conversion?) -> Void

    /// - Parameters:
    ///   - known: from an earlier run.
    ///   - changed: what is known now is another thing than before.
    public init(known: Conversion? = nil, changed: @escaping (Conversion?) -> Void = { _ in }) {
        learner = known.map { IdentifierLearner(known: $0) } ?? IdentifierLearner()
        learnt = known
        self.changed = changed
    }

    public var isLearnt: Bool { learnt != nil }

    /// How a receipt's id is read first.
    var expected: Conversion { learnt ?? .asIs }

    public func otherReadings(of heard: Heard) -> [String] {
        learner.candidates(receipt: heard.receiptID).filter { $0 != heard.providerID }
    }

    public func learn(answer: String, from heard: Heard) {
        learner.observe(answer: answer, receipt: heard.receiptID)
        guard learner.learnt != learnt else { return }
        learnt = learner.learnt
        changed(learnt)
    }
}
