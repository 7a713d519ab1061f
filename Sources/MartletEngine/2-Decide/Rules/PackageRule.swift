import Calendar
import MartletModel

/// A customer is told of what is in the packages that he connected: for the account or card that the event is about, on the days for
/// which he connected them. What is connected for a card goes before what is for an account, and that before what is for all; so does what is
/// paused: who pauses it for one card wants nothing for that card, whatever is connected for all.
enum PackageRule {
    static func ask(
        _ customer: borrowing Customer, _ decider: borrowing Decider, _ asking: inout Decider.Asking, _ decision: inout Decision
    ) -> RuleAnswer {
        guard asking.definition.needsPackage else {
            return RuleAnswer(.package, .ignored, asking.definition.isMandatory ? .isMandatory : .isForEveryone)
        }
        var best = -1
        var bestRank = 0
        var bestEntry: Int32 = -1
        var isTold = false
        // Why the one that came furthest does not hold.
        var because = RuleAnswer.Because.notConnected
        var day: UInt16?
        for place in customer.packages.indices {
            guard let entry = decider.entry(asking.definition, customer.packages[place].package) else { continue }
            let rank: Int
            switch customer.packages[place].scope {
            case .card(let hash): rank = hash == asking.event.card && hash != 0 ? 3 : 0
            case .account(let hash): rank = hash == asking.event.account && hash != 0 ? 2 : 0
            case nil: rank = 1
            }
            guard rank > 0 else {
                if because == .notConnected { because = .notForThisAccount }
                continue
            }
            let today = day ?? decider.localDay(of: customer, at: asking.circumstances.now)
            day = today
            guard customer.packages[place].hasDay(today) else {
                if because != .paused { because = .notYetOrNoLonger }
                continue
            }
            guard !customer.packages[place].isPaused else {
                because = .paused
                if rank > bestRank { (best, bestRank, isTold) = (-1, rank, false) }
                continue
            }
            // Of two of one rank the one that is not paused, and that tells this amount.
            let tells = ThresholdRule.compare(customer.packages[place], decider, asking, entry).isPassed
            guard rank > bestRank || rank == bestRank && (best < 0 || tells && !isTold) else { continue }
            (best, bestRank, bestEntry, isTold) = (place, rank, entry, tells)
        }
        guard best >= 0 else { return RuleAnswer(.package, .suppresses(.notInPackage), because) }
        (asking.subscription, asking.entry) = (best, bestEntry)
        let channels = customer.packages[best].channels ?? decider.entries[Int(bestEntry)].channels
        asking.notInPackage = ChannelSet.all.subtracting(channels)
        decision.package = customer.packages[best].package
        return RuleAnswer(.package, .passes, .connected, Int64(customer.packages[best].package))
    }
}

/// Wall microseconds as whole seconds, rounded down.
func floorSeconds(_ microseconds: Int64) -> Int64 {
    microseconds >= 0 ? microseconds / 1_000_000 : -((-microseconds + 999_999) / 1_000_000)
}

extension Decider {
    /// Days since 1970 where the customer lives.
    func localDay(of customer: borrowing Customer, at now: Int64) -> UInt16 {
        UInt16(clamping: zone(of: customer).local(at: floorSeconds(now)).day.number)
    }

    /// Place of the package among those that have the event; nil: it does not.
    func entry(_ definition: Event, _ package: UInt16) -> Int32? {
        for place in definition.entries where entries[Int(place)].package == package { return place }
        return nil
    }
}
