/// What became of a customer, or of an address, since the base file was written.
public enum CustomerChange: Equatable, Sendable {
    /// The customer as a whole: added, or in place of all that was known. Facts that came before it are in it, except consents,
    /// preferences and words on packages that are newer than its own.
    case written(CustomerImage)
    /// Erased: nothing of the customer is found any more, whatever the base file says, until it is written again.
    case erased(SubjectNumber)
    case consent(SubjectNumber, Consent)
    case preferences(SubjectNumber, Preferences)
    case device(SubjectNumber, DeviceRegistration)
    case package(SubjectNumber, PackageWord)
    /// Of an address, whoever has it: several customers may share one.
    case address(hash: UInt64, AddressFact)
}

/// A whole customer as the local copy keeps it: what a decision reads in clear, and the sealed rest.
public struct CustomerImage: Equatable, Sendable {
    public var subject: SubjectNumber
    /// Keyed hash of the bank's reference.
    public var reference: UInt64
    /// Keyed hashes of the addresses by which the customer can be looked up, by number of the contact point.
    public var addresses: [AddressHash]
    /// A customer record v1.
    public var clear: [UInt8]
    /// `CustomerDetails`, sealed under the subject's key; empty: none.
    public var sealed: [UInt8]

    public init(subject: SubjectNumber, reference: UInt64, addresses: [AddressHash], clear: [UInt8], sealed: [UInt8]) {
        self.subject = subject
        self.reference = reference
        self.addresses = addresses
        self.clear = clear
        self.sealed = sealed
    }
}

public struct AddressHash: Hashable, Sendable {
    /// The contact point's.
    public var number: UInt8
    public var hash: UInt64

    public init(number: UInt8, hash: UInt64) {
        self.number = number
        self.hash = hash
    }
}

/// A device that a customer registered; its token is sealed by itself.
public struct DeviceRegistration: Equatable, Sendable {
    /// Its number is 128...255; a registration of the same number takes the place of the one before.
    public var contact: ContactPoint
    /// Keyed hash of the bank's reference: where its customer is found.
    public var reference: UInt64
    /// Keyed hash of the token.
    public var address: UInt64
    public var at: FactTime
    /// `CustomerDetails` with this one address, sealed under the subject's key.
    public var sealed: [UInt8]

    public init(contact: ContactPoint, reference: UInt64, address: UInt64, at: FactTime, sealed: [UInt8]) {
        self.contact = contact
        self.reference = reference
        self.address = address
        self.at = at
        self.sealed = sealed
    }
}

/// What the sending side learnt of an address.
public struct AddressFact: Hashable, Sendable {
    public var what: What
    public var at: FactTime

    public init(_ what: What, at: FactTime) {
        self.what = what
        self.at = at
    }

    /// Raw values are in files: never change one.
    public enum What: UInt8, CaseIterable, Sendable {
        /// A hard bounce, or a token that is no more.
        case dead = 1
        /// It was reached, or registered again.
        case alive = 2
        /// Its owner wants nothing that needs a consent.
        case optedOut = 3
        case optedIn = 4

        public var forbids: Bool { self == .dead || self == .optedOut }
    }
}

/// What is known of an address beside the customers who have it.
public struct AddressState: Hashable, Sendable {
    /// The newest of dead and alive, and of opted out and in; nil: nothing was learnt.
    public var life: AddressFact?
    public var wish: AddressFact?

    public init() {}

    public var isDead: Bool { life?.what == .dead }
    public var isOptedOut: Bool { wish?.what == .optedOut }

    /// The newer holds; in one second the one that forbids.
    public mutating func learn(_ fact: AddressFact) {
        switch fact.what {
        case .dead, .alive: life = AddressState.newer(life, fact)
        case .optedOut, .optedIn: wish = AddressState.newer(wish, fact)
        }
    }

    private static func newer(_ known: AddressFact?, _ fact: AddressFact) -> AddressFact {
        guard let known else { return fact }
        if fact.at != known.at { return fact.at > known.at ? fact : known }
        return fact.what.forbids ? fact : known
    }
}

extension Customer {
    /// Takes the fact in, unless what is known holds against it.
    public mutating func learn(_ consent: Consent) {
        guard let index = consents.firstIndex(where: { $0.purpose == consent.purpose && $0.channel == consent.channel }) else {
            consents.append(consent)
            return
        }
        if consent.holds(against: consents[index]) { consents[index] = consent }
    }

    public mutating func learn(_ new: Preferences) {
        if new.at >= preferences?.at ?? 0 { preferences = new }
    }

    /// The contact point takes its place at the end, or that of the one with its number.
    public mutating func learn(_ device: DeviceRegistration) {
        if let index = contacts.firstIndex(where: { $0.number == device.contact.number }) {
            contacts[index] = device.contact
        } else {
            contacts.append(device.contact)
        }
    }
}
