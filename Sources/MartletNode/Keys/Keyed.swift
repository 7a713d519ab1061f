import Dispatch
import Journal
import Logging
import MartletEngine
import MartletModel
import NIOCore

/// Questions about keys that wait on the disk; nobody else waits for them.
private let asking = DispatchQueue(label: "martlet.keys")

/// A hash whose run is being asked.
struct KeyQuestion {
    var hash: UInt64
    var runs: [SortedRun]
    var then: (Found) -> Void

    enum Found {
        case known(KeyMemory.Remembered)
        case new
        /// A run that may have it could not be read.
        case unread
    }
}

/// What a source hands in under a key: a ready text, or an event.
protocol HandedIn {
    var source: SourceNumber { get }
    /// - Parameter key: hashes of its idempotency key and body, which is new; nil: it has none.
    func take(into node: Node, key: (hash: UInt64, body: UInt64)?, then: @escaping (Acceptance) -> Void)
}

extension Submission: HandedIn {
    func take(into node: Node, key: (hash: UInt64, body: UInt64)?, then: @escaping (Acceptance) -> Void) {
        node.take(self, key: key, then: then)
    }
}

/// Submissions with an idempotency key. A new key costs two short hashes and a look into the filter, and is taken on the spot; one
/// that the filter cannot deny is looked up, on another thread where it must be.
extension Node {
    private static let retryDelay: Int64 = 10_000_000

    func submitKeyed(_ handed: some HandedIn, _ idempotency: Idempotency, then: @escaping (Acceptance) -> Void) {
        guard !stopping else { return refuse(.stopping, then) }
        let hash = lookups.key(idempotency, of: handed.source)
        let body = lookups.body(idempotency)
        switch keys.find(hash, now()) {
        case .new: handed.take(into: self, key: (hash, body), then: then)
        case .known(let remembered): repeated(remembered, body, then)
        case .beingAsked: refuse(.keyInFlight(retryAfterSeconds: 1), then)
        case .ask(let runs):
            let isAsked = ask(hash, runs) { [self] found in
                switch found {
                case .known(let remembered): repeated(remembered, body, then)
                case .new: handed.take(into: self, key: (hash, body), then: then)
                // It may have been used: better no message than two.
                case .unread: refuse(.storage(retryAfterSeconds: 5), then)
                }
            }
            if !isAsked { refuse(.full(retryAfterSeconds: 1), then) }
        }
    }

    /// Looks a hash up on disk.
    /// - Returns: false, and `then` is not called, when too many are looked up.
    func ask(_ hash: UInt64, _ runs: [SortedRun], then: @escaping (KeyQuestion.Found) -> Void) -> Bool {
        guard keys.asked.count < KeyMemory.questionMaximum else { return false }
        keys.asked.insert(hash)
        questions.append(KeyQuestion(hash: hash, runs: runs, then: then))
        // All of one turn of the loop go together.
        if questions.count == 1 { loop.assumeIsolated().execute { self.ask() } }
        return true
    }

    /// The key came before: the same answer, unless the body is another or there is no answer yet.
    private func repeated(_ remembered: KeyMemory.Remembered, _ body: UInt64, _ then: (Acceptance) -> Void) {
        guard remembered.body == body else { return refuse(.keyReused, then) }
        guard remembered.position < durableEnd || remembered.position == 0 else { return refuse(.keyInFlight(retryAfterSeconds: 1), then) }
        keys.answered += 1
        then(.repeated(remembered.id, parts: remembered.parts))
    }

    private func ask() {
        let asked = questions
        questions.removeAll(keepingCapacity: true)
        keys.looked += asked.count
        let bound = NIOLoopBound((node: self, questions: asked), eventLoop: loop)
        let loop = self.loop
        let work = parts.keyWork
        let wanted = asked.map { (hash: $0.hash, runs: $0.runs) }
        asking.async {
            let answers = work.ask(wanted)
            loop.execute { bound.value.node.heard(answers, of: bound.value.questions) }
        }
    }

    private func heard(_ answers: KeyWork.Answers, of questions: [KeyQuestion]) {
        let oldest = keys.oldest(now())
        for (question, answer) in zip(questions, answers.found) {
            keys.asked.remove(question.hash)
            switch answer {
            case .entry(let entry) where KeyMemory.Remembered(entry).id.milliseconds >= oldest:
                question.then(.known(KeyMemory.Remembered(entry)))
            case .entry, .none: question.then(.new)
            case .unread: question.then(.unread)
            }
            keys.goOn(question.hash)
        }
        if let segment = answers.unread.min() { mendKeys(segment) }
    }

    // MARK: Runs

    /// Writes the run of the oldest segment that is finished and has none, one at a time.
    func settleKeys() {
        guard !keys.isWorking, let finished = keys.finished(before: durableEnd.journalSegment) else { return }
        workOnKeys(finished.segment) { work, oldest in try work.settle(finished, since: oldest) }
    }

    /// Makes a run anew that could not be read, as long as its segment is there.
    private func mendKeys(_ segment: UInt32) {
        guard !keys.isWorking else { return }
        workOnKeys(segment) { work, oldest in try work.mend(segment, since: oldest) }
    }

    private func workOnKeys(_ segment: UInt32, _ body: @escaping @Sendable (KeyWork, Int64) throws -> SortedRun?) {
        let now = now()
        guard now.steady >= keys.retryAt else { return }
        keys.isWorking = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = self.loop
        let (work, oldest) = (parts.keyWork, keys.oldest(now))
        parts.background.async {
            let result = Result { try body(work, oldest) }
            loop.execute { bound.value.worked(on: segment, result) }
        }
    }

    private func worked(on segment: UInt32, _ result: Result<SortedRun?, any Error>) {
        keys.isWorking = false
        switch result {
        case .success(let run):
            keys.settled(segment, run)
            settleKeys()
        case .failure(let error):
            keys.failures += 1
            keys.retryAt = now().steady + Node.retryDelay
            parts.logger.error(
                "the idempotency keys of a segment cannot be kept apart from it; tried again",
                metadata: ["segment": "\(segment)", "reason": "\(error)"])
        }
    }

    /// Lets go of keys that are too old.
    func expireKeys() {
        settleKeys()
        let (runs, filters) = keys.expire(now())
        guard !runs.isEmpty || !filters.isEmpty else { return }
        let (place, logger) = (parts.keyWork.place, parts.logger)
        parts.background.async {
            for run in runs {
                do { try place.remove(run.segment) } catch {
                    logger.error("old idempotency keys cannot be removed", metadata: ["reason": "\(error)"])
                }
            }
            // Large memory is given back to the system here rather than on the loop.
            withExtendedLifetime(filters) {}
        }
    }
}
