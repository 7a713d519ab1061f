import MartletModel

/// Customers and changes from a seed.
struct CustomerDice {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
    mutating func flip() -> Bool { below(2) == 0 }
    mutating func list<Entry>(_ most: Int, _ make: (inout CustomerDice, Int) -> Entry) -> [Entry] {
        (0..<below(most + 1)).map { make(&self, $0) }
    }

    mutating func channel() -> ChannelKind? { ChannelKind(rawValue: UInt8(below(7))) }

    mutating func consent() -> Consent {
        Consent(
            purpose: UInt16(below(300)), channel: channel(), state: [.given, .withdrawn, .pending][below(3)], at: UInt32(below(1 << 32)))
    }

    mutating func preferences() -> Preferences {
        Preferences(
            at: UInt32(below(1 << 32)), quiet: flip() ? .init(from: UInt16(below(1440)), until: UInt16(below(1440))) : nil,
            channelsOff: ChannelSet(rawValue: UInt16(below(1 << 16))), mutedEventTypes: list(4) { dice, _ in UInt16(dice.below(1 << 16)) })
    }

    mutating func attribute() -> CustomerAttribute {
        let value: CustomerAttribute.Value =
            switch below(5) {
            case 0: .text(["", "золотий", "gold", String(repeating: "ж", count: 200)][below(4)])
            case 1: .integer([0, -1, .min, .max][below(4)])
            case 2: .decimal(unscaled: Int64(below(1 << 40)) - 1 << 39, scale: UInt8(below(19)))
            case 3: .date([0, -1, .min, .max][below(4)])
            default: .boolean(flip())
            }
        return CustomerAttribute(UInt16(below(1 << 16)), value)
    }

    mutating func package() -> PackageSubscription {
        PackageSubscription(
            package: UInt16(below(1 << 16)), scope: [nil, .account(next()), .card(next())][below(3)], from: UInt16(below(1 << 16)),
            until: flip() ? UInt16(below(1 << 16)) : nil, channels: flip() ? ChannelSet(rawValue: UInt16(below(1 << 16))) : nil,
            thresholds: list(3) { dice, _ in
                .init(eventType: UInt16(dice.below(1 << 16)), amount: Int64(bitPattern: dice.next()), currency: UInt16(dice.below(1000)))
            }, isPaused: flip())
    }

    mutating func contact(_ number: UInt8, device: Bool = false) -> ContactPoint {
        let platforms = ContactPoint.Platform.allCases
        let kinds: [ContactPoint.Kind] = [.device(app: UInt16(below(1 << 16)), platform: platforms[below(4)]), .phone, .email]
        return ContactPoint(
            number: number, kind: kinds[device ? 0 : below(3)], isVerified: flip(), isForbidden: flip(), isDead: flip(), isOptedOut: flip())
    }

    mutating func customer(subject: UInt32) -> Customer {
        var customer = Customer(
            subject: subject, status: CustomerStatus.allCases[below(4)], version: UInt32(below(1 << 32)), unit: UInt16(below(1 << 16)),
            segment: UInt16(below(300)), tier: UInt16(below(4)), zone: UInt16(below(4)),
            locale: [CustomerLocale.none, CustomerLocale("uk"), CustomerLocale("pl-PL")][below(3)] ?? .none,
            packages: list(3) { dice, _ in dice.package() }, consents: list(4) { dice, _ in dice.consent() },
            preferences: flip() ? preferences() : nil, contacts: list(5) { dice, index in dice.contact(UInt8(index + 1)) },
            attributes: list(4) { dice, _ in dice.attribute() })
        if flip() { customer.packagesHeardAt = Int64(below(1 << 40)) }
        customer.listed = list(3) { dice, index in
            SuppressionListing(
                list: UInt16(index * 100 + dice.below(100)), since: UInt16(dice.below(1 << 16)),
                until: dice.flip() ? UInt16(dice.below(1 << 16)) : nil)
        }
        return customer
    }

    /// Of a few packages, so that one speaks of what another spoke of.
    mutating func word() -> PackageWord { PackageWord(UInt16(below(6)), isWanted: flip(), at: Int64(below(1 << 40)) + 1) }

    mutating func details() -> CustomerDetails {
        CustomerDetails(
            reference: flip() ? "40-118-\(below(1000))" : "", givenName: flip() ? "Олена" : "", familyName: flip() ? "Шевченко" : "",
            addresses: list(3) { dice, index in
                .init(
                    number: UInt8(index + 1),
                    value: dice.flip() ? .phone(447_700_900_000 + UInt64(dice.below(1000))) : .text("a\(dice.below(1000))@mail.example"))
            }, attributes: list(3) { dice, _ in dice.attribute() },
            scopes: list(2) { dice, _ in
                .init(dice.flip() ? .account(dice.next()) : .card(dice.next()), tail: ["", "0123", "ЖЖ"][dice.below(3)])
            })
    }

    mutating func octets(_ most: Int) -> [UInt8] { list(most) { dice, _ in UInt8(dice.below(256)) } }

    mutating func change() -> CustomerChange {
        let subject = UInt32(below(1 << 32))
        switch below(7) {
        case 0:
            return .written(
                CustomerImage(
                    subject: subject, reference: next(),
                    addresses: list(4) { dice, index in AddressHash(number: UInt8(index), hash: dice.next()) }, clear: octets(300),
                    sealed: octets(300)))
        case 1: return .erased(subject)
        case 2: return .consent(subject, consent())
        case 3: return .preferences(subject, preferences())
        case 4:
            return .device(
                subject,
                DeviceRegistration(
                    contact: contact(UInt8(128 + below(128)), device: true), reference: next(), address: next(), at: UInt32(below(1 << 32)),
                    sealed: octets(100)))
        case 5: return .package(subject, word())
        default: return .address(hash: next(), AddressFact(AddressFact.What.allCases[below(4)], at: UInt32(below(1 << 32))))
        }
    }
}
