import Journal

/// What of the log the history still lacks, as the desk said last.
struct HistoryNeed {
    private enum Said {
        /// Not asked yet.
        case unknown
        /// There is no desk on this data.
        case nothing
        /// All from this segment on.
        case from(UInt32)
    }

    private var said = Said.unknown

    mutating func take(_ place: PlaceFile.Place?, of journal: JournalID) {
        guard let place else { return said = .nothing }
        // Of another journal: the history has nothing of this one.
        said = .from(place.journal == journal ? place.position.journalSegment : 0)
    }

    func lacks(_ segment: UInt32) -> Bool {
        switch said {
        case .unknown: true
        case .nothing: false
        case .from(let first): segment >= first
        }
    }
}
