/// One destination of submit_multi (SMPP 3.4, section 4.5.1.1).
public enum Destination: Hashable, Sendable {
    /// dest_flag 1.
    case address(Address)
    /// dest_flag 2: a list kept by the SMSC, at most 20 octets.
    case list(ShortText)
}

/// submit_multi with everything copied out.
public struct MultiSubmit: Equatable, Sendable {
    /// 1 ... 254.
    public var destinations: [Destination]
    /// All else. Its `fields.destination` has no place on the wire: it is not written and reads empty.
    public var message: Message

    public init(destinations: [Destination], message: Message) {
        self.destinations = destinations
        self.message = message
    }

    public init(_ frame: Frame) throws(PDUFault) {
        let view = try MultiView(frame)
        var all: [Destination] = []
        all.reserveCapacity(view.destinations.count)
        view.destinations.each(in: frame) { destination in
            switch destination {
            case .address(let address): all.append(.address(frame.address(address)))
            case .list(let name): all.append(.list(frame.shortText(name)))
            }
        }
        destinations = all
        message = try view.message.copied(from: frame)
    }
}

/// submit_multi in place.
public struct MultiView: Sendable {
    public var destinations: DestinationList
    /// All else; its `destination` is empty.
    public var message: MessageView

    /// - Throws: the first `PDUFault` of the body, each recoverable.
    public init(_ frame: Frame) throws(PDUFault) {
        guard frame.header.command == .submitMulti else { throw .otherCommand(frame.header.command) }
        var cursor = Cursor(frame)
        let serviceType = try cursor.text(.serviceType, maximum: 6)
        let source = try cursor.address(.source)
        destinations = try DestinationList(checking: &cursor)
        message = try MessageView(frame, &cursor, serviceType, source, AddressField(ton: 0, npi: 0, text: .none))
    }
}

/// The destinations of a submit_multi in place, checked once when the body was read.
public struct DestinationList: Equatable, Sendable {
    /// 1 ... 254.
    public var count: Int
    var start: Int

    public enum Entry: Equatable, Sendable {
        case address(AddressField)
        case list(Field)
    }

    init(checking cursor: inout Cursor) throws(PDUFault) {
        count = Int(try cursor.octet(.destinationCount))
        guard count >= 1, count <= Limits.destinations else { throw .invalidValue(.destinationCount) }
        start = cursor.at
        for _ in 0..<count { _ = try DestinationList.entry(&cursor) }
    }

    private static func entry(_ cursor: inout Cursor) throws(PDUFault) -> Entry {
        switch try cursor.octet(.destinationFlag) {
        case 1: .address(try cursor.address(.destination))
        case 2: .list(try cursor.text(.distributionList, maximum: Limits.addressOctets + 1))
        default: throw .invalidValue(.destinationFlag)
        }
    }

    /// Calls `body` for each destination in wire order. `frame` must be the one this list was read from.
    public func each(in frame: Frame, _ body: (Entry) -> Void) {
        var cursor = Cursor(frame)
        cursor.at = start
        for _ in 0..<count {
            guard let entry = try? DestinationList.entry(&cursor) else { return }
            body(entry)
        }
    }
}

/// submit_multi_resp (section 4.5.2): one id, and the destinations that were not taken.
public struct MultiAnswer: Equatable, Sendable {
    /// unsuccess_sme.
    public struct Refused: Hashable, Sendable {
        public var destination: Address
        /// Why; never ESME_ROK where the peer keeps to the specification.
        public var status: CommandStatus

        public init(destination: Address, status: CommandStatus) {
            self.destination = destination
            self.status = status
        }
    }

    public var messageID: String
    /// At most 254.
    public var refused: [Refused]

    public init(messageID: String = "", refused: [Refused] = []) {
        self.messageID = messageID
        self.refused = refused
    }

    /// A refusal without body reads as empty.
    public init(_ frame: Frame) throws(PDUFault) {
        guard frame.header.command == .submitMultiResponse else { throw .otherCommand(frame.header.command) }
        var cursor = Cursor(frame)
        guard frame.header.status == .ok || cursor.left > 0 else {
            (messageID, refused) = ("", [])
            return
        }
        messageID = frame.text(try cursor.messageID())
        let count = Int(try cursor.octet(.destinationCount))
        guard count <= Limits.destinations else { throw .invalidValue(.destinationCount) }
        var all: [Refused] = []
        for _ in 0..<count {
            let destination = frame.address(try cursor.address(.destination))
            var status: UInt32 = 0
            for _ in 0..<4 { status = status << 8 | UInt32(try cursor.octet(.destinationStatus)) }
            all.append(Refused(destination: destination, status: CommandStatus(rawValue: status)))
        }
        refused = all
        try cursor.finish(frame)
    }
}
