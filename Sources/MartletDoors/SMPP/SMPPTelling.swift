import MartletModel
import NIOCore
import SMPP

/// What a bound client is told: receipts and messages from handsets, as many at once as it takes, and what it said to them.
extension SMPPServerConnection {
    /// Receipts that may be given to this bind now.
    var room: Int {
        guard !isClosing, !isDraining, account != nil, context?.channel.isWritable ?? false, pausedUntil <= now() else { return 0 }
        return session.room
    }

    /// False: it could not be written here.
    func give(_ notice: Notice) -> Bool {
        guard let account else { return false }
        do {
            guard let place = try session.deliver(message(notice, account), at: now(), out: &out) else {
                return false
            }
            told[place] = notice.slot
            return true
        } catch {
            // Nothing of a receipt is longer than its field; should it be, the client is spared the same again and again.
            heard.append((notice.slot, .refused))
            return true
        }
    }

    private func message(_ notice: Notice, _ account: SMPPAccountBinds) -> Message {
        notice.state == .received ? InboundWriting.message(notice) : ReceiptWriting.message(notice, account.settings.receipts)
    }

    func answered(_ place: Int, _ status: CommandStatus, at steady: Int64) {
        guard let slot = told[place] else { return }
        told[place] = nil
        switch status {
        case .ok: heard.append((slot, .heard))
        case .systemError, .queueFull, .throttled, .temporaryReceiverError:
            heard.append((slot, .notHeard))
            pausedUntil = steady + SMPPServerConnection.pause
        default: heard.append((slot, .refused))
        }
    }

    /// Microseconds without a receipt after the client asked for less.
    private static let pause: Int64 = 1_000_000

    func tellHeard() {
        guard !heard.isEmpty, let account else { return }
        let batch = heard
        heard = []
        account.told(batch)
    }
}
