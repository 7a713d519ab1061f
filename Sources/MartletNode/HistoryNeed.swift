import Journal
import MartletEngine

extension HistoryNeed {
    /// - Parameter place: what the desk's file says; nil: there is none.
    mutating func take(_ place: PlaceFile.Place?, of journal: JournalID) {
        // Of another journal: the history has nothing of this one.
        take(first: place.map { $0.journal == journal ? $0.position.journalSegment : 0 })
    }
}
