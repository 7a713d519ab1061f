import MartletModel
import Testing

@testable import MartletEngine

@Suite("SipHash")
struct SipHashTests {
    @Test(
        "The vectors of the paper's reference code come out",
        arguments: [
            (0, UInt64(0x726f_db47_dd0e_0e31)), (1, 0x74f8_39c5_93dc_67fd), (2, 0x0d6c_8009_d9a9_4f5a), (3, 0x8567_6696_d7fb_7e2d),
            (7, 0xab02_00f5_8b01_d137), (8, 0x93f5_f579_9a93_2462), (15, 0xa129_ca61_49be_45e5),
        ])
    func vectors(_ count: Int, _ expected: UInt64) {
        let hash = SipHash(key: (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908))
        let input = (0..<count).map { UInt8($0) }
        #expect(input.withUnsafeBytes { hash.hash($0) } == expected)
    }

    @Test("Texts and numbers hash as their bytes; key and tweak change all")
    func forms() {
        let hash = SipHash(key: (1, 2))
        let text = "op-1"
        #expect(hash.hash(text) == Array(text.utf8).withUnsafeBytes { hash.hash($0) })
        #expect(hash.hash(UInt64(5)) == withUnsafeBytes(of: UInt64(5).littleEndian) { hash.hash($0) })
        #expect(hash.hash(text) != hash.hash(text, tweak: 1))
        #expect(hash.hash(text) != SipHash(key: (1, 3)).hash(text))
        let keys = ProviderKeys(key: (1, 2))
        #expect(keys.key(1, text) != keys.key(2, text))
    }
}

@Suite("Slot table and provider index")
struct TableTests {
    @Test("Random inserts and removes agree with a dictionary, over several growths")
    func random() {
        var dice = Dice(seed: 1)
        var table = SlotTable()
        var known: [MessageID: SlotReference] = [:]
        var gone: [SlotReference] = []
        for step in 0..<30_000 {
            if dice.chance(step < 18_000 ? 80 : 30) || known.isEmpty {
                let id = MessageID(milliseconds: dice.between(Int64(0), 50), partition: UInt8(dice.below(32)), random: dice.next())
                guard known[id] == nil else { continue }
                known[id] = table.reference(table.insert(id))
            } else if let (id, reference) = known.first {
                let number = table.number(of: id)
                #expect(number == reference.index)
                if let number { table.remove(number) }
                known[id] = nil
                gone.append(reference)
            }
        }
        #expect(table.count == known.count)
        #expect(Int(table.bound) > 1 << 13, "more than one chunk is in use")
        for (id, reference) in known {
            #expect(table.number(of: id) == reference.index)
            #expect(table.number(of: reference) == reference.index)
        }
        for reference in gone {
            #expect(table.number(of: reference) == nil, "a reference to a freed slot names nothing, even when it is reused")
        }
        var seen = 0
        table.forEach { _ in seen += 1 }
        #expect(seen == known.count)
        #expect(table.number(of: SlotReference(index: .max, generation: 0)) == nil)
    }

    @Test("The provider index agrees with a dictionary while messages come and end")
    func providers() {
        var dice = Dice(seed: 2)
        var table = SlotTable()
        var index = ProviderIndex()
        var known: [UInt64: (slot: UInt32, part: UInt8)] = [:]
        var slots: [UInt32] = []
        for n in 0..<12_000 {
            if slots.isEmpty || dice.chance(60) {
                slots.append(table.insert(MessageID(milliseconds: Int64(n), partition: 0, random: dice.next())))
            }
            let slot = dice.pick(slots)
            // Few home places, so that chains are long.
            let key = dice.next() & 0xFFFF_0000_0000_0FFF
            let part = UInt8(dice.below(10))
            index.insert(key, slot: slot, part: part, in: table)
            known[key] = (slot, part)
            if dice.chance(30), let key = known.keys.randomElement(using: &dice) {
                index.remove(key)
                known[key] = nil
            }
            if dice.chance(10), let place = slots.indices.randomElement(using: &dice) {
                let slot = slots.remove(at: place)
                table.remove(slot)
                known = known.filter { $0.value.slot != slot }
            }
        }
        for (key, expected) in known {
            let found = index.find(key, in: table)
            #expect(found?.slot == expected.slot && found?.part == expected.part)
        }
        index.remove(0xDEAD_0000_0000_0001)
        #expect(index.find(0xDEAD_0000_0000_0001, in: table) == nil)
        var listed = 0
        index.keys(of: { _ in true }, in: table) { slot, key in
            listed += 1
            #expect(known[key.hash]?.slot == slot)
        }
        #expect(listed == known.count)
    }

    @Test("A provider id given out twice names the newer message; one of an ended message names none")
    func reused() {
        var table = SlotTable()
        var index = ProviderIndex()
        let first = table.insert(MessageID(high: 1, low: 1))
        let second = table.insert(MessageID(high: 1, low: 2))
        index.insert(7, slot: first, part: 0, in: table)
        index.insert(7, slot: second, part: 1, in: table)
        #expect(index.count == 1)
        #expect(index.find(7, in: table)?.slot == second)
        table.pointer(second).pointee.state = .delivered
        #expect(index.find(7, in: table) == nil)
        table.remove(first)
        let reused = table.insert(MessageID(high: 1, low: 3))
        #expect(reused == first)
        #expect(index.find(7, in: table) == nil)
    }
}

extension Dice: RandomNumberGenerator {}

@Suite("Timing wheel")
struct TimingWheelTests {
    @Test("Timers fire at their tick, as a sorted list says, whatever is set, moved and ended meanwhile")
    func random() {
        for seed in UInt64(1)...20 {
            var dice = Dice(seed: seed)
            var table = SlotTable()
            var wheel = TimingWheel(start: 1_000_000)
            var due: [UInt32: UInt32] = [:]
            let numbers = (0..<60).map { table.insert(MessageID(high: 1, low: UInt64($0))) }
            var steady: Int64 = 1_000_000
            for _ in 0..<150 {
                for _ in 0..<dice.below(6) {
                    let number = dice.pick(numbers)
                    if dice.chance(20) {
                        wheel.remove(number, in: table)
                        due[number] = nil
                    } else {
                        let spans: [Int] = [1, 63, 64, 65, 4095, 4096, 4097, 100_000, 270_000]
                        let tick = wheel.tick &+ UInt32(dice.below(dice.pick(spans) + 1))
                        wheel.set(number, due: tick, in: table)
                        due[number] = max(tick, wheel.tick + 1)
                    }
                }
                #expect(wheel.count == due.count)
                // Now and then the machine slept long.
                steady += dice.between(Int64(0), dice.chance(10) ? 5_000_000_000 : 3_000_000)
                var fired: [UInt32] = []
                wheel.advance(to: steady, limit: .max, in: table, fired: &fired)
                let now = wheel.tick(at: steady)
                #expect(wheel.tick == now)
                #expect(Set(fired) == Set(due.filter { $0.value <= now }.keys))
                #expect(fired.map { due[$0] ?? 0 } == fired.map { due[$0] ?? 0 }.sorted(), "in the order of their time")
                due = due.filter { $0.value > now }
            }
        }
    }

    @Test("A deadline beyond the wheel's four months fires when it comes")
    func farAway() {
        var table = SlotTable()
        var wheel = TimingWheel(start: 0)
        let number = table.insert(MessageID(high: 1, low: 1))
        wheel.set(number, due: 5_000_000, in: table)
        var fired: [UInt32] = []
        wheel.advance(to: 4_999_999 * TimingWheel.tickMicroseconds, limit: .max, in: table, fired: &fired)
        #expect(fired.isEmpty)
        wheel.advance(to: 5_000_000 * TimingWheel.tickMicroseconds, limit: .max, in: table, fired: &fired)
        #expect(fired == [number])
        wheel.set(number, due: .max, in: table)
        #expect(wheel.count == 1)
    }

    @Test("With a limit the rest fires at the next call; a time in the past is the next tick")
    func limit() {
        var table = SlotTable()
        var wheel = TimingWheel(start: 500)
        let numbers = (0..<10).map { table.insert(MessageID(high: 1, low: UInt64($0))) }
        for (n, number) in numbers.enumerated() { wheel.set(number, due: UInt32(n + 1), in: table) }
        var fired: [UInt32] = []
        wheel.advance(to: 500 + 20 * TimingWheel.tickMicroseconds, limit: 3, in: table, fired: &fired)
        #expect(fired == Array(numbers[..<3]))
        wheel.set(numbers[0], due: 0, in: table)
        #expect(table.pointer(numbers[0]).pointee.due == 4)
        wheel.advance(to: 500 + 20 * TimingWheel.tickMicroseconds, limit: 100, in: table, fired: &fired)
        #expect(fired.count == 11)
        #expect(wheel.tick(at: 0) == 0)
        #expect(wheel.tickAfter(0) == 0)
        #expect(wheel.tickAfter(501) == 1)
        wheel.remove(numbers[5], in: table)
        #expect(wheel.count == 0)
    }
}

@Suite("Payload ring")
struct PayloadRingTests {
    @Test("What the ring still holds is what was put in; what it went round past is not held")
    func random() {
        var dice = Dice(seed: 3)
        var ring = PayloadRing(capacity: 4096)
        var put: [(offset: UInt64, bytes: [UInt8])] = []
        for _ in 0..<3000 {
            let bytes = (0..<dice.below(1000)).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
            let offset = bytes.withUnsafeBytes { ring.append($0) }
            put.append((offset, bytes))
            for item in put.suffix(30) where ring.holds(item.offset) { #expect(Array(ring.payload(item.offset)) == item.bytes) }
            let held = ring.holds(offset)
            #expect(held)
        }
        let others = [put[0].offset, .max, put[put.count - 1].offset + 5000].map { ring.holds($0) }
        #expect(others == [false, false, false])
    }
}

@Suite("Routes")
struct RoutesTests {
    private let routes = Routes([
        .init(prefix: "44", group: 1), .init(prefix: "4477", group: 2), .init(prefix: "447700900123", group: 3),
        .init(prefix: "1234567890123456", group: 9),
    ])

    @Test(
        "The longest prefix wins",
        arguments: [
            (UInt64(447_700_900_123), GroupNumber?(3)), (447_700_900_124, 2), (442_000_000_000, 1), (331_234_567, nil),
            (999_999_999_999_999, nil), (0, nil),
        ])
    func longest(_ digits: UInt64, _ group: GroupNumber?) {
        #expect(routes.group(for: PhoneNumber(digits: digits)) == group)
    }

    @Test("The empty prefix serves every number; no route serves none")
    func empty() {
        #expect(Routes([.init(prefix: "", group: 7), .init(prefix: "44", group: 1)]).group(for: PhoneNumber(digits: 331_234_567)) == 7)
        #expect(Routes([]).group(for: PhoneNumber(digits: 331_234_567)) == nil)
    }
}

@Suite("Orphans")
struct OrphansTests {
    private func entry(_ at: Int64, _ position: UInt64 = 0) -> Orphans.Entry {
        Orphans.Entry(orphan: .init(state: .delivered, error: 0, providerID: "\(at)"), at: at, position: position, group: 1)
    }

    @Test("The oldest expire first and go first")
    func order() {
        var orphans = Orphans()
        for n in 1...5 { #expect(orphans.insert(UInt64(n), entry(Int64(n))) == 0) }
        #expect(orphans.remove(2)?.at == 2)
        #expect(orphans.remove(2) == nil)
        var gone: [Int64] = []
        orphans.expire(before: 4) { gone.append($0.at) }
        #expect(gone == [1, 3])
        #expect(orphans.removeOldest()?.at == 4)
        #expect(orphans.removeOldest()?.at == 5)
        #expect(orphans.removeOldest() == nil)
        #expect(orphans.count == 0)
    }

    @Test("One that comes again after it was adopted is as young as it is")
    func again() {
        var orphans = Orphans()
        _ = orphans.insert(1, entry(1))
        _ = orphans.insert(2, entry(2))
        _ = orphans.remove(1)
        _ = orphans.insert(1, entry(9))
        #expect(orphans.removeOldest()?.at == 2)
        #expect(orphans.all.map(\.key) == [1])
    }

    @Test("A record that moves tells where it stood; one without a place yet keeps its old one")
    func places() {
        var orphans = Orphans()
        #expect(orphans.place(1, at: 5) == nil)
        _ = orphans.insert(1, entry(1))
        #expect(orphans.place(1, at: 1 << 32) == 0)
        #expect(orphans.insert(1, entry(1)) == 0)
        #expect(orphans.find(1)?.position == 1 << 32)
        #expect(orphans.insert(1, entry(1, 2 << 32)) == 1 << 32)
        _ = orphans.insert(2, entry(2, 1 << 32))
        #expect(orphans.standing(upTo: 1, limit: 10).map(\.at) == [2])
        #expect(orphans.standing(upTo: 2, limit: 1).map(\.at) == [1])
    }

    @Test("What stands up to a segment is what a look at all of them finds, whatever came, moved and went: 200 seeds")
    func standing() {
        for seed in UInt64(1)...200 {
            var dice = Dice(seed: seed)
            var orphans = Orphans()
            for step in 1...120 {
                let key = UInt64(dice.between(1, 30))
                let position = UInt64(dice.below(5)) << 32
                switch dice.below(7) {
                case 0...2: _ = orphans.insert(key, entry(Int64(step), position))
                case 3: if position != 0 { _ = orphans.place(key, at: position) }
                case 4: _ = orphans.remove(key)
                case 5: if step % 7 == 0 { _ = orphans.removeOldest() }
                default: if step % 11 == 0 { orphans.expire(before: Int64(step - 40)) { _ in } }
                }
                for segment in UInt32(0)...5 {
                    let all = orphans.all.map(\.entry).filter { $0.position != 0 && $0.position >> 32 <= UInt64(segment) }
                    #expect(orphans.standing(upTo: segment, limit: 99).map(\.at) == all.map(\.at), "seed \(seed), step \(step)")
                    #expect(orphans.standing(upTo: segment, limit: 3).map(\.at) == all.prefix(3).map(\.at), "seed \(seed), step \(step)")
                }
            }
        }
    }

    @Test("Millions that are adopted at once behind one old orphan leave no trace")
    func tidy() {
        var orphans = Orphans()
        _ = orphans.insert(0, entry(1))
        for n in UInt64(1)...20_000 {
            _ = orphans.insert(n, entry(2))
            _ = orphans.remove(n)
        }
        #expect(orphans.kept < 3000)
        #expect(orphans.removeOldest()?.at == 1)
    }
}
