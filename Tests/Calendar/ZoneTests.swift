import Foundation
import Testing

@testable import Calendar

@Suite("Time zones")
struct ZoneTests {
    @Test("Offsets equal those of Foundation, at random moments and around every change, from 1900 to 2100", arguments: Zones.names)
    func offsets(name: String) throws {
        let zone = try Zones.zone(name)
        let oracle = try #require(TimeZone(identifier: name))
        var dice = Dice(7)
        var moments = (0..<2000).map { _ in -2_208_988_800 + Int64(dice.below(6_311_390_400)) }
        // Every change between 1970 and 2060, a second before, at and after it.
        var at: Int64 = 0
        while let next = zone.nextChange(after: at), next < 2_840_140_800 {
            moments += [next - 1, next, next + 1]
            at = next
        }
        // Foundation rounds offsets of local mean time to whole seconds as tzdata has them; it knows no more before 1900.
        for moment in moments {
            let expected = oracle.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(moment)))
            #expect(Int(zone.offset(at: moment)) == expected, "\(name) at \(moment)")
        }
    }

    @Test("What clocks show leads back to the moment, in gaps to the moment of the change, in overlaps to both", arguments: Zones.names)
    func back(name: String) throws {
        let zone = try Zones.zone(name)
        var dice = Dice(11)
        var moments = (0..<1000).map { _ in Int64(dice.below(4_102_444_800)) }
        var at: Int64 = 0
        while let next = zone.nextChange(after: at), next < 4_102_444_800 {
            moments += [next - 3601, next - 1, next, next + 1799, next + 3600]
            let (before, after) = (Int64(zone.offset(at: next - 1)), Int64(zone.offset(at: next)))
            if after > before {
                #expect(zone.moments(of: LocalTime(seconds: next + before)) == .gap(after: next), "\(name) \(next)")
                #expect(zone.moments(of: LocalTime(seconds: next + after - 1)) == .gap(after: next), "\(name) \(next)")
            } else if after < before {
                let shown = LocalTime(seconds: next + after)
                #expect(zone.moments(of: shown) == .overlap(earlier: next + after - before, later: next), "\(name) \(next)")
            }
            at = next
        }
        for moment in moments {
            switch zone.moments(of: zone.local(at: moment)) {
            case .one(let found): #expect(found == moment, "\(name)")
            case .overlap(let earlier, let later): #expect(earlier == moment || later == moment, "\(name)")
            case .gap: Issue.record("\(name): clocks showed a time that they passed over, at \(moment)")
            }
        }
    }

    @Test("UTC has no changes, and a zone before its first one has its first offset")
    func utc() throws {
        #expect(Zone.utc.offset(at: 1_790_000_000) == 0 && Zone.utc.nextChange(after: 0) == nil)
        #expect(Zone.utc.moments(of: LocalTime(seconds: 5)) == .one(5))
        // Kyiv's local mean time until 1880.
        #expect(try Zones.zone("Europe/Kyiv").offset(at: -5_000_000_000) == 7324)
    }

    @Test(
        "Strings of rules are read as RFC 9636 has them",
        arguments: [
            ("UTC0", 0, nil, nil), ("<+0330>-3:30", 12_600, nil, nil), ("EET-2EEST,M3.5.0/3,M10.5.0/4", 7200, 10_800, 10_800),
            ("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", -10_800, -7200, -7200), ("IST-1GMT0,M10.5.0,M3.5.0/1", 3600, 0, 7200),
            ("EST5EDT,J60/0,300/1:30:15", -18_000, -14_400, 0),
        ] as [(String, Int32, Int32?, Int32?)])
    func rules(text: String, standard: Int32, summer: Int32?, time: Int32?) throws {
        let rule = try #require(ZoneRule(text.utf8))
        #expect(rule.standard == standard && rule.summer?.offset == summer && rule.summer?.begins.time == time)
    }

    @Test(
        "What is no rule is refused",
        arguments: [
            "", "EE-2", "EET", "EET-25", "EET-2EEST", "EET-2EEST,M3.5.0", "EET-2EEST,M13.5.0,M10.5.0", "EET-2EEST,M3.6.0,M10.5.0",
            "EET-2EEST,M3.5.7,M10.5.0", "EET-2EEST,J0,J5", "EET-2EEST,366,1", "EET-2EEST,M3.5.0/168,M10.5.0", "EET-2EEST,M3.5.0,M10.5.0x",
            "<+3-3",
            "<>-3", "<a b>-3", "EET-2:", "EET-2:60", "EET-2EE", "EET-2EEST-25,J1,J2", "EET-2EEST,M3.5,M10.5.0",
        ])
    func noRules(text: String) { #expect(ZoneRule(text.utf8) == nil) }

    @Test("Days of a rule: the last week of a month, days that never count 29 February, and those that do")
    func days() {
        func date(_ day: ZoneRule.Day, _ year: Int) -> [Int] {
            let date = CivilDay(Int32(day.number(in: year))).date
            return [date.year, date.month, date.day]
        }
        #expect(date(.month(3, week: 5, weekday: 0), 2027) == [2027, 3, 28])
        #expect(date(.month(2, week: 5, weekday: 2), 2028) == [2028, 2, 29])
        #expect(date(.month(11, week: 1, weekday: 0), 2026) == [2026, 11, 1])
        #expect(
            date(.julian(60), 2028) == [2028, 3, 1] && date(.julian(59), 2028) == [2028, 2, 28] && date(.julian(60), 2027) == [2027, 3, 1])
        #expect(date(.zeroBased(59), 2028) == [2028, 2, 29] && date(.zeroBased(0), 2028) == [2028, 1, 1])
    }

    @Test("Summer time all year, whose end and beginning fall together, is summer time always")
    func allYear() throws {
        let rule = try #require(ZoneRule("XXX3EDT4,0/0,J365/23".utf8))
        for at in stride(from: Int64(1_790_000_000), to: 1_790_000_000 + 800 * 86_400, by: 3607) {
            #expect(rule.span(at: at).offset == -14_400, "\(at)")
        }
    }
}

@Suite("Reading compiled zones")
struct TZifTests {
    @Test("A file that ends anywhere, or has any byte changed, is read or named, never a crash")
    func damaged() throws {
        let bytes = try Zones.bytes("Europe/Kyiv")
        for end in bytes.indices {
            #expect(throws: TZifFault.self, "\(end) bytes") { try Zone(tzif: Array(bytes[..<end])) }
        }
        var refused = 0
        for index in bytes.indices {
            for bit in [0, 7] {
                var changed = bytes
                changed[index] ^= 1 << UInt8(bit)
                do {
                    _ = try Zone(tzif: changed).offset(at: 1_790_000_000)
                } catch {
                    refused += 1
                    #expect(!error.description.isEmpty)
                }
            }
        }
        #expect(refused > 200)
    }

    @Test("What is no zone, of the first version only, too long, or without types is refused")
    func foreign() throws {
        func fault(_ bytes: [UInt8]) -> TZifFault? {
            do throws(TZifFault) {
                _ = try Zone(tzif: bytes)
                return nil
            } catch {
                return error
            }
        }
        func header(_ version: UInt8, types: UInt8 = 0, transitions: UInt8 = 0) -> [UInt8] {
            Array("TZif".utf8) + [version] + Array(repeating: 0, count: 15 + 12) + [0, 0, 0, transitions, 0, 0, 0, types, 0, 0, 0, 0]
        }
        #expect(fault(Array("#!/bin/sh".utf8)) == .notTZif)
        #expect(fault(header(0)) == .tooOld)
        #expect(fault(header(50) + header(50)) == .badValue(field: "counts"))
        #expect(fault(Array(repeating: 0, count: Zone.maximumBytes + 1)) == .badValue(field: "length"))
        // Two transitions at one moment; a type that is not there; an offset of 27 hours; an unfinished rule; a rule that is none.
        let type: [UInt8] = [0, 0, 0x1C, 0x20, 0, 0]
        let same = header(50, types: 1, transitions: 2) + Array(repeating: 0, count: 16) + [0, 0] + type + Array("\n\n".utf8)
        #expect(fault(header(50) + same) == .badValue(field: "transition times"))
        let missing = header(50, types: 1, transitions: 1) + Array(repeating: 0, count: 8) + [1] + type + Array("\n\n".utf8)
        #expect(fault(header(50) + missing) == .badValue(field: "transition types"))
        #expect(fault(header(50) + header(50, types: 1) + [0, 1, 0x7B, 0xB0, 0, 0] + [10, 10]) == .badValue(field: "offset"))
        #expect(fault(header(50) + header(50, types: 1) + type + [10]) == .truncated(field: "rule"))
        #expect(fault(header(50) + header(50, types: 1) + type + [9, 10]) == .badValue(field: "rule"))
        #expect(fault(header(50) + header(50, types: 1) + type + Array("\nEE\n".utf8)) == .badValue(field: "rule"))
        #expect(try Zone(tzif: header(50) + header(50, types: 1) + type + [10, 10]).offset(at: 0) == 7200)
    }
}

@Suite("Days of the calendar")
struct CivilDayTests {
    @Test("Every day from 1900 to 2100 has the date, weekday and number that Foundation gives it")
    func days() throws {
        var gregorian = Foundation.Calendar(identifier: .gregorian)
        gregorian.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        for number in stride(from: Int32(-25_567), through: 47_482, by: 1) {
            let day = CivilDay(number)
            let parts = gregorian.dateComponents(
                [.year, .month, .day, .weekday], from: Date(timeIntervalSince1970: TimeInterval(number) * 86_400))
            let date = day.date
            #expect(date.year == parts.year && date.month == parts.month && date.day == parts.day)
            // Foundation's Sunday is 1.
            #expect((day.weekday.rawValue + 1) % 7 + 1 == parts.weekday)
            #expect(CivilDay(year: date.year, month: date.month, day: date.day) == day)
        }
    }

    @Test("Days that there are not are none")
    func impossible() {
        #expect(CivilDay(year: 2027, month: 2, day: 29) == nil && CivilDay(year: 2028, month: 2, day: 29) != nil)
        #expect(CivilDay(year: 2100, month: 2, day: 29) == nil && CivilDay(year: 2000, month: 2, day: 29) != nil)
        #expect(CivilDay(year: 2027, month: 4, day: 31) == nil && CivilDay(year: 2027, month: 13, day: 1) == nil)
        #expect(CivilDay(year: 0, month: 1, day: 1) == nil && CivilDay(year: 2027, month: 1, day: 0) == nil)
        #expect(CivilDay(3) < CivilDay(4) && Set(Weekday.allCases.map(\.word)).count == 7)
    }
}
