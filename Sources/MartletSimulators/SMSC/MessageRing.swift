/// The newest messages an operator took, as their PDUs: bounded in number and in octets, the oldest go first. Nothing is decoded
/// and nothing allocated when one comes in.
///
/// Messages are numbered from 1 in the order they came. Memory is touched as it fills.
final class MessageRing {
    /// Most messages kept; 0: none are.
    let keep: Int
    private let octets: Int
    // Allocated in init, freed in deinit, reached only through this class; PDUs never leave as pointers past `withPDU`.
    private let arena: UnsafeMutableRawBufferPointer
    private var slots: [Slot] = []
    /// Octets ever reserved; a PDU lies at `head % octets` and is gone once `head` has run `octets` further.
    private var head = 0
    /// Number of the newest message, 0 before the first.
    private(set) var newest: UInt64 = 0

    private struct Slot {
        var atMicros: Int64
        var number: UInt64
        var offset: Int
        var length: Int32
        var progress: Progress
    }

    /// How far a message has come.
    enum Progress: UInt8 {
        /// No receipt yet.
        case enroute
        /// Waits for its phone to be switched on.
        case held
        /// Came to its phone, and nobody had asked for a receipt.
        case untold
        /// Came to its phone, and the receipt that was asked for is never sent.
        case withheld
        case delivered, expired, deleted, undeliverable, unknown, rejected
    }

    /// A message copied out of the ring.
    struct Kept: Sendable {
        var n: UInt64
        var atMicros: Int64
        var number: UInt64
        var pdu: [UInt8]
        var progress: Progress
    }

    /// - Parameter octetsPerMessage: the arena holds `keep` messages of this size on average.
    init(keep: Int, octetsPerMessage: Int = 320) {
        self.keep = keep
        // One PDU of the largest size always fits.
        octets = keep == 0 ? 0 : max(keep * octetsPerMessage, 1 << 17)
        arena = UnsafeMutableRawBufferPointer.allocate(byteCount: octets, alignment: 16)
    }

    deinit {
        arena.deallocate()
    }

    /// Keeps one message and says its n.
    @inline(__always)
    func append(_ pdu: UnsafeRawBufferPointer, atMicros: Int64, number: UInt64) -> UInt64 {
        newest &+= 1
        if keep == 0 { return newest }
        var place = head % octets
        if place &+ pdu.count > octets {
            head &+= octets &- place
            place = 0
        }
        if let to = arena.baseAddress, let from = pdu.baseAddress {
            (to + place).copyMemory(from: from, byteCount: pdu.count)
        }
        let slot = Slot(atMicros: atMicros, number: number, offset: head, length: Int32(pdu.count), progress: .enroute)
        head &+= pdu.count
        let index = Int((newest &- 1) % UInt64(keep))
        if index == slots.count { slots.append(slot) } else { slots[index] = slot }
        return newest
    }

    /// Oldest n that may still be here; some after it may be gone when messages were long.
    var oldest: UInt64 { newest > UInt64(slots.count) ? newest - UInt64(slots.count) + 1 : 1 }

    private func index(of n: UInt64) -> Int? {
        guard n >= 1, n <= newest, n >= oldest, !slots.isEmpty else { return nil }
        let index = Int((n - 1) % UInt64(keep))
        return head - slots[index].offset <= octets ? index : nil
    }

    func message(_ n: UInt64) -> Kept? {
        guard let index = index(of: n) else { return nil }
        let slot = slots[index]
        let place = slot.offset % octets
        let bytes = Array(UnsafeRawBufferPointer(rebasing: arena[place..<place + Int(slot.length)]))
        return Kept(n: n, atMicros: slot.atMicros, number: slot.number, pdu: bytes, progress: slot.progress)
    }

    func progress(of n: UInt64) -> Progress? {
        index(of: n).map { slots[$0].progress }
    }

    /// Numbers rise with n, so the one asked for is found by halving.
    func n(ofNumber number: UInt64) -> UInt64? {
        var low = oldest
        var high = newest
        while low <= high, low >= 1 {
            let middle = low + (high - low) / 2
            guard keep > 0, !slots.isEmpty else { return nil }
            let there = slots[Int((middle - 1) % UInt64(keep))].number
            if there == number { return index(of: middle) == nil ? nil : middle }
            if there < number { low = middle + 1 } else { high = middle - 1 }
        }
        return nil
    }

    @inline(__always)
    func set(_ progress: Progress, of n: UInt64) {
        if let index = index(of: n) { slots[index].progress = progress }
    }

    /// Octets of the arena, at most `count` messages after `n`, oldest first.
    func messages(after n: UInt64, limit: Int) -> [Kept] {
        var found: [Kept] = []
        var next = max(n + 1, oldest)
        while next <= newest, found.count < limit {
            if let message = message(next) { found.append(message) }
            next += 1
        }
        return found
    }

    var count: Int { slots.count }

    func removeAll() {
        slots.removeAll(keepingCapacity: true)
        head = 0
        newest = 0
    }
}

extension MessageRing.Progress {
    init(_ state: ReceiptState) {
        switch state {
        case .delivered: self = .delivered
        case .expired: self = .expired
        case .deleted: self = .deleted
        case .undeliverable: self = .undeliverable
        case .unknown: self = .unknown
        case .rejected: self = .rejected
        }
    }

    /// message_state of query_sm_resp (SMPP 3.4, 5.2.28).
    var queryState: UInt8 {
        switch self {
        case .enroute, .held: 1
        case .untold, .withheld, .delivered: ReceiptState.delivered.rawValue
        case .expired: ReceiptState.expired.rawValue
        case .deleted: ReceiptState.deleted.rawValue
        case .undeliverable: ReceiptState.undeliverable.rawValue
        case .unknown: ReceiptState.unknown.rawValue
        case .rejected: ReceiptState.rejected.rawValue
        }
    }

    var word: String {
        switch self {
        case .enroute: "ENROUTE"
        case .held: "HELD"
        case .untold: "UNTOLD"
        case .withheld: "WITHHELD"
        case .delivered: "DELIVRD"
        case .expired: "EXPIRED"
        case .deleted: "DELETED"
        case .undeliverable: "UNDELIV"
        case .unknown: "UNKNOWN"
        case .rejected: "REJECTD"
        }
    }
}
