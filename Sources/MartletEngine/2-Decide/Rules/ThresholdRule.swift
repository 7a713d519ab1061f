import MartletModel

/// From which amount a customer is told: as he set it, else as the package has it. Amounts in another currency than any threshold are told;
/// to keep silent would need a rate, and a rate that is wrong would hide a payment.
enum ThresholdRule {
    static func ask(_ customer: borrowing Customer, _ decider: borrowing Decider, _ asking: borrowing Decider.Asking) -> RuleAnswer {
        guard asking.subscription >= 0 else {
            // Asked all the same, for an explanation.
            if asking.definition.needsPackage { return RuleAnswer(.threshold, .ignored, .notConnected) }
            return RuleAnswer(.threshold, .ignored, asking.definition.isMandatory ? .isMandatory : .isForEveryone)
        }
        let found = compare(customer.packages[asking.subscription], decider, asking, asking.entry)
        return found.isPassed
            ? RuleAnswer(.threshold, .passes, found.because, found.threshold)
            : RuleAnswer(.threshold, .suppresses(.belowThreshold), found.because, found.threshold)
    }

    struct Comparison {
        var isPassed: Bool
        var because: RuleAnswer.Because
        var threshold: Int64 = 0
    }

    static func compare(
        _ subscription: borrowing PackageSubscription, _ decider: borrowing Decider, _ asking: borrowing Decider.Asking, _ entry: Int32
    ) -> Comparison {
        guard let amount = asking.event.amount else { return Comparison(isPassed: true, because: .saysNoAmount) }
        // The size of a withdrawal counts, not that it is written as minus.
        let size = amount.minor.magnitude
        var hasOwn = false
        for one in subscription.thresholds where one.eventType == asking.definition.type {
            hasOwn = true
            if one.currency == amount.currency { return reaches(size, one.amount) }
        }
        // Who set his own amounts is not told by those of the package.
        if hasOwn { return Comparison(isPassed: true, because: .otherCurrency) }
        let thresholds = decider.entries[Int(entry)].thresholds
        for place in thresholds where decider.thresholds[Int(place)].currency == amount.currency {
            return reaches(size, decider.thresholds[Int(place)].minor)
        }
        return Comparison(isPassed: true, because: thresholds.isEmpty ? .hasNoThreshold : .otherCurrency)
    }

    private static func reaches(_ size: UInt64, _ threshold: Int64) -> Comparison {
        let isPassed = threshold <= 0 || size >= UInt64(threshold)
        return Comparison(isPassed: isPassed, because: isPassed ? .reachesThreshold : .belowThreshold, threshold: threshold)
    }
}
