/// An address of data_sm or alert_notification, whose text may be longer than other commands allow (sections 4.7.1 and 4.12.1).
public struct LongAddress: Hashable, Sendable {
    public var ton: UInt8
    public var npi: UInt8
    /// At most 64 octets.
    public var text: String

    public init(ton: UInt8 = 0, npi: UInt8 = 0, text: String = "") {
        self.ton = ton
        self.npi = npi
        self.text = text
    }

    public init(_ address: Address) {
        self.init(ton: address.ton, npi: address.npi, text: address.text.text)
    }

    /// Nil when the text exceeds the 20 octets of other commands.
    public var short: Address? {
        ShortText(text).map { Address(ton: ton, npi: npi, text: $0) }
    }
}

extension Frame {
    func longAddress(_ field: AddressField) -> LongAddress {
        LongAddress(ton: field.ton, npi: field.npi, text: text(field.text))
    }
}

/// data_sm (SMPP 3.4, section 4.7.1) with everything copied out. Its text is the parameter message_payload.
public struct DataMessage: Equatable, Sendable {
    /// At most 5 octets.
    public var serviceType: ShortText
    public var source: LongAddress
    public var destination: LongAddress
    public var esmClass: EsmClass
    public var registeredDelivery: RegisteredDelivery
    public var dataCoding: UInt8
    public var parameters: [Parameter]

    public init(
        serviceType: ShortText = ShortText(), source: LongAddress = LongAddress(), destination: LongAddress = LongAddress(),
        esmClass: EsmClass = EsmClass(), registeredDelivery: RegisteredDelivery = RegisteredDelivery(), dataCoding: UInt8 = 0,
        parameters: [Parameter] = []
    ) {
        self.serviceType = serviceType
        self.source = source
        self.destination = destination
        self.esmClass = esmClass
        self.registeredDelivery = registeredDelivery
        self.dataCoding = dataCoding
        self.parameters = parameters
    }

    public init(_ frame: Frame) throws(PDUFault) {
        guard frame.header.command == .data else { throw .otherCommand(frame.header.command) }
        let view = try MessageView(frame)
        serviceType = frame.shortText(view.serviceType)
        source = frame.longAddress(view.source)
        destination = frame.longAddress(view.destination)
        esmClass = view.esmClass
        registeredDelivery = view.registeredDelivery
        dataCoding = view.dataCoding
        parameters = try view.parameters.copied(from: frame)
    }
}

/// data_sm_resp (section 4.7.2). Peers that refuse often leave the body out: that reads as an empty id.
public struct DataAnswer: Equatable, Sendable {
    public var messageID: String
    /// delivery_failure_reason, network_error_code, additional_status_info_text and dpf_result may be here.
    public var parameters: [Parameter]

    public init(messageID: String = "", parameters: [Parameter] = []) {
        self.messageID = messageID
        self.parameters = parameters
    }

    public init(_ frame: Frame) throws(PDUFault) {
        guard frame.header.command == .dataResponse else { throw .otherCommand(frame.header.command) }
        var cursor = Cursor(frame)
        messageID = frame.text(try cursor.lenientText(.messageID, maximum: Limits.messageIDOctets + 1))
        parameters = try ParameterList(checking: frame, from: cursor.at).copied(from: frame)
    }
}

/// alert_notification (section 4.12.1): a handset that could not be reached is there again. It has no answer.
public struct AlertNotification: Equatable, Sendable {
    /// The handset.
    public var source: LongAddress
    /// Who asked to be told, by set_dpf of a data_sm.
    public var esme: LongAddress
    /// ms_availability_status may be here.
    public var parameters: [Parameter]

    public init(source: LongAddress, esme: LongAddress, parameters: [Parameter] = []) {
        self.source = source
        self.esme = esme
        self.parameters = parameters
    }

    public init(_ frame: Frame) throws(PDUFault) {
        guard frame.header.command == .alertNotification else { throw .otherCommand(frame.header.command) }
        var cursor = Cursor(frame)
        source = frame.longAddress(try cursor.address(.source, maximum: Limits.longAddressOctets + 1))
        esme = frame.longAddress(try cursor.address(.esmeAddress, maximum: Limits.longAddressOctets + 1))
        parameters = try ParameterList(checking: frame, from: cursor.at).copied(from: frame)
    }
}
