public import NIOCore

/// Requests of ours beside the window, few at a time: questions about messages that were sent before. They take no room from submits.
/// They share the numbers of the window, and are named by a tag of the owner's choice.
struct Asides {
    static let maximum = 8

    private struct Entry {
        var sequence: UInt32
        var command: Command
        var takenAt: Int64
        var tag: Int
    }

    /// Oldest first.
    private var entries: [Entry] = []

    var room: Int { Asides.maximum - entries.count }

    /// When the one that waits longest was taken.
    var oldest: Int64? { entries.first?.takenAt }

    mutating func add(_ command: Command, sequence: UInt32, tag: Int, at now: Int64) {
        entries.append(Entry(sequence: sequence, command: command, takenAt: now, tag: tag))
    }

    /// - Parameter response: command of the answer; generic_nack answers any.
    mutating func take(_ sequence: UInt32, answeredBy response: Command) -> Int? {
        guard
            let index = entries.firstIndex(where: {
                $0.sequence == sequence && (response == .genericNack || $0.command.response == response)
            })
        else { return nil }
        return entries.remove(at: index).tag
    }

    /// Taken at or before this time.
    mutating func expire(_ limit: Int64) -> [Int] {
        let count = entries.prefix { $0.takenAt <= limit }.count
        let tags = entries.prefix(count).map(\.tag)
        entries.removeFirst(count)
        return tags
    }
}

extension ClientSession {
    /// Requests that may be written beside the window now.
    public var asideRoom: Int {
        if case .bound(let mode) = state, mode.transmits { return asides.room }
        return 0
    }

    /// Writes a query_sm beside the window; `asideAnswered` brings the tag back. The caller has seen `asideRoom`.
    public mutating func askAside(_ query: Query, tag: Int, at now: Int64, out: inout ByteBuffer) throws(EncodingFault) {
        let sequence = numberAside()
        try out.writeQuery(query, sequence: sequence)
        asides.add(.query, sequence: sequence, tag: tag, at: now)
    }

    /// As `askAside`, a cancel_sm.
    public mutating func cancelAside(_ cancel: Cancel, tag: Int, at now: Int64, out: inout ByteBuffer) throws(EncodingFault) {
        let sequence = numberAside()
        try out.writeCancel(cancel, sequence: sequence)
        asides.add(.cancel, sequence: sequence, tag: tag, at: now)
    }

    /// Tags of those beside the window whose time for an answer is over; as with `tick`, called now and then.
    public mutating func expiredAsides(at now: Int64) -> [Int] { asides.expire(now - answerTimeout) }

    /// The transport is gone: the tags of all that are open beside the window.
    public mutating func lostAsides() -> [Int] { asides.expire(.max) }
}
