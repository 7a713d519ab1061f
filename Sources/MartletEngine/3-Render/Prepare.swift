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

    /// Why a message that the rules let go cannot be made ready.
    enum Obstacle: Error {
        /// What is personal of the customer cannot be read: no key, or none any more.
        case noDetails
        case noAddress
        case noRoute
        /// The number has opted out of the class, which the customer's record does not say yet.
        case optedOut
        case wording(WordingFault)
        /// Nothing here makes messages for the channel.
        case noChannel

        var word: String {
            switch self {
            case .noDetails: "no_details"
            case .noAddress: "no_address"
            case .noRoute: "no_route"
            case .optedOut: "opted_out"
            case .wording(let fault): fault.word
            case .noChannel: "no_channel"
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
        /// By channel, of those that were tried.
        var obstacles: [ChannelKind: Obstacle] = [:]

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
            self.values = Engine.values(values, definition)
            guard let threshold = definition.threshold, definition.parameters.indices.contains(threshold) else { return }
            let name = definition.parameters[threshold].name
            if case .money(let amount)? = self.values.first(where: { $0.name == name })?.value { self.event.amount = amount }
        }
    }

    /// What an event says, by another release's definition: what that does not have is left out, what it has besides is what it assumes.
    static func values(_ said: [EventPayload.NamedValue], _ definition: EventDefinition) -> [EventPayload.NamedValue] {
        definition.parameters.compactMap { parameter in
            let value = said.first { $0.name == parameter.name }?.value
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

    /// Decides, and makes ready what goes. What cannot be made ready loses its channel, and it is decided again without: what is recorded is the
    /// last decision, with the circumstances of that, so it can be made again from its record.
    func consider(
        _ it: inout Considering, _ book: DecisionBook, asksAll: Bool = false, opening: (SubjectNumber) -> CustomerDetails?,
        into decision: inout Decision
    ) {
        // A channel less each time, and a contact besides.
        for _ in 0...2 * ChannelKind.allCases.count {
            it.prepared = nil
            guard book.decider.decide(it.event, it.customer, it.circumstances, asksAll: asksAll, into: &decision) else {
                // A release took the definition out.
                decision.outcome = .suppress(.unpublished)
                decision.deadline = it.event.deadline ?? it.event.occurredAt
                return
            }
            guard decision.outcome == .tell, let message = decision.messages.first(where: { $0.when == .now }) else { return }
            do throws(Obstacle) {
                it.prepared = try prepare(message, &it, book, opening)
                return
            } catch {
                it.obstacles[message.channel] = error
                if case .optedOut = error, optOut(message.contact, &it.customer) { continue }
                it.circumstances.channels.remove(ChannelSet(message.channel))
            }
        }
    }

    /// The customer as the opt-out leaves it. False: it had been there before, and does not hold the message back.
    private func optOut(_ contact: UInt8, _ customer: inout Customer?) -> Bool {
        guard let place = customer?.contacts.firstIndex(where: { $0.number == contact }), customer?.contacts[place].isOptedOut == false
        else { return false }
        customer?.contacts[place].isOptedOut = true
        return true
    }

    private func prepare(
        _ message: PlannedMessage, _ it: inout Considering, _ book: DecisionBook, _ opening: (SubjectNumber) -> CustomerDetails?
    ) throws(Obstacle) -> Prepared {
        guard message.channel == .sms else { throw .noChannel }
        guard let place = it.place, let customer = it.customer else { throw .noDetails }
        if it.details == nil { it.details = .some(opening(customer.subject)) }
        guard case .some(.some(let details)) = it.details else { throw .noDetails }
        guard case .phone(let digits)? = details.address(message.contact), digits != 0 else { throw .noAddress }
        let to = PhoneNumber(digits: digits)
        guard let group = configuration.routes.group(for: to) else { throw .noRoute }
        let messageClass = book.rules.events[place].messageClass
        if !optOuts.isEmpty, optOuts.unwanted(by: lookups.number(to)).contains(messageClass) { throw .optedOut }
        let worded: Worded
        do throws(WordingFault) {
            worded = try book.wording.sms(
                event: place, it.values, details, book.locale(of: customer), book.decider.zone(of: customer),
                count: { text throws(TextFault) in try self.count(text, flash: false, group) }, limit: configuration.partsMaximum)
        } catch {
            throw .wording(error)
        }
        // With one submit for all its parts a text may have more of them than the masks have bits.
        let limit = worded.count.submits == worded.count.parts ? Engine.partsMaximum : SMSText.partsMax
        guard worded.count.parts <= limit else { throw .wording(.tooManyParts(parts: worded.count.parts, limit: limit)) }
        return Prepared(message: message, to: to, group: group, worded: worded)
    }
}
