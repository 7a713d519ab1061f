// Bytes of a customer's details v1, before they are sealed and after they were opened.

extension CustomerDetails {
    public static let recordVersion: UInt8 = 1

    private enum Section {
        static let reference: UInt8 = 1
        static let givenName: UInt8 = 2
        static let familyName: UInt8 = 3
        static let addresses: UInt8 = 4
        static let attributes: UInt8 = 5
        static let scopes: UInt8 = 6
    }

    /// Adds the bytes to `bytes`. On a fault `bytes` holds a part of them.
    public func write(to bytes: inout [UInt8]) throws(CustomerFault) {
        let start = bytes.count
        var out = FieldWriter(bytes)
        bytes = []
        defer { bytes = out.bytes }
        out.byte(CustomerDetails.recordVersion)
        let texts: [(UInt8, String)] = [
            (Section.reference, reference), (Section.givenName, givenName), (Section.familyName, familyName),
        ]
        for (tag, text) in texts where !text.isEmpty {
            out.byte(tag)
            try out.text(text, "name", limit: CustomerLimits.textBytes)
        }
        try out.list(addresses, Section.addresses, "addresses", CustomerLimits.contacts) { one, out throws(CustomerFault) in
            out.byte(one.number)
            switch one.value {
            case .phone(let digits):
                out.byte(1)
                out.varint(digits)
            case .text(let text):
                out.byte(2)
                try out.text(text, "address", limit: CustomerLimits.addressBytes)
            }
        }
        try out.list(attributes, Section.attributes, "attributes", CustomerLimits.attributes) { one, out throws(CustomerFault) in
            try one.write(to: &out)
        }
        try out.list(scopes, Section.scopes, "accounts and cards", CustomerLimits.packages) { one, out throws(CustomerFault) in
            switch one.scope {
            case .account(let hash):
                out.byte(1)
                out.fixed(hash)
            case .card(let hash):
                out.byte(2)
                out.fixed(hash)
            }
            try out.text(one.tail, "account or card", limit: CustomerLimits.textBytes)
        }
        guard out.bytes.count - start <= CustomerLimits.recordBytes else {
            throw .tooLong(field: "details", limit: CustomerLimits.recordBytes)
        }
    }

    /// - Throws: `CustomerFault` naming the field that no version wrote.
    public init(reading bytes: UnsafeRawBufferPointer) throws(CustomerFault) {
        guard bytes.count <= CustomerLimits.recordBytes else { throw .tooLong(field: "details", limit: CustomerLimits.recordBytes) }
        var input = FieldReader(bytes)
        let version = try input.byte("version")
        guard version == CustomerDetails.recordVersion else { throw .unknownVersion(version) }
        var it = CustomerDetails()
        try eachSection(&input) { tag, part throws(CustomerFault) in
            switch tag {
            case Section.reference: it.reference = try part.asText("reference")
            case Section.givenName: it.givenName = try part.asText("given name")
            case Section.familyName: it.familyName = try part.asText("family name")
            case Section.addresses: it.addresses = try Address.list(&part)
            case Section.attributes: it.attributes = try CustomerAttribute.list(&part)
            case Section.scopes: it.scopes = try ScopeTail.list(&part)
            default: break
            }
        }
        self = it
    }
}

extension CustomerDetails.Address {
    fileprivate static func list(_ input: inout FieldReader) throws(CustomerFault) -> [CustomerDetails.Address] {
        var found: [CustomerDetails.Address] = []
        while !input.isAtEnd {
            guard found.count < CustomerLimits.contacts else { throw .tooMany(field: "addresses", limit: CustomerLimits.contacts) }
            let number = try input.byte("address number")
            switch try input.byte("address form") {
            case 1: found.append(.init(number: number, value: .phone(try input.varint("phone"))))
            case 2: found.append(.init(number: number, value: .text(try input.text("address", limit: CustomerLimits.addressBytes))))
            default: throw .badValue(field: "address form")
            }
        }
        return found
    }
}

extension CustomerDetails.ScopeTail {
    fileprivate static func list(_ input: inout FieldReader) throws(CustomerFault) -> [CustomerDetails.ScopeTail] {
        var found: [CustomerDetails.ScopeTail] = []
        while !input.isAtEnd {
            guard found.count < CustomerLimits.packages else {
                throw .tooMany(field: "accounts and cards", limit: CustomerLimits.packages)
            }
            let scope: PackageSubscription.Scope
            switch try input.byte("scope kind") {
            case 1: scope = .account(try input.fixed("scope"))
            case 2: scope = .card(try input.fixed("scope"))
            default: throw .badValue(field: "scope kind")
            }
            found.append(.init(scope, tail: try input.text("account or card", limit: CustomerLimits.textBytes)))
        }
        return found
    }
}
