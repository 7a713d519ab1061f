import MartletModel
import SMSText

@testable import MartletEngine

extension WorldLoop {
    func submit(_ submission: Submission, _ number: Int) {
        let (to, text) = (submission.to, submission.text)
        if isUsedUp(submission) { return askForShare(submission.source) }
        let route = configuration.routes.group(for: to)
        let planned = try? (configuration.texts[route ?? 0] ?? .standard).plan(text)
        // Plain letters: 160 in a single message, 153 in each part of a longer one.
        let parts = hasRules ? planned?.plan.parts ?? 0 : text.utf8.count <= 160 ? 1 : (text.utf8.count + 152) / 153
        turn.begin(instant)
        let isCapped = engine.hasCaps(of: submission.messageClass)
        let subject = isCapped ? world.bank.owner(of: to) : 0
        let party: Engine.TextParty = !isCapped ? .nobody : subject == 0 ? .number : .customer(subject)
        switch engine.accept(submission, of: party, random: dice.next(), &turn) {
        case .accepted(let id, let count):
            checker.check(Int(count) == parts && parts <= World.partsMaximum, "accepted in \(count) parts, has \(parts)")
            let deadline = instant.wallMilliseconds + submission.validity * 1000
            if submission.validity <= patience { world.latestDeadline = max(world.latestDeadline, deadline) }
            let card = Card(
                number: number, submission: submission, group: route ?? 0, parts: planned?.plan.submits ?? 0, onAir: Int(count), id: id,
                acceptedAt: steady, deadline: deadline)
            card.capped = subject
            card.isCapped = isCapped
            checker.cards[id] = card
            engine.sayCounted(&turn)
            append(nil, [])
            if sabotage == .answersBeforeDurable { card.told = true } else { open.append(.told(card)) }
            kick()
        case .refused(.noAlphabet): checker.check(hasRules && planned == nil, "no alphabet for a text that has one")
        case .refused(.noRoute): checker.check(route == nil, "no route for a number that has one")
        case .refused(.tooManyParts(let has, let limit)): checker.check(has == parts && parts > limit, "too many parts: \(has)")
        case .refused(.quotaUsedUp(let seconds)):
            askForShare(submission.source)
            checker.check(checker.quotas[submission.source] != nil && (1...86_400).contains(seconds), "refused for a quota: \(seconds) s")
        case .refused(.rateLimited(let seconds)):
            checker.check(world.limits[submission.source].map { $0.rate > 0 } ?? false && seconds >= 1, "refused for a rate: \(seconds) s")
        case .refused(.full):
            let isForOptOuts = engine.hasMostOptOuts && submission.messageClass == .marketing
            checker.check(isForOptOuts || engine.openCount >= configuration.openMaximum, "full with \(engine.openCount) open")
        case .refused(let other): checker.fault("refused: \(other)")
        }
    }

    /// Without a share nothing is asked of the engine, for which 0 is no limit.
    func isUsedUp(_ submission: Submission) -> Bool {
        !submission.messageClass.lane.isStrict && shares[submission.source].map { $0 <= 0 } ?? false
    }
}
