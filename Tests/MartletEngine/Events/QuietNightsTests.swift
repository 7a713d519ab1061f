import Calendar
import Foundation
import MartletModel
import Testing

@testable import MartletEngine

/// Quiet hours through the engine: an event comes, is held, and its message leaves. Judged by a calendar that nobody here wrote.
@Suite("Events held through nights, changes of the clocks and 29 February")
struct QuietNightsTests {
    /// Foundation's clock on the customer's wall.
    private struct Wall {
        private let calendar: Foundation.Calendar

        init(_ zone: String) throws {
            var calendar = Foundation.Calendar(identifier: .gregorian)
            calendar.timeZone = try #require(TimeZone(identifier: zone))
            self.calendar = calendar
        }

        /// As the bank of this test has it: every night from 22:00 to 8:00, on Saturdays and Sundays from 20:00 to 10:00, all of 29 February
        /// and of 1 January.
        func isQuiet(_ seconds: Int64) -> Bool {
            let date = Date(timeIntervalSince1970: Double(seconds))
            let it = calendar.dateComponents([.month, .day, .weekday, .hour, .minute], from: date)
            guard let month = it.month, let day = it.day, let weekday = it.weekday, let hour = it.hour else { return false }
            if (month, day) == (2, 29) || (month, day) == (1, 1) { return true }
            if hour >= 22 || hour < 8 { return true }
            // Sunday is 1: its window goes on into Monday's morning, Saturday's into Sunday's.
            if weekday == 7 || weekday == 1, hour >= 20 { return true }
            return (weekday == 1 || weekday == 2) && hour < 10
        }
    }

    private static let profile = QuietProfile(
        key: "night", classes: ClassSet(.service),
        windows: [.init(from: 22 * 60, until: 8 * 60), .init(days: [5, 6], from: 20 * 60, until: 10 * 60)], holidays: 0)

    private static let hours = QuietHours(
        windows: [QuietWindow(from: 22 * 60, until: 8 * 60), QuietWindow(days: [.saturday, .sunday], from: 20 * 60, until: 10 * 60)],
        holidays: Holidays(yearly: [(2, 29), (1, 1)], single: []), holidayWindows: [QuietWindow(from: 0, until: 0)])

    /// Changes of the offset from 2027 to 2030, 29 February, the turn of the year, and two Sundays on which other zones change.
    private static func moments(_ zone: Zone) -> [Int64] {
        // 2028-02-29, 2029-01-01, 2027-03-28 and 2027-10-31, midnight UTC.
        var moments: [Int64] = [1_835_395_200, 1_861_920_000, 1_806_192_000, 1_824_940_800]
        var at: Int64 = 1_800_000_000
        while let change = zone.nextChange(after: at), change < 1_890_000_000, moments.count < 12 {
            moments.append(change)
            at = change
        }
        return moments
    }

    @Test(
        "What is held goes at the calendar's moment, not a second sooner or later, and never while the customer's clocks show quiet hours",
        arguments: [
            "Europe/Kyiv", "Europe/Warsaw", "Europe/London", "Europe/Dublin", "Asia/Tbilisi", "Asia/Kathmandu", "America/New_York",
            "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Asia/Gaza",
        ])
    func nights(name: String) throws {
        let zone = try DecisionWorld.zone(name)
        let wall = try Wall(name)
        let rules = EventBank.rules { rules in
            rules.zones = ZoneNames(names: [name], assumed: 0)
            rules.holidays = [HolidayCalendar(key: "bank", yearly: [229, 101])]
            rules.quietHours = [QuietNightsTests.profile]
            rules.events[1].deadline = 7 * 86_400
        }
        let book = DecisionBook(release: 7, rules: rules, decider: Decider(rules, zones: [zone]), wording: EventBank.wording(rules))
        var dice = DecisionDice(UInt64(name.utf8.reduce(0) { $0 &* 31 &+ Int($1) }.magnitude))
        var held = 0
        for moment in QuietNightsTests.moments(zone) {
            let bank = EventRig()
            bank.book = book
            var now = moment - 50_000
            for _ in 0..<10 {
                now += Int64(dice.below(15_000))
                // The clock of a process that began just now: the night itself is waited through tick by tick.
                bank.rig.now = Instant(wall: now * 1_000_000 + Int64(dice.below(1_000_000)), steady: bank.rig.now.steady)
                bank.restart(after: 0)
                bank.rig.commit()
                now = floorSeconds(bank.rig.now.wall)
                let place: Comment = "\(name), \(now)"
                let next = try #require(QuietNightsTests.hours.nextAllowed(from: now, in: zone), place)
                let id = bank.accept(EventBank.news, "Sale")
                guard next > now else {
                    #expect(!wall.isQuiet(now) && bank.fate(id) == "queued", place)
                    let handover = try #require(bank.rig.next(), place)
                    #expect(handover.id == id, place)
                    bank.rig.answer(handover, .accepted(providerID: "d\(now)"))
                    bank.rig.commit()
                    continue
                }
                held += 1
                #expect(wall.isQuiet(now) && wall.isQuiet(next - 1) && !wall.isQuiet(next), place)
                let decided = try #require(bank.decided(id), place)
                #expect(decided.outcome == .held && decided.until == next * 1000, place)
                // Until the last tick before it nothing goes.
                bank.rig.tick(seconds: Double(next * 1_000_000 - bank.rig.now.wall) / 1_000_000 - 0.05)
                #expect(bank.rig.engine.decisionsWaiting == 0 && bank.rig.next() == nil, place)
                bank.rig.tick(seconds: 0.1)
                #expect(bank.rig.engine.decisionsWaiting == 1, place)
                bank.decideDue()
                bank.rig.commit()
                let handover = try #require(bank.rig.next(), place)
                now = floorSeconds(bank.rig.now.wall)
                #expect(handover.id == id && now == next && !wall.isQuiet(now), place)
                bank.rig.answer(handover, .accepted(providerID: "n\(held)"))
                bank.rig.commit()
            }
        }
        #expect(held >= 4, "\(name): \(held)")
    }
}
