import MartletModel

/// What a line of a file, or a request, says about a customer. What it does not speak of stays as it is.
struct CustomerDraft: Sendable {
    enum Say<Value: Sendable>: Sendable {
        case nothing
        /// Takes away what is there.
        case clear
        case set(Value)
    }

    struct Address: Hashable, Sendable {
        var kind: ContactPoint.Kind
        var value: CustomerDetails.Address.Value
        var hash: UInt64
        var isVerified = false
        var isForbidden = false
    }

    struct Attribute: Sendable {
        var number: UInt16
        var isPersonal: Bool
        /// Nil: taken away.
        var value: CustomerAttribute.Value?
    }

    /// As the bank's systems name the customer.
    var reference = ""
    var referenceHash: UInt64 = 0
    var status: CustomerStatus?
    var unit = Say<UInt16>.nothing
    var segment = Say<UInt16>.nothing
    var tier = Say<UInt16>.nothing
    var zone = Say<UInt16>.nothing
    var locale = Say<CustomerLocale>.nothing
    var givenName = Say<String>.nothing
    var familyName = Say<String>.nothing
    /// All phones, mail addresses, devices of the customer, the preferred one first.
    var phones = Say<[Address]>.nothing
    var mails = Say<[Address]>.nothing
    var devices = Say<[Address]>.nothing
    /// All packages. `from` 0: as it stands, or from today.
    var packages = Say<[PackageSubscription]>.nothing
    var preferences = Say<Preferences>.nothing
    var attributes: [Attribute] = []
    /// Each is entered where it is newer than what was said before.
    var consents: [ConsentStatement] = []

    var addresses: [(kind: AddressKind, list: Say<[Address]>)] { [(.phone, phones), (.email, mails), (.device, devices)] }

    /// Longest reference in bytes.
    static let referenceBytes = 64
}

extension CustomerDraft.Say {
    func apply(to value: inout Value, cleared: Value) {
        switch self {
        case .nothing: break
        case .clear: value = cleared
        case .set(let new): value = new
        }
    }
}
