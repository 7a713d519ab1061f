/// The fixed part of submit_sm and deliver_sm (SMPP 3.4, sections 4.4.1 and 4.6.1), without the heap.
public struct MessageFields: Equatable, Sendable {
    /// At most 5 octets.
    public var serviceType = ShortText()
    public var source = Address()
    public var destination = Address()
    public var esmClass = EsmClass()
    public var protocolID: UInt8 = 0
    public var priority: UInt8 = 0
    /// Empty (at once) or 16 octets (section 7.1.1).
    public var scheduleDeliveryTime = ShortText()
    /// Empty (the SMSC's own) or 16 octets; see `PDUTime`.
    public var validityPeriod = ShortText()
    public var registeredDelivery = RegisteredDelivery()
    public var replaceIfPresent: UInt8 = 0
    public var dataCoding: UInt8 = 0
    public var defaultMessageID: UInt8 = 0

    public init() {}
}

/// esm_class (section 5.2.12): mode in bits 1-0, type in bits 5-2, features in bits 7-6.
public struct EsmClass: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8
    @inlinable public init(rawValue: UInt8 = 0) { self.rawValue = rawValue }

    /// The short message begins with a user data header.
    public static let userDataHeader = EsmClass(rawValue: 0x40)
    public static let receipt = EsmClass(rawValue: 0x04)
    public static let intermediateNotification = EsmClass(rawValue: 0x20)

    @inlinable public var hasUserDataHeader: Bool { rawValue & 0x40 != 0 }
    /// Type bits alone: 0 is an ordinary message.
    @inlinable public var type: UInt8 { rawValue & 0x3C }
    @inlinable public var isReceipt: Bool { type == 0x04 }
    @inlinable public var isIntermediateNotification: Bool { type == 0x20 }
}

/// submit_sm or deliver_sm with everything copied out.
public struct Message: Equatable, Sendable {
    public var fields: MessageFields
    /// At most 254 octets.
    public var shortMessage: [UInt8]
    public var parameters: [Parameter]

    public init(fields: MessageFields = MessageFields(), shortMessage: [UInt8] = [], parameters: [Parameter] = []) {
        self.fields = fields
        self.shortMessage = shortMessage
        self.parameters = parameters
    }
}

/// submit_sm, deliver_sm or data_sm in place: offsets into its frame, and the parameters that receipts use. Reading it allocates
/// nothing. What a data_sm does not have (section 4.7.1) is empty or zero; its addresses have up to 64 octets: see `DataMessage`.
public struct MessageView: Sendable {
    public var serviceType: Field
    public var source: AddressField
    public var destination: AddressField
    public var esmClass: EsmClass
    public var protocolID: UInt8
    public var priority: UInt8
    public var scheduleDeliveryTime: Field
    public var validityPeriod: Field
    public var registeredDelivery: RegisteredDelivery
    public var replaceIfPresent: UInt8
    public var dataCoding: UInt8
    public var defaultMessageID: UInt8
    public var shortMessage: Field
    public var parameters: ParameterList
    /// message_payload; none when absent.
    public var messagePayload = Field.none
    /// receipted_message_id without its NUL; none when absent or empty.
    public var receiptedMessageID = Field.none
    /// message_state as it came; nil when absent or not of one octet.
    public var messageState: UInt8?
    /// network_error_code: type and code; nil when absent or not of three octets.
    public var networkError: (type: UInt8, code: UInt16)?

    /// - Throws: the first `PDUFault` of the body, each recoverable. `.otherCommand` unless it is a submit_sm, deliver_sm or data_sm.
    public init(_ frame: Frame) throws(PDUFault) {
        switch frame.header.command {
        case .submit, .deliver:
            var cursor = Cursor(frame)
            let serviceType = try cursor.text(.serviceType, maximum: 6)
            let source = try cursor.address(.source)
            let destination = try cursor.address(.destination)
            try self.init(frame, &cursor, serviceType, source, destination)
        case .data: try self.init(data: frame)
        default: throw .otherCommand(frame.header.command)
        }
    }

    /// What follows the addresses in submit_sm, deliver_sm and submit_multi alike.
    @inline(__always) init(
        _ frame: Frame, _ cursor: inout Cursor, _ serviceType: Field, _ source: AddressField, _ destination: AddressField
    ) throws(PDUFault) {
        self.serviceType = serviceType
        self.source = source
        self.destination = destination
        esmClass = EsmClass(rawValue: try cursor.octet(.esmClass))
        protocolID = try cursor.octet(.protocolID)
        priority = try cursor.octet(.priority)
        scheduleDeliveryTime = try cursor.text(.scheduleDeliveryTime, maximum: 17)
        validityPeriod = try cursor.text(.validityPeriod, maximum: 17)
        registeredDelivery = RegisteredDelivery(rawValue: try cursor.octet(.registeredDelivery))
        replaceIfPresent = try cursor.octet(.replaceIfPresent)
        dataCoding = try cursor.octet(.dataCoding)
        defaultMessageID = try cursor.octet(.defaultMessageID)
        shortMessage = try cursor.shortMessage()
        parameters = ParameterList(unchecked: Field(start: cursor.at, count: cursor.left))
        try walk(frame, from: cursor.at)
    }

    private init(data frame: Frame) throws(PDUFault) {
        var cursor = Cursor(frame)
        serviceType = try cursor.text(.serviceType, maximum: 6)
        source = try cursor.address(.source, maximum: Limits.longAddressOctets + 1)
        destination = try cursor.address(.destination, maximum: Limits.longAddressOctets + 1)
        esmClass = EsmClass(rawValue: try cursor.octet(.esmClass))
        registeredDelivery = RegisteredDelivery(rawValue: try cursor.octet(.registeredDelivery))
        dataCoding = try cursor.octet(.dataCoding)
        (protocolID, priority, replaceIfPresent, defaultMessageID) = (0, 0, 0, 0)
        (scheduleDeliveryTime, validityPeriod, shortMessage) = (.none, .none, .none)
        parameters = ParameterList(unchecked: Field(start: cursor.at, count: cursor.left))
        try walk(frame, from: cursor.at)
    }

    /// The state that message_state names; nil when absent or unknown.
    public var deliveryState: DeliveryState? { messageState.flatMap { DeliveryState(rawValue: $0) } }

    @inline(__always) private mutating func walk(_ frame: Frame, from start: Int) throws(PDUFault) {
        var at = start
        while at < frame.bytes.count {
            guard let entry = ParameterList.entry(frame, at: at) else { throw ParameterList.overrun(frame, at: at) }
            at = entry.value.start + entry.value.count
            note(entry, frame)
        }
    }

    @inline(__always) private mutating func note(_ entry: ParameterList.Entry, _ frame: Frame) {
        switch entry.tag {
        case .receiptedMessageID: receiptedMessageID = MessageView.beforeNUL(entry.value, frame)
        case .messageState: if entry.value.count == 1 { messageState = frame.bytes[entry.value.start] }
        case .networkErrorCode:
            if entry.value.count == 3 {
                let start = entry.value.start
                networkError = (frame.bytes[start], UInt16(frame.bytes[start + 1]) << 8 | UInt16(frame.bytes[start + 2]))
            }
        case .messagePayload: messagePayload = entry.value
        default: break
        }
    }

    private static func beforeNUL(_ value: Field, _ frame: Frame) -> Field {
        let octets = frame[value]
        return Field(start: value.start, count: octets.firstIndex(of: 0) ?? octets.count)
    }

    /// The text: short_message, or message_payload where that is used instead (section 5.3.2.32).
    public var content: Field { shortMessage.isEmpty ? messagePayload : shortMessage }

    /// Everything copied out. Of a data_sm use `DataMessage`, which keeps its longer addresses.
    public func copied(from frame: Frame) throws(PDUFault) -> Message {
        var fields = MessageFields()
        fields.serviceType = frame.shortText(serviceType)
        fields.source = frame.address(source)
        fields.destination = frame.address(destination)
        fields.esmClass = esmClass
        fields.protocolID = protocolID
        fields.priority = priority
        fields.scheduleDeliveryTime = frame.shortText(scheduleDeliveryTime)
        fields.validityPeriod = frame.shortText(validityPeriod)
        fields.registeredDelivery = registeredDelivery
        fields.replaceIfPresent = replaceIfPresent
        fields.dataCoding = dataCoding
        fields.defaultMessageID = defaultMessageID
        return Message(fields: fields, shortMessage: frame.array(shortMessage), parameters: try parameters.copied(from: frame))
    }
}

extension ParameterList {
    /// For a caller that walks and checks the area itself.
    init(unchecked area: Field) { self.area = area }
}
