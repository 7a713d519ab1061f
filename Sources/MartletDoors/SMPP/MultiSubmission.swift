import MartletModel
import SMPP

/// One submit_multi on its way through the core: answered when every destination has its answer.
final class MultiSubmission {
    private var left: Int
    private var id: MessageID?
    private var refused: [MultiAnswer.Refused] = []
    private let then: (MessageID?, [MultiAnswer.Refused]) -> Void

    /// - Parameter count: of destinations, 1 ... 254.
    init(count: Int, then: @escaping (MessageID?, [MultiAnswer.Refused]) -> Void) {
        left = count
        self.then = then
    }

    /// The first one's id answers for all: SMPP has one message_id for the whole (section 4.5.2).
    func accepted(_ id: MessageID) {
        if self.id == nil { self.id = id }
        finish()
    }

    func refused(_ address: Address, _ status: CommandStatus) {
        refused.append(MultiAnswer.Refused(destination: address, status: status))
        finish()
    }

    private func finish() {
        left -= 1
        if left == 0 { then(id, refused) }
    }
}
