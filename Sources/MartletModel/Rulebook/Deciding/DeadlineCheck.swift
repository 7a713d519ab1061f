// What comes too late for its deadline whatever the customer does.

extension DecisionRules {
    /// Who waits through quiet hours longer than the news is worth telling is told nothing; who waits for hours that never end neither.
    func checkWaiting(_ findings: inout [RulebookFinding]) {
        // By place of the profile, as far as events go by it.
        var known: [Int: (isAlways: Bool, longest: (from: Int, minutes: Int)?)] = [:]
        var profiles: [MessageClass: Int] = [:]
        for (place, profile) in quietHours.enumerated() {
            for one in profile.classes.classes { profiles[one] = place }
        }
        for event in events where !event.messageClass.ignoresQuietHours {
            guard let place = event.quiet ?? profiles[event.messageClass], quietHours.indices.contains(place) else { continue }
            let profile = quietHours[place]
            if known[place] == nil {
                let week = QuietWeek(profile.windows)
                known[place] = (week.isAlways, week.longest)
                // Said of the profile, not of each event.
                if week.isAlways {
                    findings.append(
                        RulebookFinding(
                            "quiet-hours/\(profile.key)$.windows", .error,
                            "every minute of the week is quiet: what waits is told to nobody (held_past_deadline)",
                            remedy: "leave hours in which customers are told"))
                }
            }
            guard event.isPublished, let longest = known[place]?.longest, Int64(longest.minutes) * 60 >= event.deadline else { continue }
            let wait = LengthOfTime.words(Int64(longest.minutes) * 60)
            findings.append(
                RulebookFinding(
                    "event/\(event.key)$.deadline", .warning,
                    "quiet-hours/\(profile.key) lasts up to \(wait), from \(QuietWeek.clock(longest.from)); what happens as it begins is past "
                        + "its deadline of \(LengthOfTime.words(event.deadline)) when it ends, and told to nobody (held_past_deadline)",
                    remedy: "give the event more time or other quiet hours, or another class where it cannot wait"))
        }
    }
}

extension DeliveryPlan {
    /// Seconds until the last step begins that goes over one of these channels. Steps before it that have none of them are skipped at once,
    /// so their waits do not count.
    func lastBegins(over channels: ChannelSet) -> Int64 {
        var (begins, waited): (Int64, Int64) = (0, 0)
        for step in steps where step.channels.contains(where: { channels.contains($0) }) {
            begins = waited
            waited += step.wait
        }
        return begins
    }
}
