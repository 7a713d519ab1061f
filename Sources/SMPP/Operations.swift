/// query_sm (SMPP 3.4, section 4.8.1): what became of a message?
public struct Query: Equatable, Sendable {
    public var messageID: String
    /// Must be the source address of the submit (empty when that was).
    public var source: Address

    public init(messageID: String, source: Address = Address()) {
        self.messageID = messageID
        self.source = source
    }

    public init(_ frame: Frame) throws(PDUFault) {
        guard frame.header.command == .query else { throw .otherCommand(frame.header.command) }
        var cursor = Cursor(frame)
        messageID = frame.text(try cursor.messageID())
        source = frame.address(try cursor.address(.source))
        try cursor.finish(frame)
    }
}

/// query_sm_resp (section 4.8.2).
public struct QueryResponse: Equatable, Sendable {
    public var messageID: String
    /// Empty while the message is on its way, else an absolute time of 16 octets; see `AbsoluteTime`.
    public var finalDate: ShortText
    /// message_state (section 5.2.28) as it came; see `deliveryState`.
    public var state: UInt8
    /// The network's code; 0 when it said none.
    public var errorCode: UInt8

    public init(messageID: String, finalDate: ShortText = ShortText(), state: UInt8, errorCode: UInt8 = 0) {
        self.messageID = messageID
        self.finalDate = finalDate
        self.state = state
        self.errorCode = errorCode
    }

    public init(messageID: String, finalDate: AbsoluteTime?, state: DeliveryState, errorCode: UInt8 = 0) {
        self.init(messageID: messageID, finalDate: finalDate?.text ?? ShortText(), state: state.rawValue, errorCode: errorCode)
    }

    /// Nil for a value that neither 3.4 nor 5.0 has.
    public var deliveryState: DeliveryState? { DeliveryState(rawValue: state) }

    /// When the message ended; nil when it has not, or when the text is no absolute time.
    public var endedAt: AbsoluteTime? { finalDate.withBytes { AbsoluteTime($0) } }

    /// A refusal without body reads as empty id and state 0.
    public init(_ frame: Frame) throws(PDUFault) {
        guard frame.header.command == .queryResponse else { throw .otherCommand(frame.header.command) }
        var cursor = Cursor(frame)
        guard frame.header.status == .ok || cursor.left > 0 else {
            (messageID, finalDate, state, errorCode) = ("", ShortText(), 0, 0)
            return
        }
        messageID = frame.text(try cursor.messageID())
        finalDate = frame.shortText(try cursor.text(.finalDate, maximum: 17))
        state = try cursor.octet(.messageState)
        errorCode = try cursor.octet(.errorCode)
        try cursor.finish(frame)
    }
}

/// cancel_sm (section 4.9.1). With a message_id: that message. Without: every message of this source, destination and service type.
public struct Cancel: Equatable, Sendable {
    /// At most 5 octets.
    public var serviceType: ShortText
    public var messageID: String
    public var source: Address
    public var destination: Address

    public init(serviceType: ShortText = ShortText(), messageID: String, source: Address = Address(), destination: Address = Address()) {
        self.serviceType = serviceType
        self.messageID = messageID
        self.source = source
        self.destination = destination
    }

    public init(_ frame: Frame) throws(PDUFault) {
        guard frame.header.command == .cancel else { throw .otherCommand(frame.header.command) }
        var cursor = Cursor(frame)
        serviceType = frame.shortText(try cursor.text(.serviceType, maximum: 6))
        messageID = frame.text(try cursor.messageID())
        source = frame.address(try cursor.address(.source))
        destination = frame.address(try cursor.address(.destination))
        try cursor.finish(frame)
    }
}

/// replace_sm (section 4.10.1): another text, and other times, for a message that has not left yet.
public struct Replace: Equatable, Sendable {
    public var messageID: String
    public var source: Address
    /// Empty (as it was) or 16 octets; so `validityPeriod`.
    public var scheduleDeliveryTime: ShortText
    public var validityPeriod: ShortText
    public var registeredDelivery: RegisteredDelivery
    public var defaultMessageID: UInt8
    /// At most 254 octets, in the data_coding of the submit.
    public var shortMessage: [UInt8]

    public init(
        messageID: String, source: Address = Address(), scheduleDeliveryTime: ShortText = ShortText(),
        validityPeriod: ShortText = ShortText(), registeredDelivery: RegisteredDelivery = RegisteredDelivery(), defaultMessageID: UInt8 = 0,
        shortMessage: [UInt8]
    ) {
        self.messageID = messageID
        self.source = source
        self.scheduleDeliveryTime = scheduleDeliveryTime
        self.validityPeriod = validityPeriod
        self.registeredDelivery = registeredDelivery
        self.defaultMessageID = defaultMessageID
        self.shortMessage = shortMessage
    }

    public init(_ frame: Frame) throws(PDUFault) {
        guard frame.header.command == .replace else { throw .otherCommand(frame.header.command) }
        var cursor = Cursor(frame)
        messageID = frame.text(try cursor.messageID())
        source = frame.address(try cursor.address(.source))
        scheduleDeliveryTime = frame.shortText(try cursor.text(.scheduleDeliveryTime, maximum: 17))
        validityPeriod = frame.shortText(try cursor.text(.validityPeriod, maximum: 17))
        registeredDelivery = RegisteredDelivery(rawValue: try cursor.octet(.registeredDelivery))
        defaultMessageID = try cursor.octet(.defaultMessageID)
        shortMessage = frame.array(try cursor.shortMessage())
        try cursor.finish(frame)
    }
}
