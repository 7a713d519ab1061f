/// registered_delivery (SMPP 3.4, section 5.2.17): what the sender wants to be told. Reserved bits are kept as they came.
public struct RegisteredDelivery: RawRepresentable, Hashable, Sendable, ExpressibleByIntegerLiteral {
    public var rawValue: UInt8
    @inlinable public init(rawValue: UInt8 = 0) { self.rawValue = rawValue }
    @inlinable public init(integerLiteral value: UInt8) { rawValue = value }

    /// SMSC delivery receipt, bits 1 and 0.
    public enum Receipt: UInt8, Sendable, CaseIterable {
        case none = 0
        /// Of any end.
        case always = 1
        /// Only when it was not delivered.
        case failure = 2
        /// Only when it was delivered: SMPP 5.0; reserved in 3.4.
        case success = 3
    }

    /// Acknowledgement by the recipient, bits 3 and 2.
    public enum Acknowledgement: UInt8, Sendable, CaseIterable {
        case none = 0
        /// By the recipient's equipment.
        case delivery = 1
        /// By the recipient's own hand.
        case user = 2
        case both = 3
    }

    public init(receipt: Receipt, acknowledgement: Acknowledgement = .none, intermediate: Bool = false) {
        rawValue = receipt.rawValue | acknowledgement.rawValue << 2 | (intermediate ? 0x10 : 0)
    }

    public var receipt: Receipt {
        get { Receipt(rawValue: rawValue & 3) ?? .none }
        set { rawValue = rawValue & ~3 | newValue.rawValue }
    }

    public var acknowledgement: Acknowledgement {
        get { Acknowledgement(rawValue: rawValue >> 2 & 3) ?? .none }
        set { rawValue = rawValue & ~0x0C | newValue.rawValue << 2 }
    }

    /// Intermediate notifications while the message is on its way: bit 4.
    public var intermediate: Bool {
        get { rawValue & 0x10 != 0 }
        set { rawValue = rawValue & ~0x10 | (newValue ? 0x10 : 0) }
    }

    /// False when a bit is set that 3.4 reserves. "Success only" is told apart, since 5.0 has it.
    public var isStandard: Bool { rawValue & 0xE0 == 0 }

    /// Whether a sender who asked so is told of a message that is in this state now.
    public func wants(_ state: DeliveryState) -> Bool {
        guard state.isFinal else { return intermediate }
        return switch receipt {
        case .none: false
        case .always: true
        case .failure: state != .delivered
        case .success: state == .delivered
        }
    }
}

extension DeliveryState {
    /// Whether the message can still change (section 5.2.28). Accepted and unknown are final: the specification lists them so.
    public var isFinal: Bool { self != .enroute && self != .scheduled }
}
