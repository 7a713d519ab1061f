import Logging
import MartletEngine
public import MartletModel

/// What one source handed in, what of it ended, what is open, and what it may send.
public struct LedgerLine: Sendable {
    public var source: SourceNumber
    public var name: String
    public var accepted: UInt64
    public var ended: UInt64
    public var open: Int
    /// Accepted less ended less open; 0 where nothing was lost.
    public var drift: Int
    /// Open by the running count less open by the last whole count of the table.
    public var miscount: Int
    public var messagesToday: UInt64
    public var partsToday: UInt64
    public var limits: SourceLimits
}

/// The reconciler: always accepted = ended + open, by source.
extension Node {
    /// Every source that ever handed something in, by number.
    public var ledger: [LedgerLine] {
        let now = now()
        return engine.ledger.sources.map { source in
            let entry = engine.ledger[source]
            let today = engine.today(source, now)
            return LedgerLine(
                source: source, name: name(of: source), accepted: entry.accepted, ended: entry.ended, open: entry.open, drift: entry.drift,
                miscount: entry.miscount, messagesToday: today.messages, partsToday: today.parts, limits: engine.limits(source))
        }
    }

    /// Its name; a source that the file no longer knows has its number for one.
    public func name(of source: SourceNumber) -> String { sourceNames[source] ?? "source-\(source)" }

    /// What each source may send from now on.
    public func set(limits: [SourceNumber: SourceLimits]) { engine.set(limits: limits, now()) }

    /// Looks at every source's sums; tells once when one begins or ceases not to add up, or does so by another number.
    func reconcile() {
        for source in engine.ledger.sources {
            let entry = engine.ledger[source]
            let off = entry.drift != 0 ? entry.drift : entry.miscount
            guard off != drifts[source] ?? 0 else { continue }
            drifts[source] = off == 0 ? nil : off
            let metadata: Logger.Metadata = [
                "source": "\(name(of: source))", "accepted": "\(entry.accepted)", "ended": "\(entry.ended)", "open": "\(entry.open)",
                "drift": "\(entry.drift)", "miscount": "\(entry.miscount)",
            ]
            if off == 0 {
                parts.logger.notice("the ledger of a source adds up again", metadata: metadata)
            } else {
                parts.logger.error(
                    "the ledger of a source does not add up: messages were lost, or the journal lost records; run `martlet journal verify`",
                    metadata: metadata)
            }
        }
    }

    /// Writes down the sums of sources with new records, so that a start can tell whether the journal lost any.
    func stateLedgers() {
        guard !broken, !stopping, !isBehind else { return }
        turn.begin(now())
        engine.stateLedgers(&turn)
        if append(), !turn.records.isEmpty { kickLater() }
    }
}
