import MartletModel

/// An event whose definition is a draft is taken, so that its source can be built and tried, and told to nobody.
enum PublishedRule {
    static func ask(_ asking: borrowing Decider.Asking) -> RuleAnswer {
        asking.definition.isPublished
            ? RuleAnswer(.published, .passes, .isPublished) : RuleAnswer(.published, .suppresses(.unpublished), .isDraft)
    }
}
