import NIOCore
import SMPP

/// How a message ends: when and how is decided as it is taken; its receipt goes to a bind with room, or waits for one.
extension SMSCCore {
    /// A receipt that is decided and not yet written.
    struct Plan {
        var n: UInt64
        var number: UInt64
        var submittedAt: Int64
        var state: ReceiptState
        var answerForm: Behaviour.AnswerIdForm
        var form: Behaviour.ReceiptIdForm
        var withTlvs: Bool
        var copies: UInt8
        /// False: only the state changes, nobody is told.
        var isTold: Bool
        var generation: Int
    }

    /// Decides when and how the message ends: at once, later, or when its phone is switched on.
    func conclude(
        _ pdu: UnsafeRawBufferPointer, _ view: SubmitView, _ n: UInt64, _ number: UInt64, _ fate: Fate, _ receipt: Fate.Receipt?,
        on connection: SMSCConnection
    ) {
        let addresses = UnsafeRawBufferPointer(rebasing: pdu[view.addresses])
        var isTold = receipt != nil
        var mode = PhoneMode.on
        if !phones.isEmpty {
            mode = phones.mode(of: UnsafeRawBufferPointer(rebasing: pdu[view.destination]))
            if mode == .silent { isTold = false }
        }
        if !isTold, mode != .off {
            ring.set(mode == .silent ? .withheld : view.registeredDelivery & 3 == 0 ? .untold : .withheld, of: n)
            return
        }
        let plan = Plan(
            n: n, number: receipt?.unknownId == true ? ~number >> 16 : number, submittedAt: now.micros,
            state: receipt?.state ?? .delivered, answerForm: behaviour.answerIdForm, form: behaviour.receiptIdForm,
            withTlvs: behaviour.receiptTlvs, copies: receipt?.copies ?? 1, isTold: isTold, generation: generation)
        if isTold, view.registeredDelivery & 0x10 != 0 { notify(plan, addresses, preferring: connection) }
        if mode == .off { return hold(plan, addresses, UnsafeRawBufferPointer(rebasing: pdu[view.destination])) }
        let wait = receipt.map { $0.beforeAnswer ? 0 : fate.answerAfterMs + $0.afterMs } ?? 0
        if wait == 0 { return end(plan, addresses, preferring: connection) }
        due.push(at: now.milliseconds + Int64(wait) + 1, octets: addresses) { Due.receipt(plan, addresses: $0) }
    }

    /// Writes the receipt, or keeps it until a bind has room.
    func end(_ plan: Plan, _ addresses: UnsafeRawBufferPointer, preferring connection: SMSCConnection?) {
        if plan.generation == generation {
            if ring.progress(of: plan.n) == .deleted { return }
            ring.set(plan.isTold ? MessageRing.Progress(plan.state) : .untold, of: plan.n)
        }
        guard plan.isTold else { return }
        tell(plan, addresses, preferring: connection, copies: plan.copies)
    }

    /// The intermediate notification that was asked for: it is on its way.
    private func notify(_ plan: Plan, _ addresses: UnsafeRawBufferPointer, preferring connection: SMSCConnection?) {
        tell(plan, addresses, preferring: connection, copies: 1, isPassing: true)
    }

    private func tell(
        _ plan: Plan, _ addresses: UnsafeRawBufferPointer, preferring connection: SMSCConnection?, copies: UInt8, isPassing: Bool = false
    ) {
        let receipt = Receipt(
            number: plan.number, state: plan.state, submittedAt: plan.submittedAt, doneAt: now.micros, answerForm: plan.answerForm,
            form: plan.form, withTlvs: plan.withTlvs, isPassing: isPassing)
        for _ in 0..<copies {
            if outbox.count == 0, let receiver = receiver(preferring: connection) {
                markDirty(receiver)
                receiver.window.send(to: &receiver.out) { writer, sequence in
                    receipt.write(to: &writer, sequence: sequence, addresses: addresses)
                }
                stats.receiptsSent &+= 1
            } else {
                withUnsafeTemporaryAllocation(byteCount: Receipt.octetsMaximum, alignment: 8) { room in
                    var writer = RawWriter(room)
                    receipt.write(to: &writer, sequence: 0, addresses: addresses)
                    let length = writer.finish()
                    keepForBind(UnsafeRawBufferPointer(rebasing: room[..<length]))
                }
            }
        }
    }

    func keepForBind(_ pdu: UnsafeRawBufferPointer) {
        if !outbox.append(pdu) { stats.receiptsDropped &+= 1 }
    }

    @inline(__always)
    private func receiver(preferring connection: SMSCConnection?) -> SMSCConnection? {
        if let connection, connection.takesReceipt { return connection }
        for _ in 0..<receivers.count {
            nextReceiver = (nextReceiver + 1) % receivers.count
            if receivers[nextReceiver].takesReceipt { return receivers[nextReceiver] }
        }
        return nil
    }

    /// A bind came, answered or reads again: what waits goes out.
    func hasRoom() {
        guard outbox.count > 0 else { return }
        now = Moment.now()
        drainOutbox()
        endBatch()
    }

    func drainOutbox() {
        while outbox.count > 0, let receiver = receiver(preferring: nil) {
            markDirty(receiver)
            outbox.takeFirst { pdu in
                receiver.window.send(to: &receiver.out) { writer, sequence in
                    writer.copy(UnsafeRawBufferPointer(rebasing: pdu[..<12]))
                    writer.four(sequence)
                    writer.copy(UnsafeRawBufferPointer(rebasing: pdu[16...]))
                }
            }
            stats.receiptsSent &+= 1
        }
    }

    func answered(_ sequence: UInt32, status: CommandStatus, on connection: SMSCConnection) {
        let isTemporary = status == .temporaryReceiverError || status == .queueFull || status == .throttled
        let at = now.milliseconds + Self.offerAgainMs
        let was = connection.window.answered(sequence) { pdu in
            if isTemporary, due.count < Self.dueMaximum { due.push(at: at, octets: pdu) { Due.offer(pdu: $0) } }
        }
        if was {
            stats.receiptsAnswered &+= 1
            if status != .ok { stats.receiptsRefused &+= 1 }
            if outbox.count > 0 { drainOutbox() }
        }
    }
}
