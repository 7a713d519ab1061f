/// When a notice that was not heard is told again: after 5 s, 5 min, 30 min, 2, 5, 10, 14 and 20 h (the schedule of Standard Webhooks as far
/// as notices are kept), a fifth more or less, so that what failed together does not come back together. Then it is parked.
enum WebhookSchedule {
    static let seconds: [Int64] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000]

    /// Milliseconds; nil: no more by itself.
    /// - Parameters:
    ///   - tries: how often it was put off before.
    ///   - random: decides about the fifth.
    static func pause(after tries: UInt8, random: UInt64) -> Int64? {
        guard Int(tries) < seconds.count else { return nil }
        return spread(seconds[Int(tries)] * 1000, random)
    }

    /// 80 to 120 percent of it.
    static func spread(_ milliseconds: Int64, _ random: UInt64) -> Int64 {
        milliseconds * 4 / 5 + Int64(random % UInt64(max(1, milliseconds * 2 / 5)))
    }
}

/// What an endpoint's answers say of the endpoint, apart from single notices: one that fails and fails is left alone for a while and then
/// asked with one notice, so that a dead receiver neither uses up the tries of all that waits for it nor keeps Martlet busy.
struct WebhookHealth {
    enum State: Equatable {
        case well
        /// Nothing is posted.
        case resting
        /// One post at a time, to see.
        case trying
        /// It said 410: nothing is posted until somebody asks for it.
        case gone
    }

    enum Change: Equatable {
        case none
        /// Nothing for so many milliseconds, then call `restOver` with its number.
        case rest(Int64, number: UInt64)
        case recovered
        case wentGone
    }

    private(set) var state = State.well
    private var failures = 0
    /// In a row.
    private var rests = 0
    /// Of the last rest, ever: the time of an older one is nobody's any more.
    private var number: UInt64 = 0

    /// Failures in a row after which it rests.
    static let failureMaximum = 10
    /// Milliseconds; each rest is twice the last one.
    private static let firstRest: Int64 = 5000
    private static let longestRest: Int64 = 300_000

    func room(inFlight: Int, maximum: Int) -> Int {
        switch state {
        case .well: max(0, maximum - inFlight)
        case .trying: max(0, 1 - inFlight)
        case .resting, .gone: 0
        }
    }

    mutating func heard() -> Change {
        let was = state
        guard was != .gone else { return .none }
        askedAgain()
        return was == .well ? .none : .recovered
    }

    mutating func failed(random: UInt64) -> Change {
        failures += 1
        switch state {
        case .gone, .resting: return .none
        case .well: if failures < WebhookHealth.failureMaximum { return .none }
        case .trying: break
        }
        state = .resting
        let rest = min(WebhookHealth.longestRest, WebhookHealth.firstRest << Int64(min(rests, 6)))
        rests += 1
        number += 1
        return .rest(WebhookSchedule.spread(rest, random), number: number)
    }

    mutating func saidGone() -> Change {
        guard state != .gone else { return .none }
        state = .gone
        return .wentGone
    }

    /// - Returns: whether it is tried now; false for a rest that was cut short, whatever came after it.
    mutating func restOver(_ ended: UInt64) -> Bool {
        guard state == .resting, ended == number else { return false }
        state = .trying
        return true
    }

    /// Somebody asks for it: it is as good as new.
    mutating func askedAgain() {
        state = .well
        failures = 0
        rests = 0
    }
}
