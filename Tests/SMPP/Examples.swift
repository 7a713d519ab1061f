import NIOCore
import SMPP
import Testing

// The examples of docs/guides/smpp-library.md: they are compiled and run here, and a test holds the guide's text against this file.

// example: client
/// An ESME that sends one message and hears its receipt. `now` is any steady clock in microseconds; `out` goes to the socket.
struct SendingClient: ~Copyable {
    private var session = ClientSession(settings: ClientSession.Settings(window: 10))
    private var reader = FrameReader()
    private(set) var messageID = ""
    private(set) var ended: DeliveryState?

    /// The transport is open.
    mutating func connected(at now: Int64, out: inout ByteBuffer) throws {
        try session.open(Bind(mode: .transceiver, systemID: "bank", password: "secret"), at: now, out: &out)
    }

    mutating func send(_ text: String, to number: String, at now: Int64, out: inout ByteBuffer) throws {
        // No room: the window is full, or there is no bind. Wait for the next event.
        guard let (sequence, place) = session.take(at: now) else { return }
        var fields = MessageFields()
        fields.source = Address(ton: 5, npi: 0, text: ShortText("HARBOUR") ?? ShortText())
        fields.destination = Address(ton: 1, npi: 1, text: ShortText(number) ?? ShortText())
        fields.registeredDelivery = RegisteredDelivery(receipt: .always)
        do {
            try out.writeMessage(.submit, Message(fields: fields, shortMessage: Array(text.utf8)), sequence: sequence)
        } catch {
            session.giveBack(place: place)
            throw error
        }
    }

    /// Octets from the socket. False: close it when `out` is flushed.
    mutating func received(_ octets: ByteBuffer, at now: Int64, out: inout ByteBuffer) -> Bool {
        var octets = octets
        var answers = ByteBuffer()
        do {
            // The reader and the session are two values: take both out of `self` for the call.
            var reading = reader
            try reading.read(&octets) { frame in take(frame, at: now, out: &answers) }
            reader = reading
        } catch {
            session.unfollowable(error, out: &answers)
        }
        out.writeBuffer(&answers)
        return session.state != .ended
    }

    private mutating func take(_ frame: Frame, at now: Int64, out: inout ByteBuffer) {
        switch session.received(frame, at: now, out: &out) {
        case .answered(_, .ok, let id):
            messageID = frame.text(id)
        case .deliver(let sequence):
            var status = CommandStatus.ok
            do {
                if let receipt = Receipt(try MessageView(frame), in: frame) { ended = receipt.state }
            } catch {
                status = error.status
            }
            session.answerDeliver(sequence: sequence, status: status, out: &out)
        case .data(let sequence):
            session.answerData(sequence: sequence, status: .permanentReceiverError, out: &out)
        default:
            break
        }
    }
}
// end

// example: server
/// An SMSC that keeps what it gets and answers later, when `kept` says so.
struct KeepingServer: ~Copyable {
    private var session = ServerSession(settings: ServerSession.Settings(systemID: "SMSC", window: 100), at: 0)
    private var reader = FrameReader()
    private var waiting: [(sequence: UInt32, message: Message)] = []
    private var number: UInt64 = 0

    /// Octets from the socket. False: close it when `out` is flushed.
    mutating func received(_ octets: ByteBuffer, at now: Int64, out: inout ByteBuffer) -> Bool {
        var octets = octets
        var answers = ByteBuffer()
        do {
            var reading = reader
            try reading.read(&octets) { frame in take(frame, at: now, out: &answers) }
            reader = reading
        } catch {
            session.unfollowable(error, out: &answers)
        }
        out.writeBuffer(&answers)
        return session.state != .ended
    }

    private mutating func take(_ frame: Frame, at now: Int64, out: inout ByteBuffer) {
        switch session.received(frame, at: now, out: &out) {
        case .bind(let bind):
            if bind.systemID == "bank", bind.password == "secret" {
                try? session.acceptBind(out: &out)
            } else {
                // The same answer for a wrong name and a wrong password.
                session.refuseBind(.bindFailed, out: &out)
            }
        case .submit(let sequence):
            do {
                let view = try MessageView(frame)
                if let status = SubmitRules.refusal(of: view, in: frame) {
                    session.refuse(.submit, sequence: sequence, status, out: &out)
                } else {
                    waiting.append((sequence, try view.copied(from: frame)))
                }
            } catch {
                // A fault within a PDU: answer it and go on.
                session.refuse(.submit, sequence: sequence, error.status, out: &out)
            }
        case .query(let query, let sequence):
            let answer = QueryResponse(messageID: query.messageID, finalDate: nil, state: .enroute)
            if (try? session.answerQuery(sequence: sequence, answer, out: &out)) == nil {
                session.refuse(.query, sequence: sequence, .queryFailed, out: &out)
            }
        case .cancel(_, let sequence): session.answerCancel(sequence: sequence, status: .cancelFailed, out: &out)
        case .replace(_, let sequence): session.answerReplace(sequence: sequence, status: .replaceFailed, out: &out)
        case .submitMulti(let sequence): session.refuse(.submitMulti, sequence: sequence, .submitFailed, out: &out)
        case .data(let sequence): session.refuse(.data, sequence: sequence, .submitFailed, out: &out)
        default: break
        }
    }

    /// All that waits is on disk: answer it, and send a receipt where one was asked for. False: the peer has unbound and this was the
    /// last answer; close when `out` is flushed.
    mutating func kept(at now: Int64, wall: Int64, out: inout ByteBuffer) throws -> Bool {
        let all = waiting
        waiting.removeAll()
        for (sequence, message) in all {
            number += 1
            let id = IdentifierForm(.decimal, width: 10).text(UInt128(number))
            try session.answerSubmit(sequence: sequence, messageID: id, out: &out)
            guard message.fields.registeredDelivery.wants(.delivered) else { continue }
            let facts = ReceiptFacts(id: id, submitted: wall, done: wall, state: .delivered)
            let receipt = ReceiptForm().message(facts, source: message.fields.destination, destination: message.fields.source)
            // Nil: the window of receipts is full, or the peer does not receive; keep it for later.
            _ = try session.deliver(receipt, at: now, out: &out)
        }
        return session.state != .ended
    }
}
// end
