import MartletModel
import SMSText

extension Engine {
    /// A message of an event as it goes out.
    struct Prepared {
        var message: PlannedMessage
        var to: PhoneNumber
        var group: GroupNumber
        var worded: Worded
    }

    /// Why a message that the rules let go cannot be made ready, and how much else that takes.
    struct Obstacle: Error {
        let why: PlannedMessage.Skip
        let reach: Reach

        enum Reach {
            /// This step over this contact alone: by another route, or to another number, it may go.
            case way
            /// Every step that goes to this contact.
            case contact
            /// Whatever goes over the channel.
            case channel
        }

        func exclusion(of message: PlannedMessage) -> Exclusion {
            switch reach {
            case .way: Exclusion(step: message.step, channel: message.channel, contact: message.contact, why: why)
            case .contact: Exclusion(channel: message.channel, contact: message.contact, why: why)
            case .channel: Exclusion(channel: message.channel, why: why)
            }
        }
    }

    /// What a decision is made from, and what came of it.
    struct Considering {
        let place: Int?
        let values: [EventPayload.NamedValue]
        var event: DecisionEvent
        var customer: Customer?
        var circumstances: Circumstances
        /// Read once, when a message goes.
        var details: CustomerDetails??
        var prepared: Prepared?
        /// No opt-out holds it back.
        var isMandatory = false

        init(
            _ event: DecisionEvent, _ values: [EventPayload.NamedValue], _ customer: borrowing Customer?, _ circumstances: Circumstances,
            in book: DecisionBook
        ) {
            self.event = event
            self.customer = copy customer
            self.circumstances = circumstances
            place = book.decider.place(of: event.event)
            guard let place, book.rules.events.indices.contains(place) else {
                self.values = []
                return
            }
            let definition = book.rules.events[place]
            isMandatory = definition.isMandatory
            self.values = Engine.values(values, definition)
            guard let threshold = definition.threshold, definition.parameters.indices.contains(threshold) else { return }
            let name = definition.parameters[threshold].name
            if case .money(let amount)? = self.values.first(where: { $0.name == name })?.value { self.event.amount = amount }
        }
    }

    /// What an event says, by another release's definition: what that does not have is left out, what it has besides is what it assumes.
    static func values(_ said: [EventPayload.NamedValue], _ definition: EventDefinition) -> [EventPayload.NamedValue] {
        var next = 0
        return definition.parameters.compactMap { parameter in
            // They come in the definition's order, as a rule.
            let isNext = next < said.count && said[next].name == parameter.name
            let value = isNext ? said[next].value : said.first { $0.name == parameter.name }?.value
            if isNext { next += 1 }
            guard let one = value.flatMap({ $0.type == parameter.type ? $0 : nil }) ?? parameter.assumed else { return nil }
            return EventPayload.NamedValue(parameter.name, one)
        }
    }

    /// What of the engine's own state a decision about this customer reads.
    /// - Parameter isFresh: it has just come, so it does not count for its event's limit yet.
    func circumstances(
        _ event: UInt16, _ subject: SubjectNumber, at wall: Int64, isDuplicate: Bool = false, isFresh: Bool, _ book: DecisionBook
    ) -> Circumstances {
        var it = Circumstances(now: wall, stage: isFresh ? .fresh : .release, channels: served, isDuplicate: isDuplicate)
        guard subject != 0, let place = book.decider.place(of: event) else { return it }
        it.usedCaps = caps.used(by: subject, caps: book.decider.events[place].caps, of: book.decider.counters, at: wall)
        if isFresh, let limit = book.limit(of: event, place) { it.recent = UInt32(clamping: caps.count(of: limit, for: subject, at: wall)) }
        return it
    }

    /// What an event counts for: the caps of what is told, and its limit once, whatever is decided.
    func counters(
        _ decision: borrowing Decision, _ event: UInt16, isTold: Bool, isFresh: Bool, _ book: DecisionBook
    ) -> [RecordBody.Counter] {
        book.counters(decision, event, isTold: isTold, isFresh: isFresh)
    }

    /// Decides, and makes ready what goes. What cannot be made ready is left out, the least of it that the obstacle allows, and it is decided again
    /// without: what is recorded is the last decision, with the circumstances of that, so it can be made again from its record.
    func consider(
        _ it: inout Considering, _ book: DecisionBook, asksAll: Bool = false, opening: (SubjectNumber) -> CustomerDetails?,
        into decision: inout Decision
    ) {
        // At the most of them whole channels are left out, of which there are few.
        for _ in 0...Exclusion.most + ChannelKind.all.count {
            it.prepared = nil
            guard book.decider.decide(it.event, it.customer, it.circumstances, asksAll: asksAll, into: &decision) else {
                // A release took the definition out.
                decision.outcome = .suppress(.unpublished)
                decision.deadline = it.event.deadline ?? it.event.occurredAt
                return
            }
            guard decision.outcome == .tell, let message = decision.messages.first(where: { $0.when == .now }) else { return }
            do throws(Obstacle) {
                it.prepared = try prepare(message, &it, book, route: book.step(message.step, of: decision)?.route, opening)
                return
            } catch {
                let isMost = it.circumstances.exclusions.count >= Exclusion.most
                let obstacle = isMost ? Obstacle(why: error.why, reach: .channel) : error
                it.circumstances.exclusions.append(obstacle.exclusion(of: message))
            }
        }
    }

    private func prepare(
        _ message: PlannedMessage, _ it: inout Considering, _ book: DecisionBook, route: String?,
        _ opening: (SubjectNumber) -> CustomerDetails?
    ) throws(Obstacle) -> Prepared {
        guard message.channel == .sms else { throw Obstacle(why: .notServed, reach: .channel) }
        guard let place = it.place, let customer = it.customer else { throw Obstacle(why: .noKey, reach: .channel) }
        if it.details == nil { it.details = .some(opening(customer.subject)) }
        guard case .some(.some(let details)) = it.details else { throw Obstacle(why: .noKey, reach: .channel) }
        guard case .phone(let digits)? = details.address(message.contact), digits != 0 else {
            throw Obstacle(why: .noAddress, reach: .contact)
        }
        let to = PhoneNumber(digits: digits)
        // A step's own goes before the number's; one that no connection has any more is none.
        guard let group = route.flatMap({ configuration.groups[$0] }) ?? configuration.routes.group(for: to) else {
            throw Obstacle(why: .noRoute, reach: .way)
        }
        if !optOuts.isEmpty, !it.isMandatory, optOuts.unwanted(by: lookups.number(to)).contains(book.rules.events[place].messageClass) {
            throw Obstacle(why: .contactOptedOut, reach: .contact)
        }
        let worded: Worded
        do throws(WordingFault) {
            worded = try book.wording.sms(
                event: place, it.values, details, book.locale(of: customer), book.decider.zone(of: customer),
                count: { text throws(TextFault) in try self.count(text, flash: false, group) }, limit: configuration.partsMaximum)
        } catch {
            throw Obstacle(error)
        }
        // With one submit for all its parts a text may have more of them than the masks have bits.
        let limit = worded.count.submits == worded.count.parts ? Engine.partsMaximum : SMSText.partsMax
        guard worded.count.parts <= limit else { throw Obstacle(.tooManyParts(parts: worded.count.parts, limit: limit)) }
        return Prepared(message: message, to: to, group: group, worded: worded)
    }
}

extension Engine.Obstacle {
    /// What is wrong with the text alone is so over every route.
    fileprivate init(_ fault: WordingFault) {
        switch fault {
        case .value: self.init(why: .valueMissing, reach: .channel)
        case .noTemplate, .empty: self.init(why: .emptyText, reach: .channel)
        case .tooLong: self.init(why: .textTooLong, reach: .channel)
        // Another operator may have the letters, or more of them in a part.
        case .noAlphabet: self.init(why: .noAlphabet, reach: .way)
        case .tooManyParts: self.init(why: .tooManyParts, reach: .way)
        }
    }
}
