import NIOCore
import SMPP

/// Readings of both clocks, taken once for each batch.
struct Moment {
    /// Wall clock, microseconds since 1970.
    var micros: Int64
    /// Monotonic clock, whole milliseconds.
    var milliseconds: Int64

    static func now() -> Moment {
        Moment(micros: CivilTime.nowMicros(), milliseconds: Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000))
    }
}

/// A simulated operator: takes submits, answers them and sends receipts as its behaviour says. Lives on one event loop and is
/// reached from elsewhere only through `SMSC`.
final class SMSCCore {
    let settings: SMSCSettings
    let loop: any EventLoop
    private(set) var behaviour: Behaviour
    var ring: MessageRing
    var phones = PhoneBook()
    /// Rises with each reset, so that watchers know their numbers are void.
    private(set) var generation = 1

    var isPlain: Bool
    var now = Moment.now()
    var connections: [Int: SMSCConnection] = [:]
    private var nextConnection = 0
    var receivers: [SMSCConnection] = []
    var nextReceiver = 0
    var dirty: [SMSCConnection] = []

    var stats = SMSCStats()
    private var ordinal: UInt64 = 0
    private var number: UInt64
    private var submitRate = RateWindow()
    private var takenRate = RateWindow()
    private var seen: SeenSet

    var due = DueTable<Due>()
    var armed: (millisecond: Int64, task: Scheduled<Void>)?
    var outbox = Outbox()
    /// What subscribers wrote.
    var writings = WrittenRing()
    /// Messages that subscribers wrote; the reference of their parts.
    var written: UInt16 = 0

    static let connectionsMaximum = 1000
    /// Answers and receipts that may wait for their time.
    static let dueMaximum = 1_000_000
    /// A receipt the ESME could not take now is offered again after this.
    static let offerAgainMs: Int64 = 1000

    /// Something to be done at its millisecond.
    enum Due {
        case answer(connection: Int, sequence: UInt32, status: UInt32, number: UInt64, form: Behaviour.AnswerIdForm, copies: UInt8)
        case receipt(Plan, addresses: Range<Int>)
        /// A deliver_sm that was refused for now.
        case offer(pdu: Range<Int>)
        case expire(n: UInt64, phone: Range<Int>)
        /// A whole PDU for one connection.
        case write(connection: Int, pdu: Range<Int>)
    }

    /// - Parameter firstNumber: message id of the first message.
    init(_ settings: SMSCSettings, loop: any EventLoop, firstNumber: UInt64) {
        self.settings = settings
        self.loop = loop
        behaviour = settings.behaviour
        isPlain = settings.behaviour.isPlain
        ring = MessageRing(keep: settings.keep)
        seen = SeenSet(window: settings.duplicateWindow)
        number = firstNumber
    }

    // MARK: Connections

    /// False: not let in.
    func opened(_ connection: SMSCConnection) -> Bool {
        guard !behaviour.disconnect, connections.count < Self.connectionsMaximum else { return false }
        connections[connection.id] = connection
        return true
    }

    func nextConnectionId() -> Int {
        nextConnection += 1
        return nextConnection
    }

    func admits(_ bind: BindView) -> CommandStatus {
        guard bind.systemId == Array(settings.systemId.utf8) else { return .invalidSystemID }
        if let password = settings.password, bind.password != Array(password.utf8) { return .invalidPassword }
        return .ok
    }

    func bound(_ connection: SMSCConnection) {
        if connection.mayReceive { receivers.append(connection) }
        hasRoom()
    }

    func closed(_ connection: SMSCConnection) {
        connections[connection.id] = nil
        receivers.removeAll { $0 === connection }
        dirty.removeAll { $0 === connection }
        var returned: UInt64 = 0
        connection.window.drain { pdu in
            returned += 1
            keepForBind(pdu)
        }
        stats.receiptsSent -= min(returned, stats.receiptsSent)
        stats.receiptsReturned += returned
        hasRoom()
    }

    func closeAll() {
        for connection in Array(connections.values) { connection.close() }
    }

    // MARK: Batches

    func beginBatch() {
        now = Moment.now()
    }

    @inline(__always)
    func markDirty(_ connection: SMSCConnection) {
        if !connection.isDirty {
            connection.isDirty = true
            dirty.append(connection)
        }
    }

    /// Writes everything the batch left to its connections.
    func endBatch() {
        while let connection = dirty.popLast() { connection.flush() }
        arm()
    }

    // MARK: submit_sm

    func submit(_ pdu: UnsafeRawBufferPointer, sequence: UInt32, on connection: SMSCConnection) {
        stats.submits &+= 1
        ordinal &+= 1
        submitRate.add(at: now.milliseconds)
        connection.submitted &+= 1
        connection.outstanding &+= 1
        if connection.outstanding > stats.maxOutstanding { stats.maxOutstanding = connection.outstanding }

        let view: SubmitView
        do {
            view = try SubmitView(pdu)
        } catch {
            return refuse(error.status.rawValue, sequence, on: connection)
        }
        guard connection.mayTransmit else { return refuse(CommandStatus.wrongBindState.rawValue, sequence, on: connection) }
        if settings.window > 0, connection.outstanding > settings.window { return refuse(Status.throttled, sequence, on: connection) }
        if behaviour.tps > 0, takenRate.count(at: now.milliseconds) >= UInt64(behaviour.tps) {
            return refuse(Status.throttled, sequence, on: connection)
        }
        guard due.count < Self.dueMaximum else { return refuse(CommandStatus.queueFull.rawValue, sequence, on: connection) }
        var fate = isPlain ? Fate.plain : Fate.of(submit: ordinal, seed: settings.seed, under: behaviour)
        if case .refuse(let status) = fate.verdict {
            return refuse(status, sequence, on: connection, after: fate.answerAfterMs)
        }
        if connection.submitted == behaviour.dropBindAfter {
            fate.answers = 0
            connection.closeAfterBatch()
        }
        take(pdu, view, sequence, fate, on: connection)
    }

    private func refuse(_ status: UInt32, _ sequence: UInt32, on connection: SMSCConnection, after delay: UInt32 = 0) {
        if status == Status.throttled { stats.throttled &+= 1 } else { stats.refused &+= 1 }
        answer(sequence, status: status, number: 0, after: delay, copies: 1, on: connection)
    }

    @inline(__always)
    private func take(
        _ pdu: UnsafeRawBufferPointer, _ view: SubmitView, _ sequence: UInt32, _ fate: Fate, on connection: SMSCConnection
    ) {
        let number = self.number
        self.number &+= 1
        stats.accepted &+= 1
        takenRate.add(at: now.milliseconds)
        let n = ring.append(pdu, atMicros: now.micros, number: number)
        if seen.window > 0 {
            let hash = SeenSet.hash(
                UnsafeRawBufferPointer(rebasing: pdu[view.destination]), UnsafeRawBufferPointer(rebasing: pdu[view.text]))
            if seen.isRepeat(hash, ordinal: stats.accepted) { stats.duplicates &+= 1 }
        }
        if fate.answers == 0 { stats.unanswered &+= 1 }

        let receipt = wanted(fate.receipt, view.registeredDelivery)
        if receipt?.beforeAnswer == true {
            conclude(pdu, view, n, number, fate, receipt, on: connection)
            answer(sequence, status: 0, number: number, after: fate.answerAfterMs, copies: fate.answers, on: connection)
        } else {
            answer(sequence, status: 0, number: number, after: fate.answerAfterMs, copies: fate.answers, on: connection)
            conclude(pdu, view, n, number, fate, receipt, on: connection)
        }
    }

    /// registered_delivery, bits 1 and 0: none; any end; failures only (SMPP 3.4, 5.2.17); successes only (5.0).
    private func wanted(_ receipt: Fate.Receipt?, _ registered: UInt8) -> Fate.Receipt? {
        guard let receipt, behaviour.receipts else { return nil }
        switch registered & 3 {
        case 1: return receipt
        case 2: return receipt.state == .delivered ? nil : receipt
        case 3: return receipt.state == .delivered ? receipt : nil
        default: return nil
        }
    }

    private func answer(
        _ sequence: UInt32, status: UInt32, number: UInt64, after delay: UInt32, copies: UInt8, on connection: SMSCConnection
    ) {
        if copies == 0 { return }
        if delay == 0 { return write(sequence, status, number, behaviour.answerIdForm, copies, to: connection) }
        let item = Due.answer(
            connection: connection.id, sequence: sequence, status: status, number: number, form: behaviour.answerIdForm, copies: copies)
        due.push(at: now.milliseconds + Int64(delay) + 1, octets: nil) { _ in item }
    }

    @inline(__always)
    private func write(
        _ sequence: UInt32, _ status: UInt32, _ number: UInt64, _ form: Behaviour.AnswerIdForm, _ copies: UInt8,
        to connection: SMSCConnection
    ) {
        markDirty(connection)
        connection.answersInBatch &+= 1
        for _ in 0..<copies {
            connection.out.appendSubmitAnswer(status: status, sequence: sequence, number: number, form: form)
        }
    }

    // MARK: Time

    /// Writes a PDU to a connection, now or later.
    func write(_ pdu: [UInt8], to connection: SMSCConnection, after delay: UInt32) {
        guard delay > 0 else {
            markDirty(connection)
            connection.out.writeBytes(pdu)
            return
        }
        guard due.count < Self.dueMaximum else { return }
        pdu.withUnsafeBytes { octets in
            due.push(at: now.milliseconds + Int64(delay) + 1, octets: octets) { Due.write(connection: connection.id, pdu: $0) }
        }
    }

    func count(_ change: (inout SMSCStats) -> Void) { change(&stats) }

    private func arm() {
        guard let first = due.first else { return }
        if let armed {
            if armed.millisecond <= first { return }
            armed.task.cancel()
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let deadline = NIODeadline.uptimeNanoseconds(UInt64(max(first, 0)) * 1_000_000)
        armed = (first, loop.scheduleTask(deadline: deadline) { bound.value.fire() })
    }

    private func fire() {
        armed = nil
        now = Moment.now()
        while let bucket = due.pop(through: now.milliseconds) {
            bucket.bytes.withUnsafeBytes { bytes in
                for item in bucket.items { run(item, bytes) }
            }
        }
        endBatch()
    }

    private func run(_ item: Due, _ bytes: UnsafeRawBufferPointer) {
        switch item {
        case .answer(let id, let sequence, let status, let number, let form, let copies):
            // A bind that is gone never hears its answer.
            if let connection = connections[id], !connection.closing { write(sequence, status, number, form, copies, to: connection) }
        case .receipt(let plan, let range):
            end(plan, UnsafeRawBufferPointer(rebasing: bytes[range]), preferring: nil)
        case .offer(let range):
            keepForBind(UnsafeRawBufferPointer(rebasing: bytes[range]))
            drainOutbox()
        case .expire(let n, let range):
            guard let held = phones.takeExpired(n, of: UnsafeRawBufferPointer(rebasing: bytes[range])) else { return }
            release(held, as: .expired)
        case .write(let id, let range):
            guard let connection = connections[id], !connection.closing else { return }
            markDirty(connection)
            connection.out.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
    }

    // MARK: What the admin API asks

    func change(_ next: Behaviour) {
        behaviour = next
        isPlain = next.isPlain
        if next.disconnect { closeAll() }
    }

    func statsNow() -> SMSCStats {
        now = Moment.now()
        var result = stats
        result.binds = connections.values.count { $0.isBound && !$0.closing }
        result.rate = submitRate.count(at: now.milliseconds)
        result.maxPerSecond = submitRate.most
        result.outstanding = connections.values.map { $0.outstanding }.max() ?? 0
        result.receiptsWaiting = outbox.count + due.count + phones.heldCount
        result.kept = ring.count
        return result
    }

    /// Forgets messages, counts and waiting receipts, and begins the random numbers anew. Binds, behaviour, phones and the run of
    /// message ids stay; answers that wait are still given.
    func reset() {
        generation += 1
        stats = SMSCStats()
        ordinal = 0
        submitRate = RateWindow()
        takenRate = RateWindow()
        seen.removeAll()
        ring.removeAll()
        writings = WrittenRing()
        outbox.removeAll()
        phones.dropHeld()
        due.removeAll { item in
            if case .answer = item { false } else { true }
        }
    }
}
