/// What a phone does with messages.
public enum PhoneMode: String, Sendable, CaseIterable {
    /// Shows them, and receipts come.
    case on
    /// They wait at the operator until it is on again, or expire.
    case off
    /// Shows them, and no receipts come.
    case silent
}

/// The phones that are not plainly on, and what waits for those that are off. Bounded.
struct PhoneBook {
    static let phonesMaximum = 10_000
    static let heldMaximum = 100_000

    struct Held {
        var plan: SMSCCore.Plan
        var addresses: [UInt8]
    }

    private var modes: [[UInt8]: PhoneMode] = [:]
    private var held: [[UInt8]: [Held]] = [:]
    private(set) var heldCount = 0

    init() {}

    var isEmpty: Bool { modes.isEmpty }

    func mode(of phone: UnsafeRawBufferPointer) -> PhoneMode {
        modes[Array(phone)] ?? .on
    }

    func mode(of phone: [UInt8]) -> PhoneMode {
        modes[phone] ?? .on
    }

    /// What waited and does not wait any more; nil when there are too many phones to remember one more.
    mutating func set(_ mode: PhoneMode, for phone: [UInt8]) -> [Held]? {
        switch mode {
        case .on: modes[phone] = nil
        case .off, .silent:
            guard modes[phone] != nil || modes.count < Self.phonesMaximum else { return nil }
            modes[phone] = mode
        }
        if mode == .off { return [] }
        let released = held.removeValue(forKey: phone) ?? []
        heldCount -= released.count
        return released
    }

    /// False when too many wait.
    mutating func hold(_ message: Held, for phone: UnsafeRawBufferPointer) -> Bool {
        guard heldCount < Self.heldMaximum else { return false }
        held[Array(phone), default: []].append(message)
        heldCount += 1
        return true
    }

    /// Message `n` if it still waits for its phone.
    mutating func takeExpired(_ n: UInt64, of phone: UnsafeRawBufferPointer) -> Held? {
        let key = Array(phone)
        guard let index = held[key]?.firstIndex(where: { $0.plan.n == n }) else { return nil }
        heldCount -= 1
        let found = held[key]?.remove(at: index)
        if held[key]?.isEmpty == true { held[key] = nil }
        return found
    }

    mutating func dropHeld() {
        held = [:]
        heldCount = 0
    }
}
