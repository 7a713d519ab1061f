import MartletModel

/// Which plan is followed, and which of its messages can work. A step none of whose channels can is skipped at once, with why; the first that
/// can is the one that goes.
enum ChannelsRule {
    static func ask(
        _ customer: borrowing Customer, _ decider: borrowing Decider, _ asking: borrowing Decider.Asking, _ decision: inout Decision
    ) -> RuleAnswer {
        let place = asking.definition.plan >= 0 ? asking.definition.plan : decider.plan(asking.definition.messageClass, customer) ?? -1
        guard place >= 0, Int(place) < decider.plans.count else {
            return RuleAnswer(.channels, .suppresses(.channelForbidden), .noPlan)
        }
        decision.plan = place
        var begin = 0
        if case .step(let step) = asking.circumstances.stage { begin = Int(step) }
        var going = -1
        var furthest = PlannedMessage.Skip.noTemplate
        let count = decider.plans[Int(place)].steps.count
        var step = begin
        while step < count {
            let channels = decider.plans[Int(place)].steps[step].channels.count
            for index in 0..<channels {
                let channel = decider.plans[Int(place)].steps[step].channels[index]
                let (contact, skip) = look(channel, UInt8(step), customer, asking)
                if let skip {
                    furthest = max(furthest, skip)
                    decision.messages.append(PlannedMessage(step: UInt8(step), channel: channel, contact: contact, when: .skipped(skip)))
                } else {
                    if going < 0 { going = step }
                    decision.messages.append(
                        PlannedMessage(step: UInt8(step), channel: channel, contact: contact, when: going == step ? .now : .later))
                }
            }
            // What may not be followed by another is followed by none, but where nothing of it went.
            if going == step, !decider.plans[Int(place)].steps[step].allowsNext { break }
            step += 1
        }
        guard going >= 0 else {
            return RuleAnswer(.channels, .suppresses(furthest.reason), .noChannel, Int64(furthest.rawValue))
        }
        return RuleAnswer(.channels, .passes, .canGo, Int64(going))
    }

    private static func look(
        _ channel: ChannelKind, _ step: UInt8, _ customer: borrowing Customer, _ asking: borrowing Decider.Asking
    ) -> (contact: UInt8, skip: PlannedMessage.Skip?) {
        guard asking.definition.channels.contains(channel) else { return (0, .noTemplate) }
        if asking.notInPackage.contains(channel) { return (0, .notInPackage) }
        if asking.switchedOff.contains(channel) { return (0, .switchedOff) }
        if asking.notConsented.contains(channel) { return (0, .noConsent) }
        if asking.withdrawn.contains(channel) { return (0, .consentWithdrawn) }
        if asking.suppressed.contains(channel) { return (0, .suppressed) }
        let (contact, skip) = contact(channel, step, customer, asking)
        if skip == nil, !asking.circumstances.channels.contains(channel) { return (contact, .notServed) }
        return (contact, skip)
    }

    /// The first that can be used, in the customer's order; else why the one that came furthest cannot.
    private static func contact(
        _ channel: ChannelKind, _ step: UInt8, _ customer: borrowing Customer, _ asking: borrowing Decider.Asking
    ) -> (contact: UInt8, skip: PlannedMessage.Skip?) {
        let needsConsent = asking.definition.purpose != 0 && !asking.definition.isMandatory
        var found: (contact: UInt8, skip: PlannedMessage.Skip) = (0, .noContact)
        for place in customer.contacts.indices {
            let contact = customer.contacts[place]
            guard channel.reaches(contact.kind) else { continue }
            let skip: PlannedMessage.Skip
            if contact.isForbidden {
                skip = .contactForbidden
            } else if contact.isOptedOut, needsConsent {
                skip = .contactOptedOut
            } else if contact.isDead {
                skip = .contactDead
            } else if let why = asking.circumstances.excludes(step, channel, contact.number) {
                skip = why
            } else {
                return (contact.number, nil)
            }
            if skip > found.skip { found = (contact.number, skip) }
        }
        return found
    }
}

extension Circumstances {
    /// Why this way is left out; nil: it is not.
    fileprivate func excludes(_ step: UInt8, _ channel: ChannelKind, _ contact: UInt8) -> PlannedMessage.Skip? {
        for place in exclusions.indices where exclusions[place].covers(step: step, channel, contact: contact) {
            return exclusions[place].why
        }
        return nil
    }
}

extension ChannelKind {
    /// Whether a contact point of this kind is one for the channel.
    func reaches(_ kind: ContactPoint.Kind) -> Bool {
        switch (self, kind) {
        case (.sms, .phone), (.voice, .phone), (.messenger, .phone), (.email, .email), (.push, .device), (.pass, .device): true
        case (.sms, _), (.voice, _), (.messenger, _), (.email, _), (.push, _), (.pass, _): false
        }
    }
}
