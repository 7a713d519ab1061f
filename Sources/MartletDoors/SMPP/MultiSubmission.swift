import MartletModel
import SMPP

/// One submit_multi on its way through the core: answered when every destination has its answer.
final class MultiSubmission {
    private var left: Int
    private var first: (id: MessageID, place: Int)?
    private var refused: [MultiAnswer.Refused] = []
    private let then: (MessageID?, [MultiAnswer.Refused]) -> Void

    /// - Parameter count: of destinations, 1 ... 254.
    init(count: Int, then: @escaping (MessageID?, [MultiAnswer.Refused]) -> Void) {
        left = count
        self.then = then
    }

    /// The id of the first destination that was taken answers for all: SMPP has one message_id for the whole (section 4.5.2).
    /// - Parameter place: of the destination in the PDU.
    func accepted(_ id: MessageID, _ place: Int) {
        if first.map({ place < $0.place }) ?? true { first = (id, place) }
        finish()
    }

    func refused(_ address: Address, _ status: CommandStatus) {
        refused.append(MultiAnswer.Refused(destination: address, status: status))
        finish()
    }

    private func finish() {
        left -= 1
        if left == 0 { then(first?.id, refused) }
    }
}
