// Records name what a rulebook has by numbers; people know it by keys.

extension Story {
    /// Tells events and packages by the keys that people know them by; one without keeps its number.
    public mutating func name(events: (UInt16) throws -> String?, packages: (UInt16) throws -> String?) rethrows {
        for index in hops.indices {
            try hops[index].name("event", by: events)
            try hops[index].name("package", by: packages)
        }
    }
}

extension Story.Hop {
    /// Only of a decision: elsewhere a word is what its sender wrote.
    public mutating func name(_ detail: String, by key: (UInt16) throws -> String?) rethrows {
        guard hop == "decide", let place = details.firstIndex(where: { $0.0 == detail }), let number = UInt16(details[place].1),
            let name = try key(number)
        else { return }
        details[place].1 = name
    }
}

extension PlannedMessage {
    /// `1 push no_contact`; nil: it is not skipped.
    var skipWords: String? {
        guard case .skipped(let why) = when else { return nil }
        return "\(step + 1) \(channel.word) \(why.word)"
    }
}
