import Dispatch
import Guard
import Journal
import Logging
import MartletEngine
import MartletModel
import NIOCore

/// What runs beside the flow: the core's clock, tomorrow's keys, and the trimming of the past.
extension Node {
    /// Open messages carried forward in one step, so that the loop is never held for long.
    private static let carryStep = 2048

    /// Starts the clockwork. Called once, on the loop, when the past is folded in.
    public func start() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        func every(_ time: TimeAmount, _ work: @escaping @Sendable (Node) -> Void) -> RepeatedTask {
            loop.scheduleRepeatedTask(initialDelay: time, delay: time) { _ in work(bound.value) }
        }
        maintenance = [
            every(.milliseconds(50)) { $0.tick() }, every(.minutes(10)) { $0.prepareKeys() }, every(.seconds(1)) { $0.trim() },
            every(.seconds(1)) { $0.readHistoryCursor() },
            every(.seconds(1)) { $0.reconcile() }, every(.seconds(1)) { $0.watchOptOuts() },
            every(.milliseconds(500)) { $0.watchCustomers() },
            every(.minutes(10)) { $0.stateLedgers() },
            every(.seconds(1)) { $0.expireKeys() },
        ]
        isStarted = true
        kick()
    }

    private func tick() {
        guard !broken, !isBehind else { return }
        turn.begin(now())
        engine.tick(&turn)
        if !turn.records.isEmpty, append() { kickLater() }
        pumpAll()
        decideDue()
        if engine.owedTotal > 0 { tellAll() }
        askAll()
    }

    /// The keys of today and tomorrow are made before they are needed, away from the loop.
    private func prepareKeys() {
        let today = DataKey.day(ofMicroseconds: now().wall)
        let (store, logger) = (parts.keys, parts.logger)
        parts.background.async {
            do {
                try store.prepare(days: today...today + 1, classes: MessageClass.allCases.map(\.rawValue))
            } catch {
                logger.error("tomorrow's data keys cannot be made; tried again in ten minutes", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// Free room below which the past goes before its cap: what the journal is about to make, and as much again for what lies beside it.
    private static let roomSegments = 2

    /// Once for each segment that is begun, however fast they fill, and where a trim waited for this commit. The log then never grows far beyond its
    /// cap, and never into the last of the volume, whoever else should have made room there.
    func trimWithCommit() {
        trimAwaits = false
        if durableEnd.journalSegment != begun {
            begun = durableEnd.journalSegment
            lookForRoom()
        }
        loop.assumeIsolated().execute { self.trim() }
    }

    /// Asks the volume, away from the loop.
    private func lookForRoom() {
        let (spill, loop, logger) = (parts.spill, self.loop, parts.logger)
        let bound = NIOLoopBound(self, eventLoop: loop)
        parts.background.async {
            do {
                let room = try spill.room()
                loop.execute { bound.value.found(room: room) }
            } catch {
                logger.error("the volume of the journal cannot be asked for its room", metadata: ["reason": "\(error)"])
            }
        }
    }

    private func found(room: Int) {
        guard let segment = parts.journal.segments.last?.size, segment > 0 else { return }
        shortage = max(0, (Node.roomSegments * segment - room + segment - 1) / segment)
        if shortage > 0 { trim() }
    }

    /// Trims segments whose time is over, carrying forward what is still open in them.
    private func trim() {
        guard !carrying, !broken, !stopping, !isBehind else { return }
        let segments = parts.journal.segments
        guard segments.count > 1, let oldest = segments.first else { return }
        let size = segments.reduce(0) { $0 + $1.size }
        let over = size > parts.capBytes || shortage > 0
        // Of its newest record: a slow bank fills a segment in days.
        let written = oldest.writtenAt == 0 ? oldest.createdAt : oldest.writtenAt
        let age = now().wall - Int64(clamping: written / 1000)
        let choice = OldestSegment.choose(
            .init(
                isOverCap: over, isPastTime: age > parts.keepMicroseconds, live: engine.live(in: oldest.number), segments: segments.count,
                isLacked: history.lacks(oldest.number)))
        switch choice {
        case .stays: return
        case .isCarried: return beginCarry(upTo: oldest.number)
        case .goes(let reason):
            if cleared.segment != oldest.number {
                cleared = (oldest.number, lastAppended)
                tell(reason, of: oldest.number, bytes: size)
            }
        }
        guard oldest.number < durableEnd.journalSegment, cleared.by < durableEnd else {
            trimAwaits = over
            return
        }
        // Its idempotency keys must stand elsewhere first, unless there is no room to write them.
        guard keys.isSettled(oldest.number) || parts.journal.state.isLow || shortage > 0 else { return }
        parts.recent.trim(before: oldest.number + 1)
        parts.journal.trim(before: oldest.number + 1)
        namedKeys.trim(before: oldest.number + 1)
        shortage = max(0, shortage - 1)
        // The next one may be due as well.
        loop.assumeIsolated().execute { self.trim() }
    }

    /// How far the history has come stands in a file of the desk; read away from the loop.
    private func readHistoryCursor() {
        let (file, journal) = (PlaceFile(parts.historyCursor), parts.journal.id)
        let bound = NIOLoopBound(self, eventLoop: loop)
        let (loop, logger) = (self.loop, parts.logger)
        parts.background.async {
            do {
                let place = try file.read()
                loop.execute { bound.value.history.take(place, of: journal) }
            } catch {
                logger.error(
                    "the desk's history cursor cannot be read; nothing that it may lack is trimmed", metadata: ["reason": "\(error)"])
            }
        }
    }

    private func tell(_ reason: OldestSegment.Reason, of segment: UInt32, bytes: Int) {
        var metadata: Logger.Metadata = ["segment": "\(segment)", "bytes": "\(bytes)", "cap": "\(parts.capBytes)"]
        if bytes <= parts.capBytes { metadata["lackingSegments"] = "\(shortage)" }
        // Below its cap it is the volume that lacks room.
        let cause = bytes <= parts.capBytes ? "the journal's volume is nearly full" : "the journal is over its cap"
        switch reason {
        case .time: break
        case .cap: parts.logger.warning("\(cause): ended messages go before their time", metadata: metadata)
        case .capBeforeHistory:
            parts.logger.error("\(cause): a segment that the history may lack goes", metadata: metadata)
        }
    }

    private func beginCarry(upTo segment: UInt32) {
        carrying = true
        let candidates = engine.carryCandidates(upTo: segment, limit: Node.carryStep, cursor: &carryCursor)
        if candidates.isEmpty, carryCursor != 0 {
            // Nothing in this stretch of the table: on to the next with the loop's next round.
            carrying = false
            return loop.assumeIsolated().execute { self.trim() }
        }
        readForCarry(candidates, upTo: segment)
    }

    func carry(_ items: [(slot: SlotReference, sealed: [UInt8]?, keyID: UInt32)], upTo segment: UInt32) {
        carrying = false
        guard !stopping else { return }
        turn.begin(now())
        engine.carry(items, orphansUpTo: segment, &turn)
        guard !turn.records.isEmpty, append() else { return }
        trimAwaits = shortage > 0 || parts.journal.segments.reduce(0) { $0 + $1.size } > parts.capBytes
        kickLater()
    }

    /// Stops taking work, lets what is on the wire be answered, and ends the log with a clean stop.
    /// - Parameter then: when everything is durable; on the loop.
    public func drain(then: @escaping () -> Void) {
        leaving = true
        stopping = true
        for task in maintenance { task.cancel() }
        var left = connections.count
        let finished = {
            self.turn.begin(self.now())
            self.engine.stateLedgers(&self.turn)
            self.engine.mark(.init(what: .stopped), &self.turn)
            guard self.append() else { return then() }
            self.open.stories.append(then)
            self.kickSoon()
        }
        guard left > 0 else { return finished() }
        for entry in connections.values {
            entry.connection.stop {
                left -= 1
                if left == 0 { finished() }
            }
        }
    }
}
