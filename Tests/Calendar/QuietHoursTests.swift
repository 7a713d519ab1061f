import Testing

@testable import Calendar

@Suite("Quiet hours")
struct QuietHoursTests {
    private func at(_ zone: Zone, _ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int = 0) throws -> Int64 {
        let day = try #require(CivilDay(year: year, month: month, day: day))
        switch zone.moments(of: LocalTime(day, secondOfDay: hour * 3600 + minute * 60)) {
        case .one(let moment), .overlap(let moment, _), .gap(let moment): return moment
        }
    }

    /// The same question answered the slow way: minute by minute, by what clocks show.
    private func slow(_ quiet: Model, from seconds: Int64, _ zone: Zone, limit: Int64) -> Int64? {
        var now = seconds
        while now <= seconds + limit {
            if !quiet.isQuiet(zone.local(at: now)) { return now }
            // All boundaries are at whole local minutes; offsets of whole minutes keep them at whole minutes of UTC.
            now += 60 - (now % 60 + 60) % 60
        }
        return nil
    }

    private struct Model {
        var windows: [QuietWindow]
        var wish: QuietWindow?
        var holidays: Holidays
        var holidayWindows: [QuietWindow]

        func isQuiet(_ local: LocalTime) -> Bool {
            let minute = local.secondOfDay / 60
            let before = CivilDay(local.day.number - 1)
            for window in windows {
                if window.days.contains(local.day.weekday), minute >= window.from, minute < window.from + window.length { return true }
                if window.days.contains(before.weekday), minute + 1440 < window.from + window.length { return true }
            }
            for window in holidayWindows {
                if holidays.contains(local.day), minute >= window.from, minute < window.from + window.length { return true }
                if holidays.contains(before), minute + 1440 < window.from + window.length { return true }
            }
            guard let wish else { return false }
            return minute >= wish.from && minute < wish.from + wish.length || minute + 1440 < wish.from + wish.length
        }
    }

    private func window(_ dice: inout Dice) -> QuietWindow {
        QuietWindow(
            days: Weekday.allCases.filter { _ in dice.below(2) == 0 }, from: [0, 22 * 60, 90, 1439, dice.below(1440)][dice.below(5)],
            until: [0, 7 * 60, 150, dice.below(1440)][dice.below(4)])
    }

    @Test("The next allowed moment is the one found minute by minute, over changes of the clocks and 29 February", arguments: Zones.names)
    func property(name: String) throws {
        let zone = try Zones.zone(name)
        var changes: [Int64] = []
        var at: Int64 = 1_700_000_000
        while let next = zone.nextChange(after: at), next < 1_900_000_000 {
            changes.append(next)
            at = next
        }
        // 28 February 2028 and its neighbours; where there are no changes, they are all there is besides.
        let leap: Int64 = 1_835_308_800
        var dice = Dice(UInt64(name.utf8.count) + 5)
        for round in 0..<150 {
            let holiday = CivilDay(Int32((leap / 86_400) + Int64(dice.below(4))))
            let model = Model(
                windows: (0..<dice.below(3)).map { _ in window(&dice) }, wish: dice.below(3) == 0 ? window(&dice) : nil,
                holidays: Holidays(yearly: [(2, 29), (1, 1), (3, 28)], single: [holiday]),
                holidayWindows: dice.below(2) == 0 ? [] : [QuietWindow(from: 0, until: 0)])
            let quiet = QuietHours(windows: model.windows, holidays: model.holidays, holidayWindows: model.holidayWindows)
            let near = changes.isEmpty || dice.below(3) == 0 ? leap : changes[dice.below(changes.count)]
            let moment = near - 2 * 86_400 + Int64(dice.below(4 * 86_400))
            let found = quiet.nextAllowed(from: moment, in: zone, wish: model.wish)
            let expected = slow(model, from: moment, zone, limit: 12 * 86_400)
            if let expected {
                #expect(found == expected, "\(name), round \(round), from \(moment): \(model)")
            } else {
                #expect(found ?? .max > moment + 12 * 86_400, "\(name), round \(round), from \(moment)")
            }
        }
    }

    @Test("A night over the change to summer time is an hour shorter, over the one to winter time an hour longer")
    func changes() throws {
        let kyiv = try Zones.zone("Europe/Kyiv")
        let night = QuietHours(windows: [QuietWindow(from: 22 * 60, until: 8 * 60)])
        let spring = try at(kyiv, 2027, 3, 27, 22)
        #expect(night.nextAllowed(from: spring, in: kyiv) == spring + 9 * 3600)
        let autumn = try at(kyiv, 2027, 10, 30, 22)
        #expect(night.nextAllowed(from: autumn, in: kyiv) == autumn + 11 * 3600)
    }

    @Test("A window whose end clocks pass over ends when they do; one whose hour they show twice is quiet twice")
    func gaps() throws {
        let kyiv = try Zones.zone("Europe/Kyiv")
        let small = QuietHours(windows: [QuietWindow(from: 120, until: 210)])
        let change = try at(kyiv, 2027, 3, 28, 3)
        // 03:30 is not shown that night: at 03:00 clocks go to 04:00.
        #expect(small.nextAllowed(from: change - 600, in: kyiv) == change)
        let hour = QuietHours(windows: [QuietWindow(from: 180, until: 240)])
        guard
            case .overlap(let first, let second) = kyiv.moments(
                of: LocalTime(try #require(CivilDay(year: 2027, month: 10, day: 31)), secondOfDay: 3 * 3600))
        else {
            Issue.record("clocks show 03:00 twice that night")
            return
        }
        // They go back from 04:00 to 03:00, so it is never 04:00 between the two.
        #expect(hour.nextAllowed(from: first, in: kyiv) == second + 3600)
    }

    @Test("A weekend that joins a holiday is one stretch; the week begins on Monday for a window of Sunday night")
    func stretches() throws {
        let warsaw = try Zones.zone("Europe/Warsaw")
        let quiet = QuietHours(
            windows: [QuietWindow(days: [.saturday, .sunday], from: 0, until: 0), QuietWindow(from: 21 * 60, until: 9 * 60)],
            holidays: Holidays(yearly: [(5, 3)]), holidayWindows: [QuietWindow(from: 0, until: 0)])
        // 3 May 2027 is a Monday.
        #expect(quiet.nextAllowed(from: try at(warsaw, 2027, 4, 30, 22), in: warsaw) == (try at(warsaw, 2027, 5, 4, 9)))
        let noon = try at(warsaw, 2027, 5, 4, 12)
        #expect(quiet.nextAllowed(from: noon, in: warsaw) == noon)
    }

    @Test("29 February is a holiday in leap years only")
    func leap() throws {
        let quiet = QuietHours(
            windows: [], holidays: Holidays(yearly: [(2, 29), (13, 1), (1, 32)]), holidayWindows: [QuietWindow(from: 0, until: 0)])
        let leap = try at(.utc, 2028, 2, 29, 12)
        #expect(quiet.nextAllowed(from: leap, in: .utc) == (try at(.utc, 2028, 3, 1, 0)))
        let common = try at(.utc, 2027, 3, 1, 12)
        #expect(quiet.nextAllowed(from: common, in: .utc) == common)
    }

    @Test("What is always quiet has no next moment, and no hours are never quiet")
    func always() {
        #expect(QuietHours(windows: [QuietWindow(from: 0, until: 0)]).nextAllowed(from: 0, in: .utc) == nil)
        #expect(QuietHours.none.nextAllowed(from: 0, in: .utc, wish: QuietWindow(from: 60, until: 60)) == nil)
        #expect(QuietHours.none.nextAllowed(from: 77, in: .utc) == 77)
    }

    @Test("A customer's own hours count besides the bank's")
    func wish() {
        let quiet = QuietHours(windows: [QuietWindow(from: 60, until: 120)])
        func next(_ minute: Int64, _ wish: QuietWindow) -> Int64? {
            quiet.nextAllowed(from: minute * 60, in: .utc, wish: wish).map { $0 / 60 }
        }
        #expect(next(90, QuietWindow(from: 110, until: 180)) == 180)
        #expect(next(90, QuietWindow(from: 1300, until: 60)) == 120)
        #expect(next(1310, QuietWindow(from: 1300, until: 60)) == 1560)
    }
}
