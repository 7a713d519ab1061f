import Calendar
import MartletModel

/// Nights and holidays of the bank's profile and the customer's own quiet hours, on the clocks of the customer's time zone. What waits is
/// decided anew at its end; what would wait past its deadline is not told.
enum QuietHoursRule {
    static func ask(
        _ customer: borrowing Customer, _ decider: borrowing Decider, _ asking: borrowing Decider.Asking, _ deadline: Int64
    ) -> RuleAnswer {
        if asking.definition.messageClass.ignoresQuietHours { return RuleAnswer(.quietHours, .ignored, .classIgnoresIt) }
        let wish = customer.preferences?.quiet.map { QuietWindow(from: Int($0.from), until: Int($0.until)) }
        let place = Int(asking.definition.quiet)
        let hasProfile = decider.quiet.indices.contains(place)
        guard hasProfile || wish != nil else { return RuleAnswer(.quietHours, .passes, .isAllowedNow) }
        let now = floorSeconds(asking.circumstances.now)
        let zone = decider.zone(of: customer)
        let next = (hasProfile ? decider.quiet[place] : .none).nextAllowed(from: now, in: zone, wish: wish)
        guard let next else { return RuleAnswer(.quietHours, .suppresses(.heldPastDeadline), .alwaysQuiet) }
        guard next > now else { return RuleAnswer(.quietHours, .passes, .isAllowedNow) }
        let until = next * 1_000_000
        return until < deadline
            ? RuleAnswer(.quietHours, .holds(until: until), .quietUntil, until)
            : RuleAnswer(.quietHours, .suppresses(.heldPastDeadline), .quietPastDeadline, until)
    }
}
