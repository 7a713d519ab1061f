import MartletModel

@testable import MartletEngine

/// Events, customers and circumstances from a seed, near enough to the tables' rulebook to meet its rules.
struct DecisionDice {
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
    mutating func seldom() -> Bool { below(12) == 0 }

    mutating func customer(_ subject: SubjectNumber) -> Customer {
        var customer = Customer(
            subject: subject, status: seldom() ? CustomerStatus.allCases[below(4)] : .active, version: UInt32(below(100)),
            unit: [0, 9][below(2)], segment: [0, 7, 8, 13, 14][below(5)], zone: UInt16(below(4)))
        customer.packages = (0..<below(4)).map { _ in
            PackageSubscription(
                package: [17, 18, 99][below(3)], scope: [nil, .account(40), .card(1111), .card(2222)][below(4)],
                from: UInt16(below(2) * 30_000),
                until: seldom() ? UInt16(below(40_000)) : nil, channels: seldom() ? ChannelSet(rawValue: UInt16(below(128))) : nil,
                thresholds: seldom() ? [.init(eventType: 3, amount: Int64(below(200_000)), currency: [978, 985][below(2)])] : [],
                isPaused: seldom())
        }
        customer.consents = (0..<below(3)).map { _ in
            Consent(
                purpose: UInt16(2 + below(2)), channel: ChannelKind(rawValue: UInt8(below(7))),
                state: [.given, .withdrawn, .pending][below(3)], at: 1)
        }
        if flip() {
            customer.preferences = Preferences(
                at: 1, quiet: seldom() ? .init(from: UInt16(below(1440)), until: UInt16(below(1440))) : nil,
                channelsOff: seldom() ? ChannelSet(rawValue: UInt16(below(128))) : [],
                mutedEventTypes: seldom() ? [UInt16(3 + below(3))] : [])
        }
        customer.contacts = (0..<below(4)).map { index in
            ContactPoint(
                number: UInt8(index + 1), kind: [.phone, .email, .device(app: 1, platform: .ios)][below(3)], isForbidden: seldom(),
                isDead: seldom(),
                isOptedOut: seldom())
        }
        if flip() { customer.attributes = [CustomerAttribute(CustomerAttribute.engagement, .integer(Int64(below(5))))] }
        if flip() { customer.attributes.append(CustomerAttribute(CustomerAttribute.bestHour, .integer(Int64(below(25))))) }
        return customer
    }

    mutating func facts(near moment: Int64 = 1_804_000_000_000_000, spread: Int = 40_000_000) -> DecisionFacts {
        let now = moment + Int64(below(spread)) * 1_000_000 + Int64(below(1_000_000))
        var event = DecisionEvent(event: UInt16(12 + below(13)), occurredAt: now - Int64(below(200)) * 1_000_000)
        if seldom() { event.occurredAt -= Int64(below(200_000)) * 1_000_000 }
        if seldom() { event.deadline = now + Int64(below(90_000) - 1000) * 1_000_000 }
        if flip() { event.amount = Money(minor: Int64(below(20_000)) - 5000, currency: [978, 985, 840][below(3)]) }
        event.card = [0, 1111, 2222][below(3)]
        event.account = [0, 40][below(2)]
        var circumstances = Circumstances(
            now: now, isDuplicate: seldom(), isSuperseded: seldom(), hasBudget: !seldom(), recent: seldom() ? UInt32(below(100)) : 0,
            usedCaps: seldom() ? UInt32(below(4)) : 0)
        circumstances.stage = [.fresh, .fresh, .release, .step(UInt8(below(3)))][below(4)]
        if seldom() { circumstances.channels = ChannelSet(rawValue: UInt16(below(128))) }
        return DecisionFacts(event: event, customer: seldom() ? nil : customer(UInt32(below(50))), circumstances: circumstances)
    }
}
