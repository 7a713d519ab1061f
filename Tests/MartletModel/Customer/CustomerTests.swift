import MartletModel
import Testing

/// Customer records v1: what was written is read again, what a later version adds is passed over, what no version wrote is named.
@Suite struct CustomerTests {
    @Test("Every customer that is written is read again as it was, over 500 seeded customers")
    func roundTrip() throws {
        for seed in UInt64(0)..<500 {
            var dice = CustomerDice(seed)
            let customer = dice.customer(subject: 7)
            #expect(try Self.read(Self.written(customer)) == customer, "seed \(seed)")
            let details = dice.details()
            var bytes: [UInt8] = []
            try details.write(to: &bytes)
            #expect(try bytes.withUnsafeBytes { try CustomerDetails(reading: $0) } == details, "seed \(seed)")
        }
    }

    @Test("A package and what is known of its account or card are read again as they were; cut or of another kind they are named")
    func scopes() throws {
        for seed in UInt64(0)..<100 {
            var dice = CustomerDice(seed)
            let package = dice.package()
            let bytes = try package.bytes()
            #expect(try bytes.withUnsafeBytes { try PackageSubscription(reading: $0) } == package, "seed \(seed)")
            for count in bytes.indices {
                #expect(throws: CustomerFault.self, "seed \(seed), \(count) bytes") {
                    try Array(bytes.prefix(count)).withUnsafeBytes { try PackageSubscription(reading: $0) }
                }
            }
        }
        let details = CustomerDetails(scopes: [.init(.card(7), tail: "0123")])
        #expect(details.tail(.card(7)) == "0123" && details.tail(.account(7)) == nil)
        var bytes: [UInt8] = []
        try details.write(to: &bytes)
        // Version, section, its length, then the kind.
        bytes[3] = 3
        #expect(throws: CustomerFault.badValue(field: "scope kind")) {
            try bytes.withUnsafeBytes { try CustomerDetails(reading: $0) }
        }
        let many = (0...CustomerLimits.packages).map { CustomerDetails.ScopeTail(.account(UInt64($0)), tail: "") }
        #expect(throws: CustomerFault.tooMany(field: "accounts and cards", limit: CustomerLimits.packages)) {
            try CustomerDetails(scopes: many).write(to: &bytes)
        }
    }

    @Test("Every change that is written is read again as it was, and cut anywhere it is a fault")
    func changes() throws {
        for seed in UInt64(0)..<200 {
            var dice = CustomerDice(seed)
            let change = dice.change()
            var bytes: [UInt8] = [1, 2, 3]
            try change.write(to: &bytes)
            let body = Array(bytes.dropFirst(3))
            #expect(try body.withUnsafeBytes { try CustomerChange(reading: $0) } == change, "seed \(seed)")
            guard case .preferences = change else {
                for count in body.indices {
                    #expect(throws: CustomerFault.self, "seed \(seed), \(count) bytes") {
                        try Array(body.prefix(count)).withUnsafeBytes { try CustomerChange(reading: $0) }
                    }
                }
                continue
            }
        }
    }

    @Test("A word on a package connects it for all, wakes what is paused, disconnects it everywhere, and counts once")
    func words() {
        let day: Int64 = 86_400_000_000
        let at = 20_000 * day + 7
        var customer = Customer(subject: 1, packages: [PackageSubscription(package: 4, scope: .card(7), from: 3)])
        var isTaken = customer.learn(PackageWord(4, isWanted: true, at: at))
        #expect(
            isTaken && customer.packages.map(\.scope) == [nil, .card(7)] && customer.packages[0].from == 19_999
                && customer.packagesHeardAt == at)
        // The same once more, and an older one, after the bank took it away.
        customer.packages.removeAll()
        customer.learn(PackageWord(4, isWanted: true, at: at))
        customer.learn(PackageWord(4, isWanted: true, at: at - 1))
        #expect(customer.packages.isEmpty)

        customer.packages = [
            PackageSubscription(package: 4, from: 20_100, until: 19_000, channels: ChannelSet(.sms), isPaused: true),
            PackageSubscription(package: 5, from: 9), PackageSubscription(package: 4, scope: .account(3), from: 9),
        ]
        customer.learn(PackageWord(4, isWanted: true, at: at + 1))
        let woken = PackageSubscription(package: 4, from: 19_999, channels: ChannelSet(.sms))
        #expect(customer.packages.first == woken && customer.packages.count == 3)
        #expect((19_999...20_001).allSatisfy { woken.isValid(on: UInt16($0)) }, "on the day it is said, wherever the customer is")
        // A last day that is still to come is the bank's.
        customer.packages[0].until = 20_050
        customer.learn(PackageWord(4, isWanted: true, at: at + 2))
        #expect(customer.packages[0].until == 20_050)
        customer.learn(PackageWord(4, isWanted: false, at: at + 3))
        #expect(customer.packages.map(\.package) == [5])

        customer.packages = (0..<CustomerLimits.packages).map { PackageSubscription(package: UInt16($0 + 100), from: 1) }
        isTaken = customer.learn(PackageWord(4, isWanted: true, at: at + 4))
        #expect(!isTaken && customer.packages.count == CustomerLimits.packages)
    }

    @Test("What no version wrote of a suppression list is named, and no list stands there twice")
    func lists() throws {
        var customer = Customer(subject: 7)
        customer.listed = [SuppressionListing(list: 16, since: 20_000, until: 20_010)]
        #expect(customer.listed[0].holds(on: 20_010) && !customer.listed[0].holds(on: 20_011))
        #expect(SuppressionListing(list: 16, since: 20_000).holds(on: .max))
        let bytes = try Self.written(customer)
        func fault(_ change: (inout [UInt8]) -> Void) -> CustomerFault? {
            var other = bytes
            change(&other)
            do { _ = try Self.read(other) } catch let fault as CustomerFault { return fault } catch { return nil }
            return nil
        }
        #expect(fault { $0[$0.count - 3] = 2 } == .badValue(field: "suppression list flags"))
        #expect(
            fault {
                $0[$0.count - 8] += 7; $0 += $0.suffix(7)
            } == .badValue(field: "suppression list"))
        customer.listed = (0...CustomerLimits.listed).map { SuppressionListing(list: UInt16($0 + 1), since: 1) }
        #expect(throws: CustomerFault.tooMany(field: "suppression lists", limit: CustomerLimits.listed)) { try Self.written(customer) }
    }

    @Test("A record cut anywhere is either a fault or a record of fewer sections, never another customer's fact")
    func cut() throws {
        var dice = CustomerDice(3)
        let customer = dice.customer(subject: 7)
        let bytes = try Self.written(customer)
        for count in bytes.indices {
            guard let read = try? Self.read(Array(bytes.prefix(count))) else { continue }
            #expect(read.packages.isEmpty || read.packages == customer.packages)
            #expect(read.consents.isEmpty || read.consents == customer.consents)
            #expect(read.contacts.isEmpty || read.contacts == customer.contacts)
            #expect(read.attributes.isEmpty || read.attributes == customer.attributes)
        }
    }

    @Test("Any bytes at all are read or named, and never end the process", arguments: [UInt64](0..<20))
    func noise(seed: UInt64) throws {
        var dice = CustomerDice(seed)
        let good = try Self.written(dice.customer(subject: 1))
        for _ in 0..<2_000 {
            var bytes = good
            for _ in 0..<dice.below(4) + 1 { bytes[dice.below(bytes.count)] = UInt8(dice.below(256)) }
            do { _ = try Self.read(bytes) } catch let fault as CustomerFault { #expect(!fault.description.isEmpty) }
        }
    }

    @Test("A section of a later version, and fields added at a head's end, are passed over")
    func additive() throws {
        let customer = Customer(subject: 7, unit: 4, contacts: [ContactPoint(number: 1, kind: .phone)])
        var bytes = try Self.written(customer)
        bytes += [200, 3, 1, 2, 3]
        // The head is one field longer.
        bytes.insert(9, at: 2 + Int(bytes[1]))
        bytes[1] += 1
        #expect(try Self.read(bytes) == customer)
    }

    @Test("What no version wrote is named with its field")
    func strict() throws {
        let bytes = try Self.written(Customer(subject: 7, contacts: [ContactPoint(number: 1, kind: .phone)]))
        func fault(_ change: (inout [UInt8]) -> Void) -> CustomerFault? {
            var other = bytes
            change(&other)
            do { _ = try Self.read(other) } catch let fault as CustomerFault { return fault } catch { return nil }
            return nil
        }
        #expect(fault { $0[0] = 2 } == .unknownVersion(2))
        #expect(fault { $0[2] = 99 } == .badValue(field: "status"))
        #expect(fault { $0[3] = 1 } == .badValue(field: "locale"))
        #expect(fault { $0[$0.count - 1] = 9 } == .badValue(field: "contact kind"))
        #expect(fault { $0 += [4, 0] } == .outOfOrder(section: 4))
        #expect(
            fault {
                $0[$0.count - 3] = 4; $0 += [1, 2]
            } == .badValue(field: "contact number"))
        #expect(fault { $0 += [9, 5] } == .truncated(field: "section"))
        // A number in more bytes than it needs has two spellings.
        #expect(
            fault {
                $0.replaceSubrange(7...7, with: [0x80, 0]); $0[1] += 1
            } == .badValue(field: "customer version"))
        #expect(fault { $0 = [] } == .truncated(field: "version"))
    }

    @Test("Lists and texts have their limits, in writing too")
    func limits() {
        func fault(_ customer: Customer) -> CustomerFault? {
            do { _ = try Self.written(customer) } catch let fault as CustomerFault { return fault } catch { return nil }
            return nil
        }
        let consents = (0...CustomerLimits.consents).map { Consent(purpose: UInt16($0), channel: nil, state: .given, at: 1) }
        #expect(fault(Customer(subject: 1, consents: consents)) == .tooMany(field: "consents", limit: CustomerLimits.consents))
        let long = String(repeating: "a", count: CustomerLimits.textBytes + 1)
        #expect(
            fault(Customer(subject: 1, attributes: [CustomerAttribute(20, .text(long))]))
                == .tooLong(field: "attribute", limit: CustomerLimits.textBytes))
        #expect(
            fault(Customer(subject: 1, preferences: Preferences(at: 1, quiet: .init(from: 1440, until: 0))))
                == .badValue(field: "quiet hours"))
        #expect(
            fault(Customer(subject: 1, attributes: [CustomerAttribute(20, .decimal(unscaled: 1, scale: 19))]))
                == .badValue(field: "attribute scale"))
        let text = String(repeating: "a", count: CustomerLimits.textBytes)
        let many = (0..<64).map { CustomerAttribute(UInt16($0), .text(text)) }
        #expect(fault(Customer(subject: 1, attributes: many)) == .tooLong(field: "customer", limit: CustomerLimits.recordBytes))
        let thresholds = (0...CustomerLimits.thresholds).map {
            PackageSubscription.Threshold(eventType: UInt16($0), amount: 1, currency: 985)
        }
        #expect(
            fault(Customer(subject: 1, packages: [PackageSubscription(package: 1, from: 1, thresholds: thresholds)]))
                == .tooMany(field: "thresholds", limit: CustomerLimits.thresholds))
    }

    @Test("A withdrawal holds against a consent of the same second, and the newer against the older, in either order")
    func optOut() {
        let given = Consent(purpose: 1, channel: .sms, state: .given, at: 100)
        let withdrawn = Consent(purpose: 1, channel: .sms, state: .withdrawn, at: 100)
        for order in [[given, withdrawn], [withdrawn, given]] {
            var customer = Customer(subject: 1)
            for one in order { customer.learn(one) }
            #expect(customer.consents == [withdrawn])
            // An older yes that comes late changes nothing; a newer one does.
            customer.learn(Consent(purpose: 1, channel: .sms, state: .given, at: 99))
            #expect(customer.consents == [withdrawn])
            customer.learn(Consent(purpose: 1, channel: .sms, state: .given, at: 101))
            #expect(customer.consent(1, .sms)?.state == .given)
        }
    }

    @Test("What was said of a channel goes before what was said of all, and purposes do not mix")
    func consent() {
        let customer = Customer(
            subject: 1,
            consents: [
                Consent(purpose: 1, channel: nil, state: .given, at: 1), Consent(purpose: 1, channel: .sms, state: .withdrawn, at: 1),
            ])
        #expect(customer.consent(1, .sms)?.state == .withdrawn)
        #expect(customer.consent(1, .email)?.state == .given)
        #expect(customer.consent(2, .email) == nil)
    }

    @Test("Of an address the newer fact holds, in one second the one that forbids; life and wish do not touch each other")
    func address() {
        var state = AddressState()
        state.learn(AddressFact(.dead, at: 5))
        state.learn(AddressFact(.alive, at: 5))
        state.learn(AddressFact(.optedIn, at: 9))
        #expect(state.isDead && !state.isOptedOut)
        state.learn(AddressFact(.alive, at: 6))
        state.learn(AddressFact(.dead, at: 4))
        state.learn(AddressFact(.optedOut, at: 9))
        #expect(!state.isDead && state.isOptedOut)
    }

    @Test("Quiet hours go over midnight, and a package is valid from its first day to its last unless it is paused")
    func times() {
        let night = Preferences.QuietHours(from: 22 * 60, until: 7 * 60)
        #expect(night.contains(minute: 1439) && night.contains(minute: 0) && !night.contains(minute: 420) && !night.contains(minute: 1319))
        let noon = Preferences.QuietHours(from: 720, until: 780)
        #expect(noon.contains(minute: 720) && !noon.contains(minute: 780))
        var package = PackageSubscription(package: 1, from: 10, until: 12)
        #expect([9, 10, 12, 13].map { package.isValid(on: $0) } == [false, true, true, false])
        package.isPaused = true
        #expect(!package.isValid(on: 11))
    }

    @Test("Locales are two letters and two more, and nothing else")
    func locales() {
        for text in ["", "uk", "pl-PL", "kk-KZ"] { #expect(CustomerLocale(text)?.text == text) }
        for text in ["UK", "pl_PL", "pl-pl", "p", "pol", "pl-PLN", "1a"] { #expect(CustomerLocale(text) == nil, "\(text)") }
    }

    @Test("Channels have words and bits of their own")
    func channels() {
        #expect(Set(ChannelKind.allCases.map(\.word)).count == ChannelKind.allCases.count)
        let some = ChannelSet([.sms, .pass])
        #expect(ChannelKind.allCases.filter { some.contains($0) } == [.sms, .pass] && some.isSubset(of: .all))
        let details = CustomerDetails(addresses: [.init(number: 2, value: .phone(447_700_900_123))])
        #expect(details.address(2) == .phone(447_700_900_123) && details.address(1) == nil)
    }

    static func written(_ customer: Customer) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try customer.write(to: &bytes)
        return bytes
    }

    static func read(_ bytes: [UInt8]) throws -> Customer { try bytes.withUnsafeBytes { try Customer(subject: 7, reading: $0) } }
}
