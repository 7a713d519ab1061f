// Bytes of a change, as the overlay keeps them: what it is (1 byte), then its fields.

extension CustomerChange {
    private enum Code {
        static let written: UInt8 = 1
        static let erased: UInt8 = 2
        static let consent: UInt8 = 3
        static let preferences: UInt8 = 4
        static let device: UInt8 = 5
        static let address: UInt8 = 6
        static let package: UInt8 = 7
    }

    /// Adds the bytes to `bytes`. On a fault `bytes` holds a part of them.
    public func write(to bytes: inout [UInt8]) throws(CustomerFault) {
        var out = FieldWriter(bytes)
        bytes = []
        defer { bytes = out.bytes }
        switch self {
        case .written(let image):
            out.byte(Code.written)
            try image.write(to: &out)
        case .erased(let subject):
            out.byte(Code.erased)
            out.fixed(subject)
        case .consent(let subject, let consent):
            out.byte(Code.consent)
            out.fixed(subject)
            consent.write(to: &out)
        case .preferences(let subject, let preferences):
            out.byte(Code.preferences)
            out.fixed(subject)
            try preferences.write(to: &out)
        case .device(let subject, let device):
            out.byte(Code.device)
            out.fixed(subject)
            out.fixed(device.reference)
            out.fixed(device.address)
            out.fixed(device.at)
            device.contact.write(to: &out)
            try out.octets(device.sealed, "device sealed")
        case .package(let subject, let word):
            out.byte(Code.package)
            out.fixed(subject)
            out.fixed(word.package)
            out.byte(word.isWanted ? 1 : 0)
            out.fixed(word.at)
        case .address(let hash, let fact):
            out.byte(Code.address)
            out.fixed(hash)
            out.byte(fact.what.rawValue)
            out.fixed(fact.at)
        }
    }

    /// - Throws: `CustomerFault` naming the field that no version wrote.
    public init(reading bytes: UnsafeRawBufferPointer) throws(CustomerFault) {
        var input = FieldReader(bytes)
        switch try input.byte("change") {
        case Code.written: self = .written(try CustomerImage(&input))
        case Code.erased: self = .erased(try input.fixed("subject"))
        case Code.consent:
            let subject: SubjectNumber = try input.fixed("subject")
            guard let consent = try Consent(&input) else { throw .badValue(field: "consent channel") }
            self = .consent(subject, consent)
        case Code.preferences: self = .preferences(try input.fixed("subject"), try Preferences(&input))
        case Code.device:
            let subject: SubjectNumber = try input.fixed("subject")
            let reference: UInt64 = try input.fixed("device reference")
            let address: UInt64 = try input.fixed("device address")
            let at: FactTime = try input.fixed("device time")
            let contact = try ContactPoint(&input)
            guard contact.number >= 128, case .device = contact.kind else { throw .badValue(field: "device number") }
            self = .device(
                subject,
                DeviceRegistration(
                    contact: contact, reference: reference, address: address, at: at, sealed: try input.octets("device sealed")))
        case Code.package:
            let subject: SubjectNumber = try input.fixed("subject")
            let package: UInt16 = try input.fixed("package")
            let wanted = try input.byte("package wanted")
            guard wanted <= 1 else { throw .badValue(field: "package wanted") }
            self = .package(subject, PackageWord(package, isWanted: wanted == 1, at: try input.fixed("package time")))
        case Code.address:
            let hash: UInt64 = try input.fixed("address")
            guard let what = AddressFact.What(rawValue: try input.byte("address fact")) else { throw .badValue(field: "address fact") }
            self = .address(hash: hash, AddressFact(what, at: try input.fixed("address time")))
        default: throw .badValue(field: "change")
        }
    }
}

extension CustomerImage {
    fileprivate func write(to out: inout FieldWriter) throws(CustomerFault) {
        guard addresses.count <= CustomerLimits.contacts else { throw .tooMany(field: "addresses", limit: CustomerLimits.contacts) }
        out.fixed(subject)
        out.fixed(reference)
        out.varint(UInt(addresses.count))
        for one in addresses {
            out.byte(one.number)
            out.fixed(one.hash)
        }
        try out.octets(clear, "clear")
        try out.octets(sealed, "sealed")
    }

    fileprivate init(_ input: inout FieldReader) throws(CustomerFault) {
        self.init(subject: try input.fixed("subject"), reference: try input.fixed("reference"), addresses: [], clear: [], sealed: [])
        let count = try input.varint("addresses")
        guard count <= CustomerLimits.contacts else { throw .tooMany(field: "addresses", limit: CustomerLimits.contacts) }
        for _ in 0..<count {
            addresses.append(AddressHash(number: try input.byte("address number"), hash: try input.fixed("address")))
        }
        clear = try input.octets("clear")
        sealed = try input.octets("sealed")
    }
}

extension FieldWriter {
    fileprivate mutating func octets(_ value: [UInt8], _ field: StaticString) throws(CustomerFault) {
        guard value.count <= CustomerLimits.recordBytes else { throw .tooLong(field: "\(field)", limit: CustomerLimits.recordBytes) }
        varint(UInt(value.count))
        bytes.append(contentsOf: value)
    }
}

extension FieldReader {
    fileprivate mutating func octets(_ field: StaticString) throws(CustomerFault) -> [UInt8] {
        let part = try inner(field).rest
        guard part.count <= CustomerLimits.recordBytes else { throw .tooLong(field: "\(field)", limit: CustomerLimits.recordBytes) }
        return Array(part)
    }
}
