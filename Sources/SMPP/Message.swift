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
    /// Empty (the SMSC's own) or 16 octets; see `RelativeTime`.
    public var validityPeriod = ShortText()
    public var registeredDelivery: UInt8 = 0
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

/// submit_sm or deliver_sm in place: offsets into its frame, and the parameters that receipts use. Reading it allocates nothing.
public struct MessageView: Sendable {
    public var serviceType: Field
    public var source: AddressField
    public var destination: AddressField
    public var esmClass: EsmClass
    public var protocolID: UInt8
    public var priority: UInt8
    public var scheduleDeliveryTime: Field
    public var validityPeriod: Field
    public var registeredDelivery: UInt8
    public var replaceIfPresent: UInt8
    public var dataCoding: UInt8
    public var defaultMessageID: UInt8
    public var shortMessage: Field
    public var parameters: ParameterList
    /// message_payload; none when absent.
    public var messagePayload = Field.none
    /// receipted_message_id without its NUL; none when absent or empty.
    public var receiptedMessageID = Field.none
    /// message_state; nil when absent or not of one octet.
    public var messageState: UInt8?
    /// network_error_code: type and code; nil when absent or not of three octets.
    public var networkError: (type: UInt8, code: UInt16)?

    /// - Throws: the first `PDUFault` of the body, each recoverable. `.otherCommand` unless it is a submit_sm or deliver_sm.
    public init(_ frame: Frame) throws(PDUFault) {
        guard frame.header.command == .submit || frame.header.command == .deliver else { throw .otherCommand(frame.header.command) }
        var cursor = Cursor(frame)
        serviceType = try cursor.text(.serviceType, maximum: 6)
        source = try cursor.address(.source)
        destination = try cursor.address(.destination)
        esmClass = EsmClass(rawValue: try cursor.octet(.esmClass))
        protocolID = try cursor.octet(.protocolID)
        priority = try cursor.octet(.priority)
        scheduleDeliveryTime = try cursor.text(.scheduleDeliveryTime, maximum: 17)
        validityPeriod = try cursor.text(.validityPeriod, maximum: 17)
        registeredDelivery = try cursor.octet(.registeredDelivery)
        replaceIfPresent = try cursor.octet(.replaceIfPresent)
        dataCoding = try cursor.octet(.dataCoding)
        defaultMessageID = try cursor.octet(.defaultMessageID)
        let stated = Int(try cursor.octet(.shortMessage))
        guard cursor.left >= stated else { throw .shortMessageOverruns(stated: stated, available: cursor.left) }
        shortMessage = Field(start: cursor.at, count: stated)
        var at = cursor.at + stated
        parameters = ParameterList(unchecked: Field(start: at, count: frame.bytes.count - at))
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

    /// Everything copied out.
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

/// Relative times of schedule_delivery_time and validity_period (section 7.1.1.2): `YYMMDDhhmmss000R`.
public enum RelativeTime {
    /// Longest span written, in seconds: 30 days, since a month has no fixed length.
    public static let maximumSeconds: Int64 = 30 * 86_400

    /// The span as 16 octets, bounded to 1 second ... 30 days.
    public static func text(seconds: Int64) -> ShortText {
        let bounded = UInt64(min(max(seconds, 1), maximumSeconds))
        var value = bounded / 86_400 * 1_000_000
        value += bounded / 3600 % 24 * 10_000
        value += bounded / 60 % 60 * 100
        value += bounded % 60
        var octets: (UInt64, UInt64) = (0, 0)
        return withUnsafeMutableBytes(of: &octets) { target in
            for index in 0..<16 { target[index] = 48 }
            var index = 11
            while value > 0 {
                target[index] = UInt8(48 + value % 10)
                value /= 10
                index -= 1
            }
            target[15] = 0x52
            return ShortText(octets: UnsafeRawBufferPointer(target)) ?? ShortText()
        }
    }

    /// Seconds of a relative time, a month counted as 30 days and a year as 365; nil for other text.
    public static func seconds(_ text: some Collection<UInt8>) -> Int64? {
        guard text.count == 16 else { return nil }
        var pairs: [Int64] = []
        var digits: [Int64] = []
        for (index, octet) in text.enumerated() {
            if index == 15 { return octet == 0x52 && pairs.count >= 6 ? sum(pairs) : nil }
            guard octet >= 48, octet <= 57 else { return nil }
            digits.append(Int64(octet - 48))
            if digits.count == 2 {
                pairs.append(digits[0] * 10 + digits[1])
                digits.removeAll(keepingCapacity: true)
            }
        }
        return nil
    }

    private static func sum(_ pairs: [Int64]) -> Int64 {
        let days = pairs[0] * 365 + pairs[1] * 30 + pairs[2]
        return days * 86_400 + pairs[3] * 3600 + pairs[4] * 60 + pairs[5]
    }
}
