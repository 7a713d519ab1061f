import Calendar
import MartletModel

/// The hour at which the customer is best reached, on the clocks of the customer's zone. It is waited for only where it comes before the deadline
/// and is not quiet itself: it makes a message later and never keeps one back.
enum BestHourRule {
    static func ask(
        _ customer: borrowing Customer, _ decider: borrowing Decider, _ asking: borrowing Decider.Asking, _ deadline: Int64
    ) -> RuleAnswer {
        guard asking.definition.isAtBestHour else { return RuleAnswer(.bestHour, .ignored, .asksNoHour) }
        guard asking.isFirst else { return RuleAnswer(.bestHour, .ignored, .alreadyBegun) }
        guard let hour = BestHourRule.hour(of: customer) else { return RuleAnswer(.bestHour, .passes, .knowsNoBestHour) }
        // All other hours of the day, which are waited through as quiet ones are.
        let others = QuietWindow(from: (hour + 1) % 24 * 60, until: hour * 60)
        let wish = customer.preferences?.quiet.map { QuietWindow(from: Int($0.from), until: Int($0.until)) }
        let place = Int(asking.definition.quiet)
        let profile = decider.quiet.indices.contains(place) ? decider.quiet[place] : .none
        let now = floorSeconds(asking.circumstances.now)
        let zone = decider.zone(of: customer)
        guard let next = profile.nextAllowed(from: now, in: zone, wish: others), next < floorSeconds(deadline),
            profile.nextAllowed(from: next, in: zone, wish: wish) == next
        else { return RuleAnswer(.bestHour, .passes, .bestHourTooLate) }
        guard next > now else { return RuleAnswer(.bestHour, .passes, .isBestHour) }
        return RuleAnswer(.bestHour, .holds(until: next * 1_000_000), .bestHourComes, next * 1_000_000)
    }

    private static func hour(of customer: borrowing Customer) -> Int? {
        for place in customer.attributes.indices where customer.attributes[place].attribute == CustomerAttribute.bestHour {
            guard case .integer(let hour) = customer.attributes[place].value, (0...23).contains(hour) else { return nil }
            return Int(hour)
        }
        return nil
    }
}
