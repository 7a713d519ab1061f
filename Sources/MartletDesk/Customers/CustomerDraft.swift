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

    struct Package: Sendable {
        /// `from` 0: as it stands, or from now on.
        var terms: PackageSubscription
        /// Of the account or card that it names, by which a person knows it again.
        var tail: String?
        /// It names an account or card of the customer by what is shown of it; the scope is found by that.
        var shownTail: (kind: PackageScopeKind, tail: String)?
        /// What is not spoken of stays as it stands.
        var speaks = Speech.ofAll
        /// Of its account or card, for faults.
        var path: String
    }

    enum Speech: Sendable {
        case ofAll
        /// Of first and last day: a file of the bank's.
        case ofDays
        /// Of all but the days: the customer. What was over before this day, where the customer lives, begins anew.
        case ofTerms(today: UInt16)
    }

    /// What it says of packages is the customer's own word.
    /// - Parameter today: days since 1970 where the customer lives.
    mutating func keepsDays(today: UInt16) {
        func kept(_ say: Say<[Package]>) -> Say<[Package]> {
            guard case .set(var list) = say else { return say }
            for index in list.indices { list[index].speaks = .ofTerms(today: today) }
            return .set(list)
        }
        (packages, accountPackages, cardPackages) = (kept(packages), kept(accountPackages), kept(cardPackages))
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
    /// All packages that are connected for all accounts and cards, for single accounts, for single cards.
    var packages = Say<[Package]>.nothing
    var accountPackages = Say<[Package]>.nothing
    var cardPackages = Say<[Package]>.nothing
    var preferences = Say<Preferences>.nothing
    var attributes: [Attribute] = []
    /// Each is entered where it is newer than what was said before.
    var consents: [ConsentStatement] = []

    var addresses: [(kind: AddressKind, list: Say<[Address]>)] { [(.phone, phones), (.email, mails), (.device, devices)] }

    var allPackages: [(kind: PackageScopeKind, list: Say<[Package]>)] {
        [(.all, packages), (.account, accountPackages), (.card, cardPackages)]
    }

    /// Longest number of an account or card in bytes.
    static let scopeBytes = 64
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
