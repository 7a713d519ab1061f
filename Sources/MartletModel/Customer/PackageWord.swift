/// What a customer said of a package by a word from a handset: wants to be told by it, or no more.
public struct PackageWord: Hashable, Sendable {
    public var package: UInt16
    public var isWanted: Bool
    /// Wall microseconds at which the node heard it.
    public var at: Int64

    public init(_ package: UInt16, isWanted: Bool, at: Int64) {
        self.package = package
        self.isWanted = isWanted
        self.at = at
    }

    var firstDay: UInt16 { PackageSubscription.firstDay(at: at) }
    /// The latest day that it can be anywhere.
    var lastDay: UInt16 { UInt16(clamping: at / 86_400_000_000 + 1) }
}

extension Customer {
    /// Takes the word in, unless one as new is in `packages` already: what the bank or the customer changed since holds against it.
    ///
    /// A package is connected for all accounts and cards; where it stands so, it is no longer paused, and begins and ends no more on a day that keeps
    /// it from being told. One that is not wanted is taken away for every account and card.
    /// - Returns: false where there is no room for another package.
    @discardableResult
    public mutating func learn(_ word: PackageWord) -> Bool {
        guard word.at > packagesHeardAt else { return true }
        packagesHeardAt = word.at
        guard word.isWanted else {
            packages.removeAll { $0.package == word.package }
            return true
        }
        guard let place = packages.firstIndex(where: { $0.package == word.package && $0.scope == nil }) else {
            guard packages.count < CustomerLimits.packages else { return false }
            // Those for all stand before those for one account or card.
            let index = packages.firstIndex { $0.scope != nil } ?? packages.count
            packages.insert(PackageSubscription(package: word.package, from: word.firstDay), at: index)
            return true
        }
        packages[place].isPaused = false
        packages[place].from = min(packages[place].from, word.firstDay)
        if let until = packages[place].until, until <= word.lastDay { packages[place].until = nil }
        return true
    }
}
