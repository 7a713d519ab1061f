public import MartletModel

/// A customer that a look-up found: the base file's or the overlay's, with what was learnt since. Its bytes are held for as long as it is.
public struct FoundCustomer {
    public let subject: SubjectNumber
    /// The contact point whose address was asked for; nil when it was the reference.
    public let number: UInt8?
    private let source: Source
    private let facts: SubjectFacts?
    /// What was learnt of the addresses, by contact point.
    private let states: [SubjectFacts.ContactState]

    private enum Source {
        case base(BaseFile, BaseFile.Entry)
        case image(CustomerImage)
    }

    init(_ base: BaseFile, _ entry: BaseFile.Entry, number: UInt8?, _ facts: SubjectFacts?, _ tables: OverlayTables) {
        subject = entry.subject
        self.number = number
        source = .base(base, entry)
        self.facts = facts
        states = facts.map { $0.contacts + FoundCustomer.devices($0, tables) } ?? []
    }

    init(_ image: CustomerImage, number: UInt8?, _ facts: SubjectFacts, _ tables: OverlayTables) {
        subject = image.subject
        self.number = number
        source = .image(image)
        self.facts = facts
        let known = image.addresses.compactMap { one in
            tables.addresses[one.hash].map { SubjectFacts.ContactState(number: one.number, state: $0) }
        }
        states = known + FoundCustomer.devices(facts, tables)
    }

    private static func devices(_ facts: SubjectFacts, _ tables: OverlayTables) -> [SubjectFacts.ContactState] {
        facts.devices.compactMap { device in
            tables.addresses[device.address].map { SubjectFacts.ContactState(number: device.contact.number, state: $0) }
        }
    }

    /// What a decision reads, with everything that was learnt since it was written.
    /// - Throws: `.record` when the bytes are no customer that this version can read.
    public func customer() throws(LocalFault) -> Customer {
        var customer = try read()
        guard let facts else { return customer }
        for one in facts.consents { customer.learn(one) }
        if let preferences = facts.preferences { customer.learn(preferences) }
        for word in facts.words { customer.learn(word) }
        for device in devices(facts) { customer.learn(device) }
        for one in states {
            guard let index = customer.contacts.firstIndex(where: { $0.number == one.number }) else { continue }
            if one.state.life != nil { customer.contacts[index].isDead = one.state.isDead }
            if one.state.wish != nil { customer.contacts[index].isOptedOut = one.state.isOptedOut }
        }
        return customer
    }

    /// What is personal, opened under the subject's key.
    /// - Parameter open: gives the plaintext of what was sealed for this subject, or says why it cannot; what it throws is thrown on.
    /// - Throws: also `LocalFault.record` when what was sealed are no details that this version can read.
    public func details(_ open: (SubjectNumber, UnsafeRawBufferPointer) throws -> [UInt8]) throws -> CustomerDetails {
        var details = try withSealed { sealed in sealed.isEmpty ? CustomerDetails() : try read(open(subject, sealed)) }
        for device in facts.map(devices) ?? [] {
            let more = try read(device.sealed.withUnsafeBytes { try open(subject, $0) })
            details.addresses.removeAll { $0.number == device.contact.number }
            details.addresses += more.addresses.filter { $0.number == device.contact.number }
        }
        return details
    }

    private func withSealed<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        switch source {
        case .base(let base, let entry): try withExtendedLifetime(base) { try body(entry.sealed) }
        case .image(let image): try image.sealed.withUnsafeBytes(body)
        }
    }

    /// A device that the image knows by now is not there twice.
    private func devices(_ facts: SubjectFacts) -> [DeviceRegistration] {
        guard case .image(let image) = source else { return facts.devices }
        return facts.devices.filter { device in !image.addresses.contains { $0.hash == device.address } }
    }

    private func read() throws(LocalFault) -> Customer {
        do throws(CustomerFault) {
            switch source {
            case .base(let base, let entry):
                defer { withExtendedLifetime(base) {} }
                return try Customer(subject: subject, reading: entry.clear)
            case .image(let image):
                let read: Result<Customer, CustomerFault> = image.clear.withUnsafeBytes { bytes in
                    do throws(CustomerFault) {
                        return .success(try Customer(subject: image.subject, reading: bytes))
                    } catch {
                        return .failure(error)
                    }
                }
                return try read.get()
            }
        } catch {
            throw .record(subject: subject, error)
        }
    }

    private func read(_ plaintext: [UInt8]) throws -> CustomerDetails {
        do {
            return try plaintext.withUnsafeBytes { try CustomerDetails(reading: $0) }
        } catch let fault as CustomerFault {
            throw LocalFault.record(subject: subject, fault)
        }
    }
}
